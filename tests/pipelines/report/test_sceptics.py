"""What a sceptical reader must not be left to guess: doubt, kinds of shift, what was not checked, what a word means."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines import api
from pipelines.report.facts import RunFacts
from pipelines.report.found import found_words
from pipelines.report.headline import headline
from pipelines.report.page import report_page
from pipelines.report.shift_rows import shift_row
from pipelines.report.terms import terms_in
from pipelines.report.view import report_view
from pipelines.reporting import read_facts
from pipelines.run_directory import RunDirectory
from splitting.errors import RunDirectoryError
from tests.support.corpus import FULL_SPEC, web_and_app, write_parquet, write_spec
from validation.comparing.words import MEASURES
from validation.verdict import document_fingerprint


@pytest.fixture(scope="module")
def facts(hostile_run: Path) -> RunFacts:
    return read_facts(RunDirectory.at(str(hostile_run)))


def with_results(facts: RunFacts, results: list[dict[str, Any]], **more: Any) -> RunFacts:
    return replace(facts, document={**facts.document, "results": results, **more})


def a_match(facts: RunFacts, **observed: Any) -> dict[str, Any]:
    found: dict[str, Any] = deepcopy(next(dict(r) for r in facts.of_role("match") if r["column"] == "score"))
    found["observed"] |= observed
    return found


def test_a_difference_that_chance_may_have_given_is_no_match(facts: RunFacts) -> None:
    """The effect is over the limit and its interval above 0, and still it is not sure among so many columns."""
    row = shift_row(a_match(facts, effect=0.18, interval=[0.03, 0.33], verdict="match", q=1.0, smallest=0.4))
    assert (row.standing, row.verdict, row.tone, row.blind) == ("unsure", "not sure", "note", True)
    seen = shift_row(a_match(facts, effect=0.0, interval=[0.0, 0.3], verdict="match", smallest=0.04))
    assert (seen.standing, seen.verdict, seen.tone, seen.blind) == ("none seen", "none seen", "good", False)
    within = shift_row(a_match(facts, effect=0.0, interval=[0.0, 0.09], verdict="match", smallest=0.04))
    assert (within.standing, within.verdict) == ("none seen", "alike")
    few = shift_row(a_match(facts, effect=0.0, interval=[0.0, 0.0], verdict="match", smallest=0.4))
    assert few.verdict == "none seen", "no more would have been seen"

    results = [a_match(facts, effect=0.18, interval=[0.03, 0.33], verdict="match", q=1.0, smallest=0.4)]
    pair = report_view(with_results(facts, results)).matches[0]
    assert pair.word == "no sure difference"
    assert "Not sure in 1: more than is allowed, yet no more than chance gives at times: `score`." in pair.sentence
    assert "In 1 a difference just over what is allowed could have been missed." in pair.sentence
    assert ">match<" not in report_page(report_view(facts))


def kind_of(facts: RunFacts, column: str, shift: str) -> Mapping[str, Any]:
    first = next(iter(facts.of_role("mismatch")))["expected"]
    part = {"effect": 0.31, "q": 0.0001}
    return {
        "column": column, "reference": first["reference"], "observed": first["observed"], "shift": shift,
        "remedy": "Look at rows of one label.", "alone": part, "given_label": part, "label_given": part,
    }  # fmt: skip


@pytest.mark.parametrize("shift", ["covariate shift", "label shift", "within-label shift", "undecided"])
def test_the_kind_of_shift_is_told_of_every_column_that_has_one(facts: RunFacts, shift: str) -> None:
    """However many there are, and where the values alone look alike."""
    told = {"columns": [], "kinds": [kind_of(facts, "score", shift)], "models": None}
    results = [
        {**deepcopy(dict(r)), "observed": {**r["observed"], "effect": 0.0, "verdict": "match"}}
        if r["role"] == "mismatch" and r["column"] == "score" else dict(r)
        for r in facts.results
    ]  # fmt: skip
    view = report_view(with_results(facts, results, mismatch=told))
    card = next(one for one in view.mismatch.pairs[0].cards if one.row.name == "score")
    assert card.kind is not None
    assert card.kind.name == ("of an undecided kind" if shift == "undecided" else shift)
    assert card.kind.figures == "values alone .31, values within a label .31, label within a value .31"
    assert card.kind.meaning.endswith("Look at rows of one label.")
    assert (card.tone, card.verdict) == ("warn", "with the label")
    assert "taken with the label they differ" in " ".join(card.sentences)
    assert view.mismatch.pairs[0].shifted == sum(
        c.row.standing == "shifted" for c in view.mismatch.pairs[0].columns if c.row.name != facts.source_column
    )
    assert f">{card.kind.name}</td>" in report_page(view)


def test_a_run_of_which_nothing_was_compared_is_not_called_trusted(facts: RunFacts) -> None:
    passed = {"status": "passed", "findings": [], "statistics": {"checks": 3, "passed": 3, "failed": {}}}
    results = [a_match(facts), dict(facts.of_role("size")[0]), dict(facts.of_role("mismatch")[0])]
    assert headline(with_results(facts, results, **passed)).verdict == "This split can be trusted."
    idle = [a_match(facts, effect=None, verdict="too few rows"), *results[1:]]
    top = headline(with_results(facts, idle, **passed))
    assert (top.tone, top.verdict) == ("note", "What was checked holds; not all was.")
    assert "Not compared: " in top.sentence
    assert top.sentence.endswith("for there are too few rows.")
    assert (top.held, top.checks, top.failed) == (2, 2, "1 not made: too few values")
    assert "columns are compared from 100 rows on" in top.steps[0]
    top = headline(replace(with_results(facts, results, **passed), profile=None))
    assert top.tone == "note"
    assert "nothing was measured" in top.sentence


def test_what_to_do_names_the_columns(facts: RunFacts) -> None:
    leak = {**dict(facts.of_role("size")[0]), "check": "x does not give the label away", "role": "leakage",
            "expectation": "expect_no_leak_column", "column": "x", "success": False, "severity": "warning"}  # fmt: skip
    finding = {"severity": "warning", "sentence": "`x` alone.", "checks": [leak["check"]]}
    top = headline(with_results(facts, [*facts.results, leak], findings=[finding], status="passed with warnings"))
    assert top.steps[0] == "Leave `x` out of the features, if known only after the label."


def test_every_term_of_a_figure_is_explained_where_it_stands(facts: RunFacts) -> None:
    for measure in MEASURES.values():
        assert measure == "largest difference of a share" or terms_in(measure), measure
    told = "Jensen-Shannon distance .3 beyond chance; AUC .9; covariate shift"
    finding = {"severity": "info", "sentence": told, "checks": []}
    terms = headline(with_results(facts, list(facts.results), findings=[finding])).terms
    assert [term.name for term in terms] == ["beyond chance", "Jensen-Shannon distance", "AUC", "covariate shift"]
    page = report_page(report_view(facts))
    figures = ("Jensen-Shannon distance", "beyond chance", "q", "Would be seen from", "Alike", "None seen")
    for term in (*figures, "Key", "Group", "Salt", "Checksum"):
        assert f"<b>{term}</b>" in page, term
    page = re.sub(r"<pre.*?</pre>", "", page, flags=re.DOTALL)  # the spec has names of thresholds
    for jargon in ("excess", "q_value", "rows_shared", "rows shared"):
        assert jargon not in page


def test_what_was_found_has_its_n(facts: RunFacts) -> None:
    told = {
        (r["role"], r["check"]): found_words(facts, r) for r in facts.results if r["role"] not in ("match", "mismatch")
    }
    assert told["faithful", "rows in = rows out"].endswith("written, 2,100 read")
    assert told["size", "size of dev"] == "140 rows, 140 planned"
    assert told["target only", "dev is from target"] == "0 of 140 rows outside"
    assert told["disjoint", "no key in both test and dev"] == "0 of 150 rows of test"
    labels = next(words for (role, _), words in told.items() if role == "label")
    assert re.fullmatch(r"0 of \d labels missing, in 0 of \d+ rows", labels)
    suite = next(
        r for r in facts.of_role("suite") if r["table"] == "splits.dev" or r["observed"]["element_count"] == 140
    )
    wrong = suite["observed"]["unexpected_count"]
    assert found_words(facts, suite).startswith(f"{wrong} of 140 rows unexpected (")
    assert "percent" not in found_words(facts, suite)
    raised = {**dict(facts.results[0]), "exception": "no <b>such</b> column"}
    assert found_words(facts, raised) == "could not be judged: no <b>such</b> column"


def test_the_proof_has_every_promise_of_the_guarantees(facts: RunFacts) -> None:
    guarantees = (Path(api.__file__).parents[1] / "docs" / "guarantees.md").read_text()
    promised = set(re.findall(r"^## (.+)$", guarantees, re.MULTILINE)) - {"Limits"}
    proof = report_view(facts).proof
    assert promised <= {promise.name for promise in proof}
    assert all(promise.evidence for promise in proof)


def test_the_commands_on_the_page_make_the_same_split_again(tmp_path: Path) -> None:
    """As the page says: its spec is saved in the folder of the first spec, under a name of its own, and run."""
    write_parquet(tmp_path, web_and_app(400, 300))
    assert api.run(str(write_spec(tmp_path, FULL_SPEC + "checks: {{profile: false}}\n")), str(tmp_path / "RUN")).success
    page = (tmp_path / "RUN" / "report.html").read_text()
    assert "in the folder of the first spec" in page
    found = re.search(r'<pre tabindex="0" aria-label="The spec">(.*?)</pre>', page, re.DOTALL)
    assert found
    (tmp_path / "again.yaml").write_text(html.unescape(found[1]))
    api.run(str(tmp_path / "again.yaml"), str(tmp_path / "RUN2"))
    plans = [(tmp_path / run / "plan" / "plan.json").read_bytes() for run in ("RUN", "RUN2")]
    assert plans[0] == plans[1]
    assert api.diff(tmp_path / "RUN", tmp_path / "RUN2").moves.moved == 0
    assert "targetsplit diff RUN RUN2" in page


def test_a_verdict_that_was_edited_is_not_shown(tmp_path: Path) -> None:
    """A reviewer would believe it; judging the run again brings the true one back."""
    write_parquet(tmp_path, web_and_app(400, 300))
    run = tmp_path / "RUN"
    api.run(str(write_spec(tmp_path, FULL_SPEC + "checks: {{profile: false}}\n")), str(run))
    true = (run / "validation.json").read_bytes()
    document = json.loads(true)
    assert document["fingerprint"] == document_fingerprint(dict(reversed(document.items())))
    edits: list[Any] = [
        {**document, "status": "passed", "notes": ["all is well"]},
        {**document, "results": {}},
        {name: value for name, value in document.items() if name != "fingerprint"},
    ]
    for edited in edits:
        (run / "validation.json").write_text(json.dumps(edited))
        with pytest.raises(RunDirectoryError, match=r"was changed after it was written.*targetsplit validate"):
            api.report(run)
    (run / "validation.json").write_text("[" * 100_000)
    with pytest.raises(RunDirectoryError, match="cannot be read"):
        api.report(run)
    api.validate(str(run))
    assert (run / "validation.json").read_bytes() == true
    spec = (run / "spec.yaml").read_text()
    (run / "spec.yaml").write_text(spec.replace("cats-2026", "dogs-2026"))
    with pytest.raises(RunDirectoryError, match="is not the spec of the plan"):
        api.report(run)
