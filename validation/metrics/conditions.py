"""Conditions that a value or a row meets or not, with the meaning that Great Expectations gives them on pandas."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import polars as pl

from validation.metrics import patterns
from validation.metrics.bounds import between, exact, summed
from validation.metrics.columns import MetricError, comparable, members, texts_of


def unexpected(name: str, values: pl.Series, arguments: dict[str, Any]) -> pl.Series:
    """Which values break a condition of one column.

    Args:
        name: of the condition, without `column_values.`; `null` and `nonnull` are not among them.
        values: of one column, without nulls.
        arguments: of the condition.

    Returns:
        Boolean, a value a value.

    Raises:
        MetricError: the condition makes no sense for such values.
    """
    return ~_PLAIN[name](values, arguments) if name in _PLAIN else _unmatched(name, texts_of(values), arguments)


def _none(values: pl.Series, _: dict[str, Any]) -> pl.Series:
    return pl.repeat(False, len(values), dtype=pl.Boolean, eager=True)


def _in_set(values: pl.Series, arguments: dict[str, Any]) -> pl.Series:
    return comparable(values).is_in(members(arguments.get("value_set") or (), values.dtype).implode())


def _lengths(values: pl.Series) -> pl.Series:
    return texts_of(values).str.len_chars()


def _unmatched(name: str, texts: pl.Series, arguments: dict[str, Any]) -> pl.Series:
    negated = name.startswith("not_")
    match_on = arguments.get("match_on") or "any"
    escape = arguments.get("escape")
    kind = name.removeprefix("not_")
    if kind == "match_regex":
        found = patterns.searched(texts, arguments["regex"])
    elif kind == "match_regex_list":
        found = patterns.searched_list(texts, arguments["regex_list"], match_on)
    elif kind == "match_like_pattern":
        found = patterns.like(texts, arguments["like_pattern"], escape)
    elif kind == "match_like_pattern_list":
        found = patterns.like_list(texts, arguments["like_pattern_list"], match_on, escape)
    else:
        raise MetricError(f"no condition is called {name!r}")
    return found if negated else ~found


def considered(rows: pl.DataFrame, ignore_row_if: str | None) -> pl.DataFrame:
    """The rows that a condition of several columns is about.

    Args:
        rows: its columns.
        ignore_row_if: which rows with nulls are left out.

    Returns:
        The other rows.

    Raises:
        MetricError: no such choice.
    """
    missing = [pl.Series(values.is_null()) for values in rows.get_columns()]
    if ignore_row_if in ("both_values_are_missing", "all_values_are_missing"):
        return rows.filter(~pl.select(pl.all_horizontal(*missing)).to_series())
    if ignore_row_if in ("either_value_is_missing", "any_value_is_missing"):
        return rows.filter(~pl.select(pl.any_horizontal(*missing)).to_series())
    if ignore_row_if in ("neither", "never", None):
        return rows
    raise MetricError(f"ignore_row_if cannot be {ignore_row_if!r}")


def unexpected_rows(name: str, columns: Sequence[pl.Series], arguments: dict[str, Any]) -> pl.Series:
    """Which rows break a condition of several columns.

    Args:
        name: of the condition.
        columns: as many as it needs, of one length; a null equals nothing.
        arguments: of the condition.

    Returns:
        Boolean, a value a row.

    Raises:
        MetricError: the condition makes no sense for such values.
    """
    first, *others = map(_at_one_clock, columns)
    columns = [first, *others]
    if name == "column_pair_values.equal":
        met = _equal(first, others[0])
    elif name == "column_pair_values.a_greater_than_b":
        met = first >= others[0] if arguments.get("or_equal") else first > others[0]
    elif name == "column_pair_values.in_set":
        met = _pairs_in(first, others[0], arguments["value_pairs_set"])
    elif name == "multicolumn_sum.equal":
        met = _sums_equal(columns, arguments["sum_total"])
    elif name == "multicolumn_values.equal":
        same = [_equal(values, first) | (values.is_null() & first.is_null()) for values in others]
        met = pl.select(pl.all_horizontal(*same)).to_series()
    else:
        same = [_equal(a, b) | (a.is_null() & b.is_null()) for a, b in combinations(columns, 2)]
        met = ~pl.select(pl.any_horizontal(*same)).to_series()
    return ~met.fill_null(value=False)


def _at_one_clock(values: pl.Series) -> pl.Series:
    """Moments with a time zone in UTC, in which those of several zones are compared."""
    if isinstance(values.dtype, pl.Datetime) and values.dtype.time_zone:
        return values.dt.convert_time_zone("UTC")
    return values


def _sums_equal(columns: Sequence[pl.Series], sum_total: Any) -> pl.Series:
    sums, scale = summed(columns)
    if sums.dtype.is_float():
        return pl.Series(sums == sum_total)
    if not math.isfinite(sum_total):
        return _none(sums, {})
    wanted = exact(sum_total) * 10**scale
    return between(sums, wanted, wanted)


def _equal(first: pl.Series, second: pl.Series) -> pl.Series:
    try:
        return pl.Series(first == second).fill_null(value=False)
    except (pl.exceptions.PolarsError, TypeError):  # of types whose values never are equal
        return pl.repeat(False, len(first), dtype=pl.Boolean, eager=True)


def _pairs_in(first: pl.Series, second: pl.Series, allowed: Sequence[Sequence[Any]]) -> pl.Series:
    known = {tuple(pair) for pair in allowed}
    rows = pl.DataFrame({"a": first, "b": second})
    distinct = rows.unique()
    met = pl.Series([pair in known for pair in distinct.iter_rows()], dtype=pl.Boolean)
    table = distinct.with_columns(met.alias("met"))
    return rows.join(table, on=["a", "b"], how="left", nulls_equal=True, maintain_order="left").get_column("met")


_PLAIN: dict[str, Callable[[pl.Series, dict[str, Any]], pl.Series]] = {
    "null": _none,
    "between": lambda values, arguments: between(values, **arguments),
    "in_set": _in_set,
    "not_in_set": lambda values, arguments: ~_in_set(values, arguments),
    "value_length.between": lambda values, arguments: between(_lengths(values), **arguments),
    "value_length.equals": lambda values, arguments: pl.select(_lengths(values) == arguments["value"]).to_series(),
    "json_parseable": lambda values, _: patterns.parses_as_json(values),
    "match_strftime_format": lambda values, arguments: patterns.parses_as_time(values, arguments["strftime_format"]),
}
