"""Columns as the conditions see them: NaN is missing, as it is for Great Expectations and pandas."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from splitting.columns import column

SHOWN = 20
"""Unexpected values that are kept of a condition."""


class MetricError(ValueError):
    """A metric that has no value for these data; its text says why."""


def values_of(frame: pl.DataFrame, name: str) -> pl.Series:
    """A column.

    Args:
        frame: of the rows.
        name: of the column.

    Returns:
        Its values, named `value`: NaN as null, minus zero as zero, categories as text.

    Raises:
        MetricError: there is no such column.
    """
    if name not in frame.columns:
        raise MetricError(f"there is no column {name!r}")
    values = frame.get_column(name).alias("value")  # polars takes names as `^a$` for patterns
    if values.dtype.is_float():
        return values.fill_nan(None) + 0.0
    if isinstance(values.dtype, pl.Categorical | pl.Enum):
        return values.cast(pl.String)
    return values


def texts_of(values: pl.Series) -> pl.Series:
    """Values as Python prints them.

    Args:
        values: text, numbers or truth values.

    Returns:
        String; null where there is no value.

    Raises:
        MetricError: values of another type.
    """
    if values.dtype == pl.String:
        return values
    if values.dtype.is_integer():
        return values.cast(pl.String)
    if values.dtype.is_float() or values.dtype.is_decimal() or values.dtype == pl.Boolean:
        return mapped(values, str, pl.String())
    raise MetricError(f"values of type {values.dtype} are not compared as text")


def mapped(values: pl.Series, function: Callable[[Any], Any], dtype: pl.DataType) -> pl.Series:
    """A Python function of values, called once a distinct value.

    Args:
        values: of a type that can be told apart.
        function: of one value.
        dtype: of its results.

    Returns:
        The results; null where the value is null.
    """
    distinct = values.drop_nulls().unique()
    results = pl.Series([function(value) for value in distinct], dtype=dtype)
    table = pl.DataFrame({"value": distinct, "result": results})
    return values.to_frame("value").join(table, on="value", how="left", maintain_order="left").get_column("result")


def shown(values: pl.Series) -> pl.Series:
    """The values that are kept of many: the first distinct ones in the order of their type.

    Args:
        values: of any type; nested ones and bytes are shown as text.

    Returns:
        At most 20; nulls are not among them.
    """
    if values.dtype.is_nested():
        values = values.to_frame("value").select(pl.struct(column("value")).struct.json_encode()).to_series()
    elif values.dtype == pl.Binary:
        values = values.bin.encode("hex")
    return values.drop_nulls().unique().sort().head(SHOWN)


def members(values: Iterable[Any], dtype: pl.DataType) -> pl.Series:
    """Those of some values that a column of a type can hold.

    Args:
        values: Python values, as a suite has them; texts of times are ISO 8601.
        dtype: of the column.

    Returns:
        The values of that type (decimals, floats of 32 bits as `comparable` has them), without nulls.

    Raises:
        MetricError: a text is no time, or the type cannot be compared.
    """
    found = [_member(value, dtype) for value in values if value is not None]
    target = comparable(pl.Series(dtype=dtype)).dtype
    return pl.Series([value for value in found if value is not None], dtype=target, strict=False).drop_nulls()


def comparable(values: pl.Series) -> pl.Series:
    """Values in the type that they are compared in with the values of a suite."""
    if values.dtype in (pl.Float32, pl.Date):
        return values.cast(pl.Float64 if values.dtype == pl.Float32 else pl.Datetime("us"))
    return values


def _member(value: Any, dtype: pl.DataType) -> Any:
    if dtype in (pl.Date, pl.Datetime):
        return moment(value, dtype) if isinstance(value, str | date) else None
    if dtype == pl.String:
        return value if isinstance(value, str) else None
    if dtype == pl.Boolean:
        return bool(value) if isinstance(value, int | float) and value in (0, 1) else None
    if dtype.is_numeric():
        return _number(value, dtype)
    raise MetricError(f"values of type {dtype} are not compared with a set")


def _number(value: Any, dtype: pl.DataType) -> Any:
    if not isinstance(value, int | float | Decimal):
        return None
    if dtype.is_integer():
        return int(value) if math.isfinite(value) and value == int(value) else None
    if isinstance(dtype, pl.Decimal):
        exact = Decimal(str(+value))
        return exact if exact.is_finite() and round(exact, dtype.scale) == exact else None
    return float(value)


def moment(value: str | date, dtype: pl.DataType) -> datetime:
    """A time of a suite as a column's type has it.

    Args:
        value: ISO 8601, or a time.
        dtype: Date or Datetime.

    Returns:
        With a time zone where the type has one: UTC where none is told.

    Raises:
        MetricError: the text is no time.
    """
    try:
        told: date = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError as error:
        raise MetricError(f"{value!r} is no time in ISO 8601, as in 2024-01-31 or 2024-01-31T12:00:00") from error
    whole = told if isinstance(told, datetime) else datetime.combine(told, time())
    zone = dtype.time_zone if isinstance(dtype, pl.Datetime) else None
    if zone is None:
        return whole.astimezone(UTC).replace(tzinfo=None) if whole.tzinfo else whole
    return (whole if whole.tzinfo else whole.replace(tzinfo=UTC)).astimezone(ZoneInfo(zone))
