"""What was measured of a run, judged: splits compared, models fitted, times placed; checks and findings of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from validation.checking import Check, Verdict
from validation.coincidence import repeats_by_chance
from validation.comparing.comparison import Comparison
from validation.comparing.sentences import rank_mismatch, sentence, weight
from validation.comparing.within import ColumnShift
from validation.comparisons import compare_splits
from validation.evidence import Evidence
from validation.kinds import PairShift, kind_findings, named, ranked_kinds, shift_kinds
from validation.matches import comparison_checks, comparison_name, new_category_checks
from validation.settings import CheckSettings
from validation.times import time_checks, time_findings, unplaced_findings
from validation.verdict import Finding, rounded

if TYPE_CHECKING:
    from validation.harm import Harm, TooFewRows

_RANKED = 20


@dataclass(frozen=True)
class MeasuredRun:
    """What comparisons and models say of a run whose rows were measured.

    Attributes:
        evidence: what is known of the run, its measures among it.
        settings: of the checks.
        comparisons: a row a pair of splits and column.
        harm: what models say, or why they say nothing; None where they were not asked.
        times: checks of time columns.
        kinds: of the shifts of the mismatch, a row a pair and column; none without a label.
    """

    evidence: Evidence
    settings: CheckSettings
    comparisons: tuple[Comparison, ...]
    harm: Harm | TooFewRows | None
    times: tuple[Check, ...]
    kinds: tuple[PairShift, ...] = ()

    @classmethod
    def of(cls, evidence: Evidence, settings: CheckSettings) -> MeasuredRun:
        """Compares and models.

        Args:
            evidence: with measures.
            settings: of the checks.

        Returns:
            What came out: a function of the arguments alone.
        """
        comparisons = compare_splits(evidence, settings)
        times = tuple(time_checks(evidence))
        harm = _asked_models(evidence, settings) if settings.probe else None
        return cls(evidence, settings, comparisons, harm, times, shift_kinds(comparisons, evidence, settings))

    def checks(self) -> list[Check]:
        """The checks of what was measured."""
        compared = comparison_checks(self.comparisons, self.evidence, self.settings)
        return [
            *compared,
            *new_category_checks(self.evidence, self.settings),
            *self.times,
            *self._model_checks(),
        ]

    def findings(self, verdicts: Sequence[Verdict]) -> list[Finding]:
        """What a reader should know, given the verdicts on the run's checks."""
        return [
            *_match_findings(verdicts, self.comparisons, self.evidence),
            *_uncompared_findings(self.comparisons, self.settings),
            *_mismatch_findings(self.comparisons, self.kinds, self.evidence),
            *kind_findings(self.kinds),
            *self._model_findings(),
            *time_findings(self.times),
            *unplaced_findings(self.evidence),
            *_repeat_findings(self.evidence),
        ]

    def _model_checks(self) -> Iterable[Check]:
        if self.harm is None:
            return ()
        from validation.harm import TooFewRows  # noqa: PLC0415, as of `_asked_models`
        from validation.harm_findings import harm_checks  # noqa: PLC0415

        return () if isinstance(self.harm, TooFewRows) else harm_checks(self.harm, self.evidence, self.settings)

    def _model_findings(self) -> list[Finding]:
        if self.harm is None:
            return []
        from validation.harm import TooFewRows  # noqa: PLC0415, as of `_asked_models`
        from validation.harm_findings import harm_findings, unmeasured_finding  # noqa: PLC0415

        if isinstance(self.harm, TooFewRows):
            return [unmeasured_finding(self.harm, self.settings)]
        return harm_findings(self.harm, self.settings)

    def mismatch(self) -> dict[str, Any]:
        """How the train mixture and the target differ, and what models say of it; plain values."""
        models = {"models": self.harm.to_document() if self.harm is not None else None}
        mismatch: dict[str, Any] = rounded(_mismatch(self.comparisons, self.kinds, self.evidence) | models)
        return mismatch


def _asked_models(evidence: Evidence, settings: CheckSettings) -> Harm | TooFewRows | None:
    """What models say. Imported here: scikit-learn takes a second to load, and runs without a probe need none of it."""
    from validation.harm import measure_harm  # noqa: PLC0415

    return measure_harm(evidence, settings)


def _match_findings(
    verdicts: Sequence[Verdict], comparisons: Sequence[Comparison], evidence: Evidence
) -> list[Finding]:
    rows = {comparison_name(row): row for row in comparisons}
    found = []
    for verdict in verdicts:
        row = rows.get(verdict.check.name)
        if row is not None and row.role == "match" and not verdict.success and not verdict.exception:
            found.append(Finding(verdict.severity, _sentence(row, evidence), (verdict.check.name,)))
    return found


