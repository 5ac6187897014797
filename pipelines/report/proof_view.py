"""The proof: each promise with what was counted in this run, and how it is kept where nothing can be counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.report.facts import RunFacts
from pipelines.report.headline import Tone
from pipelines.report.words import counted, joined, named, sentence, shown

_SHORT = 8
_COUNTED, _BUILT = "counted in this run", "by construction"


@dataclass(frozen=True)
class Promise:
    """A promise and its evidence.

    Attributes:
        name: in two or three words.
        meaning: what is promised, in a sentence.
        evidence: what was counted, a sentence each.
        basis: counted in this run, or kept by construction.
        tone: good where it holds.
        word: the same, in a word.
    """

    name: str
    meaning: str
    evidence: tuple[str, ...]
    basis: str
    tone: Tone
    word: str


def proof_view(facts: RunFacts) -> tuple[Promise, ...]:
    """The promises of `docs/guarantees.md`, in their order.

    Args:
        facts: of the run.

    Returns:
        A row a promise.
    """
    return (
        _target_only(facts),
        _exact(facts),
        _disjoint(facts),
        _copies(facts),
        _labels(facts),
        _frozen(facts),
        _same(facts),
        _faithful(facts),
        Promise(
            "All or nothing",
            "A reader sees a finished run or none.",
            ("Files are written beside their place and renamed; _SUCCESS is written last, after this page.",),
            _BUILT,
            "good",
            "kept",
        ),
        _told(facts),
    )


def _judged(
    name: str, meaning: str, results: Sequence[Mapping[str, Any]], evidence: Sequence[str], none: str
) -> Promise:
    """A promise that checks were made of."""
    if not results:
        return Promise(name, meaning, (none,), _COUNTED, "note", "not asked")
    failed = [result for result in results if not result["success"]]
    tone: Tone = "good"
    if failed:
        tone = "bad" if any(result["severity"] == "critical" for result in failed) else "warn"
    broken = [f"Does not hold: {sentence(joined((r['check'] for r in failed), 3), 300)}."] if failed else []
    return Promise(name, meaning, (*broken, *evidence), _COUNTED, tone, "broken" if failed else "holds")


def _target_only(facts: RunFacts) -> Promise:
    results = facts.of_role("target only")
    rows = {split.name: facts.plan.rows_of(split.name) for split in facts.plan.splits}
    evidence = [
        f"{r['table']}: {r['observed']['rows_outside']:,} of {rows.get(r['table'], 0):,} rows are outside the target "
        "pool."
        for r in results
    ]
    meaning = "Every example of dev and test is in the target pool: the data that matters."
    return _judged("Target only", meaning, results, evidence, "No split is drawn from the target pool.")


def _exact(facts: RunFacts) -> Promise:
    results = facts.of_role("size")
    evidence = [
        f"{r['table']}: {r['observed']['rows']:,} rows written, {r['expected']['rows']:,} planned." for r in results
    ]
    evidence += [
        f"{split.name}: {split.asked:,} were asked for, {split.rows:,} planned; see the notes."
        for split in facts.plan.splits
        if split.rows != split.asked
    ]
    meaning = "A split holds the number of rows that was planned."
    return _judged("Exact", meaning, results, evidence, "Nothing was counted.")


def _disjoint(facts: RunFacts) -> Promise:
    results = facts.of_role("disjoint")
    evidence = []
    rows = _rows(facts)
    for what, told in (("key", "keys"), ("group", "groups")):
        own = [r for r in results if r["expected"]["what"] == what]
        if own:
            shared = sum(r["observed"]["rows_shared"] for r in own)
            evidence.append(
                f"{shared:,} of {rows} share a {what} with a row of another split: {told} as they stand in the written "
                f"files, over {counted(len(own), 'pair')} of splits."
            )
    if not any(r["expected"]["what"] == "group" for r in results):
        evidence.append("Groups were not compared: the spec names none, or an index holds none.")
    for link in dict.fromkeys(r["expected"]["link"] for r in results if r["expected"]["what"] == "link"):
        own = [r for r in results if r["expected"].get("link") == link]
        shared = sum(r["observed"]["rows_shared"] for r in own)
        evidence.append(
            f"{shared:,} of {rows} are linked by {link} with a row of another split: looked for again "
            f"in the written files, over {counted(len(own), 'pair')} of splits."
        )
    held = sum(item.rows for item in facts.plan.held_out)
    if held:
        evidence.append(f"{counted(held, 'row')} of groups that evaluation splits hold were held out of train.")
    key, group = (_shared(facts, part) for part in ("key", "group"))
    meaning = f"No example is in two splits: no key ({key or 'the whole row'}, which names an example)"
    meaning += f" and no group (rows that share {group}, and must stay together)." if group else "."
    return _judged("Disjoint", meaning, results, evidence, "Nothing was compared.")


def _rows(facts: RunFacts) -> str:
    """All rows of all splits."""
    return counted(sum(facts.plan.rows_of(name) for name in facts.splits), "row")


def _shared(facts: RunFacts, part: str) -> str:
    """The columns of the key or of the group; empty for none."""
    found = facts.plan.identity.get(part)
    names = found if isinstance(found, list | tuple) else [] if found is None else [found]
    return named(shown(str(name)) for name in names)


def _copies(facts: RunFacts) -> Promise:
    results = [r for r in facts.of_role("leakage") if r["expectation"] == "expect_splits_disjoint"]
    evidence = [
        f"{counted(r['observed']['rows_shared'], 'row')} of {r['expected']['first']} "
        f"{'says' if r['observed']['rows_shared'] == 1 else 'say'} the same as rows of {r['expected']['second']}."
        for r in results
        if r["observed"]["rows_shared"]
    ] or [
        f"0 of {_rows(facts)} say the same as a row of another split, over {counted(len(results), 'pair')} of splits."
    ]
    near = "near copies need linked_by" if facts.plan.links is None else "what is linked stands under Disjoint"
    meaning = f"No row says the same as a row of another split, key and source aside. Exact copies only; {near}."
    return _judged("No copies across splits", meaning, results, evidence, "Not compared: nothing was measured.")


def _labels(facts: RunFacts) -> Promise:
    results = facts.of_role("label")
    evidence = [
        f"{r['table']}: {r['observed']['missing']:,} of {counted(r['observed']['labels'], 'label')} missing from train"
        f" ({r['observed']['rows_missing']:,} of {counted(facts.plan.rows_of(r['table']), 'row')})."
        for r in results
    ]
    meaning = "Every label of an evaluation split is in train, too: a model cannot learn one that it never sees."
    none = "The spec names no label, or the label is a measurement."
    return _judged("Labels covered", meaning, results, evidence, none)


def _frozen(facts: RunFacts) -> Promise:
    plan = facts.plan
    meaning = "As data grows, no example moves between splits, and nothing from train is ever evaluated on."
    if plan.previous is None:
        told = "This run continues no earlier one. Continue it with --previous when the data grows."
        return Promise("Frozen", meaning, (told,), _BUILT, "note", "first run")
    kept = ", ".join(f"{split.name} {split.frozen_rows:,} of {split.rows:,}" for split in plan.splits)
    told = f"Continues plan {plan.previous[:_SHORT]}…. Rows that stayed where they were: {kept}."
    return Promise("Frozen", meaning, (told,), _BUILT, "good", "kept")


def _same(facts: RunFacts) -> Promise:
    plan = facts.plan
    told = (
        f"One keyed hash ({plan.identity.get('hash', 'xxh3_64')}) orders everything. The same data and spec give the "
        f"plan {plan.fingerprint[:_SHORT]}… and the inputs {plan.input_fingerprint[:_SHORT]}…, whatever the workers, "
        "files and order of rows; in full under “Provenance”."
    )
    meaning = "The same data, spec and salt give the same split on any machine."
    return Promise("The same everywhere", meaning, (told,), _BUILT, "good", "kept")


def _told(facts: RunFacts) -> Promise:
    """Checks that were not made are counted, so that nobody takes them for checks that hold."""
    raised = sum(bool(result.get("exception")) for result in facts.results)
    idle = sum(r["observed"].get("effect") is None for r in facts.of_role("match", "mismatch"))
    evidence = (
        f"{raised:,} of {counted(len(facts.results), 'check')} could not be judged.",
        f"{counted(idle, 'comparison')} of columns could not be made: too few rows have a value.",
    )
    meaning = "What is not understood, or cannot be checked, is said or stops the run."
    tone: Tone = "bad" if raised else "note" if idle else "good"
    word = "broken" if raised else f"{idle:,} not made" if idle else "holds"
    return Promise("Never a silent no", meaning, evidence, _COUNTED, tone, word)


def _faithful(facts: RunFacts) -> Promise:
    results = facts.of_role("faithful")
    plan = facts.plan
    aside = sum(item.rows for item in plan.held_out), sum(item.rows for item in plan.rejected)
    evidence = [
        f"{r['expected']['rows_read']:,} rows read, {r['observed']['rows_written']:,} written"
        f" ({aside[0]:,} of them held out, {aside[1]:,} rejected as planned)."
        for r in results
    ]
    meaning = "Every input row lands in exactly one of: a split, the held-out part, the rejected part."
    return _judged("Faithful", meaning, results, evidence, "Nothing was counted.")
