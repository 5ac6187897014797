"""Unifies the schemas of all files: missing columns become nulls, numbers widen, anything else is a conflict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.types as pt

from pipelines.sources.formats import Format
from pipelines.sources.storable import storable
from splitting.errors import DataError

_UNITS = ("s", "ms", "us", "ns")
_SHOWN = 5


_TEXT_FORMATS = ("csv", "jsonl")


@dataclass(frozen=True)
class FileSchema:
    """The schema of one file, its format, and whether it has no columns but those."""

    source: str
    file: str
    schema: pa.Schema
    format: Format
    complete: bool = True


class TypeConflictError(DataError):
    """Columns have types that do not go together.

    Attributes:
        columns: each with the files that have it, in order.
    """

    def __init__(self, columns: Mapping[str, Sequence[FileSchema]]) -> None:
        self.columns = columns
        super().__init__(_told(columns))


def unify(schemas: Sequence[FileSchema]) -> pa.Schema:
    """One schema for all files.

    Args:
        schemas: in the order of sources and files.

    Returns:
        Columns in the order in which they first appear. A column is nullable unless every file has it and says
        otherwise. Metadata that all files agree on is kept. Types that are only another layout become plain
        (`storable`).

    Raises:
        DataError: a file has two columns of one name.
        TypeConflictError: columns conflict; lists every one with its types and files.
    """
    _check_distinct(schemas)
    holders: dict[str, list[FileSchema]] = {}
    for item in schemas:
        for name in item.schema.names:
            holders.setdefault(name, []).append(item)
    conflicts, merged = {}, []
    for name, files in holders.items():
        found = [item.schema.field(name) for item in files]
        kind = _merge_all([storable(field.type) for field in found])
        if kind is None:
            conflicts[name] = files
            continue
        nullable = len(found) < len(schemas) or any(field.nullable for field in found)
        merged.append(pa.field(name, kind, nullable, _shared_metadata([field.metadata for field in found])))
    if conflicts:
        raise TypeConflictError(conflicts)
    metadata = _shared_metadata([item.schema.metadata for item in schemas])
    return pa.schema(merged, metadata=metadata)


def _check_distinct(schemas: Sequence[FileSchema]) -> None:
    for item in schemas:
        names = item.schema.names
        twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
        if twice:
            raise DataError(f"{item.file}: column {twice[0]!r} stands more than once; rename one of them")


def _told(columns: Mapping[str, Sequence[FileSchema]]) -> str:
    have = "columns have types that do" if len(columns) > 1 else "column has types that do"
    guessed = any(item.format in _TEXT_FORMATS for files in columns.values() for item in files)
    advice = "Write the files with one type, or set csv.column_types." if guessed else "Write the files with one type."
    told = [_conflict(name, files) for name, files in columns.items()]
    return "\n".join([f"{len(columns)} {have} not go together:", *told, advice])


def _conflict(name: str, found: Sequence[FileSchema]) -> str:
    by_type: dict[str, list[str]] = {}
    for item in found:
        by_type.setdefault(str(item.schema.field(name).type), []).append(item.file)
    told = []
    for kind, files in by_type.items():
        more = f" and {len(files) - _SHOWN} more files" if len(files) > _SHOWN else ""
        told.append(f"{kind} in {', '.join(files[:_SHOWN])}{more}")
    return f"  - {name}: " + "; ".join(told)


def _shared_metadata(found: Sequence[dict[bytes, bytes] | None]) -> dict[bytes, bytes] | None:
    first = found[0] or {}
    shared = {key: value for key, value in first.items() if all((item or {}).get(key) == value for item in found)}
    return shared or None


def _merge_all(types: Sequence[pa.DataType]) -> pa.DataType | None:
    distinct = sorted(set(types), key=_rank)
    merged: pa.DataType | None = distinct[0]
    for other in distinct[1:]:
        merged = merge_types(merged, other) if merged is not None else None
    return merged


def _rank(kind: pa.DataType) -> tuple[int, str]:
    """Integers before floats, so that the result does not depend on the order of files."""
    return (0 if pt.is_null(kind) else 1 if pt.is_integer(kind) else 2, str(kind))


def merge_types(a: pa.DataType, b: pa.DataType) -> pa.DataType | None:  # noqa: C901, PLR0911, a table of rules
    """The type that holds the values of both; None where there is none.

    Args:
        a: a type.
        b: another.

    Returns:
        The wider type. Commutative.
    """
    if a.equals(b):
        return a
    if pt.is_null(a):
        return b
    if pt.is_null(b):
        return a
    if pt.is_dictionary(a) or pt.is_dictionary(b):
        values = [kind.value_type if pt.is_dictionary(kind) else kind for kind in (a, b)]
        return merge_types(*values)
    if _is_text(a) and _is_text(b):
        return pa.large_string()
    if _is_bytes(a) and _is_bytes(b):
        return pa.large_binary()
    if pt.is_timestamp(a) and pt.is_timestamp(b):
        return pa.timestamp(max(a.unit, b.unit, key=_UNITS.index), a.tz) if a.tz == b.tz else None
    if _is_number(a) and _is_number(b):
        return _merge_numbers(a, b)
    if pt.is_struct(a) and pt.is_struct(b):
        return _merge_structs(a, b)
    if _is_list(a) and _is_list(b):
        inner = merge_types(a.value_type, b.value_type)
        return pa.large_list(inner) if inner is not None else None
    return None


def _is_text(kind: pa.DataType) -> bool:
    return bool(pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind))


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pt.is_binary(kind) or pt.is_large_binary(kind) or pt.is_binary_view(kind))


def _is_list(kind: pa.DataType) -> bool:
    return bool(pt.is_list(kind) or pt.is_large_list(kind) or pt.is_fixed_size_list(kind))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pt.is_integer(kind) or pt.is_floating(kind) or pt.is_decimal(kind))


def _merge_numbers(a: pa.DataType, b: pa.DataType) -> pa.DataType | None:
    if pt.is_decimal(a) or pt.is_decimal(b):
        return _merge_decimals(a, b)
    if pt.is_floating(a) and pt.is_floating(b):
        return max(a, b, key=lambda kind: int(kind.bit_width))
    if pt.is_floating(a) or pt.is_floating(b):
        return pa.float64()
    signed = [pt.is_signed_integer(kind) for kind in (a, b)]
    if all(signed) or not any(signed):
        return max(a, b, key=lambda kind: int(kind.bit_width))
    unsigned = b if signed[0] else a
    width = max(2 * int(unsigned.bit_width), int((a if signed[0] else b).bit_width))
    return {16: pa.int16(), 32: pa.int32(), 64: pa.int64()}.get(width)


def _merge_decimals(a: pa.DataType, b: pa.DataType) -> pa.DataType | None:
    if pt.is_floating(a) or pt.is_floating(b):
        return None
    digits = {8: 3, 16: 5, 32: 10, 64: 20}
    parts = [(k.precision, k.scale) if pt.is_decimal(k) else (digits[int(k.bit_width)], 0) for k in (a, b)]
    scale = max(scale for _, scale in parts)
    precision = max(precision - own for precision, own in parts) + scale
    if precision > 76:
        return None
    return pa.decimal128(precision, scale) if precision <= 38 else pa.decimal256(precision, scale)


def _merge_structs(a: pa.DataType, b: pa.DataType) -> pa.DataType | None:
    fields = []
    names = [field.name for field in a] + [field.name for field in b if a.get_field_index(field.name) < 0]
    for name in names:
        found = [kind.field(name) for kind in (a, b) if kind.get_field_index(name) >= 0]
        merged = _merge_all([field.type for field in found])
        if merged is None:
            return None
        fields.append(pa.field(name, merged, len(found) < 2 or any(field.nullable for field in found)))
    return pa.struct(fields)


def check_key(schemas: Sequence[FileSchema], key: Sequence[str]) -> None:
    """Makes sure that every file has the columns of the key: all rows of one that has not would be rejected.

    Args:
        schemas: of all files. Those without any column are passed over: they hold no rows, or bad lines alone.
        key: columns.

    Raises:
        DataError: files lack one; lists up to five.
    """
    for name in key:
        lacking = [s for s in schemas if s.complete and s.schema.names and name not in s.schema.names]
        if lacking:
            shown = ", ".join(f"{item.file} (source {item.source!r})" for item in lacking[:_SHOWN])
            more = f" and {len(lacking) - _SHOWN} more files" if len(lacking) > _SHOWN else ""
            raise DataError(
                f"{shown}{more} {'has' if len(lacking) == 1 else 'have'} no column {name!r}, which is in the key, so "
                "every row there would be rejected; add the column, or take what lacks it out of the source"
            )


def check_reserved(schema: pa.Schema, source_column: str) -> None:
    """Makes sure that the output can have a column with the source.

    Raises:
        DataError: the input has a column of that name.
    """
    if source_column in schema.names:
        raise DataError(
            f"the input has a column named {source_column!r}, and every output row carries its source under that name; "
            f"set source_column: to a name that is free, as in source_column: {source_column}_name"
        )
