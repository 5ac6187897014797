"""Types that Parquet files and pyarrow's filters hold: others become the type of the same values, or are refused."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from splitting.errors import DataError


def storable(kind: pa.DataType) -> pa.DataType:
    """The type that holds the same values, for types that are only another layout of it.

    Args:
        kind: a type.

    Returns:
        `large_string` for `string_view`, `large_binary` for `binary_view`, also inside of others; a list for a list
        view, the type of the values for a run-end encoded array. Any other type as it is.

    Examples:
        >>> storable(pa.list_(pa.string_view()))
        ListType(list<item: large_string>)
        >>> storable(pa.run_end_encoded(pa.int32(), pa.int64()))
        DataType(int64)
    """
    if pt.is_string_view(kind) or pt.is_binary_view(kind):
        return pa.large_string() if pt.is_string_view(kind) else pa.large_binary()
    if pt.is_run_end_encoded(kind):
        return storable(kind.value_type)
    if _is_list_view(kind):
        return pa.large_list(_storable_field(kind.value_field))
    return _storable_inside(kind) if _is_changed_inside(kind) else kind


def _storable_inside(kind: pa.DataType) -> pa.DataType:
    if pt.is_struct(kind):
        return pa.struct([_storable_field(field) for field in kind])
    if pt.is_map(kind):
        return pa.map_(_storable_field(kind.key_field), _storable_field(kind.item_field), kind.keys_sorted)
    inner = _storable_field(kind.value_field)
    if pt.is_fixed_size_list(kind):
        return pa.list_(inner, kind.list_size)
    return pa.large_list(inner) if pt.is_large_list(kind) else pa.list_(inner)


def _storable_field(field: pa.Field) -> pa.Field:
    return field.with_type(storable(field.type))


def _is_changed_inside(kind: pa.DataType) -> bool:
    return any(storable(field.type) != field.type for field in _children(kind))


def _children(kind: pa.DataType) -> list[pa.Field]:
    return [kind.field(i) for i in range(kind.num_fields)] if pt.is_nested(kind) or _is_list_view(kind) else []


def _is_list_view(kind: pa.DataType) -> bool:
    return bool(pt.is_list_view(kind) or pt.is_large_list_view(kind))


def to_plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Run-end encoded arrays and list views, which pyarrow casts not or wrongly, laid out plainly; others as they are.

    Args:
        values: of any type.

    Returns:
        The same values; of lists, large ones.
    """
    if pt.is_run_end_encoded(values.type):
        return pc.run_end_decode(values)
    if not _is_list_view(values.type):
        return values
    chunks = [_plain_lists(chunk) for chunk in values.chunks]
    return pa.chunked_array(chunks, pa.large_list(values.type.value_field))


def _plain_lists(views: pa.Array) -> pa.Array:
    lengths = pc.fill_null(pc.list_value_length(views), 0).cast(pa.int64())
    ends = pa.concat_arrays([pa.array([0], pa.int64()), pc.cumulative_sum(lengths)])
    kind = pa.large_list(views.type.value_field)
    return pa.LargeListArray.from_arrays(ends, views.flatten(), type=kind, mask=views.is_null())


def is_opaque(kind: pa.DataType) -> bool:
    """Whether values of a type can be copied but not looked into: polars has no such type."""
    if isinstance(kind, pa.BaseExtensionType):
        return is_opaque(kind.storage_type)
    return bool(pt.is_decimal256(kind)) or _is_lost(kind) or any(is_opaque(field.type) for field in _children(kind))


def check_storable(schema: pa.Schema) -> None:
    """Makes sure that Parquet files can hold every column.

    Args:
        schema: of the unified input.

    Raises:
        DataError: they cannot; lists every such column.
    """
    lost = [field for field in schema if _is_lost(field.type)]
    if lost:
        told = ", ".join(f"{field.name} ({field.type})" for field in lost)
        raise DataError(
            f"Parquet has no type for {told}; write the files with another type, or without, or set output: index, "
            "which copies no data"
        )


