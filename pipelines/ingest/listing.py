"""Lists the members of a source as a stream: files of folders and globs, and what is in archives."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import unquote

import pyarrow as pa

from pipelines.ingest.archives import PACKED_ARCHIVES, archive_members
from pipelines.ingest.kinds import Kind
from pipelines.ingest.labels import ARCHIVE
from pipelines.ingest.members import Member
from pipelines.ingest.row_files import ENDINGS, row_parts
from pipelines.ingest.walking import Walked, walk, walked_file
from pipelines.sources.filesystems import Location, kind, locate
from pipelines.sources.formats import ending_of
from pipelines.sources.listing import glob_pattern, is_document, is_glob, split_glob
from pipelines.sources.uris import split_query
from splitting.errors import DataError

_BESIDE = (".json", ".xml", ".ini", ".db", ".cls")


def base_of(name: str, paths: Sequence[str], root: str | None) -> str:
    """What the paths of a source's members are relative to.

    Args:
        name: of the source.
        paths: of the source.
        root: the folder that relative paths are against.

    Returns:
        Of one path, the folder that it is, or that its glob begins in, or that its file lies in; of several, the root.

    Raises:
        DataError: nothing is at the path.
    """
    if len(paths) > 1:
        return locate(root or ".").uri
    start = _start(name, paths[0], root)
    if start.glob is not None or kind(start.location) == "folder":
        return start.location.uri
    stem, query = split_query(start.location.uri)
    return (stem.rpartition("/")[0] or "/") + query


@dataclass(frozen=True)
class _Start:
    """Where a path of a source begins: a file, or a folder and what must match below it."""

    location: Location
    glob: str | None = None


def check_apart(paths: Sequence[tuple[str, str]], root: str | None) -> None:
    """Makes sure that no path lies in a folder that is read as a whole by another: its files would be read twice.

    What two globs, or a link to a file, read twice is not seen here.

    Args:
        paths: of sources without a list, each with the name of its source.
        root: the folder that relative paths are against.

    Raises:
        DataError: one does, or nothing is at a path.
    """
    starts = [_start(name, path, root) for name, path in paths]
    places = [split_query(_real(start.location))[0].rstrip("/") for start in starts]
    whole = {place: i for i, (place, start) in enumerate(zip(places, starts, strict=True)) if start.glob is None}
    for i, inner in enumerate(places):
        outer = next((place for place in _read_with(inner) if whole.get(place, i) != i), None)
        if outer is not None:
            (name, path), (other, under) = paths[whole[outer]], paths[i]
            raise DataError(
                f"{under} (source {other!r}) lies in {path} (source {name!r}), and no file may be read twice; take it "
                "out of one, or give narrower paths"
            )


def _read_with(place: str) -> Iterator[str]:
    """A place and the folders above it that hold it when they are read: up to a name that is left out."""
    yield place
    while "/" in place:
        place, _, name = place.rpartition("/")
        if name.startswith((".", "_")):
            return
        yield place


def _real(location: Location) -> str:
    return os.path.realpath(location.path) if location.is_local else location.uri


def list_members(name: str, paths: Sequence[str], root: str | None, what: Kind) -> Iterator[Member | pa.Table]:
    """The members of a source, in the order of its paths, then of their own.

    In a folder, what promises to be something else is left out: documents, tables, what lies beside images
    (`.json`, `.xml`, …); a Parquet file is taken for the images in it, if it has any. What promises nothing is a
    member, and is rejected if it is none.

    Args:
        name: of the source.
        paths: files, folders, archives (`.tar`), Parquet files, or globs.
        root: the folder that relative paths are against.
        what: is listed.

    Yields:
        Members; those of a row group of Parquet as a table.

    Raises:
        DataError: nothing is at a path, or a folder cannot be read.
    """
    base = base_of(name, paths, root)
    for path in paths:
        start = _start(name, path, root)
        prefix = _below(name, path, start.location, base)
        pattern = glob_pattern(start.glob) if start.glob is not None else None
        asked = start.glob is not None and start.glob.lower().endswith(ENDINGS)
        if kind(start.location) == "file":
            yield from _of_file(walked_file(start.location, prefix), base, what, asked=True)
            continue
        for walked in walk(start.location):
            parts = walked.path.split("/")
            if pattern is None or any(pattern.fullmatch("/".join(parts[:n])) for n in range(len(parts), 0, -1)):
                whole = f"{prefix}/{walked.path}" if prefix else walked.path
                yield from _of_file(replace(walked, path=whole), base, what, asked=asked)


def _start(name: str, path: str, root: str | None) -> _Start:
    location = locate(path, root)
    found = kind(location)
    if found != "missing":
        return _Start(location)
    if is_glob(path):
        folder, glob = split_glob(path, root)
        if kind(folder) == "folder":
            return _Start(folder, glob)
    raise DataError(f"source {name!r}: nothing is at {path} ({location.uri}); check the path")


def _below(name: str, path: str, location: Location, base: str) -> str:
    """A place relative to the base."""
    inside, under = (split_query(uri)[0].rstrip("/") for uri in (location.uri, base))
    if inside == under:
        return ""
    if not inside.startswith(f"{under}/"):
        raise DataError(
            f"source {name!r}: {path} does not lie in {base}, the folder that several paths of files must lie in; give "
            "each its own source, or one folder"
        )
    inner = inside.removeprefix(f"{under}/")
    return inner if location.is_local else unquote(inner)


def _of_file(walked: Walked, base: str, what: Kind, *, asked: bool = False) -> Iterator[Member | pa.Table]:
    path, lower = walked.path, walked.path.lower()
    if walked.kind is not None:
        if not _is_something_else(path):
            yield Member(path, path, kind=walked.kind, reason=walked.reason)
    elif lower.endswith(ARCHIVE):
        yield from archive_members(path, base, walked.stamp, what)
    elif lower.endswith(ENDINGS):
        yield from row_parts(path, base, walked.stamp, asked=asked)
    elif lower.endswith(PACKED_ARCHIVES):
        raise DataError(f"{path} is a compressed archive, in which no member can be found; unpack it to .tar")
    elif asked or lower.endswith(tuple(what.endings)) or not _is_something_else(path):
        yield Member(path, path, size=walked.size, stamp=walked.stamp)


def _is_something_else(path: str) -> bool:
    name = path.rpartition("/")[2]
    return is_document(name) or ending_of(name) is not None or name.lower().endswith(_BESIDE)
