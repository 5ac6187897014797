"""What is known of some rows: the value types that comparisons read. No frames of data, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]

ColumnKind = Literal["number", "category", "text", "time", "vector", "other"]


@dataclass(frozen=True, eq=False)
class Histogram:
    """Rows by value, in ordered, disjoint buckets.

    Attributes:
        lower: Float64, the lower edge of each bucket, increasing; equal to the next one only where the bucket has one
            value. Of times: days since 1970-01-01.
        upper: Float64, the upper edge of each bucket; `upper[i] <= lower[i + 1]`. The lower one, where all rows of the
            bucket have that value.
        counts: Int64, its rows; every one above 0.
        dropped: of numbers: the bits that their steps have lost; None of times. See `grid`.
    """

    lower: Numbers
    upper: Numbers
    counts: Counts
    dropped: int | None = None

    @property
    def rows(self) -> int:
        """Rows in all buckets."""
        return int(self.counts.sum())


@dataclass(frozen=True, eq=False)
class Categories:
    """Rows by category.

    Attributes:
        values: texts of the categories, sorted by code points.
        counts: Int64, the rows of each.
        exact: every category is listed, and its count is exact.
        error: where not exact, a count is too large by at most this many rows.
        other: rows whose category is not listed; 0 where exact.
    """

    values: tuple[str, ...]
    counts: Counts
    exact: bool = True
    error: int = 0
    other: int = 0

    @property
    def rows(self) -> int:
        """Rows of all categories, the unlisted ones included."""
        return int(self.counts.sum()) + self.other


@dataclass(frozen=True)
class Moments:
    """Of the finite numbers of a column.

    Attributes:
        count: how many there are.
        mean: their mean; None where there is none.
        sd: their standard deviation with n - 1; None below two.
        minimum: the least; a number, or for times the text of ISO 8601.
        maximum: the greatest, likewise.
    """

    count: int
    mean: float | None
    sd: float | None
    minimum: int | float | str | None
    maximum: int | float | str | None


@dataclass(frozen=True, eq=False)
class VectorSummary:
    """Of the vectors of a column, those of the commonest length.

    Attributes:
        count: how many there are.
        length: of each.
        mean: Float64, one number a dimension.
        covariance: Float64, dimension by dimension; None where the length is over the bound for it.
    """

    count: int
    length: int
    mean: Numbers
    covariance: Numbers | None


@dataclass(frozen=True, eq=False)
class ColumnProfile:
    """What is known of one column of some rows.

    Attributes:
        name: of the column; derived ones are named like `caption (length)`.
        kind: how it is to be compared.
        rows: all rows.
        nulls: rows without a value.
        nans: rows whose number is NaN; not among the nulls.
        infinite: rows whose number is infinite; not in the histogram.
        distinct: distinct values; exact where `distinct_exact`.
        distinct_exact: see there.
        histogram: of numbers (log buckets) and times (days); None for other kinds.
        categories: of strings, booleans, and integers of few values; None for others.
        moments: of numbers and times; None for other kinds.
        vector: of vectors; None for other kinds.
    """

    name: str
    kind: ColumnKind
    rows: int
    nulls: int
    nans: int = 0
    infinite: int = 0
    distinct: int = 0
    distinct_exact: bool = True
    histogram: Histogram | None = None
    categories: Categories | None = None
    moments: Moments | None = None
    vector: VectorSummary | None = None
