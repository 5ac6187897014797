"""Columns by their very names: polars takes `*` and `^…$` for patterns, and data may have columns of such names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl
import polars.selectors as cs
import pyarrow as pa


def column(name: str) -> pl.Expr:
    """The column of this name, whatever the name is."""
    return cs.by_name(name).as_expr()


def from_arrow(table: pa.Table) -> pl.DataFrame:
    """An Arrow table as a frame, all names kept; `polars.from_arrow` gives a column named "" another name.

    Args:
        table: of types that polars has.

    Returns:
        Its columns; no rows where it has none.
    """
    series = (pl.Series(pl.from_arrow(values)) for values in table.columns)
    return pl.DataFrame(dict(zip(table.column_names, series, strict=True)))


def pick(frame: pl.DataFrame, names: Iterable[str]) -> pl.DataFrame:
    """Some columns of a frame.

    Args:
        frame: holds them.
        names: theirs.

    Returns:
        They, in the order of the names.

    Examples:
        >>> pick(pl.DataFrame({"*": [1], "a": [2]}), ["*"]).columns
        ['*']
    """
    return pl.DataFrame({name: frame.get_column(name) for name in names})


def cast_columns(frame: pl.DataFrame, types: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Some columns of a frame as other types.

    Args:
        frame: holds them.
        types: by name; their order is that of the result.

    Returns:
        They; a column that has its type already is not copied.

    Raises:
        polars.exceptions.InvalidOperationError: a value does not fit.
    """
    if list(frame.schema.items()) == list(types.items()):
        return frame
    found = {name: frame.get_column(name) for name in types}
    return pl.DataFrame({name: s if s.dtype == types[name] else s.cast(types[name]) for name, s in found.items()})
