"""Two profiles side by side: the same cells, in the same order, for both samples."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from validation.comparing.distances import shares
from validation.profile.grid import steps_between
from validation.profile.values import Categories, Histogram, Numbers

MIN_EXPECTED = 5.0
"""Cells with a smaller expected count in the smaller sample are counted as one (Cochran 1954)."""


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of two samples by cell.

    Attributes:
        reference: Float64, rows of each cell; divided by the design effect where there is one.
        observed: Float64, likewise.
    """

    reference: Numbers
    observed: Numbers

    @property
    def sizes(self) -> tuple[float, float]:
        """Rows of both samples."""
        return float(self.reference.sum()), float(self.observed.sum())

    @property
    def effective(self) -> float:
        """`n m / (n + m)`: what the two sizes come to for everything that depends on their difference."""
        n, m = self.sizes
        return n * m / (n + m) if n + m > 0 else 0.0

    @property
    def pooled(self) -> Numbers:
        """Shares of both samples together."""
        both = self.reference + self.observed
        return np.asarray(both / both.sum())


@dataclass(frozen=True, eq=False)
class Folded:
    """A table whose rare cells are one.

    Attributes:
        table: the kept cells, and last the folded ones, if there are any.
        kept: how many cells were kept.
        rare: the last cell exists, and is itself expected less than `MIN_EXPECTED` times in the smaller sample.
    """

    table: Table
    kept: int
    rare: bool


def fold_rare(table: Table) -> Folded:
    """Counts as one all cells that are expected less than 5 times in the smaller sample.

    Which cells these are depends on the sum of both samples alone, so that it tells nothing of their difference.

    Args:
        table: both samples hold rows.

    Returns:
        The folded table.
    """
    expected = table.pooled * min(table.sizes)
    keep = expected >= MIN_EXPECTED
    if keep.all():
        return Folded(table, len(expected), rare=False)
    reference, observed = (np.append(counts[keep], counts[~keep].sum()) for counts in (table.reference, table.observed))
    if reference[-1] + observed[-1] == 0:
        return Folded(Table(reference[:-1], observed[:-1]), int(keep.sum()), rare=False)
    return Folded(Table(reference, observed), int(keep.sum()), rare=bool(expected[~keep].sum() < MIN_EXPECTED))


def category_table(reference: Categories, observed: Categories, designs: tuple[float, float] = (1.0, 1.0)) -> Table:
    """The categories of both, in the order of their names.

    Where counts are not exact, every category takes the shares within its bounds that are closest to each other:
    the shift is at least what the table shows. Unlisted rows are the last cell.

    Args:
        reference: of one sample.
        observed: of the other.
        designs: rows that carry the weight of one, in each.

    Returns:
        Counts by category.
    """
    names = sorted({*reference.values, *observed.values})
    place = {name: index for index, name in enumerate(names)}
    counts = [_spread(part, place) for part in (reference, observed)]
    if not (reference.exact and observed.exact):
        counts = _closest(counts, (reference, observed))
    return Table(counts[0] / designs[0], counts[1] / designs[1])


def _spread(part: Categories, place: dict[str, int]) -> Numbers:
    """Counts by the places of the names; unlisted rows last, where there may be any."""
    counts = np.zeros(len(place) + 1)
    counts[[place[value] for value in part.values]] = part.counts
    counts[-1] = part.other
    return counts


def _closest(counts: list[Numbers], parts: tuple[Categories, Categories]) -> list[Numbers]:
    """Both tables, with every difference taken away that the bounds of the counts leave room for."""
    totals = [max(1, part.rows) for part in parts]
    lower, upper = [], []
    for found, part, total in zip(counts, parts, totals, strict=True):
        listed = found[:-1]
        slack = 0 if part.exact else part.error
        lower.append(np.maximum(listed - slack, 0.0) / total)
        upper.append(np.where(listed > 0, listed, 0.0 if part.exact else part.error + part.other) / total)
    first = np.clip((lower[1] + upper[1]) / 2, lower[0], upper[0])
    second = np.clip(first, lower[1], upper[1])
    first = np.clip(second, lower[0], upper[0])
    closest = []
    for values, total in zip((first, second), totals, strict=True):
        scaled = values / max(1.0, float(values.sum()))
        closest.append(np.append(scaled, max(0.0, 1.0 - float(scaled.sum()))) * total)
    return closest


