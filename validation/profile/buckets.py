"""Numbers in log buckets, with exact integer sums, and in finer steps: merging in any order gives the same bytes.

Buckets carry the sums that moments are made of; the steps of `grid` carry the rows that distributions are made of.
A bucket is the sign, the exponent and the top 5 bits of the mantissa of a float64, so at most 1/32 (3.1 %) wide: the
middle of a bucket is at most 1.6 % away from any of its values. What the bucket leaves out of the mantissa, 47 bits,
is summed in three integers, with the squares and the product of the upper two: the mean is exact, and the standard
deviation is that of values rounded to 40 bits beyond their bucket.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import polars as pl

from validation.profile.grid import COARSEST, MOST, ROUNDED, edges, first_guess, needed, steps_of
from validation.profile.values import Histogram

BUCKET, COUNT = "bucket", "count"
STEP, DROPPED, ONE = "step", "dropped", "one"
SEVERAL = -1
"""In the place of the one value of a step: its rows have several."""
_PRODUCTS = ("square", "product", "middle_square")
SUMS = ("high", "middle", "low", *(f"{name}_{half}" for name in _PRODUCTS for half in ("upper", "lower")))
_REST, _MIDDLE, _LOW = COARSEST, 27, ROUNDED
_PART = np.int64(2**20 - 1)
_WORD = 32


def bucket_numbers(
    values: npt.NDArray[np.float64], counts: npt.NDArray[np.int64] | None = None, dropped: int | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Sorts finite numbers into their buckets and steps.

    Args:
        values: finite, at least one.
        counts: how many rows each stands for; None for one. At most 4 million rows in all.
        dropped: bits that the steps will have lost anyway, once merged; None where nothing is known.

    Returns:
        The buckets: `bucket` (Int64, in the order of the numbers), `count`, and the sums `SUMS` (Int64): of the upper
        20, the next 20 and the last 7 bits of what the bucket leaves out, and of the products of the first two, in two
        halves each. The steps: `dropped`, `step`, `count` and `one` (Int64): the bits, without sign and the last 7, of
        the one value that all rows of the step have, or -1. Both in no order.
    """
    dropped = first_guess(values) if dropped is None else dropped
    magnitude = np.abs(values).view(np.int64)
    frame = pl.DataFrame(
        {
            STEP: steps_of(values, dropped),
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
        .select(STEP, *([COUNT] if counts is not None else []), **summed)
        .group_by(STEP)
        .agg(rows.alias(COUNT), pl.col(*summed).sum())
        .with_columns((pl.col(STEP) // 2 ** (_REST - dropped)).alias(BUCKET))
        .collect()
    )
    halves = [
        half
        for name in _PRODUCTS
        for half in (
            (pl.col(name) // 2**_WORD).alias(f"{name}_upper"),
            (pl.col(name) % 2**_WORD).alias(f"{name}_lower"),
        )
    ]
    sums = counted.group_by(BUCKET).agg(pl.col(COUNT, *summed).sum())
    buckets = sums.select(BUCKET, COUNT, "high", "middle", "low", *halves)
    steps = counted.select(pl.lit(dropped, dtype=pl.Int64).alias(DROPPED), STEP, COUNT, _one_value().alias(ONE))
    return buckets, coarsened(steps)


def _one_value() -> pl.Expr:
    """The one value of a step, from its sums: squares add up to the least that they can where all rows are alike."""
    high, middle = (pl.col(name) // pl.col(COUNT) for name in ("high", "middle"))
    alike = (
        (high * pl.col(COUNT) == pl.col("high"))
        & (middle * pl.col(COUNT) == pl.col("middle"))
        & (high * high * pl.col(COUNT) == pl.col("square"))
        & (middle * middle * pl.col(COUNT) == pl.col("middle_square"))
    )
    position = pl.when(pl.col(BUCKET) < 0).then(-1 - pl.col(BUCKET)).otherwise(pl.col(BUCKET))
    value = position * 2**_REST + high * 2**_MIDDLE + middle * 2**_LOW
    return pl.when(alike).then(value).otherwise(SEVERAL)


def _of_several() -> list[pl.Expr]:
    """Aggregates steps that have become one."""
    low, high = pl.col(ONE).min(), pl.col(ONE).max()
    return [pl.col(COUNT).sum(), pl.when(low == high).then(low).otherwise(SEVERAL).alias(ONE)]


def coarsened(steps: pl.DataFrame) -> pl.DataFrame:
    """Steps of one grid, on the finest grid on which they are at most 1,024.

    Args:
        steps: of one column, as `bucket_numbers` gives them, each once; `dropped` is the same in all.

    Returns:
        The same; in no order where it is coarser.
    """
    if len(steps) <= MOST:
        return steps
    dropped = int(steps[DROPPED][0])
    wanted = needed(steps[STEP].sort().to_numpy(), dropped)
    if wanted == dropped:
        return steps
    merged = steps.group_by(pl.col(STEP) // 2 ** (wanted - dropped)).agg(_of_several())
    return merged.select(pl.lit(wanted, dtype=pl.Int64).alias(DROPPED), STEP, COUNT, ONE)


def merge_steps(stacked: pl.DataFrame, place: Sequence[str]) -> pl.DataFrame:
    """Merges the steps of several parts, by column.

    Args:
        stacked: of all parts.
        place: the columns that name a column of data.

    Returns:
        Of every place on the finest grid that it has at most 1,024 steps on, in no order.
    """
    wanted = pl.col(DROPPED).max().over(place)
    merged = (
        stacked.with_columns(
            pl.when(pl.col(DROPPED) == wanted)
            .then(STEP)
            .otherwise(pl.col(STEP) // pl.lit(2, dtype=pl.Int64).pow(wanted - pl.col(DROPPED)))
            .alias(STEP),
            wanted.alias(DROPPED),
        )
        .group_by(*place, DROPPED, STEP)
        .agg(_of_several())
    )
    sizes = merged.group_by(place).agg(pl.len(), pl.col(DROPPED).first())
    over = sizes.filter((pl.col("len") > MOST) & (pl.col(DROPPED) < COARSEST)).select(place)
    if not len(over):
        return merged
    parts = [merged.join(over, on=place, how="anti")]
    for names, steps in merged.join(over, on=place, how="semi").group_by(place):
        named = [pl.lit(text).alias(name) for name, text in zip(place, names, strict=True)]
        parts.append(coarsened(steps.select(DROPPED, STEP, COUNT, ONE)).select(*named, pl.all()))
    return pl.concat([part.select(*place, DROPPED, STEP, COUNT, ONE) for part in parts])


def step_histogram(parts: Sequence[pl.DataFrame]) -> Histogram | None:
    """The histogram of numbers.

    Args:
        parts: the steps of several parts.

    Returns:
        None of no rows. Where all rows of a step have one value, both its edges are that value.
    """
    if not parts:
        return None
    dropped = max(int(part[DROPPED][0]) for part in parts)
    shifted = [part[STEP].to_numpy() >> (dropped - int(part[DROPPED][0])) for part in parts]
    steps, place = np.unique(np.concatenate(shifted), return_inverse=True)
    counts = np.zeros(len(steps), dtype=np.int64)
    np.add.at(counts, place, np.concatenate([part[COUNT].to_numpy() for part in parts]))
    ones = np.concatenate([part[ONE].to_numpy() for part in parts])
    least, greatest = np.full(len(steps), 2**63 - 1), np.full(len(steps), SEVERAL)
    np.minimum.at(least, place, ones)
    np.maximum.at(greatest, place, ones)
    lower, upper = edges(steps, dropped)
    alike = (least == greatest) & (least != SEVERAL) & (dropped > ROUNDED)
    alike &= (least > 0) | (steps >= 0)  # the bits of the least negative numbers are those of 0
    value = np.where(alike, np.where(alike, least, 0).view(np.float64), 0.0) * np.where(steps < 0, -1.0, 1.0)
    return Histogram(np.where(alike, value, lower), np.where(alike, value, upper), counts, dropped)


def bucket_days(days: pl.Series) -> pl.DataFrame:
    """Counts rows by day.

    Args:
        days: Int64, days since 1970-01-01, no null.

    Returns:
        As the buckets of `bucket_numbers`, the day in the place of the bucket, sums 0.
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

    def day_histogram(self, *, whole: bool = False) -> Histogram | None:
        """The histogram of days; None of no rows.

        Args:
            whole: values are days, not moments within them: both edges are the day.
        """
        if not len(self.buckets):
            return None
        days = self.buckets.astype(np.float64)
        return Histogram(days, days + (not whole), self.counts)

    def mean_and_sd(
        self, known: tuple[Fraction | int, Fraction | int] | None = None
    ) -> tuple[float | None, float | None]:
        """The mean of numbers, correctly rounded, and the standard deviation with n - 1.

        Args:
            known: the sums of the numbers and of their squares, where those are more exact than floats.

        Returns:
            None where there are too few. The deviation is off by less than 1e-13 of the largest number.
        """
        total = int(self.counts.sum())
        if not total:
            return None, None
        if known is not None:
            mean = float(Fraction(known[0]) / total)
            spread = (total * known[1] - known[0] * known[0]) / Fraction(total * max(1, total - 1))
            return mean, _root(spread) if total > 1 else None
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
    """A quantile, to the width of a step.

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
