"""Numbers in log buckets, with exact integer sums, and in finer steps: merging in any order gives the same bytes.

Buckets carry the sums that moments are made of; the steps of `grid` carry the rows that distributions are made of.
A bucket is the sign, the exponent and the top 5 bits of the mantissa of a float64, so at most 1/32 (3.1 %) wide: the
middle of a bucket is at most 1.6 % away from any of its values. What the bucket leaves out of the mantissa, 47 bits,
is summed in three integers, with the squares and the product of the upper two: the mean is exact, and the standard
deviation is that of values rounded to 40 bits beyond their bucket.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from validation.profile.counting import Indices, starts_of_runs
from validation.profile.grid import COARSEST, MOST, ROUNDED, Numbers, edges, first_guess, needed, steps_of
from validation.profile.values import Counts, Histogram

BUCKET, COUNT = "bucket", "count"
STEP, DROPPED, ONE = "step", "dropped", "one"
SEVERAL = -1
"""In the place of the one value of a step: its rows have several."""
_PRODUCTS = ("square", "product", "middle_square")
SUMS = ("high", "middle", "low", *(f"{name}_{half}" for name in _PRODUCTS for half in ("upper", "lower")))
REST, MIDDLE, LOW = COARSEST, 27, ROUNDED
_PART = np.int64(2**20 - 1)
WORD = 32
_HALF = np.int64(2**WORD - 1)
Bits = npt.NDArray[np.int64]


def bucket_numbers(values: Numbers, counts: Counts, dropped: int | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Sorts finite numbers into their buckets and steps.

    Args:
        values: finite, sorted, at least one.
        counts: how many rows each stands for; at most 4 million in all.
        dropped: bits that the steps will have lost anyway, once merged; None where nothing is known.

    Returns:
        The buckets: `bucket` (Int64), `count`, and the sums `SUMS` (Int64): of the upper 20, the next 20 and the last
        7 bits of what the bucket leaves out, and of the products of the first two, in two halves each. The steps:
        `dropped`, `step`, `count` and `one` (Int64): the bits, without sign and the last 7, of the one value that all
        rows of the step have, or -1. Both in no order.
    """
    magnitudes = np.abs(values).view(np.int64)
    dropped = first_guess(values) if dropped is None else dropped
    steps = steps_of(values, dropped)
    starts = starts_of_runs(steps)
    steps = steps[starts]
    buckets = steps >> (REST - dropped)
    kept = starts_of_runs(buckets)
    summed = _bucket_sums(magnitudes, counts, starts[kept])
    found = pl.DataFrame(
        {
            DROPPED: np.full(len(steps), dropped, dtype=np.int64),
            STEP: steps,
            COUNT: np.add.reduceat(counts, starts),
            ONE: _one_values(magnitudes, starts),
        }
    )
    return pl.DataFrame({BUCKET: buckets[kept], **summed}), coarsened(found)


def _bucket_sums(magnitudes: Bits, counts: Counts, starts: Indices) -> dict[str, Bits]:
    """Rows and sums of buckets that begin at some places."""
    high, middle = (magnitudes >> MIDDLE) & _PART, (magnitudes >> LOW) & _PART
    low = magnitudes & np.int64(2**LOW - 1)
    rows = np.add.reduceat(counts, starts)
    several = int(rows.sum()) > len(magnitudes)

    def added(parts: Bits, by: Bits | None = None) -> Bits:
        product = parts if by is None else parts * by
        return np.add.reduceat(product * counts if several else product, starts)

    sums = {COUNT: rows, "high": added(high), "middle": added(middle), "low": added(low)}
    for name, (one, other) in zip(_PRODUCTS, ((high, high), (high, middle), (middle, middle)), strict=True):
        product = added(one, other)
        sums |= {f"{name}_upper": product >> WORD, f"{name}_lower": product & _HALF}
    return sums


def _one_values(magnitudes: Bits, starts: Indices) -> Bits:
    """The bits of the one value of each step, without sign and the last 7; of several values -1."""
    ends = np.append(starts[1:], len(magnitudes)) - 1
    first, last = magnitudes[starts] >> ROUNDED, magnitudes[ends] >> ROUNDED
    return np.where(first == last, first << ROUNDED, SEVERAL)


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


def bucket_days(days: Bits, counts: Counts) -> pl.DataFrame:
    """Rows by day.

    Args:
        days: days since 1970-01-01, distinct.
        counts: rows of each.

    Returns:
        As the buckets of `bucket_numbers`, the day in the place of the bucket, sums 0.
    """
    return pl.DataFrame({BUCKET: days, COUNT: counts, **dict.fromkeys(SUMS, np.zeros(len(days), dtype=np.int64))})


def carried() -> list[pl.Expr]:
    """Brings summed halves of products into the one form that equal sums share."""
    return [
        part
        for name in _PRODUCTS
        for part in (
            pl.col(f"{name}_upper") + pl.col(f"{name}_lower") // 2**WORD,
            pl.col(f"{name}_lower") % 2**WORD,
        )
    ]


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
