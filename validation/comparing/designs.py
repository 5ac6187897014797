"""How many independent rows a sample of groups is worth.

Rows of one group resemble each other: 2,500 images of 300 users tell of the users about as much as 300 rows do. Tests
that take every row for independent raise false alarms then. The design effect says how many rows carry the weight of
one; every count is divided by it before it is tested (Kish 1965, Survey Sampling; Rao & Scott 1981).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl


def design_effect(rows: int, groups: int | None = None, squares: int | None = None) -> float:
    """The design effect where rows of a group are copies of each other: the worst case.

    Args:
        rows: of the sample.
        groups: how many it holds; None where every row is a group.
        squares: the sum of the squared sizes of the groups; None takes the groups to be of equal size.

    Returns:
        `Σ size² / rows`, or `rows / groups`; at least 1.

    Examples:
        >>> design_effect(800, groups=100)
        8.0
    """
    if not rows:
        return 1.0
    if squares is not None:
        return max(1.0, squares / rows)
    return max(1.0, rows / groups) if groups else 1.0


def measured_design_effect(values: pl.Series, groups: pl.Series, mean_size: float) -> float:
    """The design effect of one column, from how much rows of a group resemble each other in a sample.

    The intraclass correlation is that of the analysis of variance (Donner 1986, Int. Stat. Rev. 54), of ranks for
    numbers and of the indicators of the categories for all else; its upper 95 % bound is taken (Smith 1957), so that
    few groups are not a reason to trust.

    Args:
        values: of the sample's rows; null is a value.
        groups: of the same rows.
        mean_size: of a group in the split: `Σ size² / rows`, rows that a row finds in its group.

    Returns:
        `1 + (mean_size - 1) ρ`, from 1 to `mean_size`; `mean_size` where it cannot be told: no group has two rows in
        the sample, all rows have the same value, or the values are lists. Of whether a value is missing and of the
        values, the one that groups have more in common counts.
    """
    if mean_size <= 1:
        return 1.0
    values, groups = values.alias("values"), groups.alias("groups")  # a name like `*` is a pattern to polars
    if values.dtype.is_nested() or values.dtype in (pl.Binary, pl.Object):
        return mean_size
    missing = values.is_null().cast(pl.Float64).to_numpy().reshape(-1, 1)
    likeness = _correlation(_columns(values), groups)
    if 0 < missing.sum() < len(values):
        likeness = max(likeness, _correlation(missing, groups))
    return float(np.clip(1 + (mean_size - 1) * likeness, 1.0, mean_size))


def _columns(values: pl.Series) -> npt.NDArray[np.float64]:
    """Ranks, or an indicator for each of the categories; rows by columns."""
    if values.dtype.is_numeric() or values.dtype.is_temporal():
        return values.rank().fill_null(0.0).cast(pl.Float64).to_numpy().reshape(-1, 1)
    codes = values.cast(pl.String).rank("dense").fill_null(0).to_numpy().astype(np.int64)
    largest = np.argsort(-np.bincount(codes), kind="stable")[:20]
    return np.asarray(codes[:, None] == largest[None, :], dtype=np.float64)


def _correlation(columns: npt.NDArray[np.float64], groups: pl.Series) -> float:
    """The upper bound of the intraclass correlation, of all columns together; 1 where it cannot be told."""
    codes = groups.rank("dense").fill_null(0).to_numpy().astype(np.int64)
    _, codes, sizes = np.unique(codes, return_inverse=True, return_counts=True)
    rows, count = len(codes), len(sizes)
    if rows <= count or count < 2:
        return 1.0
    sums = np.stack([np.bincount(codes, column) for column in columns.T], axis=1)
    within = float((columns**2).sum() - (sums**2 / sizes[:, None]).sum()) / (rows - count)
    between = float((sums**2 / sizes[:, None]).sum() - (columns.sum(axis=0) ** 2).sum() / rows) / (count - 1)
    typical = (rows - float((sizes**2).sum()) / rows) / (count - 1)
    if within <= 0:
        return 1.0
    rho = (between - within) / (between + (typical - 1) * within)
    deviation = (
        (1 - rho)
        * (1 + (typical - 1) * rho)
        * np.sqrt(2 / (typical**2 * (count - 1)) + 2 / (rows - count) / typical**2)
    )
    return float(min(1.0, max(0.0, rho + 1.645 * deviation)))
