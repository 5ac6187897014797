"""Walks a folder of files in one order, as a stream: no more than the names of one folder are held at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
from pyarrow import fs

from pipelines.sources.filesystems import Location, raise_for
from splitting.errors import DataError

_FOLDERS, _NAMES = "folder", "name"


@dataclass(frozen=True)
class Walked:
    """A file below a folder.

    Attributes:
        path: relative to the folder, with `/`.
        size: in bytes.
        stamp: when it changed last, in nanoseconds; None where the file system does not say.
    """

    path: str
    size: int
    stamp: int | None


def walk(folder: Location) -> Iterator[Walked]:
    """The files below a folder, in the order of the parts of their paths.

    Names that begin with `.` or `_` are left out. Symbolic links to files are followed, those to folders are not.

    Args:
        folder: local, or in an object store.

    Yields:
        Files.

    Raises:
        DataError: a folder cannot be read, or holds a name that is not UTF-8.
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
    return Walked(path, info.size or 0, info.mtime_ns)


def _walk_local(folder: Location, inner: str) -> Iterator[Walked]:
    place = os.path.join(folder.path, inner)  # noqa: PTH118, millions of them
    for name, is_folder in _sorted_names(folder, place).iter_rows():
        path = f"{inner}/{name}" if inner else name
        if is_folder:
            yield from _walk_local(folder, path)
            continue
        try:
            found = os.stat(os.path.join(place, name))  # noqa: PTH116, PTH118
        except FileNotFoundError:
            continue  # a link to nothing, or deleted since
        except OSError as error:
            raise_for(folder, f"look at {path} in", error)
        yield Walked(path, found.st_size, found.st_mtime_ns)


def _sorted_names(folder: Location, place: str) -> pl.DataFrame:
    """What lies in one folder: `name` sorted by its bytes, and whether it is a folder. Packed: a million take 40 MB."""
    parts: list[pl.DataFrame] = []
    names: list[str] = []
    folders: list[bool] = []

    def pack() -> None:
        parts.append(pl.DataFrame({_NAMES: names, _FOLDERS: folders}, schema={_NAMES: pl.String, _FOLDERS: pl.Boolean}))
        names.clear()
        folders.clear()

    try:
        with os.scandir(place) as entries:
            for entry in entries:
                if entry.name.startswith((".", "_")):
                    continue
                is_folder = entry.is_dir(follow_symlinks=False)
                if is_folder or entry.is_file():
                    names.append(_utf8(entry.name, folder))
                    folders.append(is_folder)
                if len(names) == 65_536:
                    pack()
    except OSError as error:
        raise_for(folder, "list", error)
    pack()
    return pl.concat(parts).sort(_NAMES)


def _utf8(name: str, folder: Location) -> str:
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"cannot list {folder.uri}: it holds a name that is not UTF-8 ({name!a}); rename that"
        ) from error
    return name


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
