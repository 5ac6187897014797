"""The project's expectations judge counts as arithmetic says, and are saved and loaded without loss."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import great_expectations as gx
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validation.checking import Check
from validation.gx.engine import exception_of, judge_checks
from validation.gx.expectations import EXPECTATIONS, expectation_of

COMPARISON = {"effect": 0.3, "q": 1e-5, "n_reference": 500, "n_observed": 600, "smallest": 0.02, "verdict": "shift"}
PAIR = {"reference": "test", "observed": "dev"}
LIMITS = {"statistic": "ks_excess", "alpha": 0.01, "min_rows": 100}
MISSING = {"rows_missing": 7, "largest": [["emu", 5], ["fox", 2]]}

EXAMPLES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "expect_split_size": ({"split": "dev", "rows": 3}, {"rows": 3}, {"rows": 2}),
    "expect_rows_in_to_equal_rows_out": ({"rows_read": 9}, {"rows_written": 9}, {"rows_written": 8}),
    "expect_target_only": ({"split": "dev", "pool": "target"}, {"rows_outside": 0}, {"rows_outside": 1}),
    "expect_splits_disjoint": (
        {"what": "key", "first": "dev", "second": "test"},
        {"rows_shared": 0},
        {"rows_shared": 1},
    ),
    "expect_labels_covered": (
        {"split": "dev", "reference": "train"},
        {"labels": 3, "missing": 0, "rows_missing": 0, "largest": []},
        {"labels": 3, "missing": 2, **MISSING},
    ),
    "expect_no_new_categories": (
        {"split": "dev", "reference": "train", "alpha": 0.01},
        {"categories": 3, "new": 2, "rows_new": 7, "rows_expected": 4.5, "q": 0.2, "largest": [["emu", 5], ["fox", 2]]},
        {"categories": 3, "new": 2, "rows_new": 7, "rows_expected": 0.5, "q": 0.0, "largest": [["emu", 5], ["fox", 2]]},
    ),
    "expect_splits_to_match": (
        {**PAIR, **LIMITS, "max_shift": 0.1},
        {**COMPARISON, "effect": 0.05, "verdict": "match"},
        COMPARISON,
    ),
    "expect_source_share": (
        {**PAIR, **LIMITS, "max_shift": 0.1},
        {**COMPARISON, "q": 0.5, "verdict": "match"},
        COMPARISON,
    ),
    "expect_mismatch_measured": (
        {**PAIR, **LIMITS, "warn_shift": 0.1, "large_shift": 0.2},
        COMPARISON,
        {**COMPARISON, "effect": None, "q": None, "verdict": "too few rows"},
    ),
    "expect_mismatch_harmless": (
        {**PAIR, "allowed": ["harmless"]},
        {"grade": "harmless", "cost": 0.01, "interval": [-0.01, 0.03]},
        {"grade": "costly", "cost": 0.3},
    ),
    "expect_same_schema": (
        {"split": "dev", "reference": "train"},
        {"differences": []},
        {"differences": ["a: Int64, not String"]},
    ),
    "expect_no_leak_column": ({"label": "y", "max_auc": 0.98}, {"auc": 0.98}, {"r2": 0.99}),
    "expect_time_order": (
        {"split": "dev", "reference": "train", "allowed": ["after"]},
        {"order": "after"},
        {"order": "inside"},
    ),
}


def check(kind: str, kwargs: dict[str, Any], observed: dict[str, Any], name: str = "c") -> Check:
    return Check(name, "role", "dev", "w", "A sentence.", "warning", kind, kwargs, observed)


def test_every_expectation_has_an_example() -> None:
    assert sorted(EXAMPLES) == sorted(EXPECTATIONS)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_it_holds_and_fails_and_tells_what_was_found(kind: str) -> None:
    kwargs, fine, wrong = EXAMPLES[kind]
    judged = judge_checks("s", [check(kind, kwargs, fine, "fine"), check(kind, kwargs, wrong, "wrong")])
    assert [(v.success, v.exception) for v in judged.verdicts] == [(True, None), (False, None)]
    assert [v.severity for v in judged.verdicts] == ["warning", "warning"]
    for result in judged.results:
        assert result.result["details"]["told"]
        json.dumps(result.to_json_dict())


@pytest.mark.parametrize("kind", EXAMPLES)
def test_no_field_has_a_default_that_would_be_lost_when_saved(kind: str) -> None:
    kwargs, fine, _ = EXAMPLES[kind]
    expectation = expectation_of(check(kind, kwargs, fine))
    assert {**kwargs, "check": "c", "column": "w"} == expectation.configuration.kwargs
    assert expectation.configuration.to_domain_obj() == expectation
    for field in kwargs:
        lacking = {name: value for name, value in kwargs.items() if name != field}
        with pytest.raises(ValueError, match=field):
            expectation_of(check(kind, lacking, fine))
    with pytest.raises(ValueError, match="extra"):
        expectation_of(check(kind, {**kwargs, "bogus": 1}, fine))


@settings(deadline=None, max_examples=100)
@given(
    effect=st.none() | st.floats(0, 1),
    q=st.floats(0, 1),
    rows=st.integers(0, 300),
    limit=st.floats(0, 1),
    alpha=st.floats(0.001, 0.5),
)
def test_a_shift_is_sure_and_large(effect: float | None, q: float, rows: int, limit: float, alpha: float) -> None:
    shifted = effect is not None and rows >= 100 and q < alpha and effect > limit
    kwargs = {**PAIR, "statistic": "ks_excess", "alpha": alpha, "min_rows": 100, "max_shift": limit}
    seen = {**COMPARISON, "effect": effect, "q": q, "n_observed": rows}
    verdicts = judge_checks(
        "s",
        [
            check("expect_splits_to_match", kwargs, {**seen, "verdict": "shift" if shifted else "match"}, "agrees"),
            check("expect_splits_to_match", kwargs, {**seen, "verdict": "match" if shifted else "shift"}, "disagrees"),
        ],
    ).verdicts
    assert verdicts[0].success == (not shifted)
    assert (verdicts[0].exception, verdicts[1].success, verdicts[1].severity) == (None, False, "critical")


def test_a_mismatch_is_graded_and_no_failure() -> None:
    kwargs = EXAMPLES["expect_mismatch_measured"][0]
    grades = {0.05: "none", 0.15: "slight", 0.3: "large"}
    judged = judge_checks(
        "s",
        [check("expect_mismatch_measured", kwargs, {**COMPARISON, "effect": e}, str(e)) for e in grades],
    )
    assert all(verdict.success for verdict in judged.verdicts)
    assert [result.result["details"]["grade"] for result in judged.results] == list(grades.values())


def test_a_suite_without_checks_does_not_pass_in_silence() -> None:
    fine = check("expect_split_size", *EXAMPLES["expect_split_size"][:2])
    with pytest.raises(ValueError, match="needs checks"):
        judge_checks("s", [])
    with pytest.raises(ValueError, match="distinct names"):
        judge_checks("s", [fine, fine])


def test_what_raises_or_cannot_be_stated_is_a_failed_critical_check() -> None:
    kwargs, fine, _ = EXAMPLES["expect_split_size"]
    checks = [
        check("expect_split_size", kwargs, {}, "nothing was counted"),
        check("expect_split_size", {}, fine, "nothing is expected"),
        check("expect_split_sise", kwargs, fine, "no such expectation"),
        check("expect_split_size", kwargs, fine, "fine"),
    ]
    judged = judge_checks("s", [replace(c, severity="info") for c in checks])
    assert [v.success for v in judged.verdicts] == [False, False, False, True]
    assert [v.severity for v in judged.verdicts] == ["critical"] * 3 + ["info"]
    assert "rows" in str(judged.verdicts[0].exception)
    assert "no expectation is of type 'expect_split_sise'" in str(judged.verdicts[2].exception)
    assert [v.check.name for v in judged.verdicts] == [c.name for c in checks]


def test_a_saved_suite_runs_on_a_table_of_what_was_counted() -> None:
    checks = [check(kind, kwargs, wrong, kind) for kind, (kwargs, _, wrong) in EXAMPLES.items()]
    table = pd.DataFrame({"check": [c.name for c in checks], "observed": [json.dumps(c.observed) for c in checks]})
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    suite = context.suites.add(gx.ExpectationSuite("s", expectations=[expectation_of(c) for c in checks]))
    batch = context.data_sources.add_pandas("p").add_dataframe_asset("a").add_batch_definition_whole_dataframe("b")
    result = batch.get_batch({"dataframe": table}).validate(suite)
    found = {one.expectation_config.meta["check"]: one for one in result.results}
    assert sorted(found) == sorted(EXAMPLES)
    assert [exception_of(one) for one in found.values()] == [None] * len(found)
    assert not any(one.success for one in found.values())
