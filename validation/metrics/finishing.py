"""From merged parts to the values of metrics, as Great Expectations has them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

import numpy as np
import polars as pl

from validation.metrics.columns import SHOWN, MetricError, comparable, members
from validation.metrics.exact import ExactSums
from validation.metrics.partials import MetricPartials
from validation.metrics.parts import DISTINCT, FAILURES, Part
from validation.metrics.plan import Metric, MetricPlan

_INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


class TooManyValuesError(MetricError):
    """A column has more distinct values than are counted."""


def finish(plan: MetricPlan, partials: MetricPartials) -> dict[Metric, Any]:
    """The values of all metrics.

    Args:
        plan: what was counted.
        partials: merged from all batches of a table.

    Returns:
        By metric its value, or a `MetricError` that says why there is none. `column.value_counts` are two lists:
        values in their order, and their rows.
    """
    return {metric: _value(metric, partials) for metric in plan.metrics}


def _value(metric: Metric, partials: MetricPartials) -> Any:
    statistic = metric.statistic()
    assert statistic is not None  # noqa: S101, the plan has no others
    part = partials.parts.get(statistic.key)
    if part is None:
        return 0 if statistic.kind == "rows" else MetricError("nothing was counted: the table has no file")
    if "error" in part.plain:
        return MetricError(part.plain["error"])
    if "overflow" in part.plain:
        return TooManyValuesError(
            f"column {statistic.columns[0]!r} has more than {DISTINCT:,} distinct values, which are not counted"
        )
    try:
        return _of_condition(metric, part) if metric.condition else _FINISHERS[metric.name](metric, part)
    except MetricError as error:
        return error
    except FAILURES as error:
        return MetricError(f"{type(error).__name__}: {error}")


def _of_condition(metric: Metric, part: Part) -> Any:
    if metric.condition == "column_values.unique":
        assert part.values is not None  # noqa: S101
        part = _repeated(part.values)
    if metric.name.endswith("unexpected_count"):
        return part.plain["n"]
    if metric.name.endswith("filtered_row_count"):
        return part.plain["rows"]
    if part.values is None:  # none, or missing values, which are all the same
        return [None] * min(part.plain["n"], SHOWN)
    if part.values.width == 1:
        return part.values.to_series().to_list()
    rows = list(part.values.iter_rows())
    return rows if "pair" in metric.name else [dict(zip(metric.columns(), row, strict=True)) for row in rows]


def _repeated(table: pl.DataFrame) -> Part:
    repeated = table.filter(pl.col("rows") > 1)
    return Part({"n": int(repeated["rows"].sum())}, repeated.select("value").head(SHOWN))


def _columns(_: Metric, part: Part) -> list[str]:
    schemas: list[list[str]] = part.plain["schemas"]
    if len(schemas) != 1:
        raise MetricError(f"the files have {len(schemas)} different lists of columns")
    return schemas[0]


def _extreme(metric: Metric, part: Part) -> Any:
    assert part.values is not None  # noqa: S101
    value = part.values.get_column(metric.name.removeprefix("column.")).item()
    # pandas has no dates, and bounds are compared with times
    return datetime.combine(value, time()) if isinstance(value, date) and not isinstance(value, datetime) else value


def _of_sums(name: str) -> Callable[[Metric, Part], Any]:
    return lambda _, part: getattr(ExactSums.from_plain(part.plain), name)


def _share(_: Metric, part: Part) -> float:
    return float(part.plain["n"] / part.plain["rows"]) if part.plain["rows"] else 0


def _of_counts(function: Callable[[Metric, pl.Series, pl.Series], Any]) -> Callable[[Metric, Part], Any]:
    def finished(metric: Metric, part: Part) -> Any:
        assert part.values is not None  # noqa: S101
        return function(metric, part.values.get_column("value"), part.values.get_column("rows"))

    return finished


def _value_counts(_: Metric, values: pl.Series, rows: pl.Series) -> tuple[list[Any], list[int]]:
    return values.to_list(), rows.to_list()


def _most_common(_: Metric, values: pl.Series, rows: pl.Series) -> list[Any]:
    return values.filter(rows == rows.max()).to_list() if len(values) else []


def _unique_share(_: Metric, values: pl.Series, rows: pl.Series) -> float:
    return float(len(values) / rows.sum()) if len(values) else 0


def _strangers(metric: Metric, values: pl.Series) -> list[Any]:
    allowed = members(metric.values().get("value_set") or (), values.dtype)
    return values.filter(~comparable(values).is_in(allowed.implode())).to_list()


def _absent(metric: Metric, values: pl.Series) -> list[Any]:
    present = set(comparable(values).to_list())
    found: dict[Any, None] = {}
    for value in metric.values().get("value_set") or ():
        as_column = members([value], values.dtype).to_list() if len(values) else []
        if not as_column or as_column[0] not in present:
            found[as_column[0] if as_column else value] = None
    return list(found)


def _middle(_: Metric, values: pl.Series, rows: pl.Series) -> float | None:
    total = int(rows.sum())
    low, high = (_at(values, rows, index) for index in ((total - 1) // 2, total // 2)) if total else (None, None)
    return None if low is None or high is None else (float(low) + float(high)) / 2


def _quantiles(metric: Metric, values: pl.Series, rows: pl.Series) -> list[Any]:
    arguments = metric.values()
    rule = arguments.get("allow_relative_error") or "nearest"
    if rule not in _INTERPOLATIONS:
        raise MetricError(f"allow_relative_error must be false or one of {', '.join(_INTERPOLATIONS)}, got {rule!r}")
    total = int(rows.sum())
    return [_quantile(values, rows, (total - 1) * q, rule) if total else None for q in arguments["quantiles"]]


def _quantile(values: pl.Series, rows: pl.Series, position: float, rule: str) -> Any:
    index = int(position)
    share = position - index
    low, high = _at(values, rows, index), _at(values, rows, index + (share > 0))
    if rule == "linear":
        return low + (high - low) * share if share else float(low)
    if rule == "midpoint":
        return (low + high) / 2 if share else float(low)
    if rule == "nearest":
        return high if share > 0.5 or (share == 0.5 and index % 2) else low
    return low if rule == "lower" else high


def _at(values: pl.Series, rows: pl.Series, index: int) -> Any:
    """The value at a place of all values in order."""
    if not (values.dtype.is_numeric() or values.dtype == pl.Boolean):
        raise MetricError(f"values of type {values.dtype} have no quantiles")
    place = int(np.searchsorted(rows.cum_sum().to_numpy(), index, side="right"))
    return float(values[place]) if values.dtype.is_decimal() else values[place]


_FINISHERS: dict[str, Callable[[Metric, Part], Any]] = {
    "table.row_count": lambda _, part: part.plain["n"],
    "table.columns": _columns,
    "table.column_count": lambda metric, part: len(_columns(metric, part)),
    "column.min": _extreme,
    "column.max": _extreme,
    "column.sum": _of_sums("sum"),
    "column.mean": _of_sums("mean"),
    "column.standard_deviation": _of_sums("deviation"),
    "column.non_null_count": lambda _, part: part.plain["n"],
    "column_values.nonnull.count": lambda _, part: part.plain["n"],
    "column.non_null_proportion": _share,
    "column.histogram": lambda _, part: part.plain["counts"],
    "column_values.between.count": lambda _, part: part.plain["n"],
    "column.value_counts": _of_counts(_value_counts),
    "column.most_common_value": _of_counts(_most_common),
    "column.median": _of_counts(_middle),
    "column.quantile_values": _of_counts(_quantiles),
    "column.unique_proportion": _of_counts(_unique_share),
    "column.distinct_values": _of_counts(lambda _, values, __: set(values.to_list())),
    "column.distinct_values.count": _of_counts(lambda _, values, __: len(values)),
    "column.distinct_values.not_in_set": _of_counts(lambda metric, values, _: _strangers(metric, values)[:SHOWN]),
    "column.distinct_values.not_in_set.count": _of_counts(lambda metric, values, _: len(_strangers(metric, values))),
    "column.distinct_values.missing_from_column": _of_counts(lambda m, values, _: _absent(m, values)[:SHOWN]),
    "column.distinct_values.missing_from_column.count": _of_counts(lambda m, values, _: len(_absent(m, values))),
}
