"""Numbers in log buckets, with exact integer sums: merging them in any order gives the same bytes.

A bucket is the sign, the exponent and the top 5 bits of the mantissa of a float64, so at most 1/32 (3.1 %) wide: the
middle of a bucket is at most 1.6 % away from any of its values. What the bucket leaves out of the mantissa, 47 bits,
is summed in three integers, with the squares and the product of the upper two: the mean is exact, and the standard
deviation is that of values rounded to 40 bits beyond their bucket.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import polars as pl

from validation.profile.values import Histogram

BUCKET, COUNT = "bucket", "count"
_PRODUCTS = ("square", "product", "middle_square")
SUMS = ("high", "middle", "low", *(f"{name}_{half}" for name in _PRODUCTS for half in ("upper", "lower")))
_REST, _MIDDLE, _LOW = 47, 27, 7
_PART = np.int64(2**20 - 1)
_WORD = 32
_LARGEST = float(np.finfo(np.float64).max)


def bucket_numbers(values: npt.NDArray[np.float64], counts: npt.NDArray[np.int64] | None = None) -> pl.DataFrame:
    """Sorts finite numbers into their buckets.

    Args:
        values: finite.
        counts: how many rows each stands for; None for one. At most 16 million rows in all.

    Returns:
        `bucket` (Int64, in the order of the numbers), `count`, and the sums `SUMS` (Int64): of the upper 20, the
        next 20 and the last 7 bits of what the bucket leaves out, and of the products of the first two, in two halves
        each. A row a bucket, in no order.
    """
    bits = (values + 0.0).view(np.int64)  # -0.0 becomes 0.0
    magnitude = bits & np.int64(2**63 - 1)
    frame = pl.DataFrame(
        {
            BUCKET: ((magnitude >> _REST) ^ (bits >> 63)).astype(np.int32),  # -1 - bucket for negative numbers
            "high": (magnitude >> _MIDDLE) & _PART,
            "middle": (magnitude >> _LOW) & _PART,
            "low": magnitude & np.int64(2**_LOW - 1),
        }
    )
    high, middle, low = pl.col("high"), pl.col("middle"), pl.col("low")
    summed = {"high": high, "middle": middle, "low": low}
    summed |= {"square": high * high, "product": high * middle, "middle_square": middle * middle}
    rows = pl.len().cast(pl.Int64)
    if counts is not None:
        frame = frame.with_columns(pl.Series(COUNT, counts))
        summed = {name: part * pl.col(COUNT) for name, part in summed.items()}
        rows = pl.col(COUNT).sum()
    counted = (
        frame.lazy()
        .select(BUCKET, *([COUNT] if counts is not None else []), **summed)
        .group_by(BUCKET)
        .agg(rows.alias(COUNT), pl.col(*summed).sum())
    )
    halves = [
        half
        for name in _PRODUCTS
        for half in (
            (pl.col(name) // 2**_WORD).alias(f"{name}_upper"),
            (pl.col(name) % 2**_WORD).alias(f"{name}_lower"),
        )
    ]
    return counted.select(pl.col(BUCKET).cast(pl.Int64), COUNT, "high", "middle", "low", *halves).collect()


def bucket_days(days: pl.Series) -> pl.DataFrame:
    """Counts rows by day.

    Args:
        days: Int64, days since 1970-01-01, no null.

    Returns:
        As `bucket_numbers`, the day in the place of the bucket, sums 0.
    """
    counted = days.alias(BUCKET).to_frame().group_by(BUCKET).agg(pl.len().cast(pl.Int64).alias(COUNT))
    return counted.with_columns(pl.lit(0, dtype=pl.Int64).alias(name) for name in SUMS)


def carried() -> list[pl.Expr]:
    """Brings summed halves of products into the one form that equal sums share."""
    return [
        part
        for name in _PRODUCTS
        for part in (
            pl.col(f"{name}_upper") + pl.col(f"{name}_lower") // 2**_WORD,
            pl.col(f"{name}_lower") % 2**_WORD,
        )
    ]


def bucket_edges(buckets: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The lower and upper edges of buckets of numbers."""
    position = np.where(buckets >= 0, buckets, -buckets - 1)
    inner = (position << _REST).view(np.float64)
    outer = np.where(position + 1 < 2047 * 32, ((position + 1) << _REST).view(np.float64), _LARGEST)
    return np.where(buckets >= 0, inner, -outer), np.where(buckets >= 0, outer, -inner)


