"""What kind of shift a column has: of the labels, of the inputs, or of how they hang together.

Of a column x and the label y, two samples may differ in P(x) and P(y); what a remedy depends on is which of the two
conditional distributions stays the same (Moreno-Torres and others 2012, Pattern Recognition 45):

- P(x | y) stays: the labels alone have shifted, and x with them (label shift, or prior shift).
- P(y | x) stays: the inputs have shifted, and what they mean has not (covariate shift).
- neither stays: the same label looks different, or the same input is labelled differently.

One column at a time is a rough look: P(y | x) of all columns may stay where that of one does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl

from validation.comparing.conditional import (
    Codes,
    Conditional,
    bins_for,
    codes_of,
    explained,
    tables_within,
    within,
)
from validation.comparing.testing import corrected
from validation.profile.values import Numbers
from validation.settings import CheckSettings

ShiftKind = Literal["none", "label shift", "covariate shift", "within-label shift", "undecided", "too few rows"]

REMEDIES: dict[ShiftKind, str] = {
    "none": "Nothing to do: no shift of this column was found.",
    "label shift": "Reweight the training rows by label, or correct the model's prior: rows of a label look the same.",
    "covariate shift": "Weight the training rows by how target-like they are, or add rows like the target's: what the "
    "values mean for the label has not changed.",
    "within-label shift": "Look at rows of one label from both: either they were labelled differently, or the label "
    "looks different in the target; relabel, or collect labelled rows of the target.",
    "undecided": "Rows of one value are too few to tell whether it means the same; look at rows of one label from both "
    "splits, or make the splits or the sample larger.",
    "too few rows": "Nothing can be said: make the splits or the sample larger.",
}


_MOST = 0.5
"""The share of the observed rows that must have been compared, value by value, to say that values mean the same."""


@dataclass(frozen=True)
class ColumnShift:
    """What kind of shift one column has.

    Attributes:
        column: its name.
        kind: see the module.
        remedy: what helps, a sentence.
        n_reference: rows of the sample, those with a label.
        n_observed: likewise.
        marginal: of P(x).
        given_label: of P(x | y); None for the label itself.
        given_column: of P(y | x); None for the label itself.
        explained: the share of the shift of P(x) that goes away when the labels get the observed shares; None where
            there is no shift, or where it cannot be told.
        q_marginal: corrected for all columns.
        q_given_label: likewise.
        q_given_column: likewise.
    """

    column: str
    kind: ShiftKind
    remedy: str
    n_reference: int
    n_observed: int
    marginal: Conditional
    given_label: Conditional | None = None
    given_column: Conditional | None = None
    explained: float | None = None
    q_marginal: float = 1.0
    q_given_label: float = 1.0
    q_given_column: float = 1.0


@dataclass(frozen=True)
class _Measured:
    marginal: Conditional
    given_label: Conditional
    given_column: Conditional
    explained: float | None


def within_label(
    sample_reference: pl.DataFrame,
    sample_observed: pl.DataFrame,
    label: str,
    columns: Sequence[str],
    settings: CheckSettings,
    *,
    designs: tuple[float, float] = (1.0, 1.0),
    pairs: int = 1,
) -> tuple[ColumnShift, ...]:
    """Tells of every column what kind of shift it has between two samples.

    Numbers and times are put into 20 bins, fewer where P(y | x) is looked at in few rows; of categories the 50
    commonest are kept; a null is a value; rows without a label are left out. A difference counts where its q-value is
    under alpha and its effect over the threshold for a slight shift. The q-value is the larger of two (Benjamini &
    Hochberg 1995): over all tests of the pair, and over those of the same distribution; times the pairs that are looked
    at.

    Args:
        sample_reference: rows of one split.
        sample_observed: rows of the other, with the same columns.
        label: the column of the labels.
        columns: those to look at; the label itself may be among them. Others than numbers, times, texts and booleans
            are passed over.
        settings: thresholds, alpha, least rows.
        designs: design effects of both.
        pairs: how many pairs of samples are looked at in all.

    Returns:
        One shift a column, the label first, then in the order given.
    """
    # Methods of a series look its name up as a pattern: `*` would be every column.
    frames = [
        frame.filter(frame.get_column(label).alias("label").is_not_null())
        for frame in (sample_reference, sample_observed)
    ]
    sizes = frames[0].height, frames[1].height
    names = [
        name
        for name in columns
        if name != label and _comparable(sample_reference.get_column(name), sample_observed.get_column(name))
    ]
    if min(sizes) < settings.min_rows:
        nothing = Conditional(0.0, 1.0, 0, 0.0)
        return tuple(_shift(name, "too few rows", sizes, nothing) for name in [label, *names])
    labels = codes_of(frames[0].get_column(label), frames[1].get_column(label))
    of_label = _marginal(labels, designs)
    measured = [_measure(frames, name, labels, designs) for name in names]
    q_marginal, q_given_label, q_given_column = _corrected(
        [of_label.p, *(one.marginal.p for one in measured)],
        [one.given_label.p for one in measured],
        [one.given_column.p for one in measured],
        pairs=pairs,
    )
    labels_moved = _counts(of_label, float(q_marginal[0]), settings)
    found = [_shift(label, "label shift" if labels_moved else "none", sizes, of_label, q_marginal=float(q_marginal[0]))]
    for place, (name, one) in enumerate(zip(names, measured, strict=True)):
        q = float(q_marginal[place + 1]), float(q_given_label[place]), float(q_given_column[place])
        found.append(
            _shift(
                name,
                _kind(one, q, settings, labels_moved=labels_moved),
                sizes,
                one.marginal,
                given_label=one.given_label,
                given_column=one.given_column,
                explained=one.explained if _counts(one.marginal, q[0], settings) else None,
                q_marginal=q[0],
                q_given_label=q[1],
                q_given_column=q[2],
            )
        )
    return tuple(found)


def _corrected(*families: Sequence[float], pairs: int) -> list[Numbers]:
    """The q-values of tests, by family: over all of them together and over the family alone, the larger."""
    together = corrected([p for family in families for p in family])
    edges = np.cumsum([len(family) for family in families])[:-1]
    return [
        np.minimum(1.0, pairs * np.maximum(of_all, corrected(list(family))))
        for of_all, family in zip(np.split(together, edges), families, strict=True)
    ]


def _comparable(reference: pl.Series, observed: pl.Series) -> bool:
    same = reference.dtype == observed.dtype
    kind = reference.dtype
    return same and (
        kind.is_numeric() or kind.is_temporal() or kind in (pl.String, pl.Boolean, pl.Categorical, pl.Enum)
    )


def _measure(
    frames: Sequence[pl.DataFrame],
    name: str,
    labels: tuple[Codes, Codes],
    designs: tuple[float, float],
) -> _Measured:
    values = frames[0].get_column(name), frames[1].get_column(name)
    cells, strata = codes_of(*values), codes_of(*values, bins_for(min(len(part) for part in values)))
    by_label = tables_within(labels, cells)
    return _Measured(
        _marginal(cells, designs),
        within(by_label, designs),
        within(tables_within(strata, labels), designs),
        explained(by_label),
    )


def _marginal(cells: tuple[Codes, Codes], designs: tuple[float, float]) -> Conditional:
    """Of all rows: one stratum."""
    return within(tables_within((np.zeros_like(cells[0]), np.zeros_like(cells[1])), cells), designs)


def _counts(found: Conditional, q: float, settings: CheckSettings) -> bool:
    return q < settings.alpha and found.effect > settings.thresholds.js_excess[0]


def _kind(one: _Measured, q: tuple[float, float, float], settings: CheckSettings, *, labels_moved: bool) -> ShiftKind:
    """The kind, by which of the two conditional distributions differs; see the module."""
    if not one.given_label.strata:
        return "too few rows"
    moved = _counts(one.marginal, q[0], settings)
    looks_different = _counts(one.given_label, q[1], settings)
    means_different = _counts(one.given_column, q[2], settings)
    if not (moved or looks_different):  # where the labels moved, P(y | x) moved with them
        return "within-label shift" if means_different and not labels_moved else "none"
    if labels_moved and not looks_different:
        return "label shift"
    if means_different:
        return "within-label shift"
    return "covariate shift" if one.given_column.covered >= _MOST else "undecided"


def _shift(name: str, kind: ShiftKind, sizes: tuple[int, int], marginal: Conditional, **more: Any) -> ColumnShift:
    return ColumnShift(name, kind, REMEDIES[kind], *sizes, marginal, **more)
