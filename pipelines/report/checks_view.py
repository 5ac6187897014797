"""The rest of the checks: splits that must look alike, suites of the user's own, and every other check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.report.facts import RunFacts
from pipelines.report.headline import Tone
from pipelines.report.shift_rows import ShiftRow, shift_row
from pipelines.report.words import counted, joined, number, sentence, shown
from validation.comparing.pairs import TARGET

MOST_MATCH_ROWS = 150
MOST_CHECKS = 400
_SHIFTS = ("match", "mismatch")
_LONGEST = 160
_WORDS: Mapping[Tone, str] = {"good": "holds", "warn": "warning", "bad": "fails", "note": "to know"}


@dataclass(frozen=True)
class MatchPair:
    """Two splits that must look alike.

    Attributes:
        title: both names.
        why: they must.
        tone: of all its columns together.
        sentence: what was found.
        rows: columns, those that differ first.
        more: columns that are not shown.
    """

    title: str
    why: str
    tone: Tone
    sentence: str
    rows: tuple[ShiftRow, ...]
    more: int


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
    """Checks, those that fail first.

    Attributes:
        rows: that are shown.
        more: that are not.
        held: how many hold, of all.
        total: how many there are.
    """

    rows: tuple[CheckRow, ...]
    more: int
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


def _match(reference: str, observed: str, results: Sequence[Mapping[str, Any]]) -> MatchPair:
    rows = [shift_row(result) for result in results]
    rows.sort(key=lambda row: (("bad", "warn", "good", "note").index(row.tone), -row.weight, row.name, row.about))
    wrong = [row for row in rows if row.tone in ("bad", "warn")]
    compared = [row for row in rows if row.tone != "note"]
    against = "all rows of the target pool" if reference == TARGET else reference
    if wrong:
        names = joined((row.column for row in wrong), 4)
        told = f"{counted(len(wrong), 'comparison')} of {len(rows):,} differ: {names}."
    elif compared:
        told = f"No column differs beyond chance and threshold, of {counted(len(compared), 'comparison')}."
    else:
        told = "Nothing could be compared: there are too few rows."
    tone: Tone = wrong[0].tone if wrong else "good" if compared else "note"
    why = (
        f"{observed} was drawn from the target pool to look like all of it."
        if reference == TARGET
        else f"{observed} and {reference} were drawn from the same rows: they may differ by chance alone."
    )
    return MatchPair(
        f"{observed} and {against}", why, tone, told, tuple(rows[:MOST_MATCH_ROWS]), max(0, len(rows) - MOST_MATCH_ROWS)
    )


def suite_checks(facts: RunFacts) -> CheckList:
    """The expectations of the user's own suites."""
    return _listed(facts.of_role("suite"))


def other_checks(facts: RunFacts) -> CheckList:
    """Every check that is neither a comparison of columns nor of a suite."""
    return _listed([r for r in facts.results if r["role"] not in (*_SHIFTS, "suite")])


def _listed(results: Sequence[Mapping[str, Any]]) -> CheckList:
    rows = [_check(result) for result in results]
    order = sorted(range(len(rows)), key=lambda i: (("bad", "warn", "note", "good").index(rows[i].tone), i))
    shown_rows = tuple(rows[i] for i in order[:MOST_CHECKS])
    return CheckList(
        shown_rows, max(0, len(rows) - MOST_CHECKS), sum(bool(r["success"]) for r in results), len(results)
    )


def _check(result: Mapping[str, Any]) -> CheckRow:
    tone: Tone = "good"
    if not result["success"]:
        tone = {"critical": "bad", "warning": "warn"}.get(result["severity"], "note")  # type: ignore[assignment]
    return CheckRow(
        name=shown(result["check"], 90),
        table=shown(result["table"]),
        column=shown(result["column"]) if result["column"] is not None else "",
        said=sentence(result["description"], 240),
        found=_found(result),
        tone=tone,
        word=_WORDS[tone],
    )


def _found(result: Mapping[str, Any]) -> str:
    """The observed figures in a few words, the names of the fields with spaces."""
    if result.get("exception"):
        return sentence(f"could not be judged: {result['exception']}", _LONGEST)
    parts = [
        f"{name.replace('_', ' ')} {_figure(value)}"
        for name, value in result["observed"].items()
        if isinstance(value, int | float | str) and value != "" and not name.startswith("others")
    ]
    return sentence("; ".join(parts), _LONGEST) if parts else "–"


def _figure(value: int | float | str) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else number(value)
