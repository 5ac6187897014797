"""Reads fragments into tables of the unified schema; by polars where that changes nothing, else by pyarrow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import orc

from pipelines.sources.csv_files import csv_columns, read_csv
from pipelines.sources.filesystems import Location, first_line, locate, raise_for
from pipelines.sources.fragments import Fragment
from pipelines.sources.json_lines import read_json
from pipelines.sources.options import CsvOptions
from pipelines.sources.storable import is_plain, to_plain
from pipelines.sources.text import MAX_TEXT, BadRow
from splitting.columns import cast_columns, column, from_arrow
from splitting.errors import DataError

__all__ = ["BadRow", "Chunk", "FrameChunk", "read_fragment", "read_frame", "reads_fast"]

Part = tuple[pa.Table, tuple[BadRow, ...]]


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some rows of a fragment, converted only as far as they are asked for.

    Attributes:
        rows: the columns asked for, as they were read.
        fragment: where they were read.
        schema: the unified one, of those columns.
        first_row: the number of the first row in its file, from 0, unreadable lines not counted.
        bad_rows: lines that are no rows.
    """

    rows: pa.Table | pl.DataFrame
    fragment: Fragment
    schema: pa.Schema
    first_row: int
    bad_rows: tuple[BadRow, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def table(self) -> pa.Table:
        """All rows in the unified schema; nulls where the file lacks a column."""
        return self.table_of(None)

    def table_of(self, chosen: pl.Series | None) -> pa.Table:
        """Some rows in the unified schema.

        Args:
            chosen: Boolean, a row each; None for all.

        Returns:
            They, in order.
        """
        rows = self.rows
        if isinstance(rows, pl.DataFrame):
            return _cast(_to_arrow(rows if chosen is None else rows.filter(chosen)), self.schema, self.fragment)
        return rows if chosen is None else rows.filter(chosen.to_arrow())

    def frame(self, columns: Sequence[str]) -> pl.DataFrame:
        """All rows of some columns, as `read_frame` gives them."""
        if isinstance(self.rows, pl.DataFrame):
            frame = cast_columns(self.rows, polars_types(self.schema, columns))
        else:
            frame = from_arrow(self.rows.select(list(columns)))
        return frame if columns else pl.DataFrame(height=len(self))

    def row_numbers(self, chosen: pl.Series | None = None) -> pa.Array:
        """The numbers in their file of some rows, int64; None for all."""
        if chosen is not None:
            return (chosen.arg_true().cast(pl.Int64) + self.first_row).to_arrow()
        return pl.int_range(self.first_row, self.first_row + len(self), eager=True).to_arrow()


@dataclass(frozen=True, eq=False)
class FrameChunk:
    """Some rows of a fragment as polars has them; for counting."""

    frame: pl.DataFrame
    bad_rows: tuple[BadRow, ...] = ()


def read_fragment(fragment: Fragment, schema: pa.Schema) -> Iterator[Chunk]:
    """Reads a fragment.

    Args:
        fragment: what to read.
        schema: of the unified table.

    Yields:
        Its rows, in order.

    Raises:
        DataError: it cannot be read, or a value does not fit the unified schema.
    """
    number = fragment.first_row
    for rows, bad_rows in _read(fragment, schema, schema.names):
        yield Chunk(rows, fragment, schema, number, bad_rows)
        number += len(rows)


def read_frame(fragment: Fragment, schema: pa.Schema, columns: Sequence[str]) -> Iterator[FrameChunk]:
    """Reads some columns of a fragment.

    Args:
        fragment: what to read.
        schema: of the unified table.
        columns: those wanted; with none, frames of the right height.

    Yields:
        Its rows, in order.

    Raises:
        DataError: it cannot be read, or a value does not fit the unified schema.
    """
    if columns and reads_fast(fragment, schema, columns):
        frame = _read_polars(fragment, columns)
        yield FrameChunk(cast_columns(frame, polars_types(schema, columns)))
        return
    names = list(columns) or schema.names[:1]
    wanted = pa.schema([schema.field(name) for name in names], metadata=schema.metadata)
    for rows, bad_rows in _read(fragment, schema, names):
        yield FrameChunk(Chunk(rows, fragment, wanted, 0).frame(columns), bad_rows)


def polars_types(schema: pa.Schema, columns: Sequence[str]) -> Mapping[str, pl.DataType]:
    """The polars types of columns of an Arrow schema."""
    return _polars_types(schema, tuple(columns))


@lru_cache(maxsize=64)
def _polars_types(schema: pa.Schema, columns: tuple[str, ...]) -> Mapping[str, pl.DataType]:
    return MappingProxyType(from_arrow(schema.empty_table().select(list(columns))).schema)


def _read(
    fragment: Fragment, schema: pa.Schema, columns: Sequence[str]
) -> Iterator[tuple[pa.Table | pl.DataFrame, tuple[BadRow, ...]]]:
    wanted = pa.schema([schema.field(name) for name in columns], metadata=schema.metadata)
    location = locate(fragment.uri)
    try:
        if reads_fast(fragment, schema, columns):
            yield _read_polars(fragment, columns), ()
            return
        for table, bad_rows in _read_pyarrow(fragment, location, schema, columns):
            yield _cast(table, wanted, fragment), bad_rows
    except pa.ArrowException as error:
        raise _broken(fragment, error) from error
    except OSError as error:
        if error.errno is None:
            raise _broken(fragment, error) from error
        raise_for(location, "read", error)


def _broken(fragment: Fragment, error: BaseException) -> DataError:
    return DataError(
        f"{fragment.file} cannot be read as {fragment.format} ({first_line(error)}); it may be cut off or damaged: "
        "write it again, or leave it out"
    )


def reads_fast(fragment: Fragment, schema: pa.Schema, columns: Sequence[str]) -> bool:
    """Whether polars reads these columns of a fragment without changing them.

    Args:
        fragment: what to read.
        schema: of the unified table.
        columns: those wanted.

    Returns:
        True for local Parquet files with flat columns.
    """
    if fragment.format != "parquet" or not locate(fragment.uri).is_local:
        return False
    return all(is_plain(schema.field(name).type) for name in columns)


def _read_polars(fragment: Fragment, columns: Sequence[str]) -> pl.DataFrame:
    try:
        lazy = pl.scan_parquet(fragment.uri, glob=False, hive_partitioning=False)
        there = lazy.collect_schema().names()
        rows = lazy.slice(fragment.first_row, fragment.rows).select(
            column(name) if name in there else pl.lit(None).alias(name) for name in columns
        )
        if not set(columns) & set(there):
            return pl.DataFrame({name: pl.repeat(None, fragment.rows or 0, eager=True) for name in columns})
        return rows.collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _broken(fragment, error) from error


def _to_arrow(frame: pl.DataFrame) -> pa.Table:
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())


