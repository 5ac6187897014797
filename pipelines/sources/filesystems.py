"""Every path of the project goes through here: local, s3://, gs://, hdfs:// and abfs://, by pyarrow's file systems."""

from __future__ import annotations

import errno
import os
import re
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote

import pyarrow as pa
from pyarrow import fs

from pipelines.sources import azure
from pipelines.sources.atomic import own_temporary
from pipelines.sources.uploading import upload
from pipelines.sources.uris import is_uri, join, normalize, refuse_secrets, scheme_of, split_query, split_root
from splitting.errors import DataError, SpecError

_RENAMES = ("hdfs", "viewfs")
_ONE_PUT = "allow_delayed_open"
"""What has Arrow put a small file to S3 by one request instead of three, where the URI does not say otherwise."""
_KNOWN = ("s3", "gs", "gcs", "hdfs", "viewfs", "abfs", "abfss", "file")


@dataclass(frozen=True)
class Location:
    """A place in a file system.

    Attributes:
        filesystem: pyarrow's.
        path: within it.
        uri: what names the place anywhere: an absolute local path, or a URI.
    """

    filesystem: fs.FileSystem
    path: str
    uri: str

    @property
    def is_local(self) -> bool:
        """On this machine's disk."""
        return isinstance(self.filesystem, fs.LocalFileSystem)


def locate(path: str, base: str | None = None) -> Location:
    """Finds the file system of a path.

    Args:
        path: local, or a URI. `~` is not expanded.
        base: the folder that a relative local path is against; the working directory by default.

    Returns:
        The location; nothing is read.

    Raises:
        SpecError: the scheme is unknown, its file system cannot be reached, or the URI holds a secret.
    """
    scheme = scheme_of(path)
    if scheme is None and base is not None and is_uri(base) and not path.startswith("/"):
        return locate(join(base, path))
    if scheme in (None, "file"):
        local = path[len("file://") :] if scheme else path
        whole = Path(base or "") / local
        # A worker's working directory may be gone: it is asked for only where it matters.
        full = os.path.normpath(whole if whole.is_absolute() else Path.cwd() / whole)
        return Location(_LOCAL, full, full)
    if scheme not in _KNOWN:
        raise SpecError(f"{path}: unknown file system {scheme}://; known are {', '.join(f'{k}://' for k in _KNOWN)}")
    refuse_secrets(path)
    uri = normalize(path)
    try:
        filesystem, inner = _resolve(uri)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise SpecError(f"{path}: cannot be reached: {first_line(error)}") from error
    return Location(filesystem, inner, uri)


def _resolve(uri: str) -> tuple[fs.FileSystem, str]:
    if scheme_of(uri) == "s3":
        stem, query = split_query(uri)
        root, path = split_root(stem)
        filesystem, bucket = _s3(root, query, tuple(os.environ.items()))
        return filesystem, f"{bucket}/{unquote(path)}".rstrip("/")
    filesystem, inner = fs.FileSystem.from_uri(uri)
    return (azure.with_account_key(filesystem) if scheme_of(uri) in azure.SCHEMES else filesystem), inner


@lru_cache(maxsize=16)
def _s3(root: str, query: str, _environment: tuple[tuple[str, str], ...]) -> tuple[fs.FileSystem, str]:
    """The file system of a bucket, and its name: a client takes 15 ms to make, and keeps its connections."""
    once = "" if _ONE_PUT in query else f"{'&' if query else '?'}{_ONE_PUT}=true"
    found: tuple[fs.FileSystem, str] = fs.FileSystem.from_uri(root + query + once)
    return found


_LOCAL = fs.LocalFileSystem()


def first_line(error: BaseException) -> str:
    """The first line of an error's message, cut."""
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__


def raise_for(location: Location, doing: str, error: OSError) -> NoReturn:
    """Turns an operating system's error into one message.

    Raises:
        DataError: always.
    """
    cures = {
        errno.ENOENT: "there is no such file or folder; check the path",
        errno.EACCES: "permission denied; grant this user access to it",
        errno.EPERM: "permission denied; grant this user access to it",
        errno.ENOSPC: "the disk is full; free space, or write elsewhere, and run again",
        errno.EDQUOT: "the disk quota is used up; free space, or write elsewhere, and run again",
        errno.ENOTDIR: "a part of the path is a file, not a folder",
        errno.EISDIR: "it is a folder, expected a file",
    }
    number = error.errno or _errno_of(str(error))
    what = cures.get(number or 0, first_line(error))
    raise DataError(f"cannot {doing} {location.uri}: {what}") from error


def _errno_of(message: str) -> int | None:
    found = re.search(r"(?:errno|os error) (\d+)", message)
    return int(found[1]) if found else None


def kind(location: Location) -> str:
    """`file`, `folder`, or `missing`.

    Raises:
        DataError: it cannot be told.
    """
    try:
        info = location.filesystem.get_file_info(location.path)
    except OSError as error:
        raise_for(location, "look at", error)
    if info.type == fs.FileType.NotFound:
        return "missing"
    return "folder" if info.type == fs.FileType.Directory else "file"


