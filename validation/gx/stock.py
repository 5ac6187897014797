"""Stock expectations over merged metrics; those whose metrics do not merge run on the keyed sample, and say so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from great_expectations.execution_engine import PandasExecutionEngine

from validation.gx.engine import RESULT_FORMAT, validated
from validation.metrics.columns import MetricError
from validation.metrics.plan import Metric

ALL_ROWS = "every row"

_NO_ORDER = "the rows of a split have no order"
_NO_QUERY = "splits are files, and no database answers queries"
_REFUSED = {
    "expect_column_values_to_be_increasing": _NO_ORDER,
    "expect_column_values_to_be_decreasing": _NO_ORDER,
    "expect_query_results_to_match_comparison": _NO_QUERY,
    "unexpected_rows_expectation": _NO_QUERY,
    "expect_table_row_count_to_equal_other_table": "an expectation sees one split",
}
_ABOUT_ALL_ROWS = frozenset(
    {
        "expect_column_distinct_values_to_contain_set",
        "expect_column_distinct_values_to_equal_set",
        "expect_column_proportion_of_unique_values_to_be_between",
        "expect_column_sum_to_be_between",
        "expect_column_unique_value_count_to_be_between",
        "expect_table_row_count_to_be_between",
        "expect_table_row_count_to_equal",
    }
)
_SAMPLED = {
    "expect_column_type_to_be": "types are those of pandas",
    "expect_column_value_z_scores_to_be_less_than": "it needs the mean and deviation before it sees a row",
    "expect_column_values_to_be_dateutil_parseable": "it is slow",
    "expect_column_values_to_be_in_type_list": "types are those of pandas",
    "expect_column_values_to_be_of_type": "types are those of pandas",
    "expect_column_values_to_match_json_schema": "it is slow",
    "expect_column_values_to_not_be_outliers": "it needs quartiles before it sees a row",
    "expect_compound_columns_to_be_unique": "it compares every row with every other",
}

How = Literal["every row", "sample", "refused"]


@dataclass(frozen=True)
class Route:
    """How an expectation is judged.

    Attributes:
        how: over metrics of every row, on the keyed sample, or not at all.
        reason: why not over every row; empty where it is.
        metrics: that it needs of every row.
    """

    how: How
    reason: str = ""
    metrics: tuple[Metric, ...] = ()


def route_of(expectation: Any) -> Route:
    """How an expectation is judged.

    Args:
        expectation: any of Great Expectations.

    Returns:
        The route; what would be wrong on a sample is refused.
    """
    kind = expectation.expectation_type
    if kind in _REFUSED:
        return Route("refused", _REFUSED[kind])
    reason = ""
    if getattr(expectation, "row_condition", None):
        reason = "a row_condition chooses its rows"
    elif kind in _SAMPLED:
        reason = _SAMPLED[kind]
    else:
        metrics = _metrics(expectation)
        lacking = sorted({metric.name for metric in metrics if metric.statistic() is None})
        if metrics and not lacking:
            return Route("every row", "", metrics)
        reason = f"{' and '.join(lacking) or 'what it needs'} cannot be merged from parts"
    if kind in _ABOUT_ALL_ROWS:
        return Route("refused", f"{reason}, and a sample does not tell what it is about")
    return Route("sample", reason)


def _metrics(expectation: Any) -> tuple[Metric, ...]:
    runtime = {"result_format": dict(RESULT_FORMAT)}
    try:
        wanted = expectation.get_validation_dependencies(
            execution_engine=PandasExecutionEngine(), runtime_configuration=runtime
        )
    except Exception:  # noqa: BLE001, it looks at data to know what it needs
        return ()
    found = wanted.get_metric_configurations()
    return tuple(Metric.of(m.metric_name, m.metric_domain_kwargs, m.metric_value_kwargs) for m in found)


def judge_stock(expectation: Any, values: Mapping[Metric, Any]) -> Any:
    """Judges an expectation over every row.

    Args:
        expectation: whose route is `every row`.
        values: of its metrics.

    Returns:
        The result; where a metric has no value, one that tells why and has not succeeded.
    """

    def value(name: str, domain: Mapping[str, Any], arguments: Mapping[str, Any]) -> Any:
        found = values[Metric.of(name, domain, arguments)]
        if isinstance(found, MetricError):
            raise found
        if name == "column.value_counts":
            import pandas as pd  # noqa: PLC0415, comes with Great Expectations

            return pd.Series(found[1], index=pd.Index(found[0], name="value"), name="count", dtype="int64")
        return np.int64(found) if name.endswith(".count") else found  # shares of nothing are NaN

    with np.errstate(invalid="ignore", divide="ignore"):
        return validated(expectation, value)
