"""What is to be counted: metrics, as stock expectations name them, and the statistics that they are made of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

_MAP_PARTS = ("unexpected_count", "unexpected_values", "filtered_row_count")
_DOMAIN = ("column", "column_A", "column_B", "column_list", "ignore_row_if")
_NOT_VALUES = ("result_format", "limit", "sort", "collate", "include_nested")

OF_ONE_COLUMN = frozenset(
    f"column_values.{name}"
    for name in (
        "nonnull",
        "null",
        "between",
        "in_set",
        "not_in_set",
        "match_regex",
        "not_match_regex",
        "match_regex_list",
        "not_match_regex_list",
        "match_like_pattern",
        "not_match_like_pattern",
        "match_like_pattern_list",
        "not_match_like_pattern_list",
        "value_length.between",
        "value_length.equals",
        "json_parseable",
        "match_strftime_format",
    )
)
"""Conditions of one column that a row meets or not, whatever the other rows are."""

OF_A_ROW = frozenset(
    {
        "column_pair_values.equal",
        "column_pair_values.a_greater_than_b",
        "column_pair_values.in_set",
        "multicolumn_sum.equal",
        "multicolumn_values.equal",
        "select_column_values.unique.within_record",
    }
)
"""Conditions of several columns of a row."""

_STATISTICS = {
    "table.row_count": "rows",
    "table.columns": "schema",
    "table.column_count": "schema",
    "column.min": "extremes",
    "column.max": "extremes",
    "column.sum": "numbers",
    "column.mean": "numbers",
    "column.standard_deviation": "numbers",
    "column.non_null_count": "nonnull",
    "column_values.nonnull.count": "nonnull",
    "column.non_null_proportion": "nonnull",
    "column.histogram": "histogram",
    "column_values.between.count": "between",
    "column.value_counts": "counts",
    "column.most_common_value": "counts",
    "column.median": "counts",
    "column.quantile_values": "counts",
    "column.unique_proportion": "counts",
    "column.distinct_values": "counts",
    "column.distinct_values.count": "counts",
    "column.distinct_values.not_in_set": "counts",
    "column.distinct_values.not_in_set.count": "counts",
    "column.distinct_values.missing_from_column": "counts",
    "column.distinct_values.missing_from_column.count": "counts",
}
_WITH_ARGUMENTS = frozenset({"histogram", "between", "condition", "row condition"})


@dataclass(frozen=True)
class Statistic:
    """What is counted of a table; several metrics may be made of one.

    Attributes:
        kind: how it is counted.
        name: of the condition; empty for kinds without one.
        columns: that it is about.
        arguments: canonical JSON, see `dump`.
    """

    kind: str
    name: str
    columns: tuple[str, ...]
    arguments: str

    @property
    def key(self) -> str:
        """Names it, in all processes."""
        return dump([self.kind, self.name, list(self.columns), self.arguments])

    def values(self) -> dict[str, Any]:
        """The arguments."""
        found: dict[str, Any] = load(self.arguments)
        return found


@dataclass(frozen=True)
class Metric:
    """One number, list or table that an expectation asks for.

    Attributes:
        name: as Great Expectations has it, as in `column_values.between.unexpected_count`.
        domain: canonical JSON: the columns.
        arguments: canonical JSON.
    """

    name: str
    domain: str
    arguments: str

    @classmethod
    def of(cls, name: str, domain: Mapping[str, Any], arguments: Mapping[str, Any]) -> Metric:
        """A metric.

        Args:
            name: its name.
            domain: keys that are not about columns are left out.
            arguments: keys that only say how results are shown, and those without a value, are left out.

        Returns:
            The metric.
        """
        about = {key: domain[key] for key in _DOMAIN if domain.get(key) is not None}
        given = {key: value for key, value in arguments.items() if key not in _NOT_VALUES and value is not None}
        return cls(name, dump(about), dump(given))

    @property
    def condition(self) -> str | None:
        """The condition that it counts; None of other metrics."""
        name, _, part = self.name.rpartition(".")
        return name if part in _MAP_PARTS else None

    def columns(self) -> tuple[str, ...]:
        """The columns that it is about."""
        about = load(self.domain)
        single = [about[key] for key in ("column", "column_A", "column_B") if key in about]
        return (*single, *about.get("column_list", ()))

    def values(self) -> dict[str, Any]:
        """The arguments."""
        found: dict[str, Any] = load(self.arguments)
        return found

    def statistic(self) -> Statistic | None:
        """What it is made of; None where it cannot be merged from parts."""
        condition, columns = self.condition, self.columns()
        if condition in OF_ONE_COLUMN:
            return Statistic("condition", condition, columns, self.arguments)
        if condition in OF_A_ROW:
            ignored = load(self.domain).get("ignore_row_if")
            arguments = dump({**load(self.arguments), "ignore_row_if": ignored})
            return Statistic("row condition", condition, columns, arguments)
        if condition == "column_values.unique":
            return Statistic("counts", "", columns, "{}")
        kind = _STATISTICS.get(self.name)
        if kind is None:
            return None
        return Statistic(kind, "", columns, self.arguments if kind in _WITH_ARGUMENTS else "{}")


@dataclass(frozen=True)
class MetricPlan:
    """All that suites ask for, once; made on the launcher, followed by every worker.

    Attributes:
        metrics: distinct, sorted.
    """

    metrics: tuple[Metric, ...] = ()

    @classmethod
    def of(cls, metrics: Iterable[Metric]) -> MetricPlan:
        """A plan.

        Args:
            metrics: in any order; the same ones may repeat.

        Returns:
            The plan.

        Raises:
            ValueError: one of them cannot be merged from parts.
        """
        distinct = sorted(set(metrics), key=lambda m: (m.name, m.domain, m.arguments))
        if bad := [metric.name for metric in distinct if metric.statistic() is None]:
            raise ValueError(f"metrics that cannot be merged from parts: {', '.join(bad)}")
        return cls(tuple(distinct))

    def statistics(self) -> tuple[Statistic, ...]:
        """What has to be counted, distinct, in the order of their keys."""
        found = {statistic.key: statistic for metric in self.metrics if (statistic := metric.statistic())}
        return tuple(found[key] for key in sorted(found))

    def to_json(self) -> str:
        """The plan as text; the same for the same metrics."""
        return json.dumps([[m.name, m.domain, m.arguments] for m in self.metrics])

    @classmethod
    def from_json(cls, text: str) -> MetricPlan:
        """The plan that `to_json` wrote."""
        return cls.of(Metric(*parts) for parts in json.loads(text))


def dump(value: Any) -> str:
    """Canonical JSON: sorted keys; times as `{"$time": ...}`, other numbers than JSON has as floats or text.

    Examples:
        >>> dump({"b": (1, datetime(2024, 1, 2)), "a": None})
        '{"a":null,"b":[1,{"$time":"2024-01-02T00:00:00"}]}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_encoded)


def load(text: str) -> Any:
    """What `dump` wrote; tuples and sets are lists."""
    return json.loads(text, object_hook=_decoded)


def _encoded(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return {"$time": value.isoformat()}
    if isinstance(value, set | frozenset):
        return sorted(value, key=lambda item: (type(item).__name__, repr(item)))
    return str(value)


def _decoded(told: dict[str, Any]) -> Any:
    return datetime.fromisoformat(told["$time"]) if told.keys() == {"$time"} else told
