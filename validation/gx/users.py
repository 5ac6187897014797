"""Judges users' suites: over the metrics of every row where they merge, else on the keyed sample."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

import great_expectations as gx
import pandas as pd
import polars as pl

from validation.checking import Check, Verdict
from validation.gx.engine import RESULT_FORMAT, Judged, exception_of, failure, plain
from validation.gx.quiet import quiet
from validation.gx.row_conditions import chosen, row_condition_of
from validation.gx.stock import ALL_ROWS, judge_stock
from validation.gx.suites import LoadedSuite
from validation.metrics.finishing import TooManyValuesError, finish
from validation.metrics.partials import MetricPartials
from validation.metrics.plan import Metric, MetricPlan

_LONGEST = 60
_SAMPLE_WILL_DO = frozenset(
    {
        "expect_column_median_to_be_between",
        "expect_column_most_common_value_to_be_in_set",
        "expect_column_quantile_values_to_be_between",
        "expect_column_values_to_be_unique",
    }
)
"""Where there are too many distinct values to count, these are judged on the sample."""


def plan_of(suites: Iterable[LoadedSuite]) -> MetricPlan:
    """What has to be counted of every row for some suites.

    Args:
        suites: loaded.

    Returns:
        The plan.
    """
    return MetricPlan.of(metric for suite in suites for route in suite.routes for metric in route.metrics)


def judge_suite(
    loaded: LoadedSuite, table: str, plan: MetricPlan, partials: MetricPartials, sample: pl.DataFrame | None
) -> Judged:
    """Judges a suite on one split.

    Args:
        loaded: the suite.
        table: the split.
        plan: what was counted.
        partials: what was counted of all rows of the split.
        sample: its keyed sample; None for none, and what needs one then fails.

    Returns:
        A verdict an expectation, in their order; a verdict's `observed` has `counted`: over which rows.
    """
    with quiet():
        values = finish(plan, partials)
        sampled = _OnSample(sample)
        pairs = [_judged(loaded, index, table, values, sampled) for index in range(len(loaded.expectations))]
    return Judged(
        loaded.suite.name, table, tuple(verdict for verdict, _ in pairs), tuple(result for _, result in pairs)
    )


def _judged(
    loaded: LoadedSuite, index: int, table: str, values: Mapping[Metric, Any], sampled: _OnSample
) -> tuple[Verdict, Any]:
    expectation, route = loaded.expectations[index], loaded.routes[index]
    kind = expectation.expectation_type
    reason = route.reason
    if route.how == "every row":
        crowded = [found for metric in route.metrics if isinstance(found := values[metric], TooManyValuesError)]
        if crowded and kind in _SAMPLE_WILL_DO and sampled.rows:
            reason = str(crowded[0])
    counted = ALL_ROWS if not reason else f"a sample of {sampled.rows:,} rows: {reason}"
    result = judge_stock(expectation, values) if not reason else sampled.judge(expectation)
    name = f"{loaded.suite.name}[{index}] of {table}"
    result.meta = {**(result.meta or {}), "check": name, "counted": counted}
    result.expectation_config.meta = {**(result.expectation_config.meta or {}), "check": name, "counted": counted}
    kwargs = plain({k: v for k, v in expectation.configuration.kwargs.items() if k != "batch_id"})
    check = Check(
        name=name,
        role="suite",
        table=table,
        column=kwargs.get("column"),
        description=expectation.description or _sentence(kind, kwargs),
        severity=getattr(expectation.severity, "value", expectation.severity),
        expectation=kind,
        kwargs=kwargs,
        observed={**plain(result.result or {}), "counted": counted},
    )
    exception = exception_of(result)
    return Verdict(check, success=bool(result.success) and exception is None, exception=exception), result


def _sentence(kind: str, kwargs: Mapping[str, Any]) -> str:
    """What is expected, in a sentence: "Values to be between; min_value 0, max_value 9."."""
    words = kind.removeprefix("expect_").removeprefix("column_").replace("_", " ")
    given = ", ".join(f"{name} {_short(value)}" for name, value in kwargs.items() if name != "column")
    return f"expected {words}{f' ({given})' if given else ''}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


class _OnSample:
    """Runs expectations on a sample with the engine of Great Expectations; makes its context on first use."""

    def __init__(self, sample: pl.DataFrame | None) -> None:
        self._sample = sample
        self._batch: Any = None
        self._definition: Any = None

    @property
    def rows(self) -> int:
        return 0 if self._sample is None else len(self._sample)

    def judge(self, expectation: Any) -> Any:
        if self._sample is None or not self.rows:
            return failure(expectation.configuration, ValueError("there is no sample to judge it on"))
        try:
            condition = row_condition_of(getattr(expectation, "row_condition", None))
            if condition is None:
                result = self._whole().validate(expectation, result_format=RESULT_FORMAT)
            else:
                about = expectation.copy(update={"row_condition": None, "condition_parser": None})
                batch = self._batch_of(chosen(condition, self._sample))
                result = batch.validate(about, result_format=RESULT_FORMAT)
        except Exception as error:  # noqa: BLE001, an expectation that raises is a failed check, never a lost run
            return failure(expectation.configuration, error)
        result.expectation_config = expectation.configuration
        return result

    def _whole(self) -> Any:
        if self._batch is None:
            assert self._sample is not None  # noqa: S101, `judge` has looked
            self._batch = self._batch_of(self._sample)
        return self._batch

    def _batch_of(self, rows: pl.DataFrame) -> Any:
        if self._definition is None:
            context = gx.get_context(mode="ephemeral")
            context.variables.progress_bars = {"globally": False}
            asset = context.data_sources.add_pandas("sample").add_dataframe_asset("sample")
            self._definition = asset.add_batch_definition_whole_dataframe("sample")
        return self._definition.get_batch({"dataframe": to_pandas(rows)})


def to_pandas(frame: pl.DataFrame) -> pd.DataFrame:
    """Rows as Great Expectations takes them: NaN for null floats, whole numbers never as floats, categories as text.

    Args:
        frame: rows.

    Returns:
        The same; types are numpy's but of integers with nulls, which are Arrow's.
    """
    return pd.DataFrame({values.name: _column(values.alias("value")) for values in frame.get_columns()})


def _column(values: pl.Series) -> Any:
    if values.dtype.is_float():
        return values.fill_null(math.nan).to_pandas()
    if isinstance(values.dtype, pl.Categorical | pl.Enum):
        values = values.cast(pl.String)
    if values.dtype.is_integer() and values.null_count():
        return values.to_pandas(use_pyarrow_extension_array=True)
    return values.to_pandas()
