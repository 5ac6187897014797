"""Does one part of an ingest: reads its members, measures those that are new, writes the part's files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.ingest.counts import IngestCounts
from pipelines.ingest.embedding import AT_ONCE, EMBEDDING, Arrays, Embedding, check_lengths
from pipelines.ingest.file_tables import FileTable, listed_files
from pipelines.ingest.folders import REJECTS, STAMPS, TABLE, part_name
from pipelines.ingest.hashing import content_hash
from pipelines.ingest.kinds import Kind, kind_of
from pipelines.ingest.labels import LabelRule
from pipelines.ingest.listing import list_members
from pipelines.ingest.locations import Place, is_missing, read_places, with_stamps
from pipelines.ingest.members import MEMBER_SCHEMA, Part, batches_of, parts_of
from pipelines.ingest.names import KindName
from pipelines.ingest.rejects import MISSING, REJECT_SCHEMA, UNREADABLE, Limits, UnreadableError, check_size
from pipelines.ingest.reuse import Earlier, EarlierPart, stamp_table
from pipelines.ingest.row_files import described
from pipelines.ingest.tables import ingested_table, own_of_json
from pipelines.progress import report_rows
from pipelines.sources.filesystems import Location, delete_tree, first_line, locate, open_output
from pipelines.sources.uris import join

_LISTED_ROWS = 512
_REPORTED = 32


@dataclass(frozen=True)
class IngestTask:
    """What the workers of an ingest need for one source.

    Attributes:
        source: its name.
        kind: `images` or `audio`.
        paths: of the source, as its spec has them.
        root: the folder that they are against; None for the working directory.
        base: what the locations of its members are relative to.
        folder: URI of the folder of its tables.
        limits: what a file may take.
        label: where labels come from; None for none.
        table: lists the files; None where they are found.
        embedding: what makes vectors of images; None for none.
        earlier: parts of earlier ingests, whose rows are taken over where nothing changed.
        source_column: the column that will tell the source; a user's of that name is renamed, as by a measured one.
    """

    source: str
    kind: KindName
    paths: tuple[str, ...]
    root: str | None
    base: str
    folder: str
    limits: Limits
    label: LabelRule | None = None
    table: FileTable | None = None
    embedding: Embedding | None = None
    earlier: tuple[EarlierPart, ...] = field(default=(), repr=False)
    source_column: str = "source"

    def what(self) -> Kind:
        """What is measured."""
        kind = kind_of(self.kind)
        return kind if self.embedding is None else replace(kind, schema=kind.schema.append(EMBEDDING))

    def fingerprint(self) -> str:
        """What decides a measure beside the bytes: versions, limits, what makes vectors."""
        made_by = kind_of(self.kind).fingerprint(self.limits)
        return made_by if self.embedding is None else f"{made_by} {self.embedding.fingerprint()}"

    def file(self, what: str, number: int) -> Location:
        """Where a file of a part lies."""
        return locate(join(self.folder, part_name(what, number)))


@dataclass
class _Batch:
    """What became of the members of a batch."""

    rows: list[int] = field(default_factory=list)
    measured: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[tuple[str, str, str]] = field(default_factory=list)
    reused: int = 0


def ingest_part(part: Part, task: IngestTask) -> IngestCounts:
    """Does a part. Done twice, it writes the same files.

    Args:
        part: the members.
        task: see there.

    Returns:
        What was counted.

    Raises:
        DataError: a file cannot be written, or a folder of the source cannot be read.
    """
    kind = task.what()
    listed = with_stamps(described(part.members, task.base), task.base)
    own = _own_columns(listed)
    earlier = Earlier.of(task.earlier, listed["_path"].to_pylist(), kind)
    start, taken, reused, rejected, stamps = 0, 0, 0, list[tuple[str, str, str]](), list[pa.Table]()
    with open_output(task.file(TABLE, part.number)) as sink:
        writer: pq.ParquetWriter | None = None
        for members in batches_of(listed):
            done = _measure(members, earlier, task)
            chosen = pa.array(done.rows, pa.int64())
            rows = members.take(chosen)
            paths = rows["_path"].to_pylist()
            label = (task.label.column, task.label.of(paths, rows["_label"].to_pylist())) if task.label else None
            mine = own.slice(start, len(members)).take(chosen) if own is not None else None
            table = ingested_table(kind, rows, done.measured, label, mine, {task.source_column})
            writer = writer or pq.ParquetWriter(sink, table.schema, compression="zstd")
            writer.write_table(table)
            stamps.append(_stamps(rows, table, task.fingerprint()))
            rejected += done.rejected
            start, taken, reused = start + len(members), taken + len(rows), reused + done.reused
        if writer is not None:
            writer.close()
    _write(task.file(STAMPS, part.number), pa.concat_tables(stamps))
    if rejected:
        columns = list(zip(*rejected, strict=True))
        _write(task.file(REJECTS, part.number), pa.table([pa.array(c) for c in columns], schema=REJECT_SCHEMA))
    else:
        delete_tree(task.file(REJECTS, part.number))
    return IngestCounts.of(task.source, taken, reused, [why for _, why, _ in rejected])


def _own_columns(members: pa.Table) -> pa.Table | None:
    """The user's columns: those of the list that names the members, or what lies beside each."""
    given = [name for name in members.column_names if name not in MEMBER_SCHEMA.names]
    return members.select(given) if given else own_of_json(members["_own"].to_pylist())


