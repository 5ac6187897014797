"""Folders of files, as torchvision's ImageFolder reads them: `dev/cat/kitten-….jpg`, copied or hard-linked."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import polars as pl
import pyarrow as pa

from pipelines.ingest.names import PATH
from pipelines.output.media.files import FileReader, extensions
from pipelines.output.media.names import file_names
from pipelines.output.parcel import label_texts
from pipelines.sources.filesystems import Location, raise_for
from splitting.errors import DataError

_NO_LINKS = (errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EMLINK)


def file_places(
    rows: pa.Table, split: str, label: str | None, folders: Mapping[str | None, str], files: FileReader
) -> list[str]:
    """Where each row's file goes, relative to the folder of the data.

    Args:
        rows: with the columns of an ingested table.
        split: of the rows.
        label: the label column; without one, files lie in the folder of the split itself.
        folders: the folder of each label.
        files: knows what tells a file from others.

    Returns:
        As in `dev/cat/kitten-0f3a5c7e9b1d2f46.jpg`. Rows that point to one file with one label share a place.
    """
    paths, told = (pl.Series(pl.from_arrow(values)) for values in (rows.column(PATH), files.identities(rows)))
    names = file_names(paths, told, pl.Series(extensions(rows), dtype=pl.String))
    if label is None:
        return [f"{split}/{name}" for name in names]
    labels = label_texts(rows, label)
    return [f"{split}/{folders[text]}/{name}" for text, name in zip(labels, names, strict=True)]


def link_file(source: str, target: Location) -> None:
    """Gives a file a second name; it appears at once. Of a symbolic link, the file that it leads to gets the name.

    Args:
        source: the path of the file.
        target: the new name, on a local disk; what is there is replaced.

    Raises:
        DataError: it cannot be done.
    """
    path = Path(target.path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.path.realpath(source, strict=True)  # a symbolic link may lead elsewhere from its second name
        try:
            path.hardlink_to(file)
        except FileExistsError:
            _replace(file, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise_for(target, "link", error)
        raise DataError(
            f"{source} cannot be hard-linked to {target.uri}: {os.strerror(error.errno or 0)}; hard links need a run "
            "on the file system of the files, by a user who owns them: write it there, or set folder: {link: copy}"
        ) from error


def _replace(source: str, path: Path) -> None:
    """An earlier attempt was here; its link is the same file, unless that was exchanged since."""
    if path.samefile(source):
        return
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    temporary.hardlink_to(source)
    try:
        temporary.replace(path)
    finally:
        with suppress(FileNotFoundError):  # renaming one name of a file to another name of it does nothing
            temporary.unlink()
