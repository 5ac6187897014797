"""What is measured of a column, by its type: the column itself, and columns that are derived from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import polars as pl

_WORDS = frozenset(
    {pl.Float32, pl.Float64, pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64}
)
"""Types of numbers that are measured as they are."""
Family = Literal["number", "text", "time", "vector", "other"]


@dataclass(frozen=True, eq=False)
class Measured:
    """A column to be measured.

    Attributes:
        name: its own, or that of a derived one, as in `caption (length)`.
        family: how its values are measured.
        values: as they are measured: floats or integers of at most 64 bits for numbers, String for texts, days as Int64
            for times.
        exact: the values that have a least and a greatest, where those are no floats; `values` itself where that has
            them; None where they are floats.
    """

    name: str
    family: Family
    values: pl.Series
    exact: pl.Series | None = None


def length_of(name: str) -> str:
    """The name of the column of a column's lengths."""
    return f"{name} (length)"


def measured_columns(name: str, column: pl.Series, *, categorical: bool) -> Iterator[Measured]:
    """What is measured of a column.

    Args:
        name: of the column.
        column: its values, of any type.
        categorical: its values are categories, whatever their type.

    Yields:
        The column, then those derived from it; nulls stay null.
    """
    kind = column.dtype
    if categorical and not kind.is_nested():
        yield Measured(name, "text", column.cast(pl.String, strict=False))
    elif isinstance(kind, pl.String | pl.Categorical | pl.Enum):
        texts = column.cast(pl.String)
        yield Measured(name, "text", texts)
        yield Measured(length_of(name), "number", texts.str.len_chars())
    elif isinstance(kind, pl.Boolean):
        yield Measured(name, "text", column.cast(pl.String))
    elif kind.is_numeric():
        if kind in _WORDS:
            yield Measured(name, "number", column, None if kind.is_float() else column)
        else:
            yield Measured(name, "number", column.cast(pl.Float64, strict=False), column)
    elif isinstance(kind, pl.Date | pl.Datetime):
        days = column.dt.epoch("d") if isinstance(kind, pl.Datetime) else column.cast(pl.Int32)
        yield Measured(name, "time", days.cast(pl.Int64), column)
    elif isinstance(kind, pl.Duration | pl.Time):
        yield Measured(name, "number", column.cast(pl.Int64).cast(pl.Float64))
    elif isinstance(kind, pl.List | pl.Array):
        yield from _lists(name, column)
    else:
        yield Measured(name, "other", column)
        if isinstance(kind, pl.Binary):
            yield Measured(length_of(name), "number", column.bin.size())


def _lists(name: str, column: pl.Series) -> Iterator[Measured]:
    lists = column.cast(pl.List(column.dtype.inner)) if isinstance(column.dtype, pl.Array) else column
    assert isinstance(lists.dtype, pl.List)  # noqa: S101
    lengths = lists.list.len()
    if not lists.dtype.inner.is_numeric():
        yield Measured(name, "other", column)
        yield Measured(length_of(name), "number", lengths)
        return
    numbers = lists.cast(pl.List(pl.Float64))
    norms = numbers.list.eval((pl.element() * pl.element()).sum().sqrt()).list.first()
    yield Measured(name, "vector", numbers)
    yield Measured(length_of(name), "number", lengths)
    yield Measured(f"{name} (norm)", "number", norms)
