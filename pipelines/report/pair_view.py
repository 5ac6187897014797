"""Two runs beside each other: what changed in the spec, in sizes, among the examples and in the data; frozen values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pipelines.report.headline import Tone
from pipelines.report.moves import Moves, SplitMoves
from pipelines.report.run_facts import FinishedRun, RunPair
from pipelines.report.terms import Term, terms_in
from pipelines.report.words import counted, joined, sentence, shown
from splitting.plan import Plan
from splitting.request import TRAIN
from validation.comparing.pairs import TARGET

MOST_ROWS = 300
_LONGEST = 200
_ABSENT = "–"
TARGET_ROWS = "target pool"


@dataclass(frozen=True)
class SpecChange:
    """A field of the spec that is not the same, its values as shown."""

    path: str
    old: str
    new: str


@dataclass(frozen=True)
class SizeRow:
    """Rows of something in both runs, and the difference with its sign; a dash where there is none."""

    name: str
    old: str
    new: str
    change: str


@dataclass(frozen=True)
class PairView:
    """Two runs.

    Attributes:
        old: the name of the old run.
        new: of the new one.
        lead: whether the new one continues the old one, in a sentence.
        tone: of what was found of moves.
        moved: what was found of moves, in sentences.
        moved_short: the same in a few words, under a heading that says "moved".
        badge: the same without such a heading.
        spec: what changed in the spec.
        sizes: of splits, of rows in no split, of sources.
        examples: by evaluation split; empty where names cannot be compared.
        shifts: what differs between the two, in sentences, the heaviest first.
        shifts_lead: what was compared with what, in sentences.
        terms: that the shifts are told with.
    """

    old: str
    new: str
    lead: str
    tone: Tone
    moved: str
    moved_short: str
    badge: str
    spec: tuple[SpecChange, ...]
    sizes: tuple[SizeRow, ...]
    examples: tuple[SplitMoves, ...]
    shifts: tuple[str, ...]
    shifts_lead: str
    terms: tuple[Term, ...]


def pair_view(pair: RunPair) -> PairView:
    """What is shown of two runs.

    Args:
        pair: of both.

    Returns:
        A function of the facts alone.
    """
    tone, moved, short = moved_words(pair)
    number, *rest = short.split(" ")
    shifts = tuple(sentence(shift.sentence) for shift in pair.shifts.shifts) if pair.shifts else ()
    return PairView(
        old=shown(pair.old.name, _LONGEST),
        new=shown(pair.new.name, _LONGEST),
        lead=_lead(pair),
        tone=tone,
        moved=moved,
        moved_short=short,
        badge=short if pair.moves.moved is None else " ".join((number, "moved", *rest)),
        spec=tuple(SpecChange(*(shown(text, _LONGEST) for text in change)) for change in spec_changes(pair)),
        sizes=tuple(_size_row(shown(name), old, new) for name, old, new in sizes(pair)),
        examples=pair.moves.splits,
        shifts=shifts,
        shifts_lead=_shifts_lead(pair),
        terms=terms_in(*shifts),
    )


def _lead(pair: RunPair) -> str:
    if pair.continues:
        return "The new run continues the old one: what that decided stays."
    if pair.new.plan.previous is not None:
        return "The new run continues another one. If that goes back to the old one, what the old one decided stays."
    return "The new run continues none: nothing held the old one's examples in their places."


def moved_words(pair: RunPair) -> tuple[Tone, str, str]:
    """What is said of moved examples.

    Args:
        pair: of both runs.

    Returns:
        The tone, sentences, and a few words for a table.
    """
    moves = pair.moves
    if moves.moved is None:
        return "note", sentence(moves.why), "not comparable"
    ways = _ways(moves)
    if moves.moved:
        told = f"{counted(moves.moved, 'example')} moved: {'; '.join(ways)}."
        cure = "This must not be: do not use the new run." if pair.continues else _PLAN_ANEW
        tone: Tone = "bad" if pair.continues else "warn"
        return tone, f"{told} {cure} {_basis(pair)}", f"{moves.moved:,}"
    if moves.basis == "files":
        return "good", f"No example moved. {_basis(pair)}", "0"
    return (
        "note",
        f"No example moved from one evaluation split to another. {_basis(pair)}",
        "0 between evaluation splits",
    )


_PLAN_ANEW = (
    "A score of the one run says little about the other, and what was trained on may now be judged by. To keep "
    "examples in their places, plan the new run with --previous."
)


def _ways(moves: Moves) -> list[str]:
    told = [
        (moves.between, "between evaluation splits"),
        (moves.to_train, "from an evaluation split into train"),
        (moves.from_train, "from train into an evaluation split"),
    ]
    return [f"{count:,} {way}" for count, way in told if count]


def _basis(pair: RunPair) -> str:
    """What was looked at, and what was not."""
    moves = pair.moves
    if moves.basis == "files":
        return (
            "Counted in the written files of both runs, train and held-out rows among them, over every example that is "
            "in an evaluation split of either."
        )
    told = "Counted in the ledgers of both runs, which list evaluation examples and not train"
    if pair.continues:
        told += "; that nothing came from train was made sure of when the new run was planned, and not counted again"
    return f"{told}. {sentence(moves.why)}"


def spec_changes(pair: RunPair) -> list[tuple[str, str, str]]:
    """The fields that differ between the specs: path, old and new value as JSON, a dash for none; in order of path."""
    old, new = (dict(_leaves(run.spec)) for run in (pair.old, pair.new))
    return [
        (path, old.get(path, _ABSENT), new.get(path, _ABSENT))
        for path in sorted({*old, *new})
        if old.get(path) != new.get(path)
    ]


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else str(name))
    else:
        yield path, json.dumps(value, ensure_ascii=False, default=str)


def sizes(pair: RunPair) -> list[tuple[str, int | None, int | None]]:
    """Rows of every split, held out, rejected, read, and by source: name, old and new; None where one has no such."""
    old, new = (dict(_sizes(run.plan)) for run in (pair.old, pair.new))
    return [(name, old.get(name), new.get(name)) for name in dict.fromkeys([*new, *old])]


def _sizes(plan: Plan) -> Iterator[tuple[str, int]]:
    for name in (TRAIN, *(split.name for split in plan.splits)):
        yield name, plan.rows_of(name)
    yield "held out", sum(part.rows for part in plan.held_out)
    yield "rejected", sum(part.rows for part in plan.rejected)
    yield "all rows read", plan.rows_read
    for source in plan.sources:
        yield f"read from {source.name}", source.rows


def _size_row(name: str, old: int | None, new: int | None) -> SizeRow:
    change = (new or 0) - (old or 0)
    before, now = (_ABSENT if rows is None else f"{rows:,}" for rows in (old, new))
    return SizeRow(name, before, now, f"{change:+,}".replace("-", "−") if change else "0")


_OVERLAP = (
    "Examples that are in both runs make the two more alike than two draws would be: what is called a shift is one, "
    "and a small one can be missed."
)


def _shifts_lead(pair: RunPair) -> str:
    shifts = pair.shifts
    if shifts is None:
        return sentence(pair.no_shifts)
    names = joined(("the " + TARGET_ROWS if name == TARGET else name for name in shifts.splits), 12)
    found = counted(len(shifts.shifts), "shift") if shifts.shifts else "no shift"
    columns, compared = counted(shifts.columns, "column"), counted(shifts.compared, "comparison")
    what = f"What the profiles of both runs say of {columns} was compared, in {names}: {found} in {compared}."
    told = [what, _OVERLAP]
    if shifts.came:
        told.append(f"Columns that only the new run has: {joined((shown(name) for name in shifts.came), 12)}.")
    if shifts.went:
        told.append(f"Columns that only the old run has: {joined((shown(name) for name in shifts.went), 12)}.")
    return " ".join(told)


def pair_document(pair: RunPair) -> dict[str, Any]:
    """Two runs as plain values for JSON.

    Args:
        pair: of both.

    Returns:
        What `PairView` shows, with texts of the data as they are.
    """
    _, told, _ = moved_words(pair)
    return {
        "old": _named(pair.old),
        "new": _named(pair.new),
        "continues": pair.continues,
        "spec": [{"path": path, "old": old, "new": new} for path, old, new in spec_changes(pair)],
        "sizes": [{"name": name, "old": old, "new": new} for name, old, new in sizes(pair)],
        "examples": {**asdict(pair.moves), "moved": pair.moves.moved, "told": told},
        "shifts": _shifts_document(pair),
    }


def _named(run: FinishedRun) -> dict[str, Any]:
    return {"run": run.name, "status": run.document["status"], "plan": run.plan.fingerprint}


def _shifts_document(pair: RunPair) -> dict[str, Any]:
    shifts = pair.shifts
    if shifts is None:
        return {"compared": 0, "why_none": pair.no_shifts}
    return {
        "splits": list(shifts.splits),
        "columns": shifts.columns,
        "compared": shifts.compared,
        "came": list(shifts.came),
        "went": list(shifts.went),
        "found": [
            {"split": one.split, "sentence": one.sentence, **one.comparison.row()} for one in shifts.shifts[:MOST_ROWS]
        ],
    }
