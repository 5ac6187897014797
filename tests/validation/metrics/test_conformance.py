"""Stock expectations over merged metrics judge as Great Expectations judges the rows themselves."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import great_expectations as gx
import great_expectations.expectations as gxe
import pandas as pd
import polars as pl
import pytest

from validation.gx.engine import RESULT_FORMAT, exception_of, plain
from validation.gx.stock import judge_stock, route_of
from validation.metrics.finishing import finish
from validation.metrics.partials import MetricPartials
from validation.metrics.plan import MetricPlan

ROWS = 240
FIRST = datetime(2024, 1, 1)
TIMES = {"time", "zoned", "york", "day"}
TEXTS = {"word", "digits"}
COMPARED = ("observed_value", "element_count", "unexpected_count", "unexpected_percent", "missing_count")
WORDS = ["cat", "dog", "é", "日本", "", "fox\n", "a1", "{}", "a\x1cb", "2024", "cat"]


def rows(count: int, seed: int = 0) -> pl.DataFrame:
    draw = random.Random(seed)

    def some(value: Any) -> Any:
        return None if draw.random() < 0.1 else value

    def days() -> datetime:
        return FIRST + timedelta(days=draw.randint(0, 9))

    columns: dict[str, tuple[Any, Any]] = {
        "whole": (lambda: draw.randint(-5, 5), pl.Int64),
        "whole_null": (lambda: some(draw.randint(0, 9)), pl.Int64),
        "big": (lambda: 2**60 + draw.randint(0, 3), pl.Int64),
        "small": (lambda: draw.randint(0, 200), pl.UInt8),
        "number": (lambda: some(math.nan if draw.random() < 0.1 else draw.gauss(0, 1000)), pl.Float64),
        "narrow": (draw.random, pl.Float32),
        "infinite": (lambda: draw.choice([1.5, math.inf, -2.0]), pl.Float64),
        "word": (lambda: some(draw.choice(WORDS)), pl.String),
        "digits": (lambda: some(str(draw.randint(1, 10**6))), pl.String),
        "flag": (lambda: draw.random() < 0.5, pl.Boolean),
        "time": (lambda: some(days()), pl.Datetime("us")),
        "zoned": (lambda: days().replace(tzinfo=UTC), pl.Datetime("us", "UTC")),
        "day": (lambda: days().date(), pl.Date),
        "price": (lambda: Decimal(draw.randint(0, 500)) / 4, pl.Decimal(10, 2)),
        "york": (lambda: days().replace(tzinfo=UTC), pl.Datetime("us", "America/New_York")),
        "wide": (lambda: some(Decimal(2**53 + draw.randint(-1, 2))), pl.Decimal(38, 2)),
        "cents": (lambda: Decimal(draw.randint(0, 30)) / 10, pl.Decimal(10, 2)),
        "nothing": (lambda: None, pl.Float64),
    }
    return pl.DataFrame(
        {name: pl.Series([make() for _ in range(count)], dtype=t) for name, (make, t) in columns.items()}
    )


def to_pandas(frame: pl.DataFrame) -> pd.DataFrame:
    """As the notes on Great Expectations say: numpy types, NaN for null floats."""

    def column(values: pl.Series) -> Any:
        if values.dtype.is_float() or (values.dtype.is_integer() and values.null_count()):
            return values.cast(values.dtype if values.dtype.is_float() else pl.Float64).fill_null(math.nan).to_pandas()
        if values.dtype in (pl.Date, pl.Datetime):
            zone = getattr(values.dtype, "time_zone", None)
            return values.cast(pl.Datetime("ns", zone)).to_pandas()
        return values.to_pandas()

    return pd.DataFrame({values.name: column(values) for values in frame.get_columns()})


def of_a_column(name: str) -> Iterator[Any]:
    about = {"column": name}
    yield gxe.ExpectColumnValuesToNotBeNull(**about, mostly=0.95)
    yield gxe.ExpectColumnValuesToBeNull(**about, mostly=0.05)
    yield gxe.ExpectColumnMinToBeBetween(**about, min_value=0, max_value=3)
    yield gxe.ExpectColumnMaxToBeBetween(**about, min_value=2, strict_min=True)
    yield gxe.ExpectColumnValuesToBeBetween(**about, min_value=0, max_value=3, strict_max=True, mostly=0.5)
    for strict in (True, False):
        yield gxe.ExpectColumnValuesToBeBetween(**about, min_value=2**53, strict_min=strict, mostly=0.5)
        yield gxe.ExpectColumnValuesToBeBetween(**about, max_value=0.25, strict_max=strict, mostly=0.5)
    if name in TIMES:
        noon = FIRST.replace(day=5, tzinfo=UTC if name in ("zoned", "york") else None)
        yield gxe.ExpectColumnValuesToBeBetween(**about, min_value=noon, strict_min=True)
        yield gxe.ExpectColumnMaxToBeBetween(**about, min_value=noon)
    yield gxe.ExpectColumnUniqueValueCountToBeBetween(**about, min_value=3, max_value=10)
    yield gxe.ExpectColumnProportionOfUniqueValuesToBeBetween(**about, min_value=0, max_value=0.5)
    yield gxe.ExpectColumnProportionOfNonNullValuesToBeBetween(**about, min_value=0.95)
    yield gxe.ExpectColumnValuesToBeUnique(**about)
    yield gxe.ExpectColumnMostCommonValueToBeInSet(**about, value_set=["cat", 1, True], ties_okay=True)
    allowed = ["cat", "dog", "emu"] if name in TEXTS else [0, 1, 2.0, 2**60, True]
    yield gxe.ExpectColumnValuesToBeInSet(**about, value_set=allowed, mostly=0.3)
    yield gxe.ExpectColumnValuesToNotBeInSet(**about, value_set=allowed)
    yield gxe.ExpectColumnDistinctValuesToBeInSet(**about, value_set=allowed)
    yield gxe.ExpectColumnDistinctValuesToContainSet(**about, value_set=allowed)
    yield gxe.ExpectColumnDistinctValuesToEqualSet(**about, value_set=allowed)
    yield from of_numbers(about) if name not in TEXTS | TIMES else of_texts(about)


def of_numbers(about: dict[str, Any]) -> Iterator[Any]:
    yield gxe.ExpectColumnMeanToBeBetween(**about, min_value=0, max_value=3)
    yield gxe.ExpectColumnSumToBeBetween(**about, min_value=0, max_value=3)
    yield gxe.ExpectColumnStdevToBeBetween(**about, min_value=0, max_value=3)
    yield gxe.ExpectColumnMedianToBeBetween(**about, min_value=0, max_value=3)
    for rule in (False, "linear", "lower", "higher", "midpoint") if about["column"] == "number" else (False,):
        ranges = {"quantiles": [0, 0.1, 0.5, 0.77, 1], "value_ranges": [[0, 1]] * 5}
        yield gxe.ExpectColumnQuantileValuesToBeBetween(**about, quantile_ranges=ranges, allow_relative_error=rule)
    yield gxe.ExpectColumnKLDivergenceToBeLessThan(
        **about,
        partition_object={"bins": [-5, 0, 2, 10], "weights": [0.3, 0.3, 0.4]},
        threshold=0.1,
        tail_weight_holdout=0.01,
        internal_weight_holdout=0.01,
    )
    yield gxe.ExpectColumnValuesToMatchRegex(**about, regex="^-?1")
    yield gxe.ExpectColumnValueLengthsToEqual(**about, value=3)
    yield gxe.ExpectColumnValuesToBeJsonParseable(**about)


def of_texts(about: dict[str, Any]) -> Iterator[Any]:
    yield gxe.ExpectColumnMeanToBeBetween(**about, min_value=0, max_value=3)
    yield gxe.ExpectColumnMedianToBeBetween(**about, min_value=0, max_value=3)
    for pattern in ("^[a-d1]", r"\d$", "x$", "(?i)CAT", r"^\w+$", "a.b|^2", "[é日]"):
        yield gxe.ExpectColumnValuesToMatchRegex(**about, regex=pattern)
        yield gxe.ExpectColumnValuesToNotMatchRegex(**about, regex=pattern)
    for match_on in ("any", "all"):
        yield gxe.ExpectColumnValuesToMatchRegexList(**about, regex_list=["a", "^1"], match_on=match_on)
    yield gxe.ExpectColumnValuesToNotMatchRegexList(**about, regex_list=["a$", "x$"])
    yield gxe.ExpectColumnValueLengthsToBeBetween(**about, min_value=2, max_value=3)
    yield gxe.ExpectColumnValueLengthsToBeBetween(**about, min_value=2, strict_min=True)
    yield gxe.ExpectColumnValueLengthsToEqual(**about, value=3)
    yield gxe.ExpectColumnValuesToBeJsonParseable(**about)
    yield gxe.ExpectColumnValuesToMatchStrftimeFormat(**about, strftime_format="%Y")
    yield gxe.ExpectColumnKLDivergenceToBeLessThan(
        **about,
        partition_object={"values": ["cat", "dog"], "weights": [0.3, 0.7]},
        threshold=0.1,
        tail_weight_holdout=0.01,
    )


def of_two_columns(first: str, second: str) -> Iterator[Any]:
    about = {"column_A": first, "column_B": second}
    for ignored in ("both_values_are_missing", "either_value_is_missing", "neither"):
        yield gxe.ExpectColumnPairValuesToBeEqual(**about, ignore_row_if=ignored)
        for equal in (True, False):
            yield gxe.ExpectColumnPairValuesAToBeGreaterThanB(**about, ignore_row_if=ignored, or_equal=equal)
        pairs = [(1, 2), (None, 1), ("cat", "1"), (True, 1)]
        yield gxe.ExpectColumnPairValuesToBeInSet(**about, ignore_row_if=ignored, value_pairs_set=pairs)
    for ignored in ("all_values_are_missing", "any_value_is_missing", "never"):
        listed = {"column_list": [first, second], "ignore_row_if": ignored}
        for total in (5, 2**53 + 2):
            yield gxe.ExpectMulticolumnSumToEqual(**listed, sum_total=total)
        yield gxe.ExpectMulticolumnValuesToBeEqual(**listed)
        yield gxe.ExpectSelectColumnValuesToBeUniqueWithinRecord(**listed)


def of_the_table(frame: pl.DataFrame) -> Iterator[Any]:
    yield gxe.ExpectTableRowCountToEqual(value=ROWS)
    yield gxe.ExpectTableRowCountToBeBetween(min_value=1, max_value=5)
    yield gxe.ExpectTableColumnCountToEqual(value=3)
    yield gxe.ExpectTableColumnCountToBeBetween(min_value=3)
    yield gxe.ExpectTableColumnsToMatchSet(column_set=["whole"], exact_match=False)
    yield gxe.ExpectTableColumnsToMatchSet(column_set=["whole"])
    yield gxe.ExpectTableColumnsToMatchOrderedList(column_list=frame.columns)
    yield gxe.ExpectColumnToExist(column="whole", column_index=0)
    yield gxe.ExpectColumnToExist(column="nope")


PAIRS = [
    ("whole", "whole_null"),
    ("word", "digits"),
    ("number", "whole"),
    ("time", "day"),
    ("flag", "whole"),
    ("whole", "word"),
    ("wide", "cents"),
    ("york", "zoned"),
    ("whole", "price"),
]


KNOWN: list[tuple[set[str], str, str]] = [
    ({"big"}, "sum|stdev|mean", "the sum of 64-bit integers overflows in pandas; ours is exact"),
    ({"big"}, "max|min", "pandas compares integers over 2^53 with bounds as floats"),
    ({"narrow"}, "sum|stdev|mean", "pandas sums 32-bit floats in 32 bits"),
    ({"whole_null"}, "regex|lengths", "pandas turns integers with nulls into floats: 1.0, not 1"),
    (TIMES, "regex|lengths", "the text of a time depends on the other times in pandas; ours is an error"),
    (TIMES, "_set", "a text in a set that is no time is an error in all cases; times are compared as times"),
    (TIMES, "mean|median|quantile|stdev", "times have no mean, deviation nor quantile here; pandas has them"),
    (TIMES | TEXTS, "divergence", "numpy has histograms of texts where there are none"),
    ({"word"}, "multicolumn_sum", "texts have no sum; pandas concatenates them"),
    ({"price", "wide", "cents"}, "median|quantile", "pandas has no quantiles of decimals"),
    ({"wide"}, "sum_to|stdev|mean", "pandas adds no decimals where one is missing"),
    ({"infinite"}, "stdev|median|quantile", "differences of infinities are NaN"),
    ({"flag"}, "quantile", "numpy does not subtract truth values"),
]
"""Where results may differ: in which columns, for which types of expectation, and why."""


def known(expectation: Any) -> bool:
    kwargs = expectation.configuration.kwargs
    names = {kwargs.get(key) for key in ("column", "column_A", "column_B")} | set(kwargs.get("column_list", ()))
    return any(names & columns and re.search(kinds, expectation.expectation_type) for columns, kinds, _ in KNOWN)


def alike(ours: Any, theirs: Any) -> bool:
    if ours is None and theirs == "NaT":
        return True
    if isinstance(ours, int | float) and isinstance(theirs, int | float):
        return ours == theirs or math.isclose(ours, theirs, rel_tol=1e-9)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(alike, ours, theirs))
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(alike(ours[key], theirs[key]) for key in ours)
    return bool(ours == theirs)


def difference(ours: Any, theirs: Any) -> str:
    """How two results of one expectation differ; empty where they do not."""
    raised = exception_of(ours), exception_of(theirs)
    if (raised[0] is None) != (raised[1] is None):
        return f"raised {raised[0]}, {raised[1]}"
    if bool(ours.success) != bool(theirs.success):
        return f"success {ours.success}, {theirs.success}: {ours.result}, {theirs.result}"
    for key in COMPARED:
        pair = plain(ours.result.get(key)), plain(theirs.result.get(key))
        if not alike(*pair):
            return f"{key} {pair[0]}, {pair[1]}"
    return ""


def batches(frame: pl.DataFrame, plan: MetricPlan, draw: random.Random) -> list[MetricPartials]:
    cuts = sorted(draw.sample(range(len(frame) + 1), min(4, len(frame))))
    edges = [0, *cuts, len(frame)]
    parts = [MetricPartials.of(plan, frame[a:b]) for a, b in pairwise(edges)]
    draw.shuffle(parts)
    return parts


def validated_by_great_expectations(expectations: list[Any], frame: pl.DataFrame) -> list[Any]:
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("p").add_dataframe_asset("a")
    batch = asset.add_batch_definition_whole_dataframe("b").get_batch({"dataframe": to_pandas(frame)})
    return [batch.validate(expectation, result_format=RESULT_FORMAT) for expectation in expectations]


@pytest.mark.parametrize("count", [ROWS, 0])
def test_expectations_judge_metrics_as_great_expectations_judges_rows(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # For each decimal Great Expectations looks whether its profiler is among the callers: most of this test's time.
    monkeypatch.setattr("great_expectations.util.stack", list)
    frame = rows(count)
    expectations = [
        *of_the_table(frame),
        *(one for name in frame.columns for one in of_a_column(name)),
        *(one for pair in PAIRS for one in of_two_columns(*pair)),
    ]
    routes = [route_of(expectation) for expectation in expectations]
    assert {route.how for route in routes} == {"every row"}
    plan = MetricPlan.of(metric for route in routes for metric in route.metrics)
    merged = MetricPartials.merge(batches(frame, MetricPlan.from_json(plan.to_json()), random.Random(1)))
    values = finish(plan, MetricPartials.from_bytes(merged.to_bytes()))
    theirs = validated_by_great_expectations(expectations, frame)
    wrong = []
    for index, expectation in enumerate(expectations):
        found = difference(judge_stock(expectation, values), theirs[index])
        if found and not (known(expectation) or (count == 0 and exception_of(theirs[index]))):
            wrong.append(f"{expectation.expectation_type} {expectation.configuration.kwargs}: {found}")
    assert not wrong, "\n".join(wrong)
    kinds = {expectation.expectation_type for expectation in expectations}
    assert len(kinds) == 42, sorted(kinds)