def _is_lost(kind: pa.DataType) -> bool:
    if isinstance(kind, pa.BaseExtensionType):
        return _is_lost(kind.storage_type)
    lost = pt.is_union(kind) or pt.is_interval(kind) or pt.is_run_end_encoded(kind) or _is_list_view(kind)
    return bool(lost) or any(_is_lost(field.type) for field in _children(kind))


def check_metadata(schema: pa.Schema, file: str) -> None:
    """Makes sure that metadata can be read by polars and Beam's workers, which take texts only.

    Args:
        schema: of a file.
        file: how the file is shown.

    Raises:
        DataError: a key or value of the schema's metadata, or of a field's at any depth, is not UTF-8; names the first.
    """
    for where, key in [*_odd_keys("the schema", schema.metadata), *(found for f in schema for found in _odd_inside(f))]:
        raise DataError(
            f"{file}: the metadata of {where} holds bytes that are not UTF-8, under the key "
            f"{repr(key[:100])[1:]}; write the file without that key, or its value as text (base64)"
        )


def _odd_inside(field: pa.Field, path: str = "") -> Iterator[tuple[str, bytes]]:
    name = f"{path}.{field.name}" if path else field.name
    yield from _odd_keys(f"column {name!r}", field.metadata)
    kind = field.type.storage_type if isinstance(field.type, pa.BaseExtensionType) else field.type
    for child in _children(kind):
        yield from _odd_inside(child, name)


def _odd_keys(where: str, metadata: dict[bytes, bytes] | None) -> Iterator[tuple[str, bytes]]:
    yield from ((where, key) for key, value in (metadata or {}).items() if not (_is_utf8(key) and _is_utf8(value)))


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def is_plain(kind: pa.DataType) -> bool:
    """Whether polars and pyarrow read the same from Parquet, and write the same to it, whatever Arrow calls it."""
    return bool(
        pt.is_integer(kind)
        or pt.is_float32(kind)
        or pt.is_float64(kind)
        or pt.is_boolean(kind)
        or is_text_or_bytes(kind)
        or pt.is_date32(kind)
        or (pt.is_timestamp(kind) and kind.unit != "s")
    )


def is_text_or_bytes(kind: pa.DataType) -> bool:
    """Whether values are of any length: strings and bytes, large ones or not."""
    return bool(pt.is_string(kind) or pt.is_large_string(kind) or pt.is_binary(kind) or pt.is_large_binary(kind))


def check_readable(table: pa.Table) -> None:
    """Makes sure that what is written can be read: pyarrow reads no fixed-size list that is null from Parquet.

    Raises:
        DataError: a column has such nulls.
    """
    for field in table.schema:
        if _has_fixed_lists(field.type) and any(_has_null_list(chunk) for chunk in table.column(field.name).chunks):
            raise DataError(
                f"column {field.name!r} has fixed-size lists that are null, which pyarrow writes to Parquet but cannot "
                "read from it; fill them, or write the column as a list"
            )


def _has_fixed_lists(kind: pa.DataType) -> bool:
    if isinstance(kind, pa.BaseExtensionType):
        return _has_fixed_lists(kind.storage_type)
    return bool(pt.is_fixed_size_list(kind)) or any(_has_fixed_lists(field.type) for field in _children(kind))


def _has_null_list(array: pa.Array) -> bool:
    if isinstance(array, pa.ExtensionArray):
        return _has_null_list(array.storage)
    if isinstance(array, pa.FixedSizeListArray):
        return array.null_count > 0 or _has_null_list(array.flatten())
    if isinstance(array, pa.StructArray):
        return any(_has_null_list(part) for part in array.flatten())
    if isinstance(array, pa.MapArray):
        return _has_null_list(array.keys) or _has_null_list(array.items)
    if isinstance(array, pa.ListArray | pa.LargeListArray):
        return _has_null_list(array.flatten())
    return False
