"""Finds the column of a Parquet file that holds files: `struct<bytes, path>` as Hugging Face writes it, or binary."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from splitting.errors import DataError

_NAMES = ("image", "audio")


def image_column(schema: pa.Schema, file: str) -> str:
    """The column that holds the files.

    Args:
        schema: of a Parquet file.
        file: how it is called in a message.

    Returns:
        The one column that is `struct<bytes, path>`; the one that is binary where none is; of several, the one that is
        named `image` or `audio`.

    Raises:
        DataError: there is none, or it cannot be told which.
    """
    for fits in (_is_file, _is_binary):
        found = [field.name for field in schema if fits(field.type)]
        named = [name for name in found if name in _NAMES]
        if len(found) == 1 or len(named) == 1:
            return str(named[0] if named else found[0])
        if found:
            raise DataError(
                f"{file}: the columns {', '.join(found[:5])} could all hold the files; name one of them image, or audio"
            )
    raise DataError(
        f"{file} has no column of files, expected struct<bytes: binary, path: string>, or binary; its columns are "
        f"{', '.join(schema.names[:20])}"
    )


def has_files(schema: pa.Schema) -> bool:
    """Whether a column could hold files."""
    return any(_is_file(field.type) or _is_binary(field.type) for field in schema)


def bytes_of(values: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """The bytes in a column of files; null where there are none."""
    return pc.struct_field(values, "bytes") if pt.is_struct(values.type) else values


def paths_of(values: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """The paths in a column of files; null where there are none."""
    return pc.struct_field(values, "path") if pt.is_struct(values.type) else pa.nulls(len(values), pa.string())


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pt.is_binary(kind) or pt.is_large_binary(kind))


def _is_file(kind: pa.DataType) -> bool:
    if not pt.is_struct(kind):
        return False
    names = {kind.field(i).name: kind.field(i).type for i in range(kind.num_fields)}
    return "bytes" in names and "path" in names and _is_binary(names["bytes"])
