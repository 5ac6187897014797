"""Every statistic of a column's values: of categories, and of numbers and times."""

from __future__ import annotations

import math
from typing import Any

from validation.comparing.chance import Chance, beyond, chances, expected_js_square
from validation.comparing.comparison import Effect, Listed
from validation.comparing.detecting import ByCategories, ByMoving, ByOrder
from validation.comparing.distances import (
    jensen_shannon,
    kolmogorov_smirnov,
    l_infinity,
    population_stability,
    shares,
    wasserstein,
)
from validation.comparing.tables import Line, Table, category_table, fold_rare, histogram_line, quantile_bins
from validation.comparing.testing import g_test, kolmogorov_p
from validation.comparing.words import EffectName
from validation.profile.values import Categories, ColumnProfile, Histogram
from validation.settings import Level, Thresholds

MOST_LISTED = 20
_TOLD = 0.05
_HIDDEN = "Up to {:.0%} of the rows were counted as one value, being so close together: a shift among them is not seen."
JS_BINS = 20
PSI_BINS = 10

Designs = tuple[float, float]
Measured = dict[str, Any]
"""Fields of a comparison, by name."""


def of_categories(reference: Categories, observed: Categories, designs: Designs, levels: Level) -> Measured:
    """Every statistic of categories, and those that one sample alone has.

    Args:
        reference: of one sample.
        observed: of the other.
        designs: design effects of both.
        levels: thresholds of the Jensen-Shannon distance beyond chance.

    Returns:
        Fields of a comparison.
    """
    measured = of_table(category_table(reference, observed, designs), levels)
    measured |= {"new": listed(observed, reference), "missing": listed(reference, observed)}
    if not (reference.exact and observed.exact):
        measured["note"] = "Not all categories were counted exactly: the shift is at least this large."
    return measured


def of_table(table: Table, levels: Level) -> Measured:
    """Every statistic of a table of categories.

    Args:
        table: of two samples that hold rows.
        levels: thresholds of the Jensen-Shannon distance beyond chance.

    Returns:
        Fields of a comparison.
    """
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


def of_ordered(
    reference: ColumnProfile, observed: ColumnProfile, designs: Designs, seed: int, thresholds: Thresholds
) -> Measured:
    """Numbers and times: the Kolmogorov-Smirnov and the Wasserstein distance; the one further over its level counts.

    Args:
        reference: of one sample, with a histogram.
        observed: of the other.
        designs: design effects of both.
        seed: of the draws that tell what chance gives.
        thresholds: of both distances.

    Returns:
        Fields of a comparison. The p-value is twice the smaller of both (Bonferroni).
    """
    histograms = _held(reference.histogram), _held(observed.histogram)
    line = histogram_line(*histograms, designs, at_lower=reference.kind == "time")
    table, deviation = line.table, _deviation(reference, line)
    p, q = shares(table.reference), shares(table.observed)
    ks, moved = kolmogorov_smirnov(p, q), wasserstein(p, q, line.positions) / deviation
    by_order, by_moving = chances(line, deviation, seed)
    spread = line.deviation(table.reference + table.observed) / deviation
    effects = (
        _effect("ks_excess", ks, by_order, thresholds.ks, ByOrder(table.effective, by_order.mean_square, line.hidden)),
        _effect(
            "wasserstein_excess",
            moved,
            by_moving,
            thresholds.wasserstein_sd,
            ByMoving(table.effective, by_moving, spread, line.blur / deviation),
        ),
    )
    return {
        **({"note": _HIDDEN.format(line.hidden)} if line.hidden >= _TOLD else {}),
        "effect": max(effects, key=lambda effect: effect.over(0)),
        "p": min(1.0, 2 * min(kolmogorov_p(ks, table), by_moving.tail(moved))),
        "ks": ks,
        "ks_null": effects[0].null,
        "wasserstein_sd": moved,
        "wasserstein_null": effects[1].null,
        **_binned(table),
    }


def _effect(name: EffectName, distance: float, chance: Chance, levels: Level, detection: ByOrder | ByMoving) -> Effect:
    null = math.sqrt(chance.mean_square)
    value = beyond(distance, chance.mean_square)
    return Effect(name, value, distance, null, detection.interval(distance), levels, detection)


def _binned(table: Table) -> Measured:
    """What of categories is told of numbers, too, in bins of about equal weight."""
    bins = quantile_bins(table, JS_BINS)
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
