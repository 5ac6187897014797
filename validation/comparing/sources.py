"""Compares which sources two splits come from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from validation.comparing.chance import beyond
from validation.comparing.comparison import Comparison, Effect, judged
from validation.comparing.detecting import ByCategories
from validation.comparing.distances import jensen_shannon, l_infinity, shares
from validation.comparing.pairs import Pair
from validation.comparing.tables import Table, fold_rare
from validation.comparing.testing import g_test
from validation.comparing.words import percent
from validation.settings import CheckSettings


def compare_sources(
    reference: Mapping[str, int],
    observed: Mapping[str, int],
    settings: CheckSettings,
    *,
    pair: Pair,
    column: str = "source",
    designs: tuple[float, float] = (1.0, 1.0),
) -> Comparison:
    """Compares the sources' shares; the one that differs most is the effect.

    Its share's difference is freed of chance, whose mean square is `π (1 - π) (1/n + 1/m)`. The p-value is the least of
    all sources, each against all others, times their number (Bonferroni).

    Args:
        reference: rows of each source in the split that the other is measured by.
        observed: likewise in the other.
        settings: thresholds, alpha, least rows.
        pair: the splits and their role.
        column: the name that the comparison gets.
        designs: design effects of both.

    Returns:
        The comparison, judged alone.
    """
    names = sorted({*reference, *observed})
    counts = [np.array([part.get(name, 0) for name in names], dtype=np.float64) for part in (reference, observed)]
    n, m = (int(part.sum()) for part in counts)
    base = Comparison(pair.reference, pair.observed, pair.role, column, "category", "values", n, m, "no values")
    if not min(n, m):
        return base
    if min(n, m) < settings.min_rows:
        return replace(base, verdict="too few rows")
    table = Table(counts[0] / designs[0], counts[1] / designs[1])
    p, q = shares(counts[0]), shares(counts[1])
    most = int(np.argmax(np.abs(p - q)))
    distance = l_infinity(p, q)
    pooled = table.pooled
    spread = max(float(pooled[most] * (1 - pooled[most])), 1e-12)
    tests = 1 if len(names) <= 2 else len(names)
    detection = ByCategories(1, table.effective / spread, spread / table.effective, tests)
    mean_square = detection.mean_square
    effect = Effect(
        "share_excess",
        beyond(distance, mean_square),
        distance,
        math.sqrt(mean_square),
        detection.interval(distance),
        settings.thresholds.source_share,
        detection,
    )
    surest = min((g_test(fold_rare(_one_against_all(table, place))) for place in range(len(names))), default=1.0)
    measured = replace(
        base,
        effect=effect,
        p=min(1.0, tests * surest),
        js=jensen_shannon(p, q),
        l_infinity=distance,
        note=f"The share of {names[most]} differs most: {percent(p[most])} and {percent(q[most])}.",
    )
    return judged([measured], settings)[0]


def _one_against_all(table: Table, place: int) -> Table:
    ours, theirs = (np.array([part[place], part.sum() - part[place]]) for part in (table.reference, table.observed))
    return Table(ours, theirs)
