"""Reads CSV files in blocks; a column's type is guessed from the first, and no guess may change what is written."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.types as pt

from pipelines.sources.filesystems import Location, first_line
from pipelines.sources.options import CsvOptions
from pipelines.sources.text import BLOCK_BYTES, MAX_TEXT, BadRow, Span, is_utf8, open_text
from splitting.errors import DataError

_HEADER_BYTES = 2**20
_EXACT = 2.0**53
_TAIL_BYTES = 64
_IN_COLUMN = re.compile(r"In CSV column #(\d+): (?:Row #\d+: )?(.*)")


@dataclass(frozen=True)
class _File:
    """A CSV file, or the rows of a span, and how it is read.

    Lines that are no rows are added to `bad`, those with a quote that is never closed to `unclosed`, too.
    """

    location: Location
    shown: str
    options: CsvOptions
    span: Span | None = None
    bad: list[BadRow] = field(default_factory=list)
    unclosed: list[str] = field(default_factory=list)

    @property
    def _inner(self) -> bool:
        """It begins behind the header."""
        return self.span is not None and self.span[0] > 0

    def _whole(self) -> _File:
        return replace(self, span=None, bad=[], unclosed=[])

    @contextmanager
    def reader(
        self,
        types: Mapping[str, pa.DataType],
        columns: Sequence[str] | None = None,
        block_bytes: int | None = None,
    ) -> Iterator[pacsv.CSVStreamingReader | None]:
        """A reader of batches; None where there is nothing but line breaks. Its errors become one message."""
        with open_text(self.location, self.span) as stream:
            try:
                yield self._open(stream, types, columns, block_bytes or BLOCK_BYTES)
            except pa.ArrowInvalid as error:
                raise self._told(error) from error
            except UnicodeError as error:
                raise self._not_encoded(error) from error

    def _open(
        self, stream: pa.NativeFile, types: Mapping[str, pa.DataType], columns: Sequence[str] | None, block_bytes: int
    ) -> pacsv.CSVStreamingReader | None:
        try:
            return pacsv.open_csv(stream, **self._settings(self.options, types, columns, block_bytes))
        except pa.ArrowInvalid as error:
            if "Empty CSV" not in str(error):
                raise
            if self._inner:
                return None
        # A header that no line break ends is no row to pyarrow, and not a header either.
        with open_text(self.location) as again:
            text = again.read(BLOCK_BYTES).decode(self.options.encoding)
        if not text.strip("\ufeff\r\n"):
            return None
        whole = io.BytesIO(f"{text}\n".encode())
        settings = self._settings(replace(self.options, encoding="utf8"), types, columns, BLOCK_BYTES)
        return pacsv.open_csv(whole, **settings)

    def _settings(
        self,
        options: CsvOptions,
        types: Mapping[str, pa.DataType],
        columns: Sequence[str] | None,
        block_bytes: int,
    ) -> dict[str, object]:
        def skip(row: pacsv.InvalidRow) -> str:
            counted = f"bad line: expected {row.expected_columns} columns, got {row.actual_columns}"
            text = row.text or ""
            if "\n" in text and text.count('"') % 2:
                self.unclosed.append(text)
            self.bad.append(BadRow(text[:MAX_TEXT], counted))
            return "skip"

        tabs = options.delimiter == "," and self.shown.lower().removesuffix(".gz").endswith(".tsv")
        return {
            "read_options": pacsv.ReadOptions(
                block_size=block_bytes,
                encoding=options.encoding,
                column_names=self._whole().names() if self._inner else None,
            ),
            "parse_options": pacsv.ParseOptions(
                delimiter="\t" if tabs else options.delimiter,
                newlines_in_values=options.newlines_in_values,
                invalid_row_handler=skip,
            ),
            "convert_options": pacsv.ConvertOptions(
                column_types=dict(types),
                null_values=list(options.null_values),
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                include_columns=list(columns) if columns is not None else None,
            ),
        }

    def names(self) -> list[str]:
        """The names of its columns."""
        try:
            with self.reader({}, None, _HEADER_BYTES) as reader:
                return list(reader.schema.names) if reader is not None else []
        except DataError:  # a first row longer than that
            with self.reader({}) as reader:
                return list(reader.schema.names) if reader is not None else []

    def _told(self, error: pa.ArrowInvalid) -> DataError:
        found = _IN_COLUMN.search(str(error))
        if not found:
            if self.options.encoding == "utf8" and self._first_odd_line() is not None:
                return self.not_utf8(None, "a line")
            return DataError(
                f"{self.shown} cannot be read as csv ({first_line(error)}); set csv.delimiter or "
                "csv.newlines_in_values, or write the file again"
            )
        name = self._whole().names()[int(found[1])]
        if "UTF8" in found[2]:
            return self.not_utf8(name)
        return DataError(
            f"{self.shown}: column {name!r}: {found[2][:300]}; types that are not given are guessed from the first "
            f"{BLOCK_BYTES >> 20} MiB: set csv.column_types (as in column_types: {{{name}: string}}) or csv.null_values"
        )

    def _not_encoded(self, error: UnicodeError) -> DataError:
        if self.options.encoding == "utf8" and isinstance(error, UnicodeDecodeError):
            return self.not_utf8(None)
        return DataError(
            f"{self.shown} is not encoded in {self.options.encoding} ({first_line(error)}); set csv.encoding to the "
            "encoding of the file"
        )

    def check(self) -> None:
        """Raises where a quote was found that is never closed: no reader may pass over the lines after it."""
        if self.unclosed:
            raise self._not_closed(self.unclosed[0])

    def check_end(self, batch: pa.RecordBatch) -> None:
        """Raises where the last value of the file is a quote that is never closed: it takes in all lines after it.

        Args:
            batch: the last one of the file.
        """
        values = batch.column(batch.num_columns - 1) if batch.num_columns and batch.num_rows else None
        if values is None or not (pt.is_string(values.type) or pt.is_large_string(values.type)):
            return
        last = values[len(values) - 1].as_py()
        if last is None or "\n" not in last:
            return
        tail = b""
        with open_text(self.location) as stream:
            while data := stream.read(BLOCK_BYTES):
                tail = (tail + data)[-_TAIL_BYTES:]
        if not tail.decode(self.options.encoding, errors="ignore").rstrip("\r\n\t ").endswith('"'):
            raise self._not_closed(last)

    def _not_closed(self, text: str) -> DataError:
        return DataError(
            f"{self.shown}: a quote is opened and never closed, so that {text.count(chr(10)):,} lines after it are "
            f"taken into one value; close it in the line that has {text.splitlines()[0][:80]!r}, or take it out"
        )

    def not_utf8(self, column: str | None, place: str = "the header") -> DataError:
        """The message for a column, the header or another place that holds other bytes than UTF-8."""
        where = f"column {column!r}" if column is not None else place
        return DataError(
            f"{self.shown}: {where} holds bytes that are not UTF-8 (line {self._first_odd_line() or 1} of the file is "
            "the first with such bytes); set csv.encoding to the encoding of the file, as in encoding: latin-1"
            + (f", or keep the bytes with column_types: {{{column}: binary}}" if column is not None else "")
        )

    def _first_odd_line(self) -> int | None:
        number, rest = 1, b""
        with open_text(self.location) as stream:
            while data := stream.read(BLOCK_BYTES):
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    if not is_utf8(line):
                        return number
                    number += 1
        return None if is_utf8(rest) else number


def csv_schema(location: Location, file: str, options: CsvOptions) -> pa.Schema | None:
    """The schema of a CSV file, guessed from its first block; None where it has nothing but line breaks.

    A column of whole numbers that would change as numbers is text: with leading zeros (a postcode), or with more
    digits than a double has. Whole numbers past int64 that fit are uint64.

    Args:
        location: of the file.
        file: how it is shown.
        options: how it is read; its `column_types` are not guessed.

    Raises:
        DataError: it has no header, or holds bytes of another encoding.
    """
    opened = _File(location, file, options)
    given = {name: pa.type_for_alias(kind) for name, kind in options.column_types}
    with opened.reader(given) as reader:
        if reader is None:
            return None
        opened.check()
        schema, names = reader.schema, reader.schema.names
        odd = [item.name for item in schema if pt.is_binary(item.type) and item.name not in given]
        if odd:
            raise opened.not_utf8(odd[0])
        suspects = [item.name for item in schema if pt.is_integer(item.type) and item.name not in given]
        large = [item.name for item in schema if pt.is_float64(item.type) and item.name not in given]
        suspects += _large_columns(reader, large) if large else []
    if not suspects or len(set(names)) < len(names):
        return schema
    with opened.reader(given | dict.fromkeys(suspects, pa.string()), suspects) as reader:
        texts = next(iter(reader), None) if reader is not None else None
    if texts is None:
        return schema
    for name in suspects:
        index = schema.get_field_index(name)
        schema = schema.set(index, pa.field(name, _exact_type(schema.field(index).type, texts.column(name))))
    return schema


def _large_columns(reader: pacsv.CSVStreamingReader, names: Sequence[str]) -> list[str]:
    """Columns of doubles so large that they may have been whole numbers with more digits."""
    batch = next(iter(reader), None)
    if batch is None or len(set(batch.schema.names)) < batch.num_columns:
        return []
    found = []
    for name in names:
        values = batch.column(name)
        largest = pc.max(pc.abs(values.filter(pc.is_finite(values)))).as_py()
        if largest is not None and largest >= _EXACT:
            found.append(name)
    return found


def _exact_type(kind: pa.DataType, texts: pa.Array) -> pa.DataType:
    if pt.is_integer(kind):
        zeros = pc.any(pc.match_substring_regex(texts, r"^[+-]?0[0-9]")).as_py()
        return pa.string() if zeros else kind
    if not pc.all(pc.match_substring_regex(texts, r"^\s*[+-]?[0-9]+\s*$")).as_py():
        return kind
    numbers = [int(text) for text in texts.drop_null().to_pylist()]
    if min(numbers) >= 0 and max(numbers) < 2**64:
        return pa.uint64()
    return kind if all(number == int(float(number)) for number in numbers) else pa.string()


def read_csv(
    location: Location,
    file: str,
    options: CsvOptions,
    schema: pa.Schema,
    columns: Sequence[str],
    span: Span | None = None,
) -> Iterator[tuple[pa.Table, tuple[BadRow, ...]]]:
    """Reads a CSV file block by block.

    Args:
        location: of the file.
        file: how it is shown.
        options: how CSV is read.
        schema: of the unified table: values are read as types that cast to its types.
        columns: the columns of the file that are wanted.
        span: whose lines are wanted; None for all.

    Yields:
        Rows, and the lines that are none.

    Raises:
        DataError: a value does not fit its column's type.
    """
    opened = _File(location, file, options, span)
    types = {field.name: _readable(field.type) for field in schema}
    found = 0
    last = None
    with opened.reader(types, columns) as reader:
        for batch in reader if reader is not None else ():
            opened.check()
            told, found = tuple(opened.bad[found:]), len(opened.bad)
            yield pa.Table.from_batches([batch]), told
            last = batch
        opened.check()
        if last is not None:
            opened.check_end(last)
    if len(opened.bad) > found:
        empty = pa.schema([schema.field(name) for name in columns]).empty_table()
        yield empty, tuple(opened.bad[found:])


def has_spans(options: CsvOptions) -> bool:
    """Whether every line break in CSV files ends a row, so that they can be read from any line."""
    try:
        return not options.newlines_in_values and "\n".encode(options.encoding) == b"\n"
    except LookupError:
        return False


def csv_columns(location: Location, file: str, options: CsvOptions) -> list[str]:
    """The names of a CSV file's columns."""
    return _File(location, file, options).names()


def _readable(kind: pa.DataType) -> pa.DataType:
    """The type to read a column as, which casts to its unified type; null for types that no CSV file holds."""
    if pt.is_dictionary(kind):
        return _readable(kind.value_type)
    if pt.is_string_view(kind) or pt.is_binary_view(kind):
        return pa.large_string() if pt.is_string_view(kind) else pa.large_binary()
    if pt.is_float16(kind):
        return pa.float64()
    if pt.is_decimal(kind) and not pt.is_decimal128(kind):
        return pa.string()
    exotic = pt.is_nested(kind) or pt.is_interval(kind) or isinstance(kind, pa.BaseExtensionType)
    return pa.null() if exotic or pt.is_run_end_encoded(kind) else kind
