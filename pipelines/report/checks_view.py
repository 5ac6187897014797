"""The rest of the checks: splits that must look alike, suites of the user's own, and every other check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.report.facts import RunFacts
from pipelines.report.found import found_words
from pipelines.report.headline import Tone
from pipelines.report.shift_rows import ALIKE, ShiftRow, Standing, shift_row
from pipelines.report.terms import Term, terms_in
from pipelines.report.words import counted, named, sentence, shown
from validation.comparing.pairs import TARGET

MOST_MATCH_ROWS = 150
MOST_CHECKS = 400
_SHIFTS = ("match", "mismatch")
_ORDER: Mapping[Standing, int] = {"broken": 0, "shifted": 1, "unsure": 2, "none seen": 3, "not compared": 4}
_PAIR_WORDS: Mapping[Tone, str] = {
    "good": "no sure difference",
    "warn": "slightly different",
    "bad": "different",
    "note": "not compared",
}
_WORDS: Mapping[Tone, str] = {"good": "holds", "warn": "warning", "bad": "fails", "note": "to know"}


@dataclass(frozen=True)
class MatchPair:
    """Two splits that must look alike.

    Attributes:
        title: both names.
        why: they must.
        tone: of all its columns together.
        word: the same.
        sentence: what was found.
        rows: columns, those that differ first.
        more: columns that are not shown.
        reference: the split, or pool, that the other is measured by.
        observed: the other.
    """

    title: str
    why: str
    tone: Tone
    word: str
    sentence: str
    rows: tuple[ShiftRow, ...]
    more: int
    reference: str
    observed: str


@dataclass(frozen=True)
class CheckRow:
    """A check.

    Attributes:
        name: its name, or the type of the expectation.
        table: what it is about.
        column: likewise; empty for whole rows.
        said: what must hold.
        found: what was observed, in a few words.
        tone: of the verdict.
        word: the verdict.
    """

    name: str
    table: str
    column: str
    said: str
    found: str
    tone: Tone
    word: str


@dataclass(frozen=True)
class CheckList:
    """Checks.

    Attributes:
        wrong: those that do not hold, the worst first.
        rows: those that hold, as far as they are shown.
        more: that are not shown, of either.
        terms: that they use.
        held: how many hold, of all.
        total: how many there are.
    """

    wrong: tuple[CheckRow, ...]
    rows: tuple[CheckRow, ...]
    more: int
    terms: tuple[Term, ...]
    held: int
    total: int


def match_pairs(facts: RunFacts) -> tuple[MatchPair, ...]:
    """The pairs of splits that must look alike, in their order.

    Args:
        facts: of the run.

    Returns:
        Them.
    """
    by_pair: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for result in facts.of_role("match"):
        by_pair.setdefault((result["expected"]["reference"], result["expected"]["observed"]), []).append(result)
    return tuple(_match(reference, observed, results) for (reference, observed), results in by_pair.items())


def match_terms(pairs: Sequence[MatchPair]) -> tuple[Term, ...]:
    """The terms that the figures of all pairs use.

    Args:
        pairs: all of them.

    Returns:
        Each once.
    """
    return terms_in(*dict.fromkeys(row.measure for pair in pairs for row in pair.rows))


def _match(reference: str, observed: str, results: Sequence[Mapping[str, Any]]) -> MatchPair:
    rows = [shift_row(result) for result in results]
    rows.sort(key=lambda row: (_ORDER[row.standing], -row.weight, row.name, row.about))
    against = "all rows of the target pool" if reference == TARGET else reference
    why = (
        f"{observed} was drawn from the target pool to look like all of it."
        if reference == TARGET
        else f"{observed} and {reference} were drawn from the same rows: they may differ by chance alone."
    )
    tone = _pair_tone(rows)
    return MatchPair(
        title=f"{observed} and {against}",
        why=why,
        tone=tone,
        word=_PAIR_WORDS[tone],
        sentence=_pair_sentence(rows),
        rows=tuple(rows[:MOST_MATCH_ROWS]),
        more=max(0, len(rows) - MOST_MATCH_ROWS),
        reference=reference,
        observed=observed,
    )


def _pair_tone(rows: Sequence[ShiftRow]) -> Tone:
    tones = {row.tone for row in rows if row.standing == "broken"}
    if tones:
        return "bad" if "bad" in tones else "warn"
    return "good" if any(row.compared for row in rows) else "note"


def _pair_sentence(rows: Sequence[ShiftRow]) -> str:
    """What was found; what more rows would tell is said, so that nothing seen is not taken for nothing there."""
    broken = [row for row in rows if row.standing == "broken"]
    if broken:
        return f"{counted(len(broken), 'comparison')} of {len(rows):,} differ: {named((r.column for r in broken), 4)}."
    compared = [row for row in rows if row.compared]
    if not compared:
        return "Nothing could be compared: there are too few rows."
    alike = sum(row.verdict == ALIKE for row in compared)
    told = [f"No sure difference in {counted(len(compared), 'comparison')}{f', {alike:,} surely alike' * bool(alike)}."]
    unsure = [row for row in compared if row.standing == "unsure"]
    if unsure:
        names = named((row.column for row in unsure), 4)
        told.append(
            f"Not sure in {len(unsure):,}: more than is allowed, yet no more than chance gives at times: {names}."
        )
    blind = sum(row.blind for row in compared)
    if blind:
        told.append(f"In {blind:,} a difference just over what is allowed could have been missed.")
    return " ".join(told)


def suite_checks(facts: RunFacts) -> CheckList:
    """The expectations of the user's own suites."""
    return _listed(facts, facts.of_role("suite"))


def other_checks(facts: RunFacts) -> CheckList:
    """Every check that is neither a comparison of columns nor of a suite."""
    return _listed(facts, [r for r in facts.results if r["role"] not in (*_SHIFTS, "suite")])


def _listed(facts: RunFacts, results: Sequence[Mapping[str, Any]]) -> CheckList:
    wrong = [_check(facts, result) for result in results if not result["success"]]
    held = [_check(facts, result) for result in results if result["success"]]
    wrong.sort(key=lambda row: ("bad", "warn", "note").index(row.tone))
    kept = held[: max(0, MOST_CHECKS - len(wrong))]
    return CheckList(
        wrong=tuple(wrong[:MOST_CHECKS]),
        rows=tuple(kept),
        more=max(0, len(wrong) - MOST_CHECKS) + len(held) - len(kept),
        terms=terms_in(*(row.found for row in (*wrong, *kept))),
        held=len(held),
        total=len(results),
    )


def _check(facts: RunFacts, result: Mapping[str, Any]) -> CheckRow:
    tone: Tone = "good"
    if not result["success"]:
        tone = {"critical": "bad", "warning": "warn"}.get(result["severity"], "note")  # type: ignore[assignment]
    return CheckRow(
        name=shown(result["check"], 90),
        table=shown(result["table"]),
        column=shown(result["column"]) if result["column"] is not None else "",
        said=sentence(result["description"], 240),
        found=found_words(facts, result),
        tone=tone,
        word=_WORDS[tone],
    )
