"""Which kind of shift each column of a mismatch has, from the keyed sample: of labels, of inputs, or within a label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from validation.comparing.comparison import Comparison
from validation.comparing.conditional import Conditional
from validation.comparing.within import REMEDIES, ColumnShift, ShiftKind, within_label
from validation.comparing.words import MEASURES, decimal
from validation.evidence import Evidence
from validation.settings import CheckSettings
from validation.verdict import Finding

_TOLD: dict[ShiftKind, str] = {
    "within-label shift": "Within-label shift",
    "covariate shift": "Covariate shift",
    "label shift": "Label shift",
    "undecided": "Shift of an undecided kind",
}
_NAMED = 5


@dataclass(frozen=True)
class PairShift:
    """What kind of shift one column of a pair has.

    Attributes:
        reference: the split that the other is measured by.
        observed: the other.
        shift: of the column.
    """

    reference: str
    observed: str
    shift: ColumnShift

    @property
    def told(self) -> bool:
        """A shift was found, of P(x), of P(x given y) or of P(y given x)."""
        return self.shift.kind in _TOLD

    @property
    def weight(self) -> float:
        """The largest of its effects."""
        parts = (self.shift.marginal, self.shift.given_label, self.shift.given_column)
        return max(part.effect for part in parts if part is not None)

    def to_document(self) -> dict[str, Any]:
        """All of it in plain values."""
        shift = self.shift
        return {
            "column": shift.column,
            "reference": self.reference,
            "observed": self.observed,
            "shift": shift.kind,
            "remedy": shift.remedy,
            "alone": _measured(shift.marginal, shift.q_marginal),
            "given_label": _measured(shift.given_label, shift.q_given_label),
            "label_given": _measured(shift.given_column, shift.q_given_column),
            "explained_by_labels": shift.explained,
        }


def _measured(found: Conditional | None, q: float) -> dict[str, Any] | None:
    return None if found is None else {"effect": found.effect, "q": q}


def shift_kinds(
    comparisons: Sequence[Comparison], evidence: Evidence, settings: CheckSettings
) -> tuple[PairShift, ...]:
    """The kind of shift of each column of each pair whose role is a mismatch.

    Args:
        comparisons: of the run.
        evidence: with measures.
        settings: thresholds, alpha, least rows.

    Returns:
        Of every pair, every column that can be told of, whether its values alone have shifted or not; empty without a
        label.
    """
    label = evidence.roles.label
    measures = evidence.measures
    found: list[PairShift] = []
    if label is None or measures is None:
        return ()
    pairs = dict.fromkeys((row.reference, row.observed) for row in comparisons if row.role == "mismatch")
    roles = evidence.roles
    left_out = roles.not_compared
    for reference, observed in pairs:
        frames = [measures.sample.select(evidence.parts(split)).rows for split in (reference, observed)]
        shared = [name for name in frames[0].columns if name in frames[1].columns and name not in left_out]
        if label not in shared or not min(len(frame) for frame in frames):
            continue
        designs = evidence.group_size(reference), evidence.group_size(observed)
        shifts = within_label(frames[0], frames[1], label, shared, settings, designs=designs, pairs=len(pairs))
        found += [PairShift(reference, observed, shift) for shift in shifts]
    return tuple(found)


def ranked_kinds(kinds: Sequence[PairShift], reference: str, observed: str) -> list[PairShift]:
    """The columns of a pair that have a shift, whose kind could be told; the heaviest first."""
    mine = [one for one in kinds if (one.reference, one.observed) == (reference, observed) and one.told]
    return sorted(mine, key=lambda one: (-one.weight, one.shift.column))


def kind_findings(kinds: Sequence[PairShift]) -> Iterator[Finding]:
    """What kinds of shift there are and what helps: a sentence a pair and kind.

    Args:
        kinds: of `shift_kinds`.

    Yields:
        Findings in the order of the pairs.
    """
    for reference, observed in dict.fromkeys((one.reference, one.observed) for one in kinds):
        ranked = ranked_kinds(kinds, reference, observed)
        for kind, title in _TOLD.items():
            mine = [one for one in ranked if one.shift.kind == kind]
            if mine:
                told = f"{title} from {reference} to {observed} in {named(mine)}{_heaviest(mine[0])}."
                yield Finding("info", f"{told} {REMEDIES[kind]}")


def named(shifts: Sequence[PairShift]) -> str:
    """The columns, the first five by name."""
    more = f" and {len(shifts) - _NAMED:,} more" if len(shifts) > _NAMED else ""
    return f"{', '.join(f'`{one.shift.column}`' for one in shifts[:_NAMED])}{more}"


def _heaviest(one: PairShift) -> str:
    """The effects of the heaviest column; the label has none but its own."""
    shift = one.shift
    if shift.given_label is None or shift.given_column is None:
        return ""
    return (
        f" (`{shift.column}`: {MEASURES['js_excess']} beyond chance {decimal(shift.marginal.effect)} of its values, "
        f"{decimal(shift.given_label.effect)} of its values given the label, "
        f"{decimal(shift.given_column.effect)} of the label given its values)"
    )
