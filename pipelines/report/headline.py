"""The top of the page: one sentence that says whether to trust the split, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pipelines.report.advice import CAUSES, step_to_compare, steps
from pipelines.report.facts import RunFacts
from pipelines.report.terms import Term, terms_in
from pipelines.report.words import counted, joined, named, sentence, shown

Tone = Literal["good", "warn", "bad", "note"]
_TONES: Mapping[str, Tone] = {"critical": "bad", "warning": "warn", "info": "note"}
_WORDS = {"critical": "Critical", "warning": "Warning", "info": "To know"}
_FIRST = ("faithful", "target only", "pool only", "disjoint", "label", "size", "leakage", "match")
"""Roles, the ones that explain others first: a row from elsewhere in `dev` also changes its size and its looks."""

_FAULTS: Mapping[str, str] = {
    "faithful": "Rows were lost or made up",
    "target only": "Rows from outside the target in a split that must hold target rows alone",
    "pool only": "Rows from outside its pool in a split",
    "disjoint": "A leak between splits",
    "label": "A label that train lacks",
    "size": "A split of another size than planned",
    "leakage": "Copies across splits",
    "match": "Splits that were drawn from the same rows do not look alike",
    "leak column": "A column that may give the label away",
    "new categories": "Values that train lacks",
    "suite": "An expectation of your own does not hold",
}
"""What went wrong, in words for one who knows neither the code nor the spec; a cost's own sentence begins with it."""

_PROMISED = ("leakage", "label", *CAUSES)
"""Roles of promises that the page proves: a warning of these says that one does not hold."""

_PROMISES_HOLD = "Every promise holds; read the warnings first."
_MISMATCH = ("dev", "train_dev")


@dataclass(frozen=True)
class FindingView:
    """A finding: how much it matters, in words and tone, and its sentence."""

    tone: Tone
    word: str
    sentence: str


@dataclass(frozen=True)
class Headline:
    """The top of the page.

    Attributes:
        tone: of the whole verdict.
        verdict: the sentence of one or two words: may it be used.
        sentence: what it rests on; of a failure, what the fault is.
        steps: what to do next, the most pressing first.
        findings: everything that was found, failures first.
        terms: that the sentences use.
        checks: how many checks were made.
        held: how many of them hold.
        failed: how many do not, and how many could not be made, in words; empty for none.
    """

    tone: Tone
    verdict: str
    sentence: str
    steps: tuple[str, ...]
    findings: tuple[FindingView, ...]
    terms: tuple[Term, ...]
    checks: int
    held: int
    failed: str


def headline(facts: RunFacts) -> Headline:
    """The top of the page.

    Args:
        facts: of the run.

    Returns:
        A function of the verdict alone: a failing run is named by its first cause, not by what follows from it.
    """
    document = facts.document
    statistics = document["statistics"]
    roles = {result["check"]: _role(result) for result in facts.results}
    findings = sorted(document["findings"], key=lambda finding: _order(finding, roles))
    troubles = [role for one in findings if one["severity"] != "info" for role in _roles(one, roles)]
    idle = sum(result["role"] == "match" and result["observed"].get("effect") is None for result in facts.results)
    tone, verdict, told = _judged(facts, findings, roles) or _passed(facts, statistics["passed"] - idle)
    trusted = tone in ("good", "note") or verdict == _PROMISES_HOLD
    columns = {role: _columns(facts, role) for role in ("leak column", "new categories")}
    what_next = steps(troubles, columns, trusted=trusted)
    if tone == "note":
        first = step_to_compare(document["settings"]["min_rows"], measured=facts.profile is not None)
        what_next = (first, *what_next)
    sentences = [sentence(item["sentence"]) for item in findings]
    return Headline(
        tone=tone,
        verdict=verdict,
        sentence=told,
        steps=what_next,
        findings=tuple(
            FindingView(_TONES[item["severity"]], _WORDS[item["severity"]], text)
            for item, text in zip(findings, sentences, strict=True)
        ),
        terms=terms_in(told, *sentences),
        checks=statistics["checks"] - idle,
        held=statistics["passed"] - idle,
        failed=_failed(statistics["failed"], idle),
    )


def _judged(
    facts: RunFacts, findings: list[Mapping[str, Any]], roles: Mapping[str, str]
) -> tuple[Tone, str, str] | None:
    """What is said of a run in which something is wrong; None where nothing is."""
    document = facts.document
    wrong = [finding for finding in findings if finding["severity"] == "critical"]
    warned = [finding for finding in findings if finding["severity"] == "warning"]
    failing = wrong + (warned if document["settings"]["fail_on"] == "warning" else [])
    unnamed = _unnamed(facts, findings)
    if document["status"] == "failed":
        return "bad", "Do not use this split.", _first_of(facts, failing or warned, roles, unnamed, "fault")
    if not warned and document["status"] != "passed with warnings":
        return None
    broken = any(not r["success"] and r["severity"] != "info" and _role(r) in _PROMISED for r in facts.results)
    verdict = "Do not trust the score yet." if broken else _PROMISES_HOLD
    return "warn", verdict, _first_of(facts, warned, roles, unnamed, "warning")


