"""Members: the files of a source, one by one, and parts: numbered runs of members, the unit of work of an ingest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, pairwise
from typing import Any

import pyarrow as pa

from splitting.errors import DataError

MEMBER_SCHEMA = pa.schema(
    [
        pa.field("_path", pa.string(), nullable=False),
        pa.field("_uri", pa.string(), nullable=False),
        pa.field("_offset", pa.int64()),
        pa.field("_size", pa.int64()),
        pa.field("_row", pa.int64()),
        pa.field("_stamp", pa.int64()),
        pa.field("_label", pa.string()),
        pa.field("_own", pa.string()),
        pa.field("_kind", pa.string()),
        pa.field("_reason", pa.string()),
    ]
)
ROWS_AT_ONCE = 1_024
BYTES_AT_ONCE = 64 * 2**20
# Parts come in rounds of one size, as many as most numbers of cores divide: a runner that deals them out in turn, as
# Beam's embedded one does, gives all cores as much. Few files make small parts, many files make few parts.
_ROUND = (24, 12, 8, 4, 2, 1)
_LEAST_ROWS, _FIRST_ROWS, _MOST_ROWS = 64, 256, 4_096
_GROWTH = 16


@dataclass(frozen=True)
class Member:
    """One file of a source, wherever it lies.

    Attributes:
        path: its name, relative to the source.
        uri: of the file that holds it, relative to the source's base.
        offset: of its first byte in an archive; None where it is a file of its own, or a row.
        size: in bytes; None where only reading tells.
        row: in a Parquet file.
        stamp: when it changed last, in nanoseconds; None where nobody says. Decides only what is decoded again.
        label: that lies beside it.
        own: columns of the user as JSON, that lie beside it.
        kind: of its rejection, where it is known already that it is no example.
        reason: of its rejection.
    """

    path: str
    uri: str
    offset: int | None = None
    size: int | None = None
    row: int | None = None
    stamp: int | None = None
    label: str | None = None
    own: str | None = None
    kind: str | None = None
    reason: str | None = None


@dataclass(frozen=True, eq=False)
class Part:
    """Some members in order.

    Attributes:
        number: from 0, in the order of the source.
        members: a table of `MEMBER_SCHEMA`, and the user's columns of a list.
    """

    number: int
    members: pa.Table = field(repr=False)

    def to_bytes(self) -> bytes:
        """Packs the part."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self.members.schema) as writer:
            writer.write_table(self.members)
        packed: bytes = sink.getvalue().to_pybytes()
        return packed

    @classmethod
    def from_bytes(cls, number: int, data: bytes) -> Part:
        """Unpacks a part."""
        return cls(number, pa.ipc.open_stream(data).read_all())


def part_rows(before: int) -> int:
    """How many members a part has at most: 256, or a 16th of those before its round, as a power of two up to 4,096.

    Args:
        before: members in the rounds before.

    Examples:
        >>> [part_rows(before) for before in (0, 8_191, 8_192, 100_000)]
        [256, 256, 512, 4096]
    """
    return min(_MOST_ROWS, 1 << max(_FIRST_ROWS, before // _GROWTH).bit_length() - 1)


def parts_of(members: Iterable[Member | pa.Table]) -> Iterator[Part]:
    """Packs a stream of members into parts; holds one round of them at a time, packed.

    Args:
        members: in order; a table of members is a part of its own.

    Yields:
        Parts, numbered from 0: 24 of one size, then 24 that may be larger, and so on; the rest in parts of one size.
    """
    numbers = count()
    yield from (Part(next(numbers), table) for table in _tables_of(members))


def _tables_of(members: Iterable[Member | pa.Table]) -> Iterator[pa.Table]:
    before, packed, waiting = 0, list[pa.Table](), list[Member]()
    for member in members:
        if not isinstance(member, Member):
            yield from _evenly([*packed, member_table(waiting)])
            packed, waiting = [], []
            yield member
            continue
        waiting.append(member)
        if len(waiting) == part_rows(before):
            packed, waiting = [*packed, member_table(waiting)], []
        if len(packed) == _ROUND[0]:
            yield from packed
            before, packed = before + sum(map(len, packed)), []
    yield from _evenly([*packed, member_table(waiting)])


def _evenly(tables: Sequence[pa.Table]) -> Iterator[pa.Table]:
    """Cuts less than a round into parts whose sizes differ by one at most."""
    whole = pa.concat_tables(tables)
    if not len(whole):
        return
    parts = next((number for number in _ROUND if len(whole) >= number * _LEAST_ROWS), 1)
    ends = [len(whole) * number // parts for number in range(parts + 1)]
    yield from (whole.slice(start, end - start) for start, end in pairwise(ends))


def member_table(members: list[Member]) -> pa.Table:
    """A table of members."""
    columns: list[list[Any]] = [
        [getattr(member, name.lstrip("_")) for member in members] for name in MEMBER_SCHEMA.names
    ]
    arrays = [pa.array(values, kind.type) for values, kind in zip(columns, MEMBER_SCHEMA, strict=True)]
    return pa.table(arrays, schema=MEMBER_SCHEMA)


def with_columns(members: pa.Table, columns: pa.Table, names: Sequence[str], file: str) -> pa.Table:
    """Members with columns of the user's own.

    Args:
        members: of `MEMBER_SCHEMA`.
        columns: has them, a row a member.
        names: those to take.
        file: where they come from, for messages.

    Raises:
        DataError: one has a name of `MEMBER_SCHEMA`.
    """
    for name in names:
        if name in MEMBER_SCHEMA.names:
            raise DataError(f"{file}: column {name!r} has a name that is used for files; rename it")
        members = members.append_column(columns.schema.field(name), columns[name])
    return members


def batches_of(members: pa.Table) -> Iterator[pa.Table]:
    """Cuts a part into batches that become a row group each: bounded by rows and by bytes to read.

    Args:
        members: of a part.

    Yields:
        Slices, in order.
    """
    start = size = 0
    sizes = members["_size"].to_pylist()
    for i, bytes_ in enumerate(sizes):
        if i > start and (i - start == ROWS_AT_ONCE or size + (bytes_ or 0) > BYTES_AT_ONCE):
            yield members.slice(start, i - start)
            start, size = i, 0
        size += bytes_ or 0
    if len(sizes) > start:
        yield members.slice(start)
