"""How surely chance does not explain a difference: p-values, and their correction for many comparisons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from validation.comparing.laws import chi2_tail, exact_two_by_two, kolmogorov_tail, two_sided_tails
from validation.comparing.tables import Folded, Table
from validation.profile.values import Numbers


def g_statistic(table: Table) -> float:
    """The likelihood ratio statistic `G = 2 Σ O ln(O / E)` of a table of two samples (Wilks 1938)."""
    counts = np.stack([table.reference, table.observed])
    expected = counts.sum(axis=1, keepdims=True) * table.pooled
    held = counts > 0
    return float(max(0.0, 2 * (counts[held] * np.log(counts[held] / expected[held])).sum()))


def williams(table: Table) -> float:
    """What G is divided by to have the mean of chi-squared (Williams 1976, Biometrika 63)."""
    n, m = table.sizes
    rows = n + m
    freedom = len(table.reference) - 1
    columns = float((rows / (table.reference + table.observed)).sum())
    return 1 + (rows / n + rows / m - 1) * (columns - 1) / (6 * rows * freedom)


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
    return chi2_tail(g_statistic(table) / williams(table), len(table.reference) - 1)


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