def _passed(facts: RunFacts, held: int) -> tuple[Tone, str, str]:
    """A run in which nothing is wrong; it is not called trusted where nothing could have shown it to be wrong."""
    told = f"All {held:,} checks hold, counted over {counted(facts.plan.rows_read, 'row')}"
    lacking = _not_compared(facts)
    if facts.profile is not None and not lacking:
        return "good", "This split can be trusted.", f"{told}: what was promised of sizes, origin and separation is so."
    what = "what the columns hold, for nothing was measured"
    if facts.profile is not None:
        what = f"{joined(lacking, 4)}, for there are too few rows"
    return "note", "What was checked holds; not all was.", f"{told}. Not compared: {what}."


def _not_compared(facts: RunFacts) -> list[str]:
    """Pairs of splits of which no column could be compared."""
    pairs: dict[tuple[str, str], bool] = {}
    for result in facts.of_role("match", "mismatch"):
        pair = result["expected"]["observed"], result["expected"]["reference"]
        pairs[pair] = pairs.get(pair, False) or result["observed"].get("effect") is not None
    if {*_MISMATCH} <= set(facts.splits) and not {_MISMATCH, _MISMATCH[::-1]} & set(pairs):
        pairs[_MISMATCH] = False
    return [" against ".join(pair) for pair, compared in pairs.items() if not compared]


def _role(result: Mapping[str, Any]) -> str:
    """The role of a result; a column that gives the label away is a case of its own."""
    leaks = result["role"] == "leakage" and result["expectation"] == "expect_no_leak_column"
    return "leak column" if leaks else str(result["role"])


def _roles(finding: Mapping[str, Any], roles: Mapping[str, str]) -> list[str]:
    """The roles of a finding's checks, each once."""
    return list(dict.fromkeys(roles.get(name, "") for name in finding["checks"]))


def _order(finding: Mapping[str, Any], roles: Mapping[str, str]) -> tuple[int, int]:
    severity = list(_TONES).index(finding["severity"])
    ranks = [_FIRST.index(role) for role in _roles(finding, roles) if role in _FIRST]
    return severity, min(ranks, default=len(_FIRST))


def _unnamed(facts: RunFacts, findings: list[Mapping[str, Any]]) -> str:
    """A check that failed and that no finding tells of."""
    told = {name for finding in findings for name in finding["checks"]}
    missing = [r["check"] for r in facts.results if not r["success"] and r["check"] not in told]
    return sentence(f"The check “{missing[0]}” does not hold.") if missing else "A check does not hold."


def _first_of(
    facts: RunFacts, findings: list[Mapping[str, Any]], roles: Mapping[str, str], unnamed: str, noun: str
) -> str:
    """The first cause: what kind of fault it is, then what was found, then how much else there is."""
    if not findings:
        return unnamed
    more = len(findings) - 1
    told = sentence(findings[0]["sentence"])
    kind = next((role for role in _roles(findings[0], roles) if role in _FAULTS), "")
    if kind:
        told = f"{_FAULTS[kind]}: {told}"
    told = " ".join([told, *_explained(facts, kind, findings[0])])
    return f"{told} {counted(more, f'more {noun}')} below." if more else told


def _explained(facts: RunFacts, kind: str, finding: Mapping[str, Any]) -> Iterator[str]:
    """What the words of a fault mean, and of how many rows it speaks."""
    if kind not in ("target only", "disjoint", "leakage"):
        return
    result = next(r for r in facts.results if r["check"] in finding["checks"])
    group = facts.plan.identity.get("group")
    if kind == "target only":
        yield "The target is the data that the model will be judged on."
    elif result["expected"]["what"] == "group" and group:
        names = group if isinstance(group, list | tuple) else [group]
        yield f"A group is what shares {named(shown(str(name)) for name in names)}."
    splits = [result["expected"][name] for name in ("split", "first", "second") if name in result["expected"]]
    written = {r["expected"]["split"]: r["observed"]["rows"] for r in facts.of_role("size")}
    holding = [f"{split} holds {counted(written[split], 'row')}" for split in splits if split in written]
    if holding:
        yield f"{', '.join(holding)}."


def _columns(facts: RunFacts, role: str) -> str:
    """The columns whose checks of a role do not hold."""
    failed = [r for r in facts.results if not r["success"] and _role(r) == role and r["column"] is not None]
    return named((shown(r["column"]) for r in failed), 4)


def _failed(counts: Mapping[str, int], idle: int) -> str:
    told = [f"{counts['critical']:,} critical"] if counts.get("critical") else []
    told += [counted(counts["warning"], "warning")] if counts.get("warning") else []
    told += [f"{counts['info']:,} to know"] if counts.get("info") else []
    told += [f"{idle:,} not made: too few values"] if idle else []
    return ", ".join(told)
