"""The top of the history: did any example move, can that be said of every run, and what is to be done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipelines.report.headline import Tone
from pipelines.report.run_facts import FinishedRun, HistoryFacts, RunPair
from pipelines.report.words import counted, joined, shown

STATES: Mapping[str, Tone] = {"passed": "good", "passed with warnings": "warn", "failed": "bad"}
_LONGEST = 100
_BROKEN = "It continues an earlier run, so this must not be: do not use it."
_ANEW = (
    "It does not continue the run beside it, so nothing held examples in their places, and scores do not compare. To "
    "keep them there, plan with --previous."
)


@dataclass(frozen=True)
class Lead:
    """What a reader sees first.

    Attributes:
        tone: of all.
        verdict: the first sentence.
        sentence: what it rests on, and what to do.
    """

    tone: Tone
    verdict: str
    sentence: str


def history_lead(facts: HistoryFacts, runs: Sequence[FinishedRun]) -> Lead:
    """The top of the page.

    Args:
        facts: of the runs.
        runs: those that are finished and can be read, in order.

    Returns:
        A function of the facts alone. That nothing moved is said only as far as it was counted.
    """
    told = [f"{counted(len(facts.listed), 'run')}.", *_open(facts)]
    if not runs:
        return Lead("note", "No run is finished.", " ".join(told))
    last = runs[-1]
    told.append(f"The last finished run, {shown(last.name, _LONGEST)}: {last.document['status']}.")
    moved = [pair for pair in facts.pairs if pair.moves.moved]
    if moved:
        broken = [pair for pair in moved if pair.continues]
        cure = _BROKEN if broken else _ANEW
        names = _names(broken or moved)
        return Lead("bad" if broken else "warn", f"Examples moved in {names}.", " ".join([cure, *told]))
    verdict, doubts = _unmoved(facts.pairs)
    tone = STATES.get(last.document["status"], "note")
    if tone == "good" and (doubts or any(one.state == "cannot be read" for one in facts.listed)):
        tone = "warn"
    return Lead(tone, verdict or told[0], " ".join([*doubts, *(told if verdict else told[1:])]))


def _unmoved(pairs: Sequence[RunPair]) -> tuple[str, list[str]]:
    """That no example moved, and where that was not counted, or not in all files."""
    if not pairs:
        return "", []
    unknown = [pair for pair in pairs if pair.moves.moved is None]
    ledgers = [pair for pair in pairs if pair.moves.basis == "ledgers"]
    doubts = []
    if unknown:
        doubts.append(f"Examples have other names in {_names(unknown)} than before: whether any moved cannot be told.")
    if ledgers:
        doubts.append(f"Of {_names(ledgers)} train was not looked at.")
    if len(unknown) == len(pairs):
        return "Whether examples moved cannot be told.", doubts
    verdict = "No example moved between evaluation splits." if ledgers else "No example moved."
    return f"{verdict[:-1]}, as far as can be told." if unknown else verdict, doubts


def _open(facts: HistoryFacts) -> list[str]:
    unread = [one.name for one in facts.listed if one.state == "cannot be read"]
    begun = [one.name for one in facts.listed if one.state == "not finished"]
    told = [f"Not finished: {_shown(begun)}."] if begun else []
    return [*told, *([f"Cannot be read: {_shown(unread)}."] if unread else [])]


def _names(pairs: Iterable[RunPair]) -> str:
    return _shown(pair.new.name for pair in pairs)


def _shown(names: Iterable[str]) -> str:
    return joined((shown(name, _LONGEST) for name in names), 5)
