"""Reads text formats, CSV and JSON Lines, in blocks; a line that is none is kept aside, with its reason."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.json as pajson

from pipelines.sources.filesystems import Location, first_line, raise_for
from pipelines.sources.options import CsvOptions
from splitting.errors import DataError

BLOCK_BYTES = 16 * 2**20
MAX_TEXT = 10_000


@dataclass(frozen=True)
class BadRow:
    """A line that is not a row.

    Attributes:
        text: the line, cut to 10,000 characters.
        reason: why it is none.
    """

    text: str
    reason: str


@contextmanager
def _stream(location: Location) -> Iterator[pa.NativeFile]:
    """The bytes of a file, uncompressed where its name ends in .gz."""
    try:
        with location.filesystem.open_input_stream(location.path, compression="detect") as stream:
            yield stream
    except pa.ArrowException:
        raise
    except OSError as error:
        raise_for(location, "read", error)


def _csv_options(
    file: str, options: CsvOptions, types: dict[str, pa.DataType], columns: Sequence[str] | None, bad: list[BadRow]
) -> dict[str, object]:
    def skip(row: pacsv.InvalidRow) -> str:
        counted = f"bad line: expected {row.expected_columns} columns, got {row.actual_columns}"
        bad.append(BadRow((row.text or "")[:MAX_TEXT], counted))
        return "skip"

    tabs = options.delimiter == "," and file.lower().removesuffix(".gz").endswith(".tsv")
    return {
        "read_options": pacsv.ReadOptions(block_size=BLOCK_BYTES, encoding=options.encoding),
        "parse_options": pacsv.ParseOptions(
            delimiter="\t" if tabs else options.delimiter,
            newlines_in_values=options.newlines_in_values,
            invalid_row_handler=skip,
        ),
        "convert_options": pacsv.ConvertOptions(
            column_types=types,
            null_values=list(options.null_values),
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            include_columns=list(columns) if columns is not None else None,
        ),
    }


def csv_schema(location: Location, file: str, options: CsvOptions) -> pa.Schema:
    """The schema of a CSV file, guessed from its first block.

    A column of whole numbers in which one has leading zeros (a postcode) is text: as a number it would lose them.

    Raises:
        DataError: it has no header.
    """
    given = {name: pa.type_for_alias(kind) for name, kind in options.column_types}
    with _stream(location) as stream:
        schema = pacsv.open_csv(stream, **_csv_options(file, options, given, None, [])).schema
    numbers = {field.name: pa.string() for field in schema if pa.types.is_integer(field.type)}
    guessed = {name: kind for name, kind in numbers.items() if name not in given}
    if not guessed:
        return schema
    with _stream(location) as stream:
        reader = pacsv.open_csv(stream, **_csv_options(file, options, given | guessed, None, []))
        texts = reader.read_next_batch()
    for name in guessed:
        if pc.any(pc.match_substring_regex(texts.column(name), r"^[+-]?0[0-9]")).as_py():
            schema = schema.set(schema.get_field_index(name), pa.field(name, pa.string()))
    return schema


def read_csv(
    location: Location, file: str, options: CsvOptions, schema: pa.Schema, columns: Sequence[str]
) -> Iterator[tuple[pa.Table, tuple[BadRow, ...]]]:
    """Reads a CSV file block by block.

    Args:
        location: of the file.
        file: how it is shown.
        options: how CSV is read.
        schema: of the unified table: values are read as its types.
        columns: the columns of the file that are wanted.

    Yields:
        Rows, and the lines that are none.

    Raises:
        DataError: a value does not fit its column's type.
    """
    bad: list[BadRow] = []
    types = {name: schema.field(name).type for name in schema.names}
    found = 0
    with _stream(location) as stream:
        try:
            reader = pacsv.open_csv(stream, **_csv_options(file, options, types, columns, bad))
            for batch in reader:
                told, found = tuple(bad[found:]), len(bad)
                yield pa.Table.from_batches([batch]), told
        except pa.ArrowInvalid as error:
            raise DataError(
                f"{file}: {first_line(error)}; the types were guessed from the first {BLOCK_BYTES >> 20} MiB: set "
                "csv.column_types (as in column_types: {age: string}) or csv.null_values"
            ) from error
    if len(bad) > found:
        empty = pa.schema([schema.field(name) for name in columns]).empty_table()
        yield empty, tuple(bad[found:])


def csv_columns(location: Location, file: str, options: CsvOptions) -> list[str]:
    """The names of a CSV file's columns."""
    names: list[str] = csv_schema(location, file, options).names
    return names


def json_schema(location: Location, file: str) -> pa.Schema | None:
    """The schema of a JSON Lines file, guessed from its first block; None where it has no row."""
    with _stream(location) as stream:
        block = next(_blocks(stream), b"")
    if not block.strip():
        return None
    try:
        return pajson.read_json(io.BytesIO(block), _read_options(block)).schema
    except pa.ArrowInvalid:
        good, _ = _sort_lines(block)
        if not good:
            raise DataError(f"{file}: no line of the first block is a JSON object; expected one a line") from None
        return pajson.read_json(io.BytesIO(good), _read_options(good)).schema


def _read_options(block: bytes) -> pajson.ReadOptions:
    return pajson.ReadOptions(block_size=max(1, len(block)), use_threads=False)


def read_json(
    location: Location, file: str, schema: pa.Schema, columns: Sequence[str]
) -> Iterator[tuple[pa.Table, tuple[BadRow, ...]]]:
    """Reads a JSON Lines file block by block.

    Args:
        location: of the file.
        file: how it is shown.
        schema: of the unified table: values are read as its types.
        columns: the columns that are wanted; nulls where a line has none.

    Yields:
        Rows, and the lines that are none.

    Raises:
        DataError: a value does not fit its column's type, or a column appears only past the first block.
    """
    options = pajson.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error")
    with _stream(location) as stream:
        for block in _blocks(stream):
            bad: tuple[BadRow, ...] = ()
            try:
                table = pajson.read_json(io.BytesIO(block), _read_options(block), options)
            except pa.ArrowInvalid:
                good, bad = _sort_lines(block)
                try:
                    table = (
                        pajson.read_json(io.BytesIO(good), _read_options(good), options)
                        if good
                        else schema.empty_table()
                    )
                except pa.ArrowInvalid as error:
                    raise DataError(
                        f"{file}: {first_line(error)}; columns and types were guessed from the first "
                        f"{BLOCK_BYTES >> 20} MiB: write the file with one type a column and every column early, or as "
                        "Parquet"
                    ) from error
            yield table.select(list(columns)), bad


def _blocks(stream: pa.NativeFile) -> Iterator[bytes]:
    """Blocks of whole lines."""
    rest = b""
    while data := stream.read(BLOCK_BYTES):
        head, newline, tail = (rest + data).rpartition(b"\n")
        if newline:
            yield head + newline
        rest = tail
    if rest.strip():
        yield rest


def _sort_lines(block: bytes) -> tuple[bytes, tuple[BadRow, ...]]:
    """The lines of a block that are JSON objects, and the others."""
    good, bad = [], []
    for line in block.split(b"\n"):
        if not line.strip():
            continue
        try:
            if not isinstance(json.loads(line), dict):
                raise ValueError("expected an object")
            good.append(line)
        except (ValueError, RecursionError) as error:
            bad.append(BadRow(line.decode("utf8", "replace")[:MAX_TEXT], f"bad line: {first_line(error)}"))
    return b"\n".join(good), tuple(bad)
