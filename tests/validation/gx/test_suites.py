"""Suites are read strictly, every problem at once, and judged over every row, or say that they are not."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest

from validation.gx import suites
from validation.gx.suites import load_suites
from validation.gx.users import judge_suite, plan_of
from validation.gx.values import SuiteError, UserSuite
from validation.metrics import parts
from validation.metrics.partials import MetricPartials
from validation.tables import ValueKind


def suite(*expectations: Any, **more: Any) -> UserSuite:
    return UserSuite("s", json.dumps({"name": "s", "expectations": list(expectations), **more}), ("dev",), "s.json")


def expect(kind: str, severity: str | None = None, **kwargs: Any) -> dict[str, Any]:
    return {"type": kind, "kwargs": kwargs, **({"severity": severity} if severity else {})}


NOT_NULL = "expect_column_values_to_not_be_null"


def problems(*broken: UserSuite) -> list[str]:
    with pytest.raises(SuiteError) as caught:
        load_suites(broken, ["width", "label"])
    return list(caught.value.problems)


def test_every_problem_is_told_at_once_with_its_place() -> None:
    told = problems(
        suite(
            expect("expect_colum_values_to_not_be_null", column="width"),
            expect(NOT_NULL, colum="width"),
            expect(NOT_NULL, "fatal", column="width"),
            expect(NOT_NULL, column="widht"),
            {**expect(NOT_NULL, column="width"), "mostly": 1},
            expect(NOT_NULL, column="width", mostly=3),
            expect("expect_column_values_to_be_increasing", column="width"),
            {"expectation_type": NOT_NULL, "kwargs": {"column": "width"}},
            expect(NOT_NULL, column="width", result_format="BASIC"),
            expect("expect_column_max_to_be_between", column="width", max_value={"$PARAMETER": "m"}),
            expect("expect_split_size", split="dev", rows=3),
            7,
        )
    )
    expected = [
        "did you mean 'expect_column_values_to_not_be_null'? @ expectations[0].type",
        "has no 'colum'; did you mean 'column'? @ expectations[1].kwargs.colum",
        "column is required @ expectations[1].kwargs.column",
        "severity 'fatal' is not one of critical, warning, info @ expectations[2].severity",
        "no column 'widht'; did you mean 'width'? @ expectations[3].kwargs.column",
        "unknown key 'mostly' @ expectations[4].mostly",
        "mostly is a share from 0 to 1, got 3 @ expectations[5].kwargs.mostly",
        "the rows of a split have no order @ expectations[6]",
        "`expectation_type` is called `type` since Great Expectations 1.0 @ expectations[7]",
        "'result_format' cannot be set",
        "a parameter has no value here; write it @ expectations[9].kwargs.max_value",
        "no expectation is of type 'expect_split_size'",
        "got a number @ expectations[11]",
    ]
    assert len(told) == len(expected), "\n".join(told)
    for problem, part in zip(told, expected, strict=True):
        assert problem.startswith("s.json: "), problem
        assert part in problem


VALUES = "expect_column_values_to_be_between"
ROWS = "expect_table_row_count_to_equal"


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (expect(NOT_NULL, column="width", mostly="0.9"), "mostly is a share from 0 to 1, got '0.9'"),
        (expect(NOT_NULL, column="width", mostly=True), "mostly is a share from 0 to 1, got True"),
        (expect(NOT_NULL, column=5), "column is a text, got 5"),
        (expect(VALUES, column="width", min_value="a"), "min_value is a number or a date in ISO 8601"),
        (expect(VALUES, column="width", min_value="5"), "'5' would be taken as 5.0"),
        (expect(VALUES, column="width", min_value=3, max_value=1), "min_value 3 is above max_value 1"),
        (expect(VALUES, column="width", min_value=2**53 + 1), "9007199254740993 would be taken as 9007199254740992.0"),
        (expect(ROWS, value=1.5), "value is a whole number, got 1.5"),
        (expect(ROWS, value="x"), "value is a whole number, got 'x'"),
        (expect("expect_column_values_to_match_regex", column="label", regex=5), "5 would be taken as '5'"),
        (expect("expect_column_values_to_match_regex", column="label", regex="("), "is no regular expression"),
        (expect("expect_column_values_to_be_in_set", column="label", value_set=3), "value_set is a list, got 3"),
    ],
)
def test_an_argument_is_what_was_written_or_is_refused(told: dict[str, Any], message: str) -> None:
    (problem,) = problems(suite(told))
    assert message in problem


QUANTILES = "expect_column_quantile_values_to_be_between"
DIVERGENCE = "expect_column_kl_divergence_to_be_less_than"


def quantiles(quantiles: Any, ranges: Any, **more: Any) -> dict[str, Any]:
    return expect(QUANTILES, column="width", quantile_ranges={"quantiles": quantiles, "value_ranges": ranges}, **more)


def divergence(threshold: float = 0.1, **partition: Any) -> dict[str, Any]:
    return expect(DIVERGENCE, column="label", partition_object=partition, threshold=threshold)


@pytest.mark.parametrize(
    ("told", "message", "place"),
    [
        (quantiles([0.5, 0.9], [[0, 1]]), "2 quantiles and 1 value_ranges", "quantile_ranges.value_ranges"),
        (quantiles([0.9, 0.5], [[0, 1], [0, 1]]), "quantiles increase", "quantile_ranges.quantiles"),
        (quantiles([0.5, 1.5], [[0, 1]] * 2), "from 0 to 1, got 1.5", "quantile_ranges.quantiles[1]"),
        (quantiles([0.5], [[1, 0]]), "lower bound first", "quantile_ranges.value_ranges[0]"),
        (quantiles([0.5], [[None, None]]), "at least one bound", "quantile_ranges.value_ranges[0]"),
        (quantiles([0.5], [["a", 1]]), "a range is two numbers", "quantile_ranges.value_ranges[0]"),
        (quantiles([], []), "quantiles is empty", "quantile_ranges.quantiles"),
        (quantiles([0.5], [[0, 1]], allow_relative_error="lin"), "is false or one of", "allow_relative_error"),
        (divergence(values=["a", "b"], weights=[0.3, 0.9]), "sum to 1, got 1.2", "partition_object.weights"),
        (divergence(values=["a", "b"], weights=[1.5, -0.5]), "0 or more, got -0.5", "partition_object.weights[1]"),
        (divergence(values=["a"], weights=[0.5, 0.5]), "1 values and 2 weights", "partition_object.values"),
        (divergence(values=["a", "a"], weights=[0.5, 0.5]), "'a' stands there twice", "partition_object.values[1]"),
        (divergence(bins=[0, 2, 1], weights=[0.5, 0.5]), "bins are numbers that increase", "partition_object.bins"),
        (divergence(bins=[0, 1], weights=[0.5, 0.5]), "one edge more", "partition_object.bins"),
        (divergence(bins=[0, 1], weights=[0.5], tail_weights=[0.2, 0.2]), "sum to 1", "partition_object.weights"),
        (divergence(values=["a"], wieghts=[1]), "got values, wieghts", "partition_object"),
        (divergence(-1, values=["a"], weights=[1]), "threshold is 0 or more", "threshold"),
        (expect("expect_column_values_to_be_in_set", column="label", value_set=[]), "value_set is empty", "value_set"),
        (expect("expect_column_values_to_be_in_set", column="label", value_set=[[1]]), "is a text", "value_set[0]"),
        (
            expect("expect_column_pair_values_to_be_in_set", column_A="width", column_B="label", value_pairs_set=[]),
            "is empty",
            "value_pairs_set",
        ),
        (expect("expect_column_pair_values_to_be_equal", column_A="width", column_B="width"), "itself", "column_B"),
        (expect("expect_column_max_to_be_between", column="width"), "cannot both be missing", None),
        (expect(VALUES, column="width", min_value=2, max_value=2, strict_min=True), "strictly between 2 and 2", None),
        (expect(VALUES, column="width", min_value=2, max_value="2024-01-01"), "of different types", None),
        (
            expect("expect_column_proportion_of_unique_values_to_be_between", column="width", max_value=95),
            "a share from 0 to 1, got 95",
            "max_value",
        ),
        (expect("expect_column_stdev_to_be_between", column="width", max_value=-1), "0 or more", "max_value"),
        (expect(ROWS, value=-1), "a count of 0 or more, got -1", "value"),
        (expect("expect_column_value_lengths_to_equal", column="label", value=2.5), "a whole number", "value"),
        (expect("expect_column_values_to_be_in_type_list", column="label"), "is required", "type_list"),
        (expect("expect_table_columns_to_match_set"), "is required", "column_set"),
        (expect("expect_table_columns_to_match_set", column_set=["label", 1]), "is a text, got 1", "column_set[1]"),
        (expect("expect_compound_columns_to_be_unique", column_list=["label"] * 2), "twice", "column_list[1]"),
        (expect("expect_column_to_exist", column="label", column_index=-1), "counts from 0", "column_index"),
        (
            expect("expect_column_values_to_match_json_schema", column="label", json_schema={"type": "strng"}),
            "is no JSON schema: 'strng' is not valid",
            "json_schema",
        ),
        (
            expect("expect_column_values_to_match_strftime_format", column="label", strftime_format="abc"),
            "at least one directive",
            "strftime_format",
        ),
        (
            expect("expect_column_value_z_scores_to_be_less_than", column="width", threshold=-1, double_sided=True),
            "threshold is above 0",
            "threshold",
        ),
        (
            expect(
                "expect_select_column_values_to_be_unique_within_record",
                column_list=["width", "label"],
                ignore_row_if="x",
            ),
            "ignore_row_if is one of",
            "ignore_row_if",
        ),
    ],
)
def test_an_argument_that_cannot_be_meant_is_refused_with_its_place(
    told: dict[str, Any], message: str, place: str | None
) -> None:
    (problem,) = problems(suite(told))
    assert message in problem
    assert problem.endswith(f" @ expectations[0].kwargs{f'.{place}' if place else ''}")


@pytest.mark.parametrize(
    "told",
    [
        quantiles([0, 0.25, 1], [[None, 1], [0, 1], [0, None]], allow_relative_error="linear"),
        divergence(values=["a", "b", "c"], weights=[1 / 3] * 3),
        divergence(bins=[0, 1, 2], weights=[0.4, 0.4], tail_weights=[0.1, 0.1]),
        expect("expect_column_proportion_of_unique_values_to_be_between", column="width", max_value=1),
        expect("expect_column_values_to_match_json_schema", column="label", json_schema={"type": "string"}),
        expect(VALUES, column="width", min_value=2, max_value=2),
        expect(VALUES, column="width", min_value="2024-01-01", max_value="2024-02-01T00:00:00"),
        expect(VALUES, column="width", min_value=1, max_value=2.5, mostly=1, strict_min=True),
        expect("expect_column_values_to_be_in_set", column="label", value_set=["1", 1, 1.5, True, None, 2**62 + 1]),
        expect("expect_multicolumn_sum_to_equal", column_list=["width", "label"], sum_total=2),
        expect(
            "expect_column_quantile_values_to_be_between",
            column="width",
            quantile_ranges={"quantiles": [0, 0.5, 1], "value_ranges": [[0, None], [0, 1], [None, 1]]},
        ),
    ],
)
def test_arguments_that_are_fine_are_read(told: dict[str, Any]) -> None:
    (loaded,) = load_suites([suite(told)], ["width", "label"])
    assert len(loaded.expectations) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"expectations": [}', "line 1, column 19"),
        ('{"a": 1, "a": 2}', "the key 'a' is twice"),
        ('{"expectations": [NaN]}', "NaN is no number"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "got a list"),
        ('{"expectations": []}', "an empty suite would pass"),
        ("{}", "needs a list of expectations"),
        ('{"expectation_suite_name": "x", "expectations": []}', "before 1.0"),
        ('{"expectation": []}', "did you mean 'expectations'?"),
        ('{"name": ["s"], "expectations": [1]}', "is a text, got a list @ name"),
    ],
)
def test_what_is_no_suite_is_refused(text: str, told: str) -> None:
    assert any(told in problem for problem in problems(UserSuite("s", text, ("dev",), "s.json")))


def test_a_suite_has_bounds_and_a_name_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    fine = suite(expect(NOT_NULL, column="width"))
    assert "another suite is called 's'" in problems(fine, fine)[0]
    monkeypatch.setattr(suites, "MOST_BYTES", 10)
    assert "more than 10 bytes" in problems(fine)[0]


def test_a_suite_that_great_expectations_saved_is_read() -> None:
    import great_expectations as gx
    import great_expectations.expectations as gxe

    told = [
        gxe.ExpectColumnValuesToBeBetween(column="width", min_value=1, severity="warning", notes="wide"),
        gxe.ExpectColumnValuesToBeInSet(column="label", value_set=["a"], description="Known."),
    ]
    saved = gx.ExpectationSuite("saved", expectations=told).to_json_dict()
    (loaded,) = load_suites([UserSuite("saved", json.dumps(saved), ("dev",))], ["width", "label"])
    assert list(loaded.expectations) == told
    assert [one.severity.value for one in loaded.expectations] == ["warning", "critical"]


def test_users_suites_are_judged_over_every_row_or_say_that_they_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pl.DataFrame({"width": [1, 2, 3, None], "label": ["a", "b", "a", "a"]})
    loaded = load_suites(
        [
            suite(
                expect("expect_column_values_to_be_between", "warning", column="width", min_value=2),
                expect("expect_column_values_to_be_in_set", column="label", value_set=["a", "b"]),
                expect("expect_column_value_z_scores_to_be_less_than", column="width", threshold=3, double_sided=True),
                expect(NOT_NULL, "info", column="width"),
                expect("expect_column_mean_to_be_between", "info", column="label", min_value=1),
                expect("expect_column_values_to_be_unique", column="width"),
            )
        ],
        frame.columns,
    )
    plan = plan_of(loaded)
    partials = MetricPartials.merge([MetricPartials.of(plan, frame[:2]), MetricPartials.of(plan, frame[2:])])
    judged = judge_suite(loaded[0], "dev", plan, partials, frame[:3])
    assert [verdict.success for verdict in judged.verdicts] == [False, True, True, False, False, True]
    assert [verdict.severity for verdict in judged.verdicts] == [
        "warning",
        "critical",
        "critical",
        "info",
        "critical",
        "critical",
    ]
    assert "have no sum" in str(judged.verdicts[4].exception)
    counted = [verdict.check.observed["counted"] for verdict in judged.verdicts]
    assert counted[:2] == ["every row", "every row"]
    assert counted[2].startswith("a sample of 3 rows: it needs the mean")
    assert judged.verdicts[0].check.observed["unexpected_count"] == 1
    assert [verdict.check.name for verdict in judged.verdicts] == [f"s[{i}] of dev" for i in range(6)]
    assert [verdict.success for verdict in judge_suite(loaded[0], "dev", plan, partials, None).verdicts][2] is False
    monkeypatch.setattr(parts, "DISTINCT", 2)
    crowded = judge_suite(loaded[0], "dev", plan, MetricPartials.of(plan, frame), frame[:3])
    assert crowded.verdicts[5].check.observed["counted"].startswith("a sample of 3 rows: column 'width' has more")


def test_conditions_on_rows_are_sampled_or_refused() -> None:
    condition = {"row_condition": 'col("width") > 1', "condition_parser": "great_expectations"}
    (loaded,) = load_suites([suite(expect(NOT_NULL, column="label", **condition))], ["width", "label"])
    assert [(route.how, route.reason) for route in loaded.routes] == [("sample", "a row_condition chooses its rows")]
    told = problems(suite(expect("expect_table_row_count_to_equal", value=3, **condition)))
    assert "a sample does not tell" in told[0]


KINDS: dict[str, ValueKind] = {
    "width": "number",
    "label": "text",
    "sharp": "boolean",
    "day": "time",
    "vector": "nested",
    "odd": "unknown",
}


@pytest.mark.parametrize(
    ("told", "message", "place"),
    [
        (expect("expect_column_mean_to_be_between", column="label", min_value=1), "'label' holds texts", "column"),
        (expect("expect_column_sum_to_be_between", column="day", min_value=1), "'day' holds dates or times", "column"),
        (
            expect(VALUES, column="label", max_value=9),
            "the bound 9.0 is a number, and 'label' holds texts",
            "max_value",
        ),
        (expect(VALUES, column="day", min_value=9), "is a number, and 'day' holds dates or times", "min_value"),
        (expect(VALUES, column="width", min_value="2024-01-01"), "is a date or time, and 'width'", "min_value"),
        (expect("expect_column_max_to_be_between", column="label", max_value=9), "is a number", "max_value"),
        (
            quantiles([0.5], [[0, 1]]) | {"kwargs": {**quantiles([0.5], [[0, 1]])["kwargs"], "column": "label"}},
            "is about numbers",
            "column",
        ),
        (divergence(bins=[0, 1], weights=[1.0]), "bins are about numbers, and 'label' holds texts", "column"),
        (
            expect("expect_multicolumn_sum_to_equal", column_list=["width", "label"], sum_total=2),
            "'label' holds texts",
            "column_list[1]",
        ),
        (
            expect("expect_column_values_to_match_strftime_format", column="day", strftime_format="%Y"),
            "is about texts, and 'day' holds",
            "column",
        ),
        (expect("expect_column_values_to_match_regex", column="day", regex="a"), "is about texts", "column"),
        (
            expect("expect_column_values_to_not_be_in_set", column="label", value_set=[1, 2]),
            "the set [1, 2] has no such value, and 'label' holds texts",
            "value_set",
        ),
        (expect("expect_column_values_to_be_in_set", column="vector", value_set=[1]), "a set is of texts", "column"),
        (
            expect("expect_column_pair_values_to_be_equal", column_A="width", column_B="label"),
            "'width' holds numbers, 'label' holds texts",
            None,
        ),
    ],
)
def test_a_column_of_another_type_is_refused_before_the_data_is_read(
    told: dict[str, Any], message: str, place: str | None
) -> None:
    with pytest.raises(SuiteError) as caught:
        load_suites([suite(told)], KINDS)
    (problem,) = caught.value.problems
    assert message in problem
    assert problem.endswith(f" @ expectations[0].kwargs{f'.{place}' if place else ''}")
    load_suites([suite(told)], list(KINDS))  # what columns hold is not known: nothing is said of it


@pytest.mark.parametrize(
    "told",
    [
        expect("expect_column_mean_to_be_between", column="sharp", min_value=0),
        expect("expect_column_mean_to_be_between", column="odd", min_value=0),
        expect(VALUES, column="day", min_value="2024-01-01"),
        expect("expect_column_max_to_be_between", column="width", max_value=9),
        expect("expect_column_values_to_match_regex", column="width", regex="1"),
        expect("expect_column_values_to_be_in_set", column="label", value_set=["a", 1]),
        expect("expect_column_values_to_be_in_set", column="day", value_set=["2024-01-01"]),
        expect("expect_column_pair_values_to_be_equal", column_A="width", column_B="sharp"),
    ],
)
def test_a_column_of_a_fitting_type_is_read(told: dict[str, Any]) -> None:
    assert load_suites([suite(told)], KINDS)
