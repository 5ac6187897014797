"""Reads JSON Lines in blocks: one object a line; text stays text, and whole numbers keep their digits."""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pajson
import pyarrow.types as pt

from pipelines.sources.filesystems import Location, first_line
from pipelines.sources.options import CsvOptions
from pipelines.sources.text import BLOCK_BYTES, MAX_TEXT, BadRow, Span, is_utf8, open_text
from splitting.errors import DataError

_EXACT = 2**53
_MOST_DIGITS = 300  # more than that may be past the largest double
_CHANGED = re.compile(r"Column\(/?(.*?)\) changed from (\S+) to (\S+)")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_BOM = b"\xef\xbb\xbf"


def json_schema(location: Location, file: str, options: CsvOptions) -> pa.Schema | None:
    """The schema of a JSON Lines file, guessed from its first block; None where it has no row.

    Text is never guessed to be a time. Whole numbers past int64 are uint64 where all of the column fit.

    Args:
        location: of the file.
        file: how it is shown.
        options: its `column_types` count before any guess.

    Raises:
        DataError: no line is an object, a column holds values of several kinds, or numbers that no type holds.
    """
    with open_text(location) as stream:
        block = next(_blocks(stream), b"")
    if not block.strip():
        return None
    table, good, _ = _parse(block, file, None)
    if table is None:
        raise DataError(f"{file}: no line of the first block is a JSON object; expected one a line")
    given = {name: pa.type_for_alias(kind) for name, kind in options.column_types}
    fields = []
    for field in table.schema:
        guessed = _without_times(field.type)
        if _loses_digits(table.column(field.name)):
            guessed = _exact_type(guessed, _column(good, field.name), f"{file}: column {field.name!r}", guessing=True)
        fields.append(pa.field(field.name, given.get(field.name, guessed)))
    return pa.schema(fields)


def read_json(
    location: Location, file: str, schema: pa.Schema, columns: Sequence[str], span: Span | None = None
) -> Iterator[tuple[pa.Table, tuple[BadRow, ...]]]:
    """Reads a JSON Lines file block by block.

    Args:
        location: of the file.
        file: how it is shown.
        schema: of the unified table: values are read as types that cast to its types.
        columns: the columns that are wanted; nulls where a line has none.
        span: whose lines are wanted; None for all.

    Yields:
        Rows, and the lines that are none.

    Raises:
        DataError: a value does not fit its column's type, or a column appears only past the first block.
    """
    readable = pa.schema([pa.field(field.name, _readable(field.type)) for field in schema])
    options = pajson.ParseOptions(explicit_schema=readable, unexpected_field_behavior="error")
    with open_text(location, span) as stream:
        for block in _blocks(stream, inner=span is not None and span[0] > 0):
            table, good, bad = _parse(block, file, options)
            chosen = (table if table is not None else readable.empty_table()).select(list(columns))
            for name in chosen.column_names:
                if _loses_digits(chosen.column(name)):
                    kind = readable.field(name).type
                    _exact_type(kind, _column(good, name), f"{file}: column {name!r}", guessing=False)
            yield chosen, bad


def _parse(
    block: bytes, file: str, options: pajson.ParseOptions | None
) -> tuple[pa.Table | None, bytes, tuple[BadRow, ...]]:
    """A block's rows, the lines that they are, and the lines that are none; by lines only where that is needed."""
    if is_utf8(block):
        try:
            table = _read(block, options)
            if len(table) == _count_lines(block):
                return table, block, ()
        except pa.ArrowInvalid:
            pass
    good, bad = _sort_lines(block)
    if not good:
        return None, good, bad
    try:
        return _read(good, options), good, bad
    except pa.ArrowInvalid as error:
        raise DataError(f"{file}: {_told(error)}") from error


def _read(block: bytes, options: pajson.ParseOptions | None) -> pa.Table:
    reading = pajson.ReadOptions(block_size=max(1, len(block)), use_threads=False)
    return pajson.read_json(io.BytesIO(block), reading, options)


def _told(error: pa.ArrowInvalid) -> str:
    changed = _CHANGED.search(str(error))
    if changed:
        name, one, other = changed[1].removesuffix("/[]"), changed[2], changed[3]
        return (
            f"column {name!r} holds values of several kinds ({one} and {other}); write it with one kind, as text for "
            "example"
        )
    return (
        f"{first_line(error)}; columns and types were guessed from the first {BLOCK_BYTES >> 20} MiB: write the file "
        "with one type a column and every column early, or as Parquet"
    )


def _count_lines(block: bytes) -> int:
    ends = block.count(b"\n") + (not block.endswith(b"\n"))
    blank = block.startswith((b"\n", b"\r")) or b"\n\n" in block or b"\n\r" in block or b"\n " in block
    return sum(1 for line in block.split(b"\n") if line.strip()) if blank else ends


def _blocks(stream: pa.NativeFile, *, inner: bool = False) -> Iterator[bytes]:
    """Blocks of whole lines; an inner part of a file begins with no mark of its encoding."""
    rest, data = b"", stream.read(BLOCK_BYTES)
    if not inner:
        data = data.removeprefix(_BOM)
    while data:
        following = stream.read(BLOCK_BYTES)
        head, newline, tail = data.rpartition(b"\n") if following else (data, b"", b"")
        if newline or not following:
            yield rest + head + newline
            rest = tail
        else:
            rest += data
        data = following