def _write(location: Location, table: pa.Table) -> None:
    with open_output(location) as sink:
        pq.write_table(table, sink, compression="zstd")


def _stamps(rows: pa.Table, table: pa.Table, fingerprint: str) -> pa.Table:
    return stamp_table([rows["_path"], rows["_size"], rows["_stamp"], table["content_hash"]], fingerprint)


def _measure(members: pa.Table, earlier: Earlier, task: IngestTask) -> _Batch:
    """Measures the members of a batch, or takes over what was measured before."""
    done, measurer = _Batch(), _Measurer(task)
    listed = members.to_pylist()
    known = [earlier.unchanged(one) for one in listed]
    unknown = [one for one, row in zip(listed, known, strict=True) if row is None]
    contents = _contents(unknown, task)
    for i, (one, row) in enumerate(zip(listed, known, strict=True)):
        try:
            if row is None:
                data = next(contents)
                if isinstance(data, UnreadableError):
                    raise data
                found = earlier.same_content(one["_path"], content_hash(data)) if earlier else None
                done.reused += found is not None
                done.measured.append(found or measurer.measured(data, one["_path"]))
            else:
                done.reused += 1
                done.measured.append(row)
            done.rows.append(i)
        except UnreadableError as error:
            done.rejected.append((one["_path"], error.kind, error.reason))
        if i % _REPORTED == 0:
            report_rows(min(_REPORTED, len(listed) - i))
    measurer.finish()
    if task.embedding is not None:
        check_lengths({len(row[EMBEDDING.name]) for row in done.measured})
    return done


class _Measurer:
    """Measures files: each as it is read, and several at once what takes less time so, vectors among it."""

    def __init__(self, task: IngestTask) -> None:
        self._task, self._kind = task, kind_of(task.kind)
        self._rows: list[dict[str, Any]] = []
        self._rest: list[Any] = []
        self._arrays: list[Arrays] = []

    def measured(self, data: bytes, name: str) -> dict[str, Any]:
        """What is measured of a file; all of it is there when all are finished.

        Raises:
            UnreadableError: it is no example.
        """
        (row, rest), embedding = self._kind.read(data, name, self._task.limits), self._task.embedding
        if embedding is not None:
            from pipelines.ingest.decoding import decode  # noqa: PLC0415, an extra

            self._arrays.append(embedding.array(decode(data, self._task.limits, 4 * embedding.size)))
        self._rows.append(row)
        self._rest.append(rest)
        if len(self._rows) == AT_ONCE:
            self.finish()
        return row

    def finish(self) -> None:
        """Measures what waits."""
        for row, more in zip(self._rows, self._kind.finish(self._rest), strict=True):
            row.update(more)
        if self._task.embedding is not None and self._arrays:
            vectors = self._task.embedding.vectors(self._arrays)
            for row, vector in zip(self._rows, vectors, strict=True):
                row[EMBEDDING.name] = vector.tolist()
        self._rows, self._rest, self._arrays = [], [], []


def _contents(members: list[dict[str, Any]], task: IngestTask) -> Iterator[bytes | UnreadableError]:
    """The bytes of members, or why they are no examples, in order."""
    fits = [_refused(one, task.limits) for one in members]
    columns = [name for name in MEMBER_SCHEMA.names if name in ("_uri", "_offset", "_size", "_row")]
    places = [Place(*(one[name] for name in columns)) for one, bad in zip(members, fits, strict=True) if bad is None]
    contents = read_places(places, task.base, task.limits.max_bytes)
    for one, bad in zip(members, fits, strict=True):
        data = bad if bad is not None else next(contents)
        yield _unread(data, in_a_row=one["_row"] is not None) if isinstance(data, OSError) else data


def _unread(error: OSError, *, in_a_row: bool) -> UnreadableError:
    if not is_missing(error):
        return UnreadableError(UNREADABLE, first_line(error))
    return UnreadableError(MISSING, "the row holds no bytes" if in_a_row else "is not there")


def _refused(member: dict[str, Any], limits: Limits) -> UnreadableError | None:
    """Why a member is no example, where that is known before it is read."""
    if member["_kind"] is not None:
        return UnreadableError(member["_kind"], member["_reason"] or "")
    if member["_size"] is None:
        return None
    try:
        check_size(member["_size"], limits)
    except UnreadableError as error:
        return error
    return None


def list_parts(task: IngestTask) -> Iterator[Part]:
    """The parts of a source, as a stream.

    Args:
        task: see there.

    Yields:
        Parts, numbered from 0.
    """
    if task.table is not None:
        return parts_of(
            table.slice(start, _LISTED_ROWS)
            for table in listed_files(task.source, task.table, task.root)
            for start in range(0, table.num_rows, _LISTED_ROWS)
        )
    return parts_of(list_members(task.source, task.paths, task.root, kind_of(task.kind)))
