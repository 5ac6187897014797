"""Where the bytes of a member lie, and the exact bytes: a file, a piece of an archive, or a row of Parquet."""

from __future__ import annotations

import errno
import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow.fs import FileType

from pipelines.ingest.image_columns import bytes_of, image_column
from pipelines.ingest.names import KindName, location_columns
from pipelines.ingest.rejects import UNREADABLE
from pipelines.ingest.walking import stamp_of
from pipelines.sources.filesystems import Location, first_line, locate
from pipelines.sources.uris import is_uri, join
from splitting.errors import DataError

_AT_ONCE = 16
_BYTES_AT_ONCE = 64 * 2**20
_ROWS_AT_ONCE = 16
_BUFFER = 2**20
_OUT = frozenset({"", ".", ".."})


@dataclass(frozen=True)
class Place:
    """Where the bytes of a member lie.

    Attributes:
        uri: of a file, relative to the source's base.
        offset: of the first byte in it; None for the whole file, or a row.
        size: how many bytes; needed with `offset`.
        row: in a Parquet file.
    """

    uri: str
    offset: int | None = None
    size: int | None = None
    row: int | None = None

    @property
    def is_file(self) -> bool:
        """Whether a file of its own holds the member, and nothing else."""
        return self.offset is None and self.row is None


def resolve(uri: str, base: str) -> Location:
    """Where a file of a source lies.

    Args:
        uri: relative to the base, as tables hold it; `/` between its parts, nothing escaped.
        base: of the source.

    Raises:
        DataError: it leads out of the base.
    """
    return locate(join(base, _checked(uri, base)))


def leads_out(path: str) -> bool:
    """Whether a relative path may lead out of its folder, or has an empty part."""
    return not _OUT.isdisjoint(path.split("/"))


def _checked(uri: str, base: str) -> str:
    if is_uri(uri) or leads_out(uri):
        raise DataError(f"{uri!r} does not lie in {base}; the table was changed after it was written: plan again")
    return uri


def local_file(uri: str, base: str) -> str | None:
    """The path of a whole file on this machine's disk; None where it lies elsewhere.

    Args:
        uri: relative to the base.
        base: of the source.
    """
    location = resolve(uri, base)
    return location.path if location.is_local else None


def places_of(rows: pa.Table, kind: KindName = "images") -> list[Place]:
    """The places in the location columns of an ingested table.

    Args:
        rows: have the location columns of their kind.
        kind: `images` or `audio`.
    """
    columns = [rows[name].to_pylist() for name in location_columns(kind)]
    return [Place(*values) for values in zip(*columns, strict=True)]


def read_files(rows: pa.Table, base: str, kind: KindName = "images") -> list[bytes]:
    """The exact bytes of the files of some rows.

    Args:
        rows: of one source, with its location columns.
        base: of the source.
        kind: `images` or `audio`.

    Returns:
        The bytes, in the order of the rows.

    Raises:
        DataError: one is gone, is shorter now, or cannot be read.
    """
    places = places_of(rows, kind)
    found = []
    for place, data in zip(places, read_places(places, base), strict=True):
        if isinstance(data, OSError):
            raise DataError(f"cannot read {resolve(place.uri, base).uri}: {_told(data)}; bring it back, or plan again")
        if place.size is not None and len(data) != place.size:
            raise DataError(
                f"{resolve(place.uri, base).uri}: {place.size:,} bytes were measured, {len(data):,} are there now; "
                "plan again"
            )
        found.append(data)
    return found


def _told(error: OSError) -> str:
    return "there is no such file" if is_missing(error) else first_line(error)


def is_missing(error: OSError) -> bool:
    """Whether an error says that there is no such file."""
    return isinstance(error, FileNotFoundError) or error.errno == errno.ENOENT


def read_places(places: Sequence[Place], base: str, most: int | None = None) -> Iterator[bytes | OSError]:
    """Reads members, neighbours of one file together; files in an object store several at a time.

    Args:
        places: of members of one source.
        base: of the source.
        most: bytes of a whole file to read at most; one more is read where there are more.

    Yields:
        The bytes of each, in order, or why they cannot be read.
    """
    for (uri, is_file), group in groupby(places, key=lambda place: ("" if place.is_file else place.uri, place.is_file)):
        if is_file:
            yield from _read_files(group, base, most)
            continue
        members = list(group)
        location = resolve(uri, base)
        try:
            yield from _read_rows(location, members) if members[0].row is not None else _read_pieces(location, members)
        except OSError as error:
            yield from [error] * len(members)


def _read_files(places: Iterator[Place], base: str, most: int | None) -> Iterator[bytes | OSError]:
    with ExitStack() as stack:
        pool: ThreadPoolExecutor | None = None
        for members in _some_at_once(places):
            if not is_uri(base):
                yield from (_read_local(f"{base}/{_checked(place.uri, base)}", most) for place in members)
                continue
            pool = pool or stack.enter_context(ThreadPoolExecutor(_AT_ONCE))
            locations = [resolve(place.uri, base) for place in members]
            yield from pool.map(partial(_read_file, most=most), locations)


