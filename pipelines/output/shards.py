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
from pipelines.sources.storable import check_readable
from splitting.columns import from_arrow

ROW_GROUP = 2**17
_PENDING = 16 * 2**20
_SAMPLE_ROWS = 10_000
_LEVEL = 1
_ROW_GROUP_BYTES = 64 * 2**20
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


def streams(location: Location, schema: pa.Schema) -> bool:
    """Whether `stream_shard` writes a table of this schema, here, so that it reads back with the very same schema."""
    return location.is_local and all(_is_plain(field.type) for field in schema)


def _is_plain(kind: pa.DataType) -> bool:
    """Types that polars puts into Parquet as pyarrow does; the schema beside them tells the one from the other."""
    return bool(
        pt.is_integer(kind)
        or pt.is_float32(kind)
        or pt.is_float64(kind)
        or pt.is_boolean(kind)
        or pt.is_string(kind)
        or pt.is_large_string(kind)
        or pt.is_binary(kind)
        or pt.is_large_binary(kind)
        or pt.is_date32(kind)
        or (pt.is_timestamp(kind) and kind.unit != "s")
    )


def stream_shard(
    location: Location,
    schema: pa.Schema,
    frames: Iterator[pl.DataFrame],
    enums: Mapping[str, pl.Enum] | None = None,
) -> None:
    """Writes a Parquet file while its rows are read; it appears, whole, at the end. On all cores, in little memory.

    Args:
        location: of the file.
        schema: for which `streams` is true.
        frames: its rows, in that schema.
        enums: columns of text that the frames hold as these enums, which takes a third of the time to write.

    Raises:
        DataError: it cannot be written. What `frames` raises is raised.
    """
    failures: list[BaseException] = []
    held = _polars_schema(schema, enums or {})
    row_group_size, frames = _row_group_size(frames)
    rows = _remembering(frames, failures)
    with local_output(location) as temporary:
        try:
            register_io_source(rows, schema=held).sink_parquet(
                temporary,
                compression="zstd",
                compression_level=_LEVEL,
                row_group_size=row_group_size,
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
    fit = _ROW_GROUP_BYTES * len(first) // max(1, int(first.estimated_size()))
    return max(1, min(ROW_GROUP, fit)), chain([first], frames)


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
