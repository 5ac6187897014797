"""Looks at a file without reading it: schema, rows, row groups; from its footer, or its first block."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import orc

from pipelines.sources.csv_files import csv_schema
from pipelines.sources.filesystems import Location, first_line, locate, raise_for
from pipelines.sources.formats import Format
from pipelines.sources.json_lines import json_schema
from pipelines.sources.listing import ListedFile
from pipelines.sources.options import CsvOptions
from pipelines.sources.storable import check_metadata
from splitting.errors import DataError


@dataclass(frozen=True)
class FileFacts:
    """What a look at a file tells.

    Attributes:
        schema: None for an empty text file, which has neither columns nor rows.
        rows: None where only reading tells.
        groups: rows and uncompressed bytes of each row group or record batch; None where the format has none.
    """

    schema: pa.Schema | None
    rows: int | None
    groups: tuple[tuple[int, int], ...] | None


def inspect_file(file: ListedFile, kind: Format, csv: CsvOptions) -> FileFacts:
    """Looks at a file.

    Args:
        file: the file.
        kind: its format.
        csv: how CSV is read.

    Returns:
        What it tells.

    Raises:
        DataError: it cannot be read, is not of its format, or has metadata that is not UTF-8.
    """
    location = locate(file.uri)
    if not file.bytes:
        if kind in ("csv", "jsonl"):
            return FileFacts(None, 0, None)
        raise DataError(f"{file.file} is empty (0 bytes), expected {kind}; delete it, or write it again")
    try:
        facts = _LOOKS[kind](location, file, csv)
    except OSError as error:
        if isinstance(error, pa.ArrowException) or "magic" in str(error) or error.errno is None:
            raise _broken(file, kind, error) from error
        raise_for(location, "read", error)
    except (pa.ArrowException, ValueError) as error:
        raise _broken(file, kind, error) from error
    if facts.schema is not None:
        check_metadata(facts.schema, file.file)
    return facts


def _broken(file: ListedFile, kind: Format, error: BaseException) -> DataError:
    return DataError(
        f"{file.file} is not a readable {kind} file ({first_line(error)}); it may be cut off: write it again, or leave "
        "it out"
    )


def _parquet(location: Location, _file: ListedFile, _csv: CsvOptions) -> FileFacts:
    with pq.ParquetFile(location.path, filesystem=location.filesystem) as opened:
        meta = opened.metadata
        groups = [meta.row_group(i) for i in range(meta.num_row_groups)]
        sizes = tuple((group.num_rows, group.total_byte_size) for group in groups)
        return FileFacts(opened.schema_arrow, meta.num_rows, sizes or ((0, 0),))


def _rejects(location: Location, _file: ListedFile, _csv: CsvOptions) -> FileFacts:
    meta = pq.read_metadata(location.path, filesystem=location.filesystem)
    return FileFacts(pa.schema([]), meta.num_rows, None)


def _arrow(location: Location, _file: ListedFile, _csv: CsvOptions) -> FileFacts:
    with location.filesystem.open_input_file(location.path) as handle:
        try:
            opened = pa.ipc.open_file(handle)
        except pa.ArrowInvalid:
            handle.seek(0)
            return FileFacts(pa.ipc.open_stream(handle).schema, None, None)
        batches = [opened.get_batch(i) for i in range(opened.num_record_batches)]
        sizes = tuple((batch.num_rows, batch.nbytes) for batch in batches)
        return FileFacts(opened.schema, sum(rows for rows, _ in sizes), sizes or ((0, 0),))


def _orc(location: Location, _file: ListedFile, _csv: CsvOptions) -> FileFacts:
    with location.filesystem.open_input_file(location.path) as handle:
        opened = orc.ORCFile(handle)
        return FileFacts(opened.schema, opened.nrows, None)


def _csv(location: Location, file: ListedFile, csv: CsvOptions) -> FileFacts:
    return FileFacts(csv_schema(location, file.file, csv), None, None)


def _jsonl(location: Location, file: ListedFile, csv: CsvOptions) -> FileFacts:
    return FileFacts(json_schema(location, file.file, csv), None, None)


_LOOKS: dict[Format, Callable[[Location, ListedFile, CsvOptions], FileFacts]] = {
    "parquet": _parquet,
    "arrow": _arrow,
    "orc": _orc,
    "csv": _csv,
    "jsonl": _jsonl,
    "rejects": _rejects,
}
