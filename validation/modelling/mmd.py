"""Are vectors of two splits spread alike? The maximum mean discrepancy, with a p-value from permutations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist

from validation.modelling.raw import Matrix
from validation.modelling.rows import Unsigned, generator

ROWS = 2_000
PERMUTATIONS = 499
LEAST_GROUPS = 10
MEDIAN_ROWS = 500


@dataclass(frozen=True)
class MmdResult:
    """How far the vectors of two parts lie apart.

    Attributes:
        mmd2: the unbiased estimate of the squared discrepancy; about 0, and at times below, without a shift. None
            where there are too few groups.
        distance: the root of it, 0 where it is negative; from 0 to the root of 2 for this kernel.
        null_95: what 95 of 100 permutations do not exceed, of `mmd2`.
        p: share of permutations at least as large, the one seen counted in.
        bandwidth: of the kernel: the median distance between rows.
        rows: used of either part.
        groups: of these rows.
        permutations: how many were drawn.
        reason: why there is none; empty where there is one.
    """

    mmd2: float | None
    distance: float | None
    null_95: float | None
    p: float | None
    bandwidth: float | None
    rows: tuple[int, int]
    groups: tuple[int, int]
    permutations: int
    reason: str = ""


def mmd(
    first: Matrix,
    second: Matrix,
    groups: tuple[Unsigned, Unsigned],
    salt: str,
    *purpose: str,
    permutations: int = PERMUTATIONS,
) -> MmdResult:
    """The unbiased squared maximum mean discrepancy of Gretton et al. (JMLR 2012, equation 3).

    The kernel is `exp(-distance^2 / (2 median^2))` of rows brought to one scale by the standard deviation of each
    dimension over both parts. Groups are permuted whole, so rows of a group do not pass for independent ones.

    Args:
        first: Float64, rows by dimensions; rows with NaN are left out. The first 2,000 others are used, so give them
            in the order of their keys.
        second: likewise.
        groups: of the rows of both parts.
        salt: of the spec; seeds the permutations.
        purpose: what is compared, as in `"mmd", "embedding"`.
        permutations: how many.

    Returns:
        The discrepancy and how rare it is without a shift.
    """
    (left, left_groups), (right, right_groups) = _whole(first, groups[0]), _whole(second, groups[1])
    sizes = (len(left), len(right))
    counted = (len(np.unique(left_groups)), len(np.unique(right_groups)))
    if min(counted) < LEAST_GROUPS:
        reason = f"fewer than {LEAST_GROUPS} groups with vectors on a side"
        return MmdResult(None, None, None, None, None, sizes, counted, 0, reason)
    both = np.vstack([left, right])
    scale = both.std(axis=0)
    both = (both - both.mean(axis=0)) / np.where(scale > 0, scale, 1.0)
    kernel, bandwidth = _kernel(both)
    side = np.repeat([1.0, 0.0], sizes)
    # A group that has rows on both sides counts as one group on each.
    labels = np.column_stack([np.concatenate([left_groups, right_groups]), side.astype(np.uint64)])
    units = np.unique(labels, axis=0, return_inverse=True)[1].ravel()
    draws = _permuted(units, sizes[0], permutations, salt, *purpose)
    found = _statistic(kernel, np.column_stack([side, draws]))
    seen, null = float(found[0]), found[1:]
    return MmdResult(
        seen,
        float(np.sqrt(max(0.0, seen))),
        float(np.quantile(null, 0.95)),
        float((1 + (null >= seen).sum()) / (1 + permutations)),
        bandwidth,
        sizes,
        counted,
        permutations,
    )


def _whole(matrix: Matrix, groups: Unsigned) -> tuple[Matrix, Unsigned]:
    """The first rows that have no gap."""
    kept = np.flatnonzero(np.isfinite(matrix).all(axis=1))[:ROWS]
    return matrix[kept], groups[kept]


def _kernel(rows: Matrix) -> tuple[Matrix, float]:
    """Rows by rows, 0 on the diagonal; and the median distance, taken over rows spread evenly over both parts."""
    squared = cdist(rows, rows, "sqeuclidean")
    some = np.linspace(0, len(rows) - 1, min(len(rows), MEDIAN_ROWS)).astype(np.int64)
    between = squared[np.ix_(some, some)][np.triu_indices(len(some), 1)]
    median = float(np.median(between[between > 0])) if (between > 0).any() else 1.0
    kernel = np.exp(squared / (-2.0 * median))
    np.fill_diagonal(kernel, 0.0)
    return kernel, float(np.sqrt(median))


def _permuted(
    units: npt.NDArray[np.int64], rows: int, permutations: int, salt: str, *purpose: str
) -> npt.NDArray[np.float64]:
    """Sides drawn at random: 1 for groups up to about as many rows as the first part has; rows by permutations."""
    sizes = np.bincount(units)
    draws = generator(salt, *purpose)
    sides = np.zeros((len(sizes), permutations))
    for number in range(permutations):
        order = draws.permutation(len(sizes))
        until = np.cumsum(sizes[order]) - sizes[order] / 2
        sides[order[until <= rows], number] = 1.0
    return sides[units]


def _statistic(kernel: Matrix, sides: Matrix) -> Matrix:
    """The unbiased estimate for every column of sides."""
    ours, total = sides.sum(axis=0), float(len(sides))
    others = total - ours
    product = kernel @ sides
    within = (sides * product).sum(axis=0)
    by_row = kernel.sum(axis=1)
    across = sides.T @ by_row - within
    beyond = by_row.sum() - within - 2 * across
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = within / (ours * (ours - 1)) + beyond / (others * (others - 1)) - 2 * across / (ours * others)
    return np.asarray(np.where((ours > 1) & (others > 1), estimate, 0.0))