def exists(location: Location) -> bool:
    """Whether there is a file or folder."""
    return kind(location) != "missing"


def read_bytes(location: Location, most: int | None = None) -> bytes:
    """The bytes of a file.

    Args:
        location: of the file.
        most: read no more; None for all.

    Returns:
        The bytes.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with location.filesystem.open_input_stream(location.path, compression=None) as stream:
            data: bytes = stream.read(most)
            return data
    except OSError as error:
        raise_for(location, "read", error)


def read_pieces(location: Location, size: int) -> Iterator[bytes]:
    """Reads a file piece by piece.

    Args:
        location: of the file.
        size: of each piece; the last may be shorter.

    Yields:
        Its bytes, in order.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with location.filesystem.open_input_stream(location.path, compression=None) as stream:
            while piece := stream.read(size):
                while len(piece) < size and (more := stream.read(size - len(piece))):
                    piece += more
                yield piece
    except OSError as error:
        raise_for(location, "read", error)


@contextmanager
def open_output(location: Location) -> Iterator[pa.NativeFile]:
    """Opens a file for writing that appears, whole, when the block ends without an error.

    Local files are written beside their place under a name that no other living attempt has (`own_temporary`), and
    renamed. Others are written to a local temporary file first and put at once, so that an attempt that fails changes
    nothing: the folder for temporary files (`TMPDIR`) needs room for one file an attempt. On HDFS, where a file is
    seen while it is put, it is put under a unique name and renamed.

    Args:
        location: of the file; its folder is made.

    Raises:
        DataError: it cannot be written; nothing appears.
    """
    if not location.is_local:
        yield from _put(location)
        return
    with local_output(location) as temporary, pa.OSFile(str(temporary), "wb") as sink:
        yield sink


@contextmanager
def local_output(location: Location) -> Iterator[Path]:
    """The path under which to write a local file that appears, whole, when the block ends without an error.

    Args:
        location: of the file, which is local; its folder is made.

    Raises:
        DataError: it cannot be written; nothing appears.
    """
    target = Path(location.path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with own_temporary(target) as temporary:
            yield temporary
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
            temporary.replace(target)
    except OSError as error:
        raise_for(location, "write", error)


def _put(location: Location) -> Iterator[pa.NativeFile]:
    """Collects what is written in a file of its own, then puts it where it belongs."""
    try:
        with tempfile.TemporaryDirectory(prefix="targetsplit-") as folder:
            collected = f"{folder}/object"
            with pa.OSFile(collected, "wb") as sink:
                yield sink
            renames = scheme_of(location.uri) in _RENAMES
            path = f"{location.path}.{uuid.uuid4().hex}.part" if renames else location.path
            upload(Path(collected), location.filesystem, path)
            if renames:
                _rename(location, path)
    except OSError as error:
        raise_for(location, "write", error)


def _rename(location: Location, temporary: str) -> None:
    """Moves a file to its place; HDFS replaces nothing, so what is there goes first."""
    if exists(location):
        location.filesystem.delete_file(location.path)
    location.filesystem.move(temporary, location.path)


def write_bytes_atomic(location: Location, data: bytes) -> None:
    """Writes a file whole or not at all.

    Raises:
        DataError: it cannot be written.
    """
    with open_output(location) as sink:
        sink.write(data)


def list_names(location: Location) -> list[str]:
    """The names in a folder, sorted; empty where there is no such folder.

    Raises:
        DataError: it cannot be read, or is a file.
    """
    found = kind(location)
    if found == "missing":
        return []
    if found == "file":
        raise DataError(f"{location.uri} is a file, expected a folder")
    # Of Google's store pyarrow lists every object below, and no folder that it did not make.
    every = isinstance(location.filesystem, fs.GcsFileSystem)
    selector, start = fs.FileSelector(location.path, recursive=every), len(location.path.rstrip("/")) + 1
    try:
        return sorted({info.path[start:].split("/")[0] for info in location.filesystem.get_file_info(selector)})
    except UnicodeDecodeError as error:
        raise DataError(f"cannot list {location.uri}: it holds a name that is not UTF-8; rename that") from error
    except OSError as error:
        raise_for(location, "list", error)


def delete_tree(location: Location) -> None:
    """Deletes a file or a folder with all that is in it; nothing where there is none.

    Raises:
        DataError: it cannot be deleted.
    """
    found = kind(location)
    try:
        if found == "folder":
            location.filesystem.delete_dir(location.path)
        elif found == "file":
            location.filesystem.delete_file(location.path)
    except FileNotFoundError as error:
        # Google's store: the objects are gone, and pyarrow looks for one that would stand for their folder.
        if kind(location) != "missing":
            raise_for(location, "delete", error)
    except OSError as error:
        raise_for(location, "delete", error)