@dataclass(frozen=True, eq=False)
class Line:
    """Rows of two samples by buckets in order.

    Attributes:
        table: the buckets of either.
        positions: Float64, where each bucket's rows are taken to lie; increasing.
        scale: what the positions were divided by, so that no square of one is infinite.
        hidden: the largest share of the rows of both that lies in one bucket and may have several values: what the
            largest difference of cumulated shares may have more than the buckets show.
        blur: how wide the buckets are in the mean of all rows, in units of the positions: what rows may have to go
            further than the buckets show.
    """

    table: Table
    positions: Numbers
    scale: float
    hidden: float = 0.0
    blur: float = 0.0

    def deviation(self, counts: Numbers) -> float:
        """The standard deviation of these rows, in units of the positions."""
        weights = counts / counts.sum()
        mean = float((weights * self.positions).sum())
        return math.sqrt(float((weights * (self.positions - mean) ** 2).sum()))


def histogram_line(
    reference: Histogram, observed: Histogram, designs: tuple[float, float] = (1.0, 1.0), *, at_lower: bool = False
) -> Line:
    """The buckets of both; of numbers, on the coarser of both grids.

    Args:
        reference: of one sample.
        observed: of the other.
        designs: rows that carry the weight of one, in each.
        at_lower: rows lie at the lower edge, as days do; else at the edge nearer to 0.

    Returns:
        Counts by bucket.
    """
    bucket: list[npt.NDArray[np.generic]] = [reference.lower, observed.lower]
    if reference.dropped is not None and observed.dropped is not None:
        dropped = max(reference.dropped, observed.dropped)
        bucket = [steps_between(part.lower, part.upper, dropped) for part in (reference, observed)]
    found, place = np.unique(np.concatenate(bucket), return_inverse=True)
    lower, upper = np.full(len(found), np.inf), np.full(len(found), -np.inf)
    np.minimum.at(lower, place, np.concatenate([reference.lower, observed.lower]))
    np.maximum.at(upper, place, np.concatenate([reference.upper, observed.upper]))
    positions = lower if at_lower else np.where(np.abs(lower) <= np.abs(upper), lower, upper)
    size = float(np.abs(positions).max(initial=0.0)) or 1.0
    places = place[: len(bucket[0])], place[len(bucket[0]) :]
    counts = [
        np.bincount(at, part.counts, minlength=len(found)).astype(np.float64) / design
        for at, part, design in zip(places, (reference, observed), designs, strict=True)
    ]
    table = Table(counts[0], counts[1])
    several = np.where(upper > lower, np.maximum(shares(counts[0]), shares(counts[1])), 0.0)
    blur = float((several * (upper / size - lower / size)).sum())
    return Line(table, np.maximum.accumulate(positions / size), size, float(several.max(initial=0.0)), blur)


def quantile_bins(table: Table, bins: int, weights: Numbers | None = None) -> Table:
    """Adjacent buckets counted as one: so many bins of about the same weight.

    Args:
        table: buckets in order.
        bins: how many bins there may be; there are fewer where values are tied.
        weights: shares that the bins are made equal by; by default the mean share of the two samples.

    Returns:
        Rows by bin.
    """
    n, m = table.sizes
    share = (table.reference / n + table.observed / m) / 2 if weights is None else weights
    middle = np.cumsum(share) - share / 2
    bin_of = np.minimum((middle * bins).astype(np.int64), bins - 1)
    counts = [
        np.bincount(bin_of, rows, minlength=bins).astype(np.float64) for rows in (table.reference, table.observed)
    ]
    return Table(counts[0], counts[1])