@dataclass(frozen=True, eq=False)
class BucketSums:
    """Rows of one column by bucket, with the sums of `bucket_numbers`.

    Attributes:
        buckets: Int64, sorted, distinct.
        counts: Int64, rows of each.
        sums: Int64, [bucket, SUMS].
    """

    buckets: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    sums: npt.NDArray[np.int64]

    @classmethod
    def of(cls, rows: Iterable[pl.DataFrame]) -> BucketSums:
        """Of the rows of several parts, added up."""
        parts = [part.select(BUCKET, COUNT, *SUMS).to_numpy() for part in rows] or [
            np.zeros((0, 2 + len(SUMS)), np.int64)
        ]
        stacked = np.concatenate(parts)
        buckets, place = np.unique(stacked[:, 0], return_inverse=True)
        added = np.zeros((len(buckets), 1 + len(SUMS)), dtype=np.int64)
        np.add.at(added, place, stacked[:, 1:])
        return cls(buckets, added[:, 0], added[:, 1:])

    def number_histogram(self) -> Histogram | None:
        """The histogram of numbers; None of no rows."""
        if not len(self.buckets):
            return None
        lower, upper = bucket_edges(self.buckets)
        return Histogram(lower, upper, self.counts)

    def day_histogram(self) -> Histogram | None:
        """The histogram of days; None of no rows."""
        if not len(self.buckets):
            return None
        days = self.buckets.astype(np.float64)
        return Histogram(days, days + 1, self.counts)

    def mean_and_sd(self) -> tuple[float | None, float | None]:
        """The mean of numbers, correctly rounded, and the standard deviation with n - 1.

        Returns:
            None where there are too few. The deviation is off by less than 1e-13 of the largest number.
        """
        total = int(self.counts.sum())
        if not total:
            return None, None
        first = second = 0
        for bucket, count, sums in zip(self.buckets.tolist(), self.counts.tolist(), self.sums.tolist(), strict=True):
            one, two = _exact(bucket, count, sums)
            first, second = first + one, second + two
        mean = _ratio(first, total << _UNIT)
        if total < 2:
            return mean, None
        return mean, _root(Fraction(total * second - first * first, total * (total - 1) << 2 * _UNIT))


_UNIT = 1074
"""Sums are whole multiples of the smallest positive number, 2^-1074."""


def _exact(bucket: int, count: int, sums: list[int]) -> tuple[int, int]:
    """Sum and sum of squares of a bucket's numbers, in units of 2^-1074 and its square."""
    high, middle, low, *halves = sums
    position = bucket if bucket >= 0 else -bucket - 1
    exponent = position >> 5
    edge = ((1 << 52) if exponent else 0) + ((position & 31) << _REST)
    shift = max(1, exponent) - 1
    square, product, middle_square = (
        (upper << _WORD) + lower for upper, lower in zip(halves[::2], halves[1::2], strict=True)
    )
    known = (high << _MIDDLE) + (middle << _LOW)
    of_known = (square << 2 * _MIDDLE) + (product << 1 + _MIDDLE + _LOW) + (middle_square << 2 * _LOW)
    of_rest = of_known + (2 * known * low + low * low) // count  # as if `low` were alike in all
    rest = known + low
    first = (count * edge + rest) << shift
    second = (count * edge * edge + 2 * edge * rest + of_rest) << 2 * shift
    return first if bucket >= 0 else -first, second


def _ratio(value: int, by: int) -> float:
    try:
        return value / by
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _root(value: Fraction) -> float:
    """The square root of a fraction that may be too large or too small for a float."""
    if value <= 0:
        return 0.0
    scale = (value.numerator.bit_length() - value.denominator.bit_length()) // 2
    root = Fraction(math.sqrt(value / Fraction(4) ** scale)) * Fraction(2) ** scale
    return _ratio(root.numerator, root.denominator)


def quantile(histogram: Histogram, share: float) -> float:
    """A quantile, to the width of a bucket: at most 3.1 % of its size.

    Args:
        histogram: with at least one row.
        share: from 0 to 1.

    Returns:
        The point in its bucket that its rows, evenly spread, would give.
    """
    ends = np.cumsum(histogram.counts)
    wanted = share * histogram.rows
    at = min(int(np.searchsorted(ends, wanted)), len(ends) - 1)
    before = int(ends[at - 1]) if at else 0
    inside = min(max((wanted - before) / int(histogram.counts[at]), 0.0), 1.0)
    lower, upper = float(histogram.lower[at]), float(histogram.upper[at])
    return lower + inside * (upper - lower)
