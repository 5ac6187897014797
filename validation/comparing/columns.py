"""Compares one column of two splits, by its kind."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from validation.comparing.chance import beyond, chances, expected_js_square
from validation.comparing.comparison import About, Comparison, Effect, Listed, Verdict, judged
from validation.comparing.detecting import ByCategories, ByMoving, ByOrder
from validation.comparing.distances import (
    jensen_shannon,
    kolmogorov_smirnov,
    l_infinity,
    population_stability,
    shares,
    wasserstein,
)
from validation.comparing.pairs import Pair
from validation.comparing.tables import (
    Line,
    Table,
    category_table,
    fold_rare,
    histogram_line,
    quantile_bins,
)
from validation.comparing.testing import g_test, kolmogorov_p
from validation.comparing.vectors import compare_vectors
from validation.profile.values import Categories, ColumnProfile, Histogram
from validation.settings import CheckSettings, Level

MOST_LISTED = 20
JS_BINS = 20
PSI_BINS = 10

Designs = tuple[float, float]
Measured = dict[str, Any]


def compare_columns(
    reference: ColumnProfile,
    observed: ColumnProfile,
    settings: CheckSettings,
    seed: int,
    *,
    pair: Pair,
    designs: Designs = (1.0, 1.0),
) -> Comparison:
    """Compares the values of one column of two splits.

    Args:
        reference: of the split that the other is measured by.
        observed: of the other.
        settings: thresholds, alpha, least rows.
        seed: of the draws that tell what chance gives: `seed_of(salt, reference, observed, column)`.
        pair: the splits and their role.
        designs: design effects of both; see `designs`.

    Returns:
        The comparison, judged as the only one of its run; `judged` corrects those of a whole run.
    """
    n = _values(reference), _values(observed)
    base = _bare(pair, reference, "values", n)
    verdict, note = _obstacle(reference, observed, n, settings)
    if verdict is not None:
        return replace(base, verdict=verdict, note=note, **_lists(reference, observed))
    thresholds = settings.thresholds
    if reference.kind == "vector" and reference.vector is not None and observed.vector is not None:
        measured = compare_vectors(reference.vector, observed.vector, designs, thresholds.wasserstein_sd)
    elif reference.histogram is not None and observed.histogram is not None and reference.kind != "category":
        measured = _ordered(reference, observed, designs, seed, settings)
    elif reference.categories is not None and observed.categories is not None:
        measured = _categories(reference.categories, observed.categories, designs, thresholds.js_excess)
    else:
        return replace(base, verdict="not compared", note=_UNCOMPARED.get(reference.kind, _UNCOMPARED["other"]))
    return judged([replace(base, **measured)], settings)[0]


def compare_all(
    reference: ColumnProfile,
    observed: ColumnProfile,
    settings: CheckSettings,
    seed: int,
    *,
    pair: Pair,
    designs: Designs = (1.0, 1.0),
) -> tuple[Comparison, ...]:
    """Compares the values, and the shares of rows without one, with NaN and with infinite numbers.

    Args:
        reference: of the split that the other is measured by.
        observed: of the other.
        settings: thresholds, alpha, least rows.
        seed: of the draws.
        pair: the splits and their role.
        designs: design effects of both.

    Returns:
        The comparison of the values, and one of each share that is not 0 in both.
    """
    found = [compare_columns(reference, observed, settings, seed, pair=pair, designs=designs)]
    gaps: Mapping[About, tuple[int, int]] = {
        "missing": (reference.nulls, observed.nulls),
        "NaN": (reference.nans, observed.nans),
        "infinite": (reference.infinite, observed.infinite),
    }
    for about, counts in gaps.items():
        if any(counts):
            base = _bare(pair, reference, about, (reference.rows, observed.rows))
            found.append(compare_shares(base, counts, settings, settings.thresholds.js_excess, designs))
    return tuple(found)


def compare_shares(
    base: Comparison, counts: tuple[int, int], settings: CheckSettings, levels: Level, designs: Designs = (1.0, 1.0)
) -> Comparison:
    """Compares the share of some rows: a table of two categories.

    Args:
        base: a comparison with the rows of both splits.
        counts: those of the rows that are so.
        settings: alpha, least rows.
        levels: thresholds of the Jensen-Shannon distance beyond chance.
        designs: design effects of both.

    Returns:
        The comparison, judged alone.
    """
    rows = base.n_reference, base.n_observed
    if min(rows) < settings.min_rows:
        return replace(base, verdict="too few rows" if min(rows) else "no values")
    table = Table(
        *(
            np.array([n - hits, hits], dtype=np.float64) / design
            for n, hits, design in zip(rows, counts, designs, strict=True)
        )
    )
    measured = _from_table(table, designs, levels)
    return judged([replace(base, **measured)], settings)[0]


_UNCOMPARED = {
    "text": "Texts are compared by their length, a column of its own.",
    "vector": "Vectors this long are compared by their length, a column of its own, and by the models.",
    "other": "Values of this type are not compared, only how many are missing.",
}


def _values(profile: ColumnProfile) -> int:
    """Rows with a value that is compared."""
    if profile.kind == "vector" and profile.vector is not None:
        return profile.vector.count
    return profile.rows - profile.nulls - profile.nans - profile.infinite


def _bare(pair: Pair, profile: ColumnProfile, about: About, n: tuple[int, int]) -> Comparison:
    return Comparison(pair.reference, pair.observed, pair.role, profile.name, profile.kind, about, *n, "not compared")


def _obstacle(
    reference: ColumnProfile, observed: ColumnProfile, n: tuple[int, int], settings: CheckSettings
) -> tuple[Verdict | None, str]:
    """Why the values cannot be compared."""
    if not min(n):
        return "no values", "Neither has a value." if not max(n) else "Only one of the two has values."
    if min(n) < settings.min_rows:
        return "too few rows", f"At least {settings.min_rows:,} rows with a value are asked for."
    if reference.kind != observed.kind:
        return "not compared", f"The values are of kind {reference.kind} here and {observed.kind} there."
    return None, ""


def _lists(reference: ColumnProfile, observed: ColumnProfile) -> Measured:
    if reference.categories is None or observed.categories is None:
        return {}
    return {
        "new": listed(observed.categories, reference.categories),
        "missing": listed(reference.categories, observed.categories),
    }


def listed(ours: Categories, others: Categories) -> Listed:
    """Categories that ours have and the others have not, the largest first.

    Args:
        ours: of one sample.
        others: of the other; where they are not exact, nobody knows what they have not.

    Returns:
        How many, and at most 20 by name.
    """
    if not others.exact:
        return Listed(count=None)
    known = set(others.values)
    alone = [(value, int(rows)) for value, rows in zip(ours.values, ours.counts, strict=True) if value not in known]
    alone.sort(key=lambda pair: (-pair[1], pair[0]))
    return Listed(len(alone), sum(rows for _, rows in alone), tuple(alone[:MOST_LISTED]))


def _categories(reference: Categories, observed: Categories, designs: Designs, levels: Level) -> Measured:
    measured = _from_table(category_table(reference, observed, designs), designs, levels)
    measured |= {"new": listed(observed, reference), "missing": listed(reference, observed)}
    if not (reference.exact and observed.exact):
        measured["note"] = "Not all categories were counted exactly: the shift is at least this large."
    return measured


def _from_table(table: Table, designs: Designs, levels: Level) -> Measured:
    """Every statistic of a table of categories."""
    p, q = shares(table.reference), shares(table.observed)
    folded = fold_rare(table)
    distance = jensen_shannon(shares(folded.table.reference), shares(folded.table.observed))
    mean_square = expected_js_square(folded.table)
    cells = len(folded.table.reference)
    tests = 2 if folded.rare and folded.kept > 1 else 1
    detection = ByCategories(max(1, cells - 1), 8 * math.log(2) * table.effective, mean_square, tests)
    excess, null = beyond(distance, mean_square), math.sqrt(mean_square)
    effect = Effect("js_excess", excess, distance, null, detection.interval(distance), levels, detection)
    return {
        "effect": effect,
        "p": g_test(folded),
        "js": jensen_shannon(p, q),
        "js_excess": excess,
        "js_null": null,
        "psi": population_stability(p, q),
        "l_infinity": l_infinity(p, q),
    }


@dataclass(frozen=True)
class _Moved:
    """Distances of ordered values, with what they are judged by."""

    measured: Measured
    effects: tuple[Effect, Effect]


def _ordered(
    reference: ColumnProfile, observed: ColumnProfile, designs: Designs, seed: int, settings: CheckSettings
) -> Measured:
    """Numbers and times: by the Kolmogorov-Smirnov and the Wasserstein distance; the one further over its level counts.

    The p-value is twice the smaller of both (Bonferroni).
    """
    histograms = reference.histogram, observed.histogram
    line = histogram_line(_held(histograms[0]), _held(histograms[1]), designs, at_lower=reference.kind == "time")
    table = line.table
    deviation = _deviation(reference, line)
    p, q = shares(table.reference), shares(table.observed)
    ks, moved = kolmogorov_smirnov(p, q), wasserstein(p, q, line.positions) / deviation
    by_order, by_moving = chances(line, deviation, seed)
    order = ByOrder(table.effective, by_order.mean_square)
    pooled = line.deviation(table.reference + table.observed) / deviation
    moving = ByMoving(table.effective, by_moving, pooled)
    levels = settings.thresholds.ks, settings.thresholds.wasserstein_sd
    effects = (
        Effect(
            "ks_excess",
            beyond(ks, by_order.mean_square),
            ks,
            math.sqrt(by_order.mean_square),
            order.interval(ks),
            levels[0],
            order,
        ),
        Effect(
            "wasserstein_excess",
            beyond(moved, by_moving.mean_square),
            moved,
            math.sqrt(by_moving.mean_square),
            moving.interval(moved),
            levels[1],
            moving,
        ),
    )
    effect = max(effects, key=lambda one: one.value / one.levels[0])
    bins = quantile_bins(table, JS_BINS)
    return {
        "effect": effect,
        "p": min(1.0, 2 * min(kolmogorov_p(ks, table), by_moving.tail(moved))),
        "ks": ks,
        "ks_null": effects[0].null,
        "wasserstein_sd": moved,
        "wasserstein_null": effects[1].null,
        **_binned(table, bins),
    }


def _binned(table: Table, bins: Table) -> Measured:
    """What of categories is told of numbers, too, in bins of about equal weight."""
    distance = jensen_shannon(shares(bins.reference), shares(bins.observed))
    mean_square = expected_js_square(bins)
    tenths = quantile_bins(table, PSI_BINS, shares(table.reference))
    return {
        "js": distance,
        "js_excess": beyond(distance, mean_square),
        "js_null": math.sqrt(mean_square),
        "psi": population_stability(shares(tenths.reference), shares(tenths.observed)),
    }


def _held(histogram: Histogram | None) -> Histogram:
    """For the type checker: whoever comes here has one."""
    if histogram is None:
        raise ValueError("a column of numbers or times without a histogram cannot be compared")
    return histogram


def _deviation(reference: ColumnProfile, line: Line) -> float:
    """The reference's standard deviation in units of the line; where it is 0, that of both; where that is 0, 1."""
    moments = reference.moments
    if reference.kind == "number" and moments is not None and moments.sd is not None and math.isfinite(moments.sd):
        told = float(moments.sd) / line.scale
        if told > 0:
            return told
    own = line.deviation(line.table.reference)
    return own or line.deviation(line.table.reference + line.table.observed) or 1.0