def _cast(table: pa.Table, wanted: pa.Schema, fragment: Fragment) -> pa.Table:
    """The table in the unified schema, missing columns as nulls."""
    columns = []
    for field in wanted:
        if field.name not in table.column_names:
            columns.append(pa.nulls(len(table), field.type))
            continue
        values = table.column(field.name)
        try:
            values = to_plain(values)
            columns.append(values if values.type.equals(field.type) else values.cast(field.type))
        except pa.ArrowException as error:
            raise DataError(
                f"{fragment.file}: column {field.name!r} cannot be read as {field.type}, the type that all files share "
                f"({first_line(error)}); write all files with one type"
            ) from error
    return pa.table(columns, schema=wanted)


def _read_pyarrow(fragment: Fragment, location: Location, schema: pa.Schema, columns: Sequence[str]) -> Iterator[Part]:
    if fragment.format == "csv":
        options = fragment.csv or CsvOptions()
        there = csv_columns(location, fragment.file, options)
        present = [name for name in columns if name in there] or there[:1]
        yield from read_csv(location, fragment.file, options, schema, present, fragment.span)
    elif fragment.format == "jsonl":
        yield from read_json(location, fragment.file, schema, columns, fragment.span)
    elif fragment.format == "orc":
        yield from _read_orc(location, columns)
    elif fragment.format == "arrow":
        yield from _read_ipc(fragment, location, columns)
    elif fragment.format == "rejects":
        yield _read_rejects(location)
    else:
        yield from _read_parquet(fragment, location, columns)


def _read_parquet(fragment: Fragment, location: Location, columns: Sequence[str]) -> Iterator[Part]:
    first, last = fragment.row_groups or (0, 0)
    with pq.ParquetFile(location.path, filesystem=location.filesystem) as opened:
        present = [name for name in columns if name in opened.schema_arrow.names]
        if not opened.num_row_groups:
            yield opened.schema_arrow.empty_table().select(present), ()
            return
        for group in range(first, last):
            if present:
                yield opened.read_row_group(group, columns=present), ()
            else:
                yield pa.table({"": pa.nulls(opened.metadata.row_group(group).num_rows)}), ()


def _read_ipc(fragment: Fragment, location: Location, columns: Sequence[str]) -> Iterator[Part]:
    with location.filesystem.open_input_file(location.path) as handle:
        if fragment.row_groups is None:
            stream = pa.ipc.open_stream(handle)
            for batch in stream:
                yield _some(pa.Table.from_batches([batch], stream.schema), columns), ()
            return
        opened = pa.ipc.open_file(handle)
        for i in range(*fragment.row_groups) if opened.num_record_batches else ():
            yield _some(pa.Table.from_batches([opened.get_batch(i)], opened.schema), columns), ()


def _read_orc(location: Location, columns: Sequence[str]) -> Iterator[Part]:
    with location.filesystem.open_input_file(location.path) as handle:
        opened = orc.ORCFile(handle)
        for stripe in range(opened.nstripes):
            batch = opened.read_stripe(stripe)
            yield _some(pa.Table.from_batches([batch]), columns), ()


def _read_rejects(location: Location) -> Part:
    """No rows; what was rejected before, as lines that are no rows are."""
    table = pq.read_table(location.path, filesystem=location.filesystem, partitioning=None)
    columns = [table[name].to_pylist() for name in ("path", "reason", "kind")]
    return pa.table({}), tuple(
        BadRow(path[:MAX_TEXT], f"{kind}: {why}", kind) for path, why, kind in zip(*columns, strict=True)
    )


def _some(table: pa.Table, columns: Sequence[str]) -> pa.Table:
    present = [name for name in columns if name in table.column_names]
    return table.select(present) if present else pa.table({"": pa.nulls(len(table))})
