"""Fragments, the units of reading, and the inventory that lists them: done on the launcher, from footers alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import pyarrow as pa

from pipelines.sources.csv_files import has_spans
from pipelines.sources.formats import Format, format_of
from pipelines.sources.inspecting import FileFacts, inspect_file
from pipelines.sources.listing import ListedFile, check_read_once, list_source
from pipelines.sources.options import CsvOptions
from pipelines.sources.schemas import FileSchema, check_key, unify
from pipelines.sources.text import BLOCK_BYTES, Span, is_compressed
from pipelines.sources.uris import shown
from splitting.errors import DataError

FRAGMENT_BYTES = 32 * 2**20
FRAGMENT_ROWS = 1_000_000
_SHOWN = 5
_TEXT_ROW_BYTES = 64


@dataclass(frozen=True)
class SourceRequest:
    """What to read for one source.

    Attributes:
        name: of the source.
        paths: files, folders or globs.
        format: of all its files; None where their endings tell.
        csv: how CSV files are read.
        base: the folder that its relative paths are against; None for that of all.
    """

    name: str
    paths: tuple[str, ...]
    format: Format | None = None
    csv: CsvOptions = field(default_factory=CsvOptions)
    base: str | None = None


@dataclass(frozen=True)
class SourceFile:
    """One file of a source; `rows` is None where only reading tells."""

    source: str
    uri: str
    file: str
    format: Format
    bytes: int
    rows: int | None


@dataclass(frozen=True)
class Fragment:
    """A unit of reading.

    Attributes:
        source: the source.
        uri: absolute path or URI of the file.
        file: how the file is shown.
        format: of the file.
        row_groups: the row groups or record batches, first and past the last; None for the whole file, or a span.
        first_row: the number of its first row in the file, from 0; of a span, 0.
        rows: how many there are; None where only reading tells.
        bytes: about how much of the file it takes.
        csv: how CSV is read.
        span: of a text file, the bytes where its lines begin; None for the whole file.
    """

    source: str
    uri: str
    file: str
    format: Format
    row_groups: tuple[int, int] | None
    first_row: int
    rows: int | None
    bytes: int
    csv: CsvOptions | None = None
    span: Span | None = None


@dataclass(frozen=True)
class Inventory:
    """All that there is to read.

    Attributes:
        schema: of the unified table, without the source column.
        files: by source in the order of the spec, then by path.
        fragments: in the order of the files, then of their rows.
    """

    schema: pa.Schema
    files: tuple[SourceFile, ...]
    fragments: tuple[Fragment, ...]


def take_inventory(
    sources: Sequence[SourceRequest],
    base: str | None = None,
    fragment_bytes: int = FRAGMENT_BYTES,
    *,
    numbered: bool = False,
    key: Sequence[str] = (),
) -> Inventory:
    """Lists and looks at all files.

    Args:
        sources: in the order of the spec.
        base: the folder that relative paths are against.
        fragment_bytes: about how large a fragment is, uncompressed.
        numbered: rows must know their number in the file, so that text files are read from their begin.
        key: columns without which a row is rejected, and so a file that lacks them is refused; those that no file has
            are left to `check_columns`.

    Returns:
        The inventory.

    Raises:
        DataError: files are missing, unreadable, listed twice, lack a key or do not go together; lists up to five of
            each.
    """
    wanted = [
        (request, _as_shown(file, request.base))
        for request in sources
        for file in list_source(request.name, request.paths, request.base or base)
    ]
    check_read_once([(request.name, file) for request, file in wanted])
    formats = [format_of(file.file, request.format) for request, file in wanted]
    with ThreadPoolExecutor(8) as pool:
        looks = [
            pool.submit(_try(inspect_file), file, kind, request.csv)
            for (request, file), kind in zip(wanted, formats, strict=True)
        ]
        found = [look.result() for look in looks]
    _raise_all([fact for fact in found if isinstance(fact, DataError)], len(found))
    facts = [fact for fact in found if isinstance(fact, FileFacts)]
    rows = list(zip(wanted, formats, facts, strict=True))
    schemas = [
        FileSchema(request.name, file.file, fact.schema, kind, complete=_is_seen_whole(file, kind))
        for (request, file), kind, fact in rows
        if fact.schema is not None and kind != "rejects"
    ]
    if not schemas:
        raise DataError("the sources hold no rows and no columns; check their paths")
    schema = unify(schemas)
    check_key(schemas, [name for name in key if name in schema.names])
    files = tuple(
        SourceFile(request.name, file.uri, file.file, kind, file.bytes, fact.rows)
        for (request, file), kind, fact in rows
    )
    fragments = tuple(
        fragment
        for (request, file), kind, fact in rows
        for fragment in _cut(request, file, kind, fact, fragment_bytes, numbered)
    )
    return Inventory(schema, files, fragments)


def _as_shown(file: ListedFile, base: str | None) -> ListedFile:
    """The file, shown relative to a base of its own; the same wherever that lies."""
    return file if base is None else replace(file, file=shown(file.uri).removeprefix(f"{shown(base).rstrip('/')}/"))


def _is_seen_whole(file: ListedFile, kind: Format) -> bool:
    """Whether a look at a file tells all its columns: lines of JSON may bring others further down."""
    return kind != "jsonl" or (file.bytes <= BLOCK_BYTES and not is_compressed(file.uri))


def _try(look: Callable[[ListedFile, Format, CsvOptions], FileFacts]) -> Callable[..., FileFacts | DataError]:
    def tried(file: ListedFile, kind: Format, csv: CsvOptions) -> FileFacts | DataError:
        try:
            return look(file, kind, csv)
        except DataError as error:
            return error

    return tried


def _raise_all(errors: Sequence[DataError], files: int) -> None:
    if not errors:
        return
    more = f"\n  … and {len(errors) - _SHOWN} more" if len(errors) > _SHOWN else ""
    told = "".join(f"\n  - {error}" for error in errors[:_SHOWN])
    raise DataError(f"{len(errors)} of {files} files cannot be read:{told}{more}")


def _cut(
    request: SourceRequest, file: ListedFile, kind: Format, facts: FileFacts, fragment_bytes: int, numbered: bool
) -> Iterator[Fragment]:
    """A file's fragments: neighbouring row groups together, up to a size; spans of text of that size."""
    csv = request.csv if kind == "csv" else None

    def fragment(
        groups: tuple[int, int] | None, first_row: int, rows: int | None, share: int, span: Span | None = None
    ) -> Fragment:
        return Fragment(request.name, file.uri, file.file, kind, groups, first_row, rows, share, csv, span)

    if facts.schema is None:
        return
    if facts.groups is None:
        in_spans = kind == "jsonl" or (kind == "csv" and has_spans(request.csv))
        if numbered or not in_spans or is_compressed(file.uri) or file.bytes <= fragment_bytes:
            yield fragment(None, 0, facts.rows, file.bytes)
            return
        for start in range(0, file.bytes, fragment_bytes):
            end = min(start + fragment_bytes, file.bytes)
            yield fragment(None, 0, None, end - start, (start, end))
        return
    total = max(1, sum(rows for rows, _ in facts.groups))
    first = start = rows = size = 0
    for i, (group_rows, group_bytes) in enumerate(facts.groups):
        if i > first and (size + group_bytes > fragment_bytes or rows + group_rows > FRAGMENT_ROWS):
            yield fragment((first, i), start, rows, file.bytes * rows // total)
            first, start, rows, size = i, start + rows, 0, 0
        rows, size = rows + group_rows, size + group_bytes
    yield fragment((first, len(facts.groups)), start, rows, file.bytes * rows // total)


def pack_units(fragments: Sequence[Fragment], unit_bytes: int) -> tuple[tuple[Fragment, ...], ...]:
    """Runs of consecutive fragments, as even as they get, so that workers end together.

    Args:
        fragments: in order.
        unit_bytes: about how large a unit is at most, by the size of its input files.

    Returns:
        Units; together they are the fragments, in order.
    """
    total = sum(fragment.bytes for fragment in fragments)
    count = -(-total // unit_bytes) or 1
    units: dict[int, list[Fragment]] = {}
    before = 0
    for fragment in fragments:
        middle = 2 * before + fragment.bytes
        units.setdefault(middle * count // (2 * total) if total else 0, []).append(fragment)
        before += fragment.bytes
    return tuple(tuple(units[number]) for number in sorted(units))


def about_rows(inventory: Inventory) -> int:
    """About how many rows there are: a row of text takes some 64 bytes."""
    return sum(f.rows if f.rows is not None else f.bytes // _TEXT_ROW_BYTES for f in inventory.fragments)


def join_neighbours(fragments: Sequence[Fragment], rows: int, at_least: int = 16) -> tuple[Fragment, ...]:
    """Larger fragments, for work that reads few columns and pays for each fragment.

    Args:
        fragments: in order.
        rows: how many a joined fragment has at most.
        at_least: how many fragments stay, so that all cores find work.

    Returns:
        Neighbours of one file joined; together they are the fragments, in order.
    """
    joined: list[Fragment] = []
    spare = len(fragments) - at_least
    for fragment in fragments:
        last = joined[-1] if joined else None
        if last is None or spare <= 0 or not _adjoin(last, fragment) or (last.rows or 0) + (fragment.rows or 0) > rows:
            joined.append(fragment)
            continue
        groups = (last.row_groups[0], fragment.row_groups[1]) if last.row_groups and fragment.row_groups else None
        size = (last.rows or 0) + (fragment.rows or 0)
        joined[-1] = replace(last, row_groups=groups, rows=size, bytes=last.bytes + fragment.bytes)
        spare -= 1
    return tuple(joined)


def _adjoin(one: Fragment, next_one: Fragment) -> bool:
    if one.uri != next_one.uri or one.rows is None or next_one.rows is None:
        return False
    return (
        one.row_groups is not None and next_one.row_groups is not None and one.row_groups[1] == next_one.row_groups[0]
    )


def check_unchanged(inventory: Inventory) -> None:
    """Makes sure that the files are still those that were planned with, by their sizes.

    Raises:
        DataError: a file is gone or has another size.
    """
    from pipelines.sources.filesystems import locate  # noqa: PLC0415

    changed = []
    for file in inventory.files:
        location = locate(file.uri)
        info = location.filesystem.get_file_info(location.path)
        if info.size != file.bytes:
            now = "is gone" if info.size is None else f"{file.bytes:,} bytes, now {info.size:,}"
            changed.append(f"{file.file} ({now})")
    if changed:
        more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
        raise DataError(f"input files changed after the plan was made: {', '.join(changed[:_SHOWN])}{more}; plan again")