def _some_at_once(places: Iterator[Place]) -> Iterator[list[Place]]:
    """Places in groups that memory has room for, as far as their sizes are known."""
    group: list[Place] = []
    size = 0
    for place in places:
        if group and (len(group) == _AT_ONCE or size + (place.size or 0) > _BYTES_AT_ONCE):
            yield group
            group, size = [], 0
        group.append(place)
        size += place.size or 0
    if group:
        yield group


def _read_local(path: str, most: int | None) -> bytes | OSError:
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123, one of millions
            size = os.fstat(file.fileno()).st_size  # room for `most` bytes, made for each file, would cost much
            return file.readall() if most is None or size <= most else file.read(most + 1)
    except OSError as error:
        return error


def _read_file(location: Location, most: int | None) -> bytes | OSError:
    try:
        with location.filesystem.open_input_stream(location.path, compression=None) as stream:
            data: bytes = stream.read(None if most is None else most + 1)
            return data
    except OSError as error:
        return error


def _read_pieces(location: Location, places: Sequence[Place]) -> Iterator[bytes]:
    with location.filesystem.open_input_file(location.path) as file:
        for place in places:
            file.seek(place.offset or 0)
            yield file.read(place.size)


def _read_rows(location: Location, places: Sequence[Place]) -> Iterator[bytes | OSError]:
    """Rows of a Parquet file, those of a row group together, as a stream: a few rows are held at a time."""
    wanted = [place.row or 0 for place in places]
    with pq.ParquetFile(location.path, filesystem=location.filesystem, buffer_size=_BUFFER, pre_buffer=False) as opened:
        name = image_column(opened.schema_arrow, location.uri)
        ends = _row_group_ends(opened.metadata)
        group_of = [bisect_right(ends, row) for row in wanted]
        for group, members in groupby(zip(group_of, wanted, strict=True), key=lambda pair: pair[0]):
            rows = [row for _, row in members]
            if group == len(ends):
                yield from [FileNotFoundError(errno.ENOENT, "no such row")] * len(rows)
                continue
            yield from _of_row_group(opened, group, name, [row - (ends[group - 1] if group else 0) for row in rows])


def _of_row_group(opened: pq.ParquetFile, group: int, name: str, rows: Sequence[int]) -> Iterator[bytes | OSError]:
    """Some rows of a row group; read once for each run of rows that ascends."""
    missing = FileNotFoundError(errno.ENOENT, "no bytes in this row")
    end, batches, values = 0, iter(()), pa.nulls(0)
    for before, row in zip([rows[0], *rows], rows, strict=False):
        if not end or row < before:
            end, batches = 0, opened.iter_batches(_ROWS_AT_ONCE, row_groups=[group], columns=[name])
        while row >= end:
            values = bytes_of(next(batches).column(0))
            end += len(values)
        data = values[row - end + len(values)].as_py()
        yield missing if data is None else data


def with_stamps(members: pa.Table, base: str) -> pa.Table:
    """Members with sizes and stamps, where they are files of their own that nobody has looked at.

    Args:
        members: of `MEMBER_SCHEMA`, perhaps with other columns.
        base: of the source.
    """
    lacking = pc.and_(pc.and_(pc.is_null(members["_size"]), pc.is_null(members["_row"])), pc.is_null(members["_kind"]))
    if not pc.any(lacking).as_py():
        return members
    known = {name: members[name].to_pylist() for name in ("_size", "_stamp", "_kind", "_reason")}
    for i, (uri, wanted) in enumerate(zip(members["_uri"].to_pylist(), lacking.to_pylist(), strict=True)):
        if wanted:
            for name, value in _looked_at(resolve(uri, base)).items():
                known[name][i] = value
    for name, values in known.items():
        at = members.schema.get_field_index(name)
        members = members.set_column(at, members.schema.field(at), pa.array(values, members.schema.field(at).type))
    return members


def _looked_at(location: Location) -> dict[str, Any]:
    """Size and stamp of a file; why it is none where it is a folder, or a pipe, which would be waited on for ever."""
    try:
        info = location.filesystem.get_file_info(location.path)
    except OSError as error:
        return {"_kind": UNREADABLE, "_reason": first_line(error)}
    if info.type in (FileType.File, FileType.NotFound):
        return {"_size": info.size, "_stamp": stamp_of(location, info)}
    return {"_kind": UNREADABLE, "_reason": "is a folder" if info.type == FileType.Directory else "is no file"}


def _row_group_ends(metadata: pq.FileMetaData) -> list[int]:
    ends, end = [], 0
    for i in range(metadata.num_row_groups):
        end += metadata.row_group(i).num_rows
        ends.append(end)
    return ends
