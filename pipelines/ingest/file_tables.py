"""Lists of files: a table that names them, with the user's own columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from pipelines.ingest.members import MEMBER_SCHEMA, with_columns
from pipelines.ingest.rejects import MISSING, UNSAFE_NAME
from pipelines.sources.fragments import SourceRequest, take_inventory
from pipelines.sources.reading import Chunk, read_fragment
from splitting.columns import from_arrow
from splitting.errors import DataError

FILE_COLUMNS = ("file_name", "file", "path", "filename", "image", "audio")
_OUT = r"^/|^[a-z][a-z0-9+.-]*://|(^|/)\.{0,2}(/|$)|\x00"


@dataclass(frozen=True)
class FileTable:
    """A table that lists the files of a source.

    Attributes:
        path: of the table: CSV, JSON Lines, Parquet, …
        file: the column that names a file, relative to the source's folder; None for the first of the usual names.
        columns: those that are taken over; None for all others.
    """

    path: str
    file: str | None = None
    columns: tuple[str, ...] | None = None


def listed_files(name: str, table: FileTable, root: str | None) -> Iterator[pa.Table]:
    """The members that a table lists, with the user's columns; a batch at a time.

    Args:
        name: of the source.
        table: the list.
        root: the folder that its path is against.

    Yields:
        Members and the user's columns. A file that is not named, or whose name leads out of the source, is a member
        that is rejected.

    Raises:
        DataError: the table cannot be read, holds lines that are no rows, or lacks a column.
    """
    inventory = take_inventory([SourceRequest(name, (table.path,))], root, numbered=True)
    column = _file_column(table, inventory.schema)
    taken = [one for one in inventory.schema.names if one != column]
    if table.columns is not None:
        lacking = [one for one in table.columns if one not in inventory.schema.names]
        if lacking:
            raise DataError(f"{table.path} has no column {lacking[0]!r}; its columns are {_some(inventory.schema)}")
        taken = list(table.columns)
    for fragment in inventory.fragments:
        for chunk in read_fragment(fragment, inventory.schema):
            if chunk.bad_rows:
                told = f"{table.path}: {len(chunk.bad_rows):,} lines are no rows ({chunk.bad_rows[0].reason})"
                raise DataError(f"{told}; a list of files must be whole: mend it")
            yield _members(chunk, column, taken)


def _file_column(table: FileTable, schema: pa.Schema) -> str:
    wanted = FILE_COLUMNS if table.file is None else (table.file,)
    found = next((one for one in wanted if one in schema.names), None)
    if found is None:
        expected = " or ".join(wanted)
        raise DataError(
            f"{table.path} has no column {expected} that names the files; its columns are {_some(schema)}: name the "
            "one that does, as in table: {path: labels.csv, file: photo}"
        )
    if schema.field(found).type not in (pa.string(), pa.large_string(), pa.null()):  # null: nothing is named
        raise DataError(f"{table.path}: column {found!r} is {schema.field(found).type}, expected names of files")
    return found


def _some(schema: pa.Schema) -> str:
    return ", ".join(schema.names[:20])


def _members(chunk: Chunk, column: str, taken: list[str]) -> pa.Table:
    numbers = pl.Series("row", chunk.row_numbers())
    names = from_arrow(chunk.table.select([column])).to_series().cast(pl.String).alias("given")
    unnamed = pl.format("row {} of the list", "row")
    plain = pl.col("given").str.strip_prefix("./")
    frame = pl.DataFrame([names, numbers]).select(
        _path=pl.when(pl.col("given").fill_null("") != "").then(plain).otherwise(unnamed),
        _kind=pl.when(pl.col("given").fill_null("") == "")
        .then(pl.lit(MISSING))
        .when(plain.str.contains(_OUT))
        .then(pl.lit(UNSAFE_NAME)),
        _reason=pl.when(pl.col("given").fill_null("") == "")
        .then(pl.lit("no file is named"))
        .when(plain.str.contains(_OUT))
        .then(pl.lit("does not lie in the source's folder")),
    )
    known = {**frame.to_dict(), "_uri": frame["_path"]}
    columns = [
        known[f.name].to_arrow().cast(f.type) if f.name in known else pa.nulls(len(frame), f.type)
        for f in MEMBER_SCHEMA
    ]
    return with_columns(pa.table(columns, schema=MEMBER_SCHEMA), chunk.table, taken, chunk.fragment.file)
