"""What chance alone gives: distances of two samples of one and the same distribution."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from validation.comparing.tables import MIN_EXPECTED, Line, Table
from validation.profile.values import Numbers

DRAWS = 400
UPPER = 0.1
"""The share of the draws that the tail is fitted to."""
MANY_ROWS = 500_000_000
"""More rows than this are drawn as normal: numpy's hypergeometric ends there."""
MOST_CELLS = 192
"""The draws have at most so many buckets."""


def expected_js_square(table: Table) -> float:
    """The mean squared Jensen-Shannon distance of two such samples of the pooled shares, base 2.

    With `f(x) = x ln x`, `JS² = (½ Σ f(p) + ½ Σ f(q) - Σ f(½ p + ½ q)) / ln 2`; the mean of each term follows from
    the binomial's moments to the fourth (for entropies: Harris 1975). The first order alone is
    `(cells - 1) / (8 ln 2) · (1/n + 1/m)`.

    Args:
        table: folded: the orders after the first hold for cells that are not rare.

    Returns:
        In squared units of the distance, at most 1.
    """
    n, m = table.sizes
    share = table.pooled
    common = share * min(n, m) >= MIN_EXPECTED
    ours, theirs = _central(share, n), _central(share, m)
    mixed = tuple((a + b) / 2**order for order, a, b in zip((2, 3, 4), ours, theirs, strict=True))
    parts = [_mean_of_entropy(share, cumulants, common) for cumulants in (ours, theirs, mixed)]
    return float(np.clip((parts[0] / 2 + parts[1] / 2 - parts[2]) / math.log(2), 0.0, 1.0))


def _central(share: Numbers, n: float) -> tuple[Numbers, Numbers, Numbers]:
    """The second, third and fourth cumulants of a binomial's share."""
    spread = share * (1 - share)
    return spread / n, spread * (1 - 2 * share) / n**2, spread * (1 - 6 * spread) / n**3


def _mean_of_entropy(share: Numbers, cumulants: tuple[Numbers, ...], common: npt.NDArray[np.bool_]) -> float:
    """The sum over cells of `E f(share + noise) - f(share)`, to the fourth order where a cell is common."""
    second, third, fourth = cumulants
    held = share > 0
    base = np.where(held, share, 1.0)
    later = -third / (6 * base**2) + (fourth + 3 * second**2) / (12 * base**3)
    return float((second / (2 * base) + np.where(common, later, 0.0))[held].sum())


@dataclass(frozen=True)
class Chance:
    """How large a distance is without a shift.

    Attributes:
        mean_square: of the distance.
        cut: what a tenth of the draws reach.
        slope: by how much those exceed it, in the mean.
    """

    mean_square: float
    cut: float
    slope: float

    def tail(self, distance: float) -> float:
        """How often chance gives at least this: a bound, good for small values of it.

        Beyond the cut an exponential tail, the generalised Pareto with shape 0 (Knijnenburg and others 2009,
        Bioinformatics 25). A sum of absolute values of a Brownian bridge has a lighter, normal tail.
        """
        if distance <= self.cut:
            return 1.0
        return UPPER if self.slope <= 0 else UPPER * math.exp(-(distance - self.cut) / self.slope)

    def quantile(self, tail: float) -> float:
        """The distance from which on `tail` gives less than this."""
        return self.cut + self.slope * max(0.0, math.log(UPPER / tail))


def chances(line: Line, deviation: float, seed: int, draws: int = DRAWS) -> tuple[Chance, Chance]:
    """How large the Kolmogorov-Smirnov and the Wasserstein distance are without a shift.

    The rows of both samples are put together and dealt out again, often (a permutation test: Pitman 1937). So chance is
    right for tied values, zeros and heavy tails, where formulas are not.

    Args:
        line: of two samples.
        deviation: what the Wasserstein distance is divided by, in units of the line's positions; above 0.
        seed: of the draws.
        draws: how often.

    Returns:
        Of both distances.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    both = line.table.reference + line.table.observed
    rows, steps = _coarse(both, np.append(np.diff(line.positions), 0.0) / deviation)
    gaps = np.cumsum(_dealt(generator, rows, line.table.sizes, draws), axis=1)
    np.abs(gaps, out=gaps)
    return _fitted(gaps.max(axis=1)), _fitted((gaps * steps).sum(axis=1))


def _coarse(rows: Numbers, steps: Numbers) -> tuple[Numbers, Numbers]:
    """Fewer buckets that chance moves alike.

    The edges between buckets are put together evenly by rows, and by what each adds to the distance. Of those put
    together, the middle one stays, with the steps of all.

    Args:
        rows: of each bucket.
        steps: from its position to the next; the last is 0.

    Returns:
        The same of at most `MOST_CELLS` buckets.
    """
    if len(rows) <= MOST_CELLS:
        return rows, steps
    below = (np.cumsum(rows) / rows.sum())[:-1]
    moved = np.cumsum(np.sqrt(np.clip(below * (1 - below), 0.0, None)) * steps[:-1])
    place = (below + moved / (moved[-1] or 1.0)) / 2
    bundle = np.minimum((place * (MOST_CELLS - 1)).astype(np.int64), MOST_CELLS - 2)
    _, first, bundle, edges = np.unique(bundle, return_index=True, return_inverse=True, return_counts=True)
    cell = np.searchsorted(first + edges // 2, np.arange(len(rows)), side="left")
    whole = np.bincount(cell, rows, minlength=len(first) + 1).astype(np.float64)
    return whole, np.append(np.bincount(bundle, steps[:-1]).astype(np.float64), 0.0)


def _dealt(generator: np.random.Generator, rows: Numbers, sizes: tuple[float, float], draws: int) -> Numbers:
    """Differences of the shares when the rows are dealt out anew: hypergeometric, or its normal limit."""
    whole = np.diff(np.round(np.cumsum(rows)), prepend=0.0).astype(np.int64)
    total = int(whole.sum())
    if total < 2:
        return np.ones((draws, len(rows)))  # one row cannot be dealt to two: any distance is chance
    first = min(max(1, round(sizes[0])), total - 1)
    if total <= MANY_ROWS:
        dealt = generator.multivariate_hypergeometric(whole, first, draws, method="marginals")
        return np.asarray(dealt / first - (whole - dealt) / (total - first), dtype=np.float64)
    share = rows / rows.sum()
    noise = generator.standard_normal((draws, len(share))) * np.sqrt(share)
    effective = first * (total - first) / total
    return np.asarray((noise - share * noise.sum(axis=1, keepdims=True)) / math.sqrt(effective))


def _fitted(distances: Numbers) -> Chance:
    cut = float(np.quantile(distances, 1 - UPPER))
    above = distances[distances > cut]
    return Chance(float((distances**2).mean()), cut, float((above - cut).mean()) if len(above) else 0.0)


def beyond(distance: float, mean_square: float) -> float:
    """A distance freed of what chance gives: the root of how far its square is over the mean square, at least 0."""
    return math.sqrt(max(0.0, distance * distance - mean_square))