def _uncompared_findings(comparisons: Sequence[Comparison], settings: CheckSettings) -> list[Finding]:
    """Splits that are too small to compare: that nothing was found of them says nothing."""
    pairs: dict[tuple[str, str], list[Comparison]] = {}
    for row in comparisons:
        pairs.setdefault((row.reference, row.observed), []).append(row)
    found = []
    for (reference, observed), rows in pairs.items():
        few = [row for row in rows if row.verdict == "too few rows"]
        if not few or any(row.effect is not None for row in rows):
            continue
        most = max(min(row.n_reference, row.n_observed) for row in few)
        told = (
            f"{reference} and {observed} were not compared: the smaller has {most:,} rows with a value, and at least "
            f"{settings.min_rows:,} are asked for (`checks: min_rows`)."
        )
        found.append(Finding("info", told, tuple(comparison_name(row) for row in few)))
    return found


def _sentence(row: Comparison, evidence: Evidence) -> str:
    if row.column == evidence.roles.source:
        return sentence(row, None, None)
    return sentence(row, evidence.column(row.column, row.reference), evidence.column(row.column, row.observed))


def _mismatch_findings(
    comparisons: Sequence[Comparison], kinds: Sequence[PairShift], evidence: Evidence
) -> list[Finding]:
    """What carries the mismatch, in one sentence a pair."""
    found = []
    pairs = dict.fromkeys((row.reference, row.observed) for row in comparisons if row.role == "mismatch")
    for reference, observed in pairs:
        rows = [
            row for row in comparisons if (row.reference, row.observed, row.role) == (reference, observed, "mismatch")
        ]
        ranked = [row for row in rank_mismatch(rows) if row.column != evidence.roles.source]
        compared = {row.column for row in rows if row.effect is not None} - {evidence.roles.source}
        if not compared:
            continue
        if not ranked:
            by_source = any(row.column == evidence.roles.source and row.shifted for row in rows)
            told = f"{'Apart from the source, ' * by_source}{reference} and {observed} differ in none of "
            told += f"{len(compared):,} columns by more than the thresholds"
            if within := ranked_kinds(kinds, reference, observed):
                told += f", each taken alone; taken with the label they do, in {named(within)}"
            found.append(Finding("info", f"{told}."))
            continue
        names = ", ".join(f"`{name}`" for name in list(dict.fromkeys(row.column for row in ranked))[:5])
        shifted = len({row.column for row in ranked})
        more = f" and {shifted - 5:,} more" if shifted > 5 else ""
        told = (
            f"The data mismatch: {reference} and {observed} differ in {shifted:,} of {len(compared):,} columns, most "
            f"in {names}{more}. Nothing is broken. {_sentence(ranked[0], evidence)}"
        )
        found.append(Finding("info", told, tuple(comparison_name(row) for row in ranked)))
    return found


def _repeat_findings(evidence: Evidence) -> list[Finding]:
    assert evidence.measures is not None  # noqa: S101, the caller looked
    repeats = evidence.measures.repeats
    if not repeats.surplus:
        return []
    about = "" if repeats.exact else "about "
    told = f"{about}{repeats.surplus:,} of {repeats.rows:,} rows say the same as another row, key and source aside"
    told += ", as chance gives in so few columns." if repeats_by_chance(evidence) else "."
    return [Finding("info", told[0].upper() + told[1:])]


def _mismatch(comparisons: Sequence[Comparison], kinds: Sequence[PairShift], evidence: Evidence) -> dict[str, Any]:
    """The mismatch in plain values: columns ranked, and the kinds of their shifts."""
    by_column = {(one.reference, one.observed, one.shift.column): one.shift for one in kinds}
    ranked = rank_mismatch(comparisons)[:_RANKED]
    return {
        "columns": [
            {
                "column": row.column,
                "about": row.about,
                "reference": row.reference,
                "observed": row.observed,
                "verdict": row.verdict,
                "weight": round(weight(row), 4),
                "sentence": _sentence(row, evidence),
                **_kind(by_column.get((row.reference, row.observed, row.column))),
            }
            for row in ranked
        ],
        "kinds": [
            one.to_document()
            for reference, observed in dict.fromkeys((one.reference, one.observed) for one in kinds)
            for one in ranked_kinds(kinds, reference, observed)
        ],
    }


def _kind(shift: ColumnShift | None) -> dict[str, str]:
    return {} if shift is None else {"shift": shift.kind, "remedy": shift.remedy}
