"""Comparisons in plain words, and in the order of their weight."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from validation.comparing.comparison import Comparison, Effect, Verdict
from validation.comparing.distances import shares
from validation.comparing.pairs import Pair
from validation.comparing.tables import category_table
from validation.comparing.words import BOUNDED, MEASURES, decimal, figure, percent
from validation.profile.values import Categories, ColumnProfile, Histogram, Moments

_SURELY = 3.0
"""So many standard errors a category's share must differ by to be counted as one more."""

_VERBS: dict[Verdict, str] = {"match": "match", "slight shift": "differ slightly", "shift": "differ"}


def rank_mismatch(comparisons: Iterable[Comparison], pair: Pair | None = None) -> tuple[Comparison, ...]:
    """The columns that carry the data mismatch, the heaviest first.

    Effects of different kinds are put side by side as multiples of the size from which each is called a shift.

    Args:
        comparisons: of a run, judged.
        pair: the two splits; None for all pairs whose role is a mismatch.

    Returns:
        Of the pairs whose role is a mismatch, those where a shift was found.
    """
    found = [one for one in comparisons if one.role == "mismatch" and one.shifted and one.effect is not None]
    if pair is not None:
        found = [one for one in found if (one.reference, one.observed) == (pair.reference, pair.observed)]
    return tuple(sorted(found, key=lambda one: (-weight(one), one.column, one.about, one.reference, one.observed)))


def weight(comparison: Comparison) -> float:
    """The effect as a multiple of the size from which it is called a shift; 0 where nothing was compared."""
    effect = comparison.effect
    return 0.0 if effect is None else effect.over(1)


def sentence(comparison: Comparison, reference: ColumnProfile | None, observed: ColumnProfile | None) -> str:
    """A comparison in a sentence.

    Args:
        comparison: judged.
        reference: of the column, in the split that the other is measured by; None where there is none.
        observed: of the other.

    Returns:
        As in "dev and test differ in `label`: 4.7 % `truck` against 1.4 %, and 2 more; Jensen-Shannon distance .12
        beyond chance, allowed .10; n 2,500 and 2,500." Of a match it says the smallest shift that could have been seen.
    """
    splits = f"{comparison.reference} and {comparison.observed}"
    named = f"`{comparison.column}`" + ("" if comparison.about == "values" else f" ({comparison.about})")
    rows = f"n {comparison.n_reference:,} and {comparison.n_observed:,}"
    effect = comparison.effect
    if effect is None:
        note = comparison.note.rstrip(".")
        return f"{splits}, {named}: {comparison.verdict}{f' ({note})' if note else ''}; {rows}."
    parts = [_seen(comparison, reference, observed)] if comparison.shifted else []
    parts.append(f"{MEASURES[effect.name]} {decimal(effect.value)} beyond chance, {_limit(comparison, effect)}")
    if not comparison.shifted and comparison.smallest is not None:
        blind = effect.name in BOUNDED and comparison.smallest >= 1
        size = "of any size" if blind else f"below {decimal(comparison.smallest)}"
        parts.append(f"a shift {size} might not have been seen")
    told = "; ".join(part for part in [*parts, rows] if part)
    return f"{splits} {_VERBS[comparison.verdict]} in {named}: {told}."


def _limit(comparison: Comparison, effect: Effect) -> str:
    """Against what an effect is held: nothing of a mismatch is forbidden."""
    large = comparison.verdict == "shift"
    if comparison.role == "match":
        return f"allowed {decimal(effect.levels[large])}"
    return f"{'large' if large else 'slight'} from {decimal(effect.levels[large])}"


def _seen(comparison: Comparison, reference: ColumnProfile | None, observed: ColumnProfile | None) -> str:
    """What the difference looks like, in the values themselves."""
    if comparison.effect is not None and comparison.effect.name == "share_excess":
        return comparison.note[:1].lower() + comparison.note[1:].rstrip(".")
    if reference is None or observed is None:
        return ""
    if comparison.about != "values":
        counts = [
            {"missing": part.nulls, "NaN": part.nans, "infinite": part.infinite}[comparison.about]
            for part in (reference, observed)
        ]
        first, second = (percent(c / max(1, part.rows)) for c, part in zip(counts, (reference, observed), strict=True))
        return f"{first} against {second}"
    if reference.kind == "category" and reference.categories and observed.categories:
        return _of_categories(reference.categories, observed.categories)
    if reference.histogram and observed.histogram:
        return _of_numbers(reference, observed)
    return ""


def _of_categories(reference: Categories, observed: Categories) -> str:
    table = category_table(reference, observed)
    names = [*sorted({*reference.values, *observed.values}), None]
    p, q = shares(table.reference), shares(table.observed)
    pooled = table.pooled
    error = np.sqrt(np.maximum(pooled * (1 - pooled), 1e-15) / table.effective)
    most = int(np.argmax(np.abs(p - q)))
    more = int((np.abs(p - q) > _SURELY * error).sum()) - int(abs(p[most] - q[most]) > _SURELY * error[most])
    name = names[most]
    called = "other values" if name is None else f"`{name if len(name) <= 40 else name[:39] + '…'}`"
    return f"{percent(p[most])} {called} against {percent(q[most])}" + (f", and {more:,} more" if more else "")


def _of_numbers(reference: ColumnProfile, observed: ColumnProfile) -> str:
    """Means; where they look the same, deviations; of times, and without moments, medians."""
    if reference.kind == "time":
        days = [np.datetime64(int(_median(part.histogram)), "D") for part in (reference, observed)]
        return f"median {days[0]} against {days[1]}"
    if reference.moments is None or observed.moments is None:
        return f"median {figure(_median(reference.histogram))} against {figure(_median(observed.histogram))}"
    means = [figure(float(part.mean)) for part in (reference.moments, observed.moments) if part.mean is not None]
    deviations = [figure(float(part.sd)) for part in (reference.moments, observed.moments) if part.sd is not None]
    close = _close(reference.moments, observed.moments)
    word, parts = ("deviation", deviations) if close else ("mean", means)
    return f"{word} {parts[0]} against {parts[1]}" if len(parts) == 2 else ""


def _close(reference: Moments, observed: Moments) -> bool:
    """The means are nearer to each other than the deviations are."""
    if reference.mean is None or observed.mean is None or reference.sd is None or observed.sd is None:
        return False
    return abs(reference.mean - observed.mean) < abs(reference.sd - observed.sd)


def _median(histogram: Histogram | None) -> float:
    """The edge of the bucket that holds the median."""
    if histogram is None or not histogram.rows:
        return float("nan")
    place = int(np.searchsorted(np.cumsum(histogram.counts), 0.5 * histogram.rows))
    return float(histogram.lower[place])