def _sort_lines(block: bytes) -> tuple[bytes, tuple[BadRow, ...]]:
    """The lines of a block that are JSON objects, and the others."""
    good, bad = [], []
    for line in block.split(b"\n"):
        if not line.strip():
            continue
        reason = _wrong_with(line)
        if reason is None:
            good.append(line)
        else:
            bad.append(BadRow(line.decode("utf8", "replace")[:MAX_TEXT], f"bad line: {reason}"))
    return b"\n".join(good), tuple(bad)


def _wrong_with(line: bytes) -> str | None:
    try:
        text = line.decode()
        value = json.loads(text, object_pairs_hook=_distinct, parse_float=_finite, parse_int=_whole)
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        return f"byte {error.start + 1} is not UTF-8"
    except UnicodeEncodeError:
        return "half of a surrogate pair"
    except (ValueError, RecursionError) as error:
        return first_line(error)
    return None if isinstance(value, dict) else "expected an object"


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"key {twice!r} stands more than once")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"the number {text[:60]} is past the largest number")
    return number


def _whole(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        _finite(text)
    return int(text)


# Types


def _map_type(kind: pa.DataType, leaf: Callable[[pa.DataType], pa.DataType]) -> pa.DataType:
    """A type with its leaves changed; lists of all kinds become lists, the only ones that JSON is read as."""
    if pt.is_struct(kind):
        return pa.struct([pa.field(field.name, _map_type(field.type, leaf)) for field in kind])
    if pt.is_list(kind) or pt.is_large_list(kind) or pt.is_fixed_size_list(kind):
        return pa.list_(_map_type(kind.value_type, leaf))
    if pt.is_dictionary(kind):
        return _map_type(kind.value_type, leaf)
    return leaf(kind)


def _without_times(kind: pa.DataType) -> pa.DataType:
    return _map_type(kind, lambda leaf: pa.string() if pt.is_timestamp(leaf) else leaf)


def _readable(kind: pa.DataType) -> pa.DataType:
    """The type to read a column as, which casts to its unified type."""
    return _map_type(kind, _readable_leaf)


def _readable_leaf(kind: pa.DataType) -> pa.DataType:
    if pt.is_timestamp(kind) or pt.is_date(kind) or pt.is_time(kind):
        return pa.string()
    if pt.is_floating(kind):
        return pa.float64()
    direct = (pt.is_integer, pt.is_boolean, pt.is_decimal128, pt.is_decimal256, pt.is_string, pt.is_large_string)
    if any(is_of(kind) for is_of in (*direct, pt.is_string_view, pt.is_binary, pt.is_large_binary)):
        return kind
    return pa.null()


# Numbers: a whole number that a double cannot hold is at least 2^53 as a double, so few blocks are looked at twice.


def _loses_digits(column: pa.ChunkedArray) -> bool:
    """Whether a column holds doubles so large that they may have been whole numbers with more digits."""
    return any(_is_large(chunk) for chunk in column.chunks)


def _is_large(array: pa.Array) -> bool:
    if pt.is_struct(array.type):
        return any(_is_large(array.field(i)) for i in range(array.type.num_fields))
    if pt.is_list(array.type):
        return _is_large(array.values)
    if not pt.is_float64(array.type):
        return False
    finite = pc.is_finite(array)
    largest = pc.max(pc.abs(array.filter(finite))).as_py()
    return largest is not None and largest >= _EXACT


def _column(lines: bytes, name: str) -> list[object]:
    """The values of a column as Python reads them, digits and all."""
    return [json.loads(line).get(name) for line in lines.split(b"\n") if line.strip()]


def _exact_type(kind: pa.DataType, values: Sequence[object], where: str, *, guessing: bool) -> pa.DataType:
    """The type that holds values with all digits: as given, or, while guessing, uint64 in the place of a double.

    Raises:
        DataError: no type holds them with all digits.
    """
    values = [value for value in values if value is not None]
    if pt.is_struct(kind):
        found = [value for value in values if isinstance(value, dict)]
        fields = [
            (f.name, _exact_type(f.type, [value.get(f.name) for value in found], where, guessing=guessing))
            for f in kind
        ]
        return pa.struct(fields)
    if pt.is_list(kind):
        inner = [item for value in values if isinstance(value, list) for item in value]
        return pa.list_(_exact_type(kind.value_type, inner, where, guessing=guessing))
    whole = [value for value in values if isinstance(value, int) and not isinstance(value, bool)]
    if not pt.is_float64(kind) or not whole or max(map(abs, whole)) < _EXACT:
        return kind
    if guessing and len(whole) == len(values) and min(whole) >= 0 and max(whole) < 2**64:
        return pa.uint64()
    lost = [value for value in whole if not _fits_double(value)]
    if lost:
        raise DataError(
            f"{where} holds the whole number {str(lost[0])[:60]}, which would lose digits as a number beside the "
            "column's others; write it as text, in quotes"
        )
    return kind


def _fits_double(value: int) -> bool:
    try:
        return int(float(value)) == value
    except OverflowError:
        return False
