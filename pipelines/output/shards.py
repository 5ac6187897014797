"""Writes Parquet shards: by polars where that changes no type, else by pyarrow. Whole or not at all."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow.types as pt
from polars.io.plugins import register_io_source

from pipelines.sources.filesystems import Location, local_output, open_output, raise_for
from pipelines.sources.storable import check_readable, is_plain, is_text_or_bytes
from splitting.columns import from_arrow

ROW_GROUP = 2**17
_PENDING = 16 * 2**20
_SAMPLE_ROWS = 10_000
_LEVEL = 1
_GROUP_BYTES, _LEAST_GROUP = 64 * 2**20, 2**14
_ARROW_SCHEMA = "ARROW:schema"


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


class LargeRowsError(Exception):
    """Rows are too large to be held by the row group."""


def streams(location: Location, schema: pa.Schema) -> bool:
    """Whether `stream_shard` writes a table of this schema, here, so that it reads back with the very same schema."""
    return location.is_local and all(is_plain(field.type) for field in schema)


def stream_shard(
    location: Location, schema: pa.Schema, frames: Iterator[pl.DataFrame], enums: Mapping[str, pl.Enum]
) -> None:
    """Writes a Parquet file while its rows are read; it appears, whole, at the end. On all cores, in little memory.

    Args:
        location: of the file.
        schema: for which `streams` is true.
        frames: its rows, in that schema.
        enums: columns of text that the frames hold as these enums, which takes a third of the time to write.

    Raises:
        DataError: it cannot be written. What `frames` raises is raised.
        LargeRowsError: a row group would take more than 64 MiB. Another writer may take less, as `open_shard` does.
    """
    failures: list[BaseException] = []
    held = _polars_schema(schema, enums)
    group, frames = _row_group_size(frames)
    rows = _remembering(_bounded(frames, group), failures)
    with local_output(location) as temporary:
        try:
            register_io_source(rows, schema=held).sink_parquet(
                temporary,
                compression="zstd",
                compression_level=_LEVEL,
                statistics=_statistics(schema, enums),
                row_group_size=group,
                arrow_schema=_schema_held(schema, held),
                metadata=_file_metadata(schema),
                engine="streaming",
            )
        except (pl.exceptions.PolarsError, OSError) as error:
            if failures:
                raise failures[0] from None
            raise_for(location, "write", error if isinstance(error, OSError) else OSError(str(error)))


def _row_group_size(frames: Iterator[pl.DataFrame]) -> tuple[int, Iterator[pl.DataFrame]]:
    """Rows of a row group, which is held whole: fewer where the first rows are large. And all of the frames."""
    first = next(frames, None)
    if first is None or not len(first):
        return ROW_GROUP, frames
    fit = _GROUP_BYTES // 2 * len(first) // max(1, int(first.estimated_size()))
    return max(_LEAST_GROUP, min(ROW_GROUP, fit)), chain([first], frames)


def _bounded(frames: Iterator[pl.DataFrame], group: int) -> Iterator[pl.DataFrame]:
    """The frames, as long as no row group of so many rows takes too much; in a frame all rows count alike."""
    rows, size = 0, 0.0  # of the open row group
    for frame in frames:
        each = frame.estimated_size() / max(1, len(frame))
        size += each * min(len(frame), group - rows)
        if max(size, each * min(len(frame), group)) > _GROUP_BYTES:
            raise LargeRowsError
        rows += len(frame)
        if rows >= group:
            rows %= group
            size = each * rows
        yield frame


def _statistics(schema: pa.Schema, enums: Mapping[str, pl.Enum]) -> dict[str, bool]:
    """What a footer tells of each row group's columns: the least and the largest value where none can be long.

    Of texts and bytes polars may write them as they are, and a footer of long ones is more than readers take.
    """
    bounded = not any(is_text_or_bytes(field.type) for field in schema if field.name not in enums)
    return {"min": bounded, "max": bounded, "null_count": True}


def _schema_held(schema: pa.Schema, held: pl.Schema) -> pa.Schema:
    """The types that polars has in memory, which it writes without a copy; all else of the fields as it should be."""
    native = pl.DataFrame(schema=held).to_arrow(compat_level=pl.CompatLevel.newest()).schema
    return pa.schema([wanted.with_type(have.type) for wanted, have in zip(schema, native, strict=True)])


def _file_metadata(schema: pa.Schema) -> dict[str, str]:
    """As pyarrow writes it: the pairs of the schema, and the schema itself, for those who read the file as Arrow."""
    pairs = {name.decode(): value.decode() for name, value in (schema.metadata or {}).items()}
    return {**pairs, _ARROW_SCHEMA: base64.b64encode(schema.serialize().to_pybytes()).decode()}


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


def _polars_schema(schema: pa.Schema, enums: Mapping[str, pl.Enum]) -> pl.Schema:
    plain = from_arrow(schema.empty_table()).schema
    return pl.Schema({name: enums.get(name, kind) for name, kind in plain.items()})
