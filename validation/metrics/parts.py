"""How each kind of statistic is counted in a batch, and how two counts become one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from validation.metrics.bounds import between
from validation.metrics.columns import SHOWN, MetricError, shown, values_of
from validation.metrics.conditions import considered, unexpected, unexpected_rows
from validation.metrics.exact import ExactSums
from validation.metrics.plan import Statistic

DISTINCT = 100_000
"""Distinct values that are counted of a column; where there are more, none is."""

FAILURES = (ValueError, TypeError, ArithmeticError, KeyError, pl.exceptions.PolarsError)
"""What counting raises where a statistic makes no sense for the values."""


@dataclass(frozen=True, eq=False)
class Part:
    """What was counted for one statistic.

    Attributes:
        plain: numbers and texts; `error` alone where it could not be counted.
        values: of the column's type; None where there are none.
    """

    plain: dict[str, Any] = field(default_factory=dict)
    values: pl.DataFrame | None = None


def count(statistic: Statistic, frame: pl.DataFrame) -> Part:
    """Counts a statistic in a batch.

    Args:
        statistic: which.
        frame: rows.

    Returns:
        The part; what cannot be counted has an error, which all that is merged with it has, too.
    """
    try:
        return _KINDS[statistic.kind][0](statistic, frame)
    except MetricError as error:
        return Part({"error": str(error)})
    except FAILURES as error:
        return Part({"error": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"})


def merge(kind: str, parts: Sequence[Part]) -> Part:
    """One part from several, of one statistic; their order does not matter.

    Args:
        kind: of the statistic.
        parts: at least one.

    Returns:
        The part of all their rows.
    """
    if errors := [part.plain["error"] for part in parts if "error" in part.plain]:
        return Part({"error": min(errors)})
    return parts[0] if len(parts) == 1 else _KINDS[kind][1](parts)


def _present(statistic: Statistic, frame: pl.DataFrame) -> pl.Series:
    return values_of(frame, statistic.columns[0]).drop_nulls()


def _rows(_: Statistic, frame: pl.DataFrame) -> Part:
    return Part({"n": len(frame)})


def _schema(_: Statistic, frame: pl.DataFrame) -> Part:
    return Part({"schemas": [frame.columns]})


def _nonnull(statistic: Statistic, frame: pl.DataFrame) -> Part:
    return Part({"n": len(_present(statistic, frame)), "rows": len(frame)})


def _between(statistic: Statistic, frame: pl.DataFrame) -> Part:
    return Part({"n": int(between(_present(statistic, frame), **statistic.values()).sum())})


def _histogram(statistic: Statistic, frame: pl.DataFrame) -> Part:
    values = _present(statistic, frame)
    if not (values.dtype.is_numeric() or values.dtype == pl.Boolean):
        raise MetricError(f"values of type {values.dtype} have no histogram")
    counts, _ = np.histogram(values.cast(pl.Float64).to_numpy(), np.asarray(statistic.values()["bins"], dtype=float))
    return Part({"counts": counts.tolist()})


def _numbers(statistic: Statistic, frame: pl.DataFrame) -> Part:
    return Part(ExactSums.of(_present(statistic, frame)).to_plain())


def _extremes(statistic: Statistic, frame: pl.DataFrame) -> Part:
    values = _present(statistic, frame)
    if values.dtype.is_nested():
        raise MetricError(f"values of type {values.dtype} have no order")
    return Part(
        {},
        pl.DataFrame(
            {"min": [values.min()], "max": [values.max()]}, schema=dict.fromkeys(("min", "max"), values.dtype)
        ),
    )


def _counts(statistic: Statistic, frame: pl.DataFrame) -> Part:
    values = _present(statistic, frame)
    if values.dtype.is_nested():
        raise MetricError(f"values of type {values.dtype} are not told apart")
    table = values.alias("value").value_counts(name="rows").with_columns(pl.col("rows").cast(pl.Int64))
    return _capped(table, len(values))


def _capped(table: pl.DataFrame, rows: int) -> Part:
    if len(table) > DISTINCT:
        return Part({"n": rows, "overflow": True})
    return Part({"n": rows}, table.sort("value"))


def _condition(statistic: Statistic, frame: pl.DataFrame) -> Part:
    values = values_of(frame, statistic.columns[0])
    name = statistic.name.removeprefix("column_values.")
    if name == "nonnull":
        return Part({"n": values.null_count()})
    present = values.drop_nulls()
    if present.is_empty():
        return Part({"n": 0})
    broken = unexpected(name, present, statistic.values())
    return Part({"n": int(broken.sum())}, shown(present.filter(broken)).to_frame("value"))


def _row_condition(statistic: Statistic, frame: pl.DataFrame) -> Part:
    names = [str(index) for index in range(len(statistic.columns))]
    arguments = statistic.values()
    ignored = arguments.pop("ignore_row_if", None)
    columns = [values_of(frame, name) for name in statistic.columns]
    rows = considered(pl.DataFrame(dict(zip(names, columns, strict=True))), ignored)
    broken = unexpected_rows(statistic.name, rows.get_columns(), arguments)
    return Part({"n": int(broken.sum()), "rows": len(rows)}, _first(rows.filter(broken)))


def _first(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.unique().sort(rows.columns).head(SHOWN)


def _add(parts: Sequence[Part]) -> Part:
    """Adds up all numbers and keeps the first values."""
    plain = {name: sum(part.plain[name] for part in parts) for name in parts[0].plain}
    tables = [part.values for part in parts if part.values is not None]
    return Part(plain, _first(stacked(tables)) if tables else None)


def _add_lists(parts: Sequence[Part]) -> Part:
    return Part({"counts": [sum(counts) for counts in zip(*(part.plain["counts"] for part in parts), strict=True)]})


def _add_schemas(parts: Sequence[Part]) -> Part:
    found = {tuple(schema) for part in parts for schema in part.plain["schemas"]}
    return Part({"schemas": [list(schema) for schema in sorted(found)]})


def _add_sums(parts: Sequence[Part]) -> Part:
    total = ExactSums()
    for part in parts:
        total += ExactSums.from_plain(part.plain)
    return Part(total.to_plain())


def _widest(parts: Sequence[Part]) -> Part:
    table = stacked([part.values for part in parts if part.values is not None])
    return Part({}, table.select(pl.col("min").min(), pl.col("max").max()))


def _add_counts(parts: Sequence[Part]) -> Part:
    rows = sum(part.plain["n"] for part in parts)
    if any("overflow" in part.plain for part in parts):
        return Part({"n": rows, "overflow": True})
    table = stacked([part.values for part in parts if part.values is not None])
    return _capped(table.group_by("value").agg(pl.col("rows").sum()), rows)


def stacked(tables: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Tables of one statistic as one; where their types have nothing in common, as text.

    Args:
        tables: at least one, of the same columns.

    Returns:
        All rows, in any order.
    """
    try:
        return pl.concat(tables, how="vertical_relaxed")
    except pl.exceptions.PolarsError:
        words = [t.with_columns(pl.exclude("rows").cast(pl.String)) for t in tables]
        return pl.concat(words, how="vertical_relaxed")


_Count = Callable[[Statistic, pl.DataFrame], Part]
_Merge = Callable[[Sequence[Part]], Part]
_KINDS: dict[str, tuple[_Count, _Merge]] = {
    "rows": (_rows, _add),
    "schema": (_schema, _add_schemas),
    "nonnull": (_nonnull, _add),
    "between": (_between, _add),
    "histogram": (_histogram, _add_lists),
    "numbers": (_numbers, _add_sums),
    "extremes": (_extremes, _widest),
    "counts": (_counts, _add_counts),
    "condition": (_condition, _add),
    "row condition": (_row_condition, _add),
}
