"""Lists the members of a tar archive, with what lies beside them, as WebDataset writes it. Nothing is unpacked."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from itertools import groupby

import pyarrow as pa

from pipelines.ingest.kinds import Kind
from pipelines.ingest.locations import resolve
from pipelines.ingest.members import Member
from pipelines.sources.filesystems import first_line, raise_for

PACKED_ARCHIVES = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")
BROKEN_ARCHIVE, UNSAFE_NAME = "broken archive", "unsafe name"
_CLASS, _JSON = "cls", "json"
_MAX_BESIDE = 2**20


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
        with tarfile.open(name=path, mode="r:", fileobj=file) as archive:
            end = 0
            while (info := archive.next()) is not None:
                end = max(end, info.offset_data + (info.size if info.isreg() else 0))
                if info.isreg() and not info.issparse():
                    yield info
                archive.members = []  # type: ignore[attr-defined]  # it would keep all of them
        if end > file.size():
            broken.append("the last member is cut off")
    except (tarfile.TarError, EOFError, ValueError, pa.ArrowException) as error:
        broken.append(first_line(error))


def _key(info: tarfile.TarInfo) -> str:
    folder, slash, name = info.name.rpartition("/")
    return folder + slash + name.partition(".")[0]


def _sample(
    key: str, files: list[tarfile.TarInfo], path: str, stamp: int | None, file: pa.NativeFile, what: Kind
) -> Iterator[Member]:
    """The members of one sample: its files of the wanted kind, each with what lies beside them."""
    endings = {info.name.rpartition(".")[2].lower(): info for info in files}
    wanted = [info for info in files if info.name.lower().endswith(tuple(what.endings))]
    if not wanted or key.rpartition("/")[2].startswith((".", "_")):
        return
    label = _text(endings.get(_CLASS), file)
    own = _object(_text(endings.get(_JSON), file))
    for info in wanted:
        name = info.name.removeprefix("./").lstrip("/")
        inner = f"{path}/{name}"
        unsafe = any(part in ("", ".", "..") for part in name.split("/"))
        yield Member(
            inner,
            path,
            offset=info.offset_data,
            size=info.size,
            stamp=stamp,
            label=label,
            own=own,
            kind=UNSAFE_NAME if unsafe else None,
            reason="leads out of its folder" if unsafe else None,
        )


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
    """The text, if it is a JSON object."""
    try:
        found = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
    return text if isinstance(found, dict) else None
