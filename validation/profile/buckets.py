"""Numbers in log buckets, with exact integer sums: merging them in any order gives the same bytes.

A bucket is the sign, the exponent and the top 5 bits of the mantissa of a float64, so at most 1/32 (3.1 %) wide: the
middle of a bucket is at most 1.6 % away from any of its values. What the bucket leaves out of the mantissa, 47 bits,
is summed in three integers, with the squares and the product of the upper two: the mean is exact, and the standard
deviation is that of values rounded to 40 bits beyond their bucket.
"""

from __future__ import annotations

import math
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


def number_histogram(rows: pl.DataFrame) -> Histogram | None:
    """The histogram of buckets of numbers, sorted; None of no rows."""
    if not len(rows):
        return None
    ordered = rows.sort(BUCKET)
    lower, upper = bucket_edges(ordered[BUCKET].to_numpy())
    return Histogram(lower, upper, ordered[COUNT].to_numpy())


def day_histogram(rows: pl.DataFrame) -> Histogram | None:
    """The histogram of buckets of days; None of no rows."""
    if not len(rows):
        return None
    ordered = rows.sort(BUCKET)
    days = ordered[BUCKET].to_numpy().astype(np.float64)
    return Histogram(days, days + 1, ordered[COUNT].to_numpy())


def mean_and_sd(rows: pl.DataFrame) -> tuple[float | None, float | None]:
    """The mean, correctly rounded, and the standard deviation with n - 1.

    Args:
        rows: buckets of numbers with their sums.

    Returns:
        None where there are too few. The deviation is off by less than 1e-13 of the largest number.
    """
    total = int(rows[COUNT].sum())
    if not total:
        return None, None
    parts = [_exact(row) for row in rows.select(BUCKET, COUNT, *SUMS).iter_rows()]
    mean = sum((first for _, first, _ in parts), Fraction(0)) / total
    if total < 2:
        return _float(mean), None
    squares = sum((second - 2 * mean * first + count * mean * mean for count, first, second in parts), Fraction(0))
    variance = max(squares / (total - 1), Fraction(0))
    return _float(mean), _root(variance)


def _exact(row: tuple[int, ...]) -> tuple[int, Fraction, Fraction]:
    """Count, sum and sum of squares of a bucket's numbers."""
    bucket, count, high, middle, low, *halves = row
    position = bucket if bucket >= 0 else -bucket - 1
    edge = Fraction(float(np.int64(position << _REST).view(np.float64)))
    step = Fraction(2) ** (max(1, position >> 5) - 1075)
    square, product, middle_square = (
        upper * 2**_WORD + lower for upper, lower in zip(halves[::2], halves[1::2], strict=True)
    )
    known = high * 2**_MIDDLE + middle * 2**_LOW
    of_known = square * 4**_MIDDLE + 2 * product * 2 ** (_MIDDLE + _LOW) + middle_square * 4**_LOW
    of_rest = Fraction(of_known) + Fraction(2 * known * low + low * low, count)  # as if `low` were alike in all
    rest = known + low
    first = count * edge + step * rest
    second = count * edge * edge + 2 * edge * step * rest + step * step * of_rest
    return count, first if bucket >= 0 else -first, second


def _float(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _root(value: Fraction) -> float:
    """The square root of a fraction that may be too large or too small for a float."""
    if not value:
        return 0.0
    scale = (value.numerator.bit_length() - value.denominator.bit_length()) // 2
    return _float(Fraction(math.sqrt(value / Fraction(4) ** scale)) * Fraction(2) ** scale)


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
