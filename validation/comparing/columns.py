"""Compares one column of two splits, by its kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from validation.comparing.comparison import About, Comparison, Verdict, judged
from validation.comparing.measuring import Designs, Measured, listed, of_categories, of_ordered, of_table
from validation.comparing.pairs import Pair
from validation.comparing.tables import Table
from validation.comparing.vectors import compare_vectors
from validation.profile.values import ColumnProfile
from validation.settings import CheckSettings, Level


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
        measured = of_ordered(reference, observed, designs, seed, thresholds)
    elif reference.categories is not None and observed.categories is not None and _all_known(reference, observed):
        measured = of_categories(reference.categories, observed.categories, designs, thresholds.js_excess)
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
    measured = of_table(table, levels)
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
    if not (_countable(reference) and _countable(observed)):
        return "not compared", "Most rows are of categories that were too many to count."
    if reference.kind != observed.kind:
        return "not compared", f"The values are of kind {reference.kind} here and {observed.kind} there."
    return None, ""


def _all_known(*profiles: ColumnProfile) -> bool:
    """Texts are compared as categories where all of them are known."""
    return all(
        profile.kind != "text" or (profile.categories is not None and profile.categories.exact) for profile in profiles
    )


def _countable(profile: ColumnProfile) -> bool:
    """Most rows are in categories that are surely listed; else chance and shift cannot be told apart."""
    found = profile.categories
    if found is None or found.exact or profile.kind != "category":
        return True
    sure = np.maximum(found.counts - found.error, 0).sum()
    return bool(2 * sure >= found.rows)


def _lists(reference: ColumnProfile, observed: ColumnProfile) -> Measured:
    if reference.categories is None or observed.categories is None:
        return {}
    return {
        "new": listed(observed.categories, reference.categories),
        "missing": listed(reference.categories, observed.categories),
    }
