"""Parquet files with a column of images or sounds: a row group is a part, a row is a member."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow.types as pt

from pipelines.ingest.image_columns import has_files, image_column
from pipelines.ingest.locations import resolve
from pipelines.ingest.members import MEMBER_SCHEMA, with_columns
from pipelines.sources.filesystems import Location, first_line, raise_for
from splitting.errors import DataError

ENDINGS = (".parquet", ".pq")


def row_parts(path: str, base: str, stamp: int | None, *, asked: bool = True) -> Iterator[pa.Table]:
    """The rows of a Parquet file, from its footer alone.

    Args:
        path: of the file, relative to the base.
        base: of the source.
        stamp: when the file changed last.
        asked: whether somebody named the file; else one without a column of files is a table that lies there.

    Yields:
        Members, a table a row group that has rows; their paths are not known yet (`described`).

    Raises:
        DataError: the file cannot be read, or has no column of files.
    """
    location = resolve(path, base)
    with _opened(location) as opened:
        if not asked and not has_files(opened.schema_arrow):
            return
        image_column(opened.schema_arrow, path)
        sizes = [opened.metadata.row_group(i).num_rows for i in range(opened.num_row_groups)]
    first = 0
    for rows in filter(None, sizes):
        columns = {
            "_path": pa.repeat("", rows),
            "_uri": pa.repeat(path, rows),
            "_row": pa.array(range(first, first + rows), pa.int64()),
            "_stamp": pa.repeat(pa.scalar(stamp, pa.int64()), rows),
        }
        yield pa.table([columns.get(f.name, pa.nulls(rows, f.type)) for f in MEMBER_SCHEMA], schema=MEMBER_SCHEMA)
        first += rows


def described(members: pa.Table, base: str) -> pa.Table:
    """Members of a Parquet file with their paths, and the user's columns beside them.

    Args:
        members: of one row group; others come back as they are.
        base: of the source.

    Returns:
        The members. A path is that in the column of files, or `FILE.parquet#ROW`.

    Raises:
        DataError: the file cannot be read.
    """
    if not members.num_rows or members["_row"].null_count:
        return members
    path, first = members["_uri"][0].as_py(), members["_row"][0].as_py()
    with _opened(resolve(path, base)) as opened:
        name = image_column(opened.schema_arrow, path)
        group, start = 0, 0
        while start < first:
            start += opened.metadata.row_group(group).num_rows
            group += 1
        beside = [one for one in opened.schema_arrow.names if one != name]
        is_struct = pt.is_struct(opened.schema_arrow.field(name).type)
        read = opened.read_row_group(group, columns=[*beside, *([f"{name}.path"] if is_struct else [])])
    rows = pc.cast(members["_row"], pa.string())
    named = pc.binary_join_element_wise(members["_uri"], rows, "#")
    if is_struct:
        given = pc.struct_field(read[name], "path").cast(pa.string())
        named = pc.if_else(pc.greater(pc.fill_null(pc.utf8_length(given), 0), 0), given, named)
    return with_columns(members.set_column(0, MEMBER_SCHEMA.field("_path"), named), read, beside, path)


def _opened(location: Location) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(location.path, filesystem=location.filesystem)
    except pa.ArrowException as error:
        told = f"{location.uri} is not a readable parquet file ({first_line(error)}); write it again, or leave it out"
        raise DataError(told) from error
    except OSError as error:
        raise_for(location, "read", error)
