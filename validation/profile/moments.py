"""Means and standard deviations of numbers, read off the integer sums of their buckets."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import polars as pl

from validation.profile.buckets import BUCKET, COUNT, LOW, MIDDLE, REST, SUMS, WORD
from validation.profile.values import Histogram

_UNIT = 1074
"""Sums are whole multiples of the smallest positive number, 2^-1074."""


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


def _exact(bucket: int, count: int, sums: list[int]) -> tuple[int, int]:
    """Sum and sum of squares of a bucket's numbers, in units of 2^-1074 and its square."""
    high, middle, low, *halves = sums
    position = bucket if bucket >= 0 else -bucket - 1
    exponent = position >> 5
    edge = ((1 << 52) if exponent else 0) + ((position & 31) << REST)
    shift = max(1, exponent) - 1
    square, product, middle_square = (
        (upper << WORD) + lower for upper, lower in zip(halves[::2], halves[1::2], strict=True)
    )
    known = (high << MIDDLE) + (middle << LOW)
    of_known = (square << 2 * MIDDLE) + (product << 1 + MIDDLE + LOW) + (middle_square << 2 * LOW)
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
