"""Conditions on rows choose as pandas chooses, and run nothing."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from great_expectations.expectations.row_conditions import Column, PassThroughCondition

from validation.gx.row_conditions import RowConditionError, chosen, columns_of, row_condition_of
from validation.gx.suites import load_suites
from validation.gx.users import judge_suite, plan_of, to_pandas
from validation.gx.values import SuiteError, UserSuite
from validation.metrics.columns import MetricError
from validation.metrics.partials import MetricPartials

ROWS = pl.DataFrame(
    {
        "x": [1, 2, None, 4, 5, -6],
        "y": [0.5, None, float("nan"), 2.0, -1.0, 3.25],
        "label": ["cat", "dog", None, "cat", "a`b", ""],
        "odd name": [1, 1, 2, 2, 3, 3],
        "column_0": [True, False, True, False, True, False],
    }
)

LIKE_PANDAS = [
    "x > 1",
    "x >= 2 and y < 3",
    "not x > 1",
    "x != 4",
    "y != 2",
    "1 < x <= 5",
    "3 > x",
    "label == 'cat'",
    "label != 'cat'",
    'label in ["cat", "dog"]',
    "label not in ('cat', 'dog')",
    "label == ['cat', 'dog']",
    "`odd name` == 2 or x == -6",
    "label == 'a`b'",
    "column_0 == True and `odd name` > 1",
    "x == 1 or x == 2 and y > 100",
]


@pytest.mark.parametrize("text", LIKE_PANDAS)
def test_text_chooses_the_rows_that_pandas_chooses(text: str) -> None:
    condition = row_condition_of(PassThroughCondition(pass_through_filter=text))
    assert condition is not None
    numbered = ROWS.with_row_index("row")
    expected = to_pandas(numbered.with_columns(pl.col("x").cast(pl.Float64))).query(text)["row"].tolist()
    assert chosen(condition, numbered)["row"].to_list() == expected


def test_objects_choose() -> None:
    column = Column("x")
    told = (column > 1) & (column.is_in([2, 4])) | column.is_null()
    condition = row_condition_of(told)
    assert condition is not None
    assert chosen(condition, ROWS)["x"].to_list() == [2, None, 4]
    assert columns_of(condition) == ["x"]


HOSTILE = [
    '@pd.io.common.os.system("touch {file}") == 0',
    'x > -99 and @pd.core.common.os.system("touch {file}") == 0',
    'x.to_csv("{file}") == 0',
    '__import__("os").system("touch {file}") == 0',
    'x > open("{file}", "w")',
    'x in [open("{file}", "w")]',
    'x == (lambda: open("{file}", "w"))()',
    "x == x",
    "x",
    "x + 1 > 2",
    "x > 1 & y > 2",
    "x is None",
    "x > ",
    "x == None",
    "x == 1j",
    "x in 'cat'",
    "((((" * 1000,
    "not " * 900 + "x == 1",
    "x == 1 or " * 500 + "x == 2",
    "x > 1\nimport os",
    "\0",
]


def suite(**kwargs: Any) -> UserSuite:
    told = {"type": "expect_column_values_to_be_between", "kwargs": {"column": "x", "min_value": -9, **kwargs}}
    return UserSuite("s", json.dumps({"name": "s", "expectations": [told]}), ("dev",), "s.json")


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("parser", ["pandas", "python", None])
def test_what_is_no_comparison_is_refused_before_it_runs(text: str, parser: str | None, tmp_path: Path) -> None:
    file = tmp_path / "made"
    with pytest.raises(SuiteError) as caught:
        load_suites([suite(row_condition=text.replace("{file}", str(file)), condition_parser=parser)], ROWS.columns)
    assert all("expectations[0].kwargs" in problem for problem in caught.value.problems)
    assert all(len(problem) < 400 for problem in caught.value.problems)
    assert not file.exists()


@pytest.mark.parametrize(
    "told",
    [
        {"type": "pass_through", "pass_through_filter": "@pd.read_pickle('x') == 0"},
        {"type": "comparison", "column": {"name": "x` @pd"}, "operator": "==", "parameter": 1},
        {"type": "comparison", "column": {"name": "x"}, "operator": "==", "parameter": {"a": 1}},
        {"type": "and", "conditions": []},
    ],
)
def test_objects_that_are_no_conditions_are_refused(told: Any) -> None:
    with pytest.raises(SuiteError, match=r"expectations\[0\]\.kwargs"):
        load_suites([suite(row_condition=told)], ROWS.columns)


@pytest.mark.parametrize(
    "condition",
    [
        {"row_condition": 'labl == "cat"', "condition_parser": "pandas"},
        {"row_condition": 'col("labl") == "cat"', "condition_parser": "great_expectations"},
        {"row_condition": {"type": "nullity", "column": {"name": "labl"}, "is_null": True}},
    ],
)
def test_unknown_columns_are_refused_with_the_one_that_is_meant(condition: Any) -> None:
    with pytest.raises(SuiteError) as caught:
        load_suites([suite(**condition)], ROWS.columns)
    assert list(caught.value.problems) == [
        "s.json: the splits have no column 'labl'; did you mean 'label'? @ expectations[0].kwargs.row_condition"
    ]


@pytest.mark.parametrize(
    ("condition", "success", "rows"),
    [
        ({"row_condition": 'col("label") == "cat"', "condition_parser": "great_expectations"}, True, 2),
        ({"row_condition": "x > -9", "condition_parser": "pandas"}, True, 5),
        ({"row_condition": 'label == "cat"', "condition_parser": "pandas", "min_value": 2}, False, 2),
        ({"row_condition": 'label == "zebra"', "condition_parser": "pandas"}, True, 0),
        ({"row_condition": {"type": "nullity", "column": {"name": "y"}, "is_null": False}}, True, 4),
    ],
)
def test_the_rows_chosen_are_judged(condition: Any, *, success: bool, rows: int) -> None:
    (loaded,) = load_suites([suite(**condition)], ROWS.columns)
    plan = plan_of([loaded])
    judged = judge_suite(loaded, "dev", plan, MetricPartials.of(plan, ROWS), ROWS)
    (verdict,) = judged.verdicts
    assert verdict.exception is None
    assert (verdict.success, verdict.check.observed["element_count"]) == (success, rows)
    assert "row_condition" in verdict.check.kwargs


def test_what_cannot_be_compared_is_told() -> None:
    condition = row_condition_of("label > 3")
    assert condition is not None
    with pytest.raises(MetricError, match="row_condition on 'label'"):
        chosen(condition, ROWS)
    with pytest.raises(RowConditionError):
        row_condition_of(3)
    assert row_condition_of(None) is None


def test_schemas_open_no_other_document(tmp_path: Path) -> None:
    told = {
        "type": "expect_column_values_to_match_json_schema",
        "kwargs": {"column": "label", "json_schema": {"properties": {"a": {"$ref": "http://127.0.0.1:9/x.json"}}}},
    }
    broken = UserSuite("s", json.dumps({"name": "s", "expectations": [told]}), ("dev",), "s.json")
    with pytest.raises(SuiteError, match="leads out of the schema"):
        load_suites([broken], ROWS.columns)


def test_pandas_would_have_run_it(tmp_path: Path) -> None:
    """Why conditions are read and not handed on."""
    file = tmp_path / "made"
    with suppress(AttributeError, KeyError, ValueError, TypeError):
        pd.DataFrame({"x": [1]}).query(f'x.to_csv("{file}") == 0')
    assert file.exists()
