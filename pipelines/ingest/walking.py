"""Walks a folder of files in one order, as a stream: no more than the names of one folder are held at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
from pyarrow import fs

from pipelines.ingest.rejects import MISSING, UNSAFE_NAME, escaped
from pipelines.sources.filesystems import Location, raise_for

_NAMES, _FOLDERS, _KIND = "name", "folder", "kind"
_LISTED = {_NAMES: pl.String, _FOLDERS: pl.Boolean, _KIND: pl.Categorical}
_PACKED = 65_536
_REASONS = {MISSING: "a link to nothing", UNSAFE_NAME: "is not UTF-8; rename it"}


@dataclass(frozen=True)
class Walked:
    """A file below a folder.

    Attributes:
        path: relative to the folder, with `/`.
        size: in bytes.
        stamp: when it changed last, as `local_stamp` says; in a store, when it was written. None where nobody says.
        kind: of its rejection, where its name alone tells that it is no example.
        reason: of its rejection.
    """

    path: str
    size: int
    stamp: int | None
    kind: str | None = None
    reason: str | None = None


def walk(folder: Location) -> Iterator[Walked]:
    """The files below a folder, in the order of the parts of their paths.

    Names that begin with `.` or `_` are left out. Symbolic links to files are followed, those to folders are not. A
    link to nothing, and a name that is not UTF-8 (of a folder, too), are rejected.

    Args:
        folder: local, or in an object store.

    Yields:
        Files.

    Raises:
        DataError: a folder cannot be read.
    """
    yield from _walk_local(folder, "") if folder.is_local else _walk_remote(folder, "")


def walked_file(location: Location, path: str) -> Walked:
    """What is known of one file.

    Args:
        location: of the file.
        path: that it goes by.

    Raises:
        DataError: it cannot be looked at.
    """
    try:
        info = location.filesystem.get_file_info(location.path)
    except OSError as error:
        raise_for(location, "look at", error)
    return Walked(path, info.size or 0, stamp_of(location, info))


def local_stamp(found: os.stat_result) -> int:
    """When a file of a disk changed last, in nanoseconds: its bytes, or what is said of it.

    A tool that keeps times (`cp -p`, `rsync -t`, `tar -x`) gives other bytes the time of the old ones. The time of
    change of the file's entry is the system's own, and nobody sets it.
    """
    return max(found.st_mtime_ns, found.st_ctime_ns)


def stamp_of(location: Location, info: fs.FileInfo) -> int | None:
    """The stamp of a file that was looked at.

    Args:
        location: of the file.
        info: what its file system says.
    """
    if info.type != fs.FileType.File or not location.is_local:
        written: int | None = info.mtime_ns
        return written
    try:
        return local_stamp(os.stat(location.path))  # noqa: PTH116
    except OSError:
        return None  # gone since: the reading says so


def _walk_local(folder: Location, inner: str) -> Iterator[Walked]:
    place = os.path.join(folder.path, inner)  # noqa: PTH118, millions of them
    for name, is_folder, kind in _sorted_names(folder, place).iter_rows():
        path = f"{inner}/{name}" if inner else name
        if kind is not None:
            yield Walked(path, 0, None, kind, _REASONS[kind])
            continue
        if is_folder:
            yield from _walk_local(folder, path)
            continue
        try:
            found = os.stat(os.path.join(place, name))  # noqa: PTH116, PTH118
        except FileNotFoundError:
            continue  # deleted since
        except OSError as error:
            raise_for(folder, f"look at {path} in", error)
        yield Walked(path, found.st_size, local_stamp(found))


def _sorted_names(folder: Location, place: str) -> pl.DataFrame:
    """What lies in one folder, sorted: `name`, `folder` (whether it is one), `kind` (of a rejection).

    Packed: a million take 40 MB.
    """
    parts: list[pl.DataFrame] = []
    found: list[tuple[str, bool, str | None]] = []

    def pack() -> None:
        parts.append(pl.DataFrame(found, schema=_LISTED, orient="row"))
        found.clear()

    try:
        with os.scandir(place) as entries:
            for entry in entries:
                if not entry.name.startswith((".", "_")):
                    found += _listed(entry)
                if len(found) == _PACKED:
                    pack()
    except OSError as error:
        raise_for(folder, "list", error)
    pack()
    return pl.concat(parts).sort(_NAMES)


def _listed(entry: os.DirEntry[str]) -> Iterator[tuple[str, bool, str | None]]:
    """A file or a folder; nothing of what is neither, as a link to a folder, a pipe or a socket."""
    is_folder = entry.is_dir(follow_symlinks=False)
    if not is_folder and not _leads(entry):
        yield escaped(entry.name), False, MISSING
    elif is_folder or entry.is_file():
        name = escaped(entry.name)
        yield name, is_folder, UNSAFE_NAME if name != entry.name else None


def _leads(entry: os.DirEntry[str]) -> bool:
    """Whether there is something: a link may lead nowhere, or in a circle."""
    try:
        entry.stat() if entry.is_symlink() else None
    except OSError:
        return False
    return True


def _walk_remote(folder: Location, inner: str) -> Iterator[Walked]:
    place = f"{folder.path.rstrip('/')}/{inner}" if inner else folder.path
    try:
        infos = folder.filesystem.get_file_info(fs.FileSelector(place, recursive=False))
    except OSError as error:
        raise_for(folder, "list", error)
    for info in sorted(infos, key=lambda info: info.base_name.encode()):
        if info.base_name.startswith((".", "_")) or not info.base_name:
            continue
        path = f"{inner}/{info.base_name}" if inner else info.base_name
        if info.type == fs.FileType.Directory:
            yield from _walk_remote(folder, path)
        elif info.type == fs.FileType.File:
            yield Walked(path, info.size, info.mtime_ns)
