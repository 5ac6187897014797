"""Lists the members of a tar archive, with what lies beside them, as WebDataset writes it. Nothing is unpacked."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from itertools import groupby
from typing import IO, cast

import pyarrow as pa

from pipelines.ingest.kinds import Kind
from pipelines.ingest.locations import leads_out, resolve
from pipelines.ingest.members import Member
from pipelines.ingest.rejects import UNREADABLE, UNSAFE_NAME, escaped
from pipelines.sources.filesystems import first_line, raise_for

PACKED_ARCHIVES = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")
BROKEN_ARCHIVE = "broken archive"
_CLASS, _JSON = "cls", "json"
_MAX_BESIDE = 2**20
_MAX_HEADER = 2**20
_MAX_KEYS = 1_000


def archive_members(path: str, base: str, stamp: int | None, what: Kind) -> Iterator[Member]:
    """The members of an archive, in its order.

    Files whose paths agree up to the first dot of the name lie beside each other. A `.json` that is an object gives
    columns; a `.cls` gives a label.

    Args:
        path: of the archive, relative to the base.
        base: of the source.
        stamp: when the archive changed last.
        what: is listed.

    Yields:
        Members; where the archive breaks off, one that says so.
    """
    location = resolve(path, base)
    broken: list[str] = []
    try:
        with location.filesystem.open_input_file(location.path) as file:
            for key, files in groupby(_files(path, file, broken), key=_key):
                yield from _sample(key, list(files), path, stamp, file, what)
    except OSError as error:
        raise_for(location, "read", error)
    for reason in broken:
        yield Member(path, path, kind=BROKEN_ARCHIVE, reason=f"cannot be read further: {reason}")


def _files(path: str, file: pa.NativeFile, broken: list[str]) -> Iterator[tarfile.TarInfo]:
    """The files in an archive, up to where it breaks off; why it does is put into a list."""
    try:
        with tarfile.open(name=path, mode="r:", fileobj=cast("IO[bytes]", _Headers(file))) as archive:
            end = after = 0
            while (info := archive.next()) is not None:
                if archive.offset <= after:  # would be read again and again
                    raise tarfile.ReadError("a member has a size that is none")
                after = archive.offset
                end = max(end, info.offset_data + (info.size if info.isreg() else 0))
                if info.isreg() or info.islnk() or info.issym():
                    yield info
                archive.members = []  # type: ignore[attr-defined]  # it would keep all of them
        if end > file.size():
            broken.append("the last member is cut off")
    except (tarfile.TarError, EOFError, ValueError, OverflowError, pa.ArrowException) as error:
        broken.append(first_line(error))


class _Headers:
    """A file as tarfile reads it, which believes whatever size a header tells; here it gets no more than there is."""

    def __init__(self, file: pa.NativeFile) -> None:
        self._file, self._size, self._at = file, file.size(), 0

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _MAX_HEADER:
            raise tarfile.ReadError(f"a header of {size:,} bytes")
        self._file.seek(min(self._at, self._size))
        data: bytes = self._file.read(size)
        self._at += len(data)
        return data

    def seek(self, at: int) -> None:
        if at < 0:
            raise tarfile.ReadError("a header tells a size that is none")
        self._at = at

    def tell(self) -> int:
        return self._at


def _key(info: tarfile.TarInfo) -> str:
    folder, slash, name = info.name.rpartition("/")
    return folder + slash + name.partition(".")[0]


def _sample(
    key: str, files: list[tarfile.TarInfo], path: str, stamp: int | None, file: pa.NativeFile, what: Kind
) -> Iterator[Member]:
    """The members of one sample: its files of the wanted kind, each with what lies beside them."""
    endings = {info.name.rpartition(".")[2].lower(): info for info in files if _is_plain(info)}
    wanted = [info for info in files if info.name.lower().endswith(tuple(what.endings))]
    if not wanted or key.rpartition("/")[2].startswith((".", "_")):
        return
    label = _text(endings.get(_CLASS), file)
    own = _object(_text(endings.get(_JSON), file))
    for info in wanted:
        name = escaped(info.name.removeprefix("./").lstrip("/"))
        kind, why = _refused(info)
        inner = f"{path}/{name}"
        yield Member(
            inner,
            path,
            offset=info.offset_data,
            size=info.size,
            stamp=stamp,
            label=label,
            own=own,
            kind=kind,
            reason=why,
        )


def _is_plain(info: tarfile.TarInfo) -> bool:
    """Whether its bytes lie in the archive as they are."""
    return info.isreg() and not info.issparse()


def _refused(info: tarfile.TarInfo) -> tuple[str | None, str | None]:
    """The kind and the reason of a member's rejection, by its header."""
    if leads_out(info.name.removeprefix("./").lstrip("/")):
        return UNSAFE_NAME, "leads out of its folder"
    if escaped(info.name) != info.name:
        return UNSAFE_NAME, "is not UTF-8"
    if not _is_plain(info):
        return UNREADABLE, "is a link, or sparse, in its archive; pack it with tar --hard-dereference, and without -S"
    return None, None


def _text(info: tarfile.TarInfo | None, file: pa.NativeFile) -> str | None:
    """The text of a small file in the archive; None where there is none, or it is not UTF-8."""
    if info is None or info.size > _MAX_BESIDE:
        return None
    file.seek(info.offset_data)
    try:
        text: str = file.read(info.size).decode("utf8").strip()
    except UnicodeDecodeError:
        return None
    return text


def _object(text: str | None) -> str | None:
    """The text, if it is a JSON object of some keys, and of texts that are Unicode."""
    try:
        found = json.loads(text) if text else None
        json.dumps(found, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except (ValueError, RecursionError):
        return None
    return text if isinstance(found, dict) and len(found) <= _MAX_KEYS else None
