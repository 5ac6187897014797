"""Tar shards as WebDataset reads them: by sample the file, its row as JSON, and a whole-number label as `.cls`."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import polars as pl
import pyarrow as pa
import pyarrow.types as pt

from pipelines.sources.filesystems import Location, open_output
from splitting.columns import from_arrow

ROW, CLASS = "json", "cls"
_MODE = 0o644


@dataclass(frozen=True)
class Member:
    """One member of a tar file.

    Attributes:
        name: of the member.
        data: its bytes.
    """

    name: str
    data: bytes


def sample_key(split: str, shard: int, number: int) -> str:
    """What the members of a sample are called before their first dot: distinct over all shards of a run.

    Examples:
        >>> sample_key("train", 3, 17)
        'train-000003-00000017'
    """
    return f"{split}-{shard:06d}-{number:08d}"


def row_documents(rows: pa.Table) -> list[bytes]:
    """Rows as JSON.

    Args:
        rows: of any types; binary values, and what polars has no type for, are left out.

    Returns:
        An object a row, its keys in the order of the columns. Times are texts as in ISO 8601; NaN and infinity, which
        JSON has not, are null.
    """
    names = [field.name for field in rows.schema if _is_told(field.type)]
    frame = from_arrow(rows.select(names))
    if not names:
        return [b"{}"] * len(rows)
    return [text.encode() for text in frame.select(pl.struct(pl.all()).struct.json_encode()).to_series()]


def _is_told(kind: pa.DataType) -> bool:
    if isinstance(kind, pa.BaseExtensionType):
        return False
    flat = (
        pt.is_integer(kind)
        or pt.is_floating(kind)
        or pt.is_boolean(kind)
        or pt.is_string(kind)
        or pt.is_large_string(kind)
        or pt.is_date32(kind)
        or pt.is_timestamp(kind)
        or pt.is_decimal128(kind)
    )
    if pt.is_struct(kind):
        return kind.num_fields > 0 and all(_is_told(field.type) for field in kind)
    if pt.is_list(kind) or pt.is_large_list(kind) or pt.is_fixed_size_list(kind):
        return _is_told(kind.value_type)
    return bool(flat)


def class_texts(rows: pa.Table, label: str | None) -> Sequence[bytes | None]:
    """What stands in the `.cls` of each row: WebDataset reads whole numbers there; other labels are in the JSON alone.

    Args:
        rows: a table.
        label: the label column, if there is one.

    Returns:
        Digits; None for none.
    """
    if label is None or not pt.is_integer(rows.schema.field(label).type):
        return [None] * len(rows)
    return [None if value is None else str(value).encode() for value in rows.column(label).to_pylist()]


class TarWriter:
    """Writes members whose headers tell nothing but name and size: no time, no owner."""

    def __init__(self, sink: pa.NativeFile) -> None:
        """Begins a tar file.

        Args:
            sink: where the bytes go.
        """
        self._sink = sink

    def write(self, member: Member) -> None:
        """Appends a member."""
        header = tarfile.TarInfo(member.name)
        header.size, header.mode = len(member.data), _MODE
        self._sink.write(header.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict"))
        self._sink.write(member.data)
        self._sink.write(bytes(-len(member.data) % tarfile.BLOCKSIZE))

    def close(self) -> None:
        """Writes the end: two empty blocks."""
        self._sink.write(bytes(2 * tarfile.BLOCKSIZE))


@contextmanager
def open_tar(location: Location) -> Iterator[TarWriter]:
    """Writes a tar file member by member; it appears, whole, when the block ends without an error.

    Args:
        location: of the file.
    """
    with open_output(location) as sink:
        writer = TarWriter(sink)
        yield writer
        writer.close()
