"""How surely chance does not explain a difference: p-values, and their correction for many comparisons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from validation.comparing.laws import chi2_tail, exact_two_by_two, kolmogorov_tail, log_binomial, two_sided_tails
from validation.comparing.tables import Folded, Table
from validation.profile.values import Numbers

FEW = 40
"""The law of a cell that is expected less often is summed up; that of others is close to its limit."""


def g_statistic(table: Table) -> float:
    """The likelihood ratio statistic `G = 2 Σ O ln(O / E)` of a table of two samples (Wilks 1938)."""
    counts = np.stack([table.reference, table.observed])
    expected = counts.sum(axis=1, keepdims=True) * table.pooled
    held = counts > 0
    return float(max(0.0, 2 * (counts[held] * np.log(counts[held] / expected[held])).sum()))


def g_law(table: Table) -> tuple[float, float]:
    """What G is close to without a shift: a weight, and the degrees of freedom of the chi-squared that it is times of.

    They give G the mean and the variance that it has when the rows of every cell fall to the two samples by chance,
    each cell for itself, less the one degree of freedom of the samples' sizes. For large counts that is the weight 1
    and one degree of freedom less than cells; cells of a few rows have a larger mean, and many of them raise false
    alarms where that is not seen (Williams 1976, Biometrika 63; moments as in Satterthwaite 1946).

    Args:
        table: of at least two cells.

    Returns:
        The weight and the degrees of freedom, both above 0.
    """
    n, m = table.sizes
    ours = min(n, m) / (n + m)
    counts, repeats = np.unique(table.reference + table.observed, return_counts=True)
    expected = counts * ours
    raised = 1 + (1 / ours + 1 / (1 - ours) - 1) / (6 * counts)
    means, variances = raised, 2 * raised**2
    few = expected < FEW
    if few.any():
        means[few], variances[few] = _moments_of_g(counts[few], ours)
    mean = max(float((repeats * means).sum()) - 1, 1e-9)
    variance = max(float((repeats * variances).sum()) - 2, 1e-9)
    if len(table.reference) == 2:
        return 1.0, 1.0
    return variance / (2 * mean), 2 * mean * mean / variance


def _moments_of_g(counts: Numbers, ours: float) -> tuple[Numbers, Numbers]:
    """Mean and variance of a cell's part of G, over the binomial of its rows; `FEW` bounds what is summed."""
    rows = np.maximum(np.round(counts), 1)[:, None]
    hits = np.arange(4.0 * FEW)[None, :]
    possible = hits <= rows
    rest = np.where(possible, rows - hits, 0.0)
    weight = np.where(possible, np.exp(log_binomial(rows, np.minimum(hits, rows), ours)), 0.0)
    weight /= weight.sum(axis=1, keepdims=True)
    part = 2 * (_times_log(hits, rows * ours) + _times_log(rest, rows * (1 - ours)))
    mean = (weight * part).sum(axis=1)
    return mean, (weight * (part - mean[:, None]) ** 2).sum(axis=1)


def _times_log(found: Numbers, expected: Numbers) -> Numbers:
    held = np.maximum(found, 1e-300)
    return np.asarray(np.where(found > 0, found * np.log(held / expected), 0.0))


def g_test(folded: Folded) -> float:
    """The p-value that two samples have the same shares.

    Chi-squared holds for cells expected at least 5 times. Where the folded cell is rarer, it is judged by Fisher's
    exact test against all others, the kept cells by G, and the smaller p-value counts twice (Bonferroni).

    Args:
        folded: both samples hold rows.

    Returns:
        From 0 to 1; 1 where there is one cell.
    """
    table = folded.table
    if not folded.rare:
        return _chi2_p(table)
    hits = round(float(table.reference[-1])), round(float(table.observed[-1]))
    n, m = (max(round(size), hit) for size, hit in zip(table.sizes, hits, strict=True))
    rare = exact_two_by_two(hits, (n, m))
    if folded.kept < 2:
        return rare
    return min(1.0, 2 * min(rare, _chi2_p(Table(table.reference[:-1], table.observed[:-1]))))


def _chi2_p(table: Table) -> float:
    if len(table.reference) < 2 or min(table.sizes) <= 0:
        return 1.0
    weight, freedom = g_law(table)
    return chi2_tail(g_statistic(table) / weight, freedom)


def kolmogorov_p(distance: float, table: Table) -> float:
    """The p-value of a Kolmogorov-Smirnov distance of buckets in order, for any number of rows.

    Two bounds hold, and the smaller is taken: that of continuous values, which is too large where values are tied;
    and the sum over the buckets' edges of the chance to be so far apart there, which is sharp for few buckets.

    Args:
        distance: from 0 to 1.
        table: the buckets.

    Returns:
        From 0 to 1.
    """
    effective = table.effective
    if distance <= 0 or effective <= 0:
        return 1.0
    below = np.cumsum(table.pooled)[:-1]
    spread = below * (1 - below)
    spread = spread[spread > 1e-15]
    edges = float(two_sided_tails(distance * np.sqrt(effective / spread)).sum())
    normal = bool(len(spread)) and float(spread.min()) * effective >= 5
    continuous = kolmogorov_tail(distance, effective)
    return min(1.0, continuous, edges) if normal else min(1.0, continuous)


def corrected(p_values: Sequence[float]) -> Numbers:
    """The q-values: the share of false alarms among all that have such a p-value or a smaller one.

    Args:
        p_values: of all comparisons of a family.

    Returns:
        One q-value each, in the same order (Benjamini & Hochberg 1995, J. R. Stat. Soc. B 57).

    Examples:
        >>> corrected([0.01, 0.5]).tolist()
        [0.02, 0.5]
    """
    p = np.asarray(p_values, dtype=np.float64)
    if not len(p):
        return p
    order = np.argsort(-p, kind="stable")
    ranks = np.arange(len(p), 0, -1)
    q = np.empty(len(p))
    q[order] = np.minimum.accumulate(np.minimum(1.0, p[order] * len(p) / ranks))
    return q
