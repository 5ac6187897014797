"""Writes Parquet shards: by polars where that changes no type, else by pyarrow. Whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow.types as pt
from polars.io.plugins import register_io_source

from pipelines.sources.filesystems import Location, local_output, open_output, raise_for
from pipelines.sources.storable import check_readable
from splitting.columns import from_arrow

ROW_GROUP = 2**17
_PENDING = 16 * 2**20
_SAMPLE_ROWS = 10_000
_LEVEL = 1


class ShardWriter:
    """Takes the tables of one file, in order; gathers small ones to row groups."""

    def __init__(self, sink: pa.NativeFile, schema: pa.Schema, *, bounded: bool = False) -> None:
        """Opens nothing yet: the first rows tell what columns a dictionary makes smaller.

        Args:
            sink: where the bytes go.
            schema: of every table.
            bounded: no row group is larger than 16 MiB, or a table that is: a row group is held whole.
        """
        self._sink, self._schema, self._bounded = sink, schema, bounded
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pa.Table] = []

    def write(self, table: pa.Table) -> None:
        """Appends a table."""
        if not len(table):
            return
        if self._bounded and sum(t.nbytes for t in (*self._waiting, table)) > _PENDING:
            self._flush()
        self._waiting.append(table)
        if sum(len(part) for part in self._waiting) >= ROW_GROUP or sum(t.nbytes for t in self._waiting) >= _PENDING:
            self._flush()

    def close(self) -> None:
        """Writes what waits, and the footer."""
        self._flush()
        self._open(self._schema.empty_table()).close()

    def abandon(self) -> None:
        """Closes without writing what waits."""
        if self._writer is not None:
            self._writer.close()

    def _flush(self) -> None:
        if self._waiting:
            table = pa.concat_tables(self._waiting)
            check_readable(table)
            self._waiting = []
            self._open(table).write_table(table)

    def _open(self, table: pa.Table) -> pq.ParquetWriter:
        if self._writer is None:
            self._writer = pq.ParquetWriter(
                self._sink,
                self._schema,
                compression="zstd",
                compression_level=_LEVEL,
                use_dictionary=_dictionary_columns(table, nested=not self._bounded),
            )
        return self._writer


@contextmanager
def open_shard(location: Location, schema: pa.Schema, *, bounded: bool = False) -> Iterator[ShardWriter]:
    """Writes a Parquet file table by table; it appears, whole, when the block ends without an error.

    Args:
        location: of the file.
        schema: of every table.
        bounded: see `ShardWriter`.
    """
    with open_output(location) as sink:
        writer = ShardWriter(sink, schema, bounded=bounded)
        try:
            yield writer
        except BaseException:
            writer.abandon()
            raise
        writer.close()


def _dictionary_columns(table: pa.Table, *, nested: bool) -> list[str] | bool:
    """The columns whose values repeat: the others cost time and space to try.

    Args:
        table: the first rows.
        nested: True where columns are nested; else none of those: a dictionary of files would be the files.
    """
    flat = [field.name for field in table.schema if not pt.is_nested(field.type)]
    if nested and len(flat) < len(table.schema):
        return True
    sample = table.slice(0, _SAMPLE_ROWS)
    return [name for name in flat if _repeats(sample.column(name))]


def _repeats(column: pa.ChunkedArray) -> bool:
    try:
        return 2 * int(pc.count_distinct(column, mode="all").as_py()) <= len(column)
    except pa.ArrowException:
        return True


def streams(location: Location, schema: pa.Schema) -> bool:
    """Whether `stream_shard` writes a table of this schema, here, so that it reads back with the very same schema."""
    return location.is_local and all(_is_exact(field.type) for field in schema)


def _is_exact(kind: pa.DataType) -> bool:
    """Types that polars writes as they are; it makes `string` to `large_string`, for one."""
    return bool(
        pt.is_integer(kind)
        or pt.is_float32(kind)
        or pt.is_float64(kind)
        or pt.is_boolean(kind)
        or pt.is_large_string(kind)
        or pt.is_large_binary(kind)
        or pt.is_date32(kind)
        or (pt.is_timestamp(kind) and kind.unit != "s")
    )


def stream_shard(location: Location, schema: pa.Schema, frames: Iterator[pl.DataFrame]) -> None:
    """Writes a Parquet file while its rows are read; it appears, whole, at the end. On all cores, in little memory.

    Args:
        location: of the file.
        schema: for which `streams` is true.
        frames: its rows, in that schema.

    Raises:
        DataError: it cannot be written. What `frames` raises is raised.
    """
    failures: list[BaseException] = []
    with local_output(location) as temporary:
        rows = register_io_source(_remembering(frames, failures), schema=_polars_schema(schema))
        try:
            rows.sink_parquet(
                temporary,
                compression="zstd",
                compression_level=_LEVEL,
                row_group_size=ROW_GROUP,
                arrow_schema=schema,
                engine="streaming",
            )
        except (pl.exceptions.PolarsError, OSError) as error:
            if failures:
                raise failures[0] from None
            raise_for(location, "write", error if isinstance(error, OSError) else OSError(str(error)))


def _remembering(
    frames: Iterator[pl.DataFrame], failures: list[BaseException]
) -> Callable[..., Iterator[pl.DataFrame]]:
    """An input of a polars query; polars makes errors of its own of what it raises, so that is kept."""

    def read(*_: object) -> Iterator[pl.DataFrame]:
        try:
            yield from frames
        except BaseException as error:
            failures.append(error)
            raise

    return read


def _polars_schema(schema: pa.Schema) -> pl.Schema:
    return from_arrow(schema.empty_table()).schema
