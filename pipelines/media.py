"""What a run of images or sounds writes beside its rows: put together from the spec and from what was ingested."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa

from pipelines.ingest.names import KindName, location_columns
from pipelines.output.media.files import FileReader
from pipelines.output.media.names import label_folders
from pipelines.output.media.writing import Media
from pipelines.output.parcel import label_texts
from pipelines.run_directory import RunDirectory
from pipelines.sources.fragments import Inventory
from pipelines.sources.reading import read_frame
from pipelines.spec.models import Spec
from splitting.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PIL.Image import Image

MOST_FOLDERS = 100_000


def make_files(run: RunDirectory, spec: Spec) -> FileReader | None:
    """Reads the files of a run's rows; None for a run of tables."""
    if spec.ingested is None:
        return None
    from pipelines.ingest.folders import source_bases  # noqa: PLC0415, not for tables
    from pipelines.ingest.hashing import content_hash  # noqa: PLC0415
    from pipelines.ingest.locations import read_files  # noqa: PLC0415

    bases, read = source_bases(run, tuple(spec.sources)), partial(read_files, kind=spec.ingested)
    return FileReader(bases, read, content_hash, spec.source_column, spec.ingested)


def make_media(run: RunDirectory, spec: Spec, inventory: Inventory) -> Media | None:
    """How the files of a run go out with its rows.

    Args:
        run: the run directory; it holds the ingested tables.
        spec: the spec.
        inventory: of those tables.

    Returns:
        See there; None for a run of tables, and for an index.

    Raises:
        DataError: files cannot be linked there, or have too many labels for a folder each.
    """
    files = make_files(run, spec)
    if files is None or spec.output == "index":
        return None
    if spec.output != "folder":
        return Media(spec.output, files, spec.label)
    folders = {} if spec.label is None else _folders(inventory, spec.label)
    if spec.folder.link == "copy":
        return Media(spec.output, files, spec.label, folders)
    if not run.path("").is_local:
        raise DataError(f"{run.uri} is on no local disk, where files can be linked; set folder: {{link: copy}}")
    return Media(spec.output, files, spec.label, folders, partial(local_paths, kind=files.kind))


def _folders(inventory: Inventory, label: str) -> Mapping[str | None, str]:
    """The folder of every label, from a look at that column alone."""
    known: set[str | None] = set()
    for fragment in inventory.fragments:
        for chunk in read_frame(fragment, inventory.schema, [label]):
            found = chunk.frame.get_column(label).unique()
            known.update(label_texts(pa.table({label: found.to_arrow()}), label))
            if len(known) > MOST_FOLDERS:
                raise DataError(
                    f"column {label!r} has more than {MOST_FOLDERS:,} values, and output: folder makes a folder of "
                    "each; name another label, or set output: webdataset"
                )
    return label_folders(known)


def local_paths(rows: pa.Table, base: str, kind: KindName) -> list[str]:
    """The paths of whole files on this machine's disk.

    Args:
        rows: of one source.
        base: of that source.
        kind: of the files.

    Returns:
        A path a row.

    Raises:
        DataError: one has none: it lies in an archive, in a table or in an object store.
    """
    from pipelines.ingest.locations import local_file  # noqa: PLC0415, not for tables

    uris, offsets, _, numbers = (rows.column(name).to_pylist() for name in location_columns(kind))
    found = []
    for uri, offset, number in zip(uris, offsets, numbers, strict=True):
        path = local_file(uri, base) if offset is None and number is None else None
        if path is None:
            told = f"{uri} is no file of its own on a local disk, so nothing can be linked to it"
            raise DataError(f"{told}; set folder: {{link: copy}}")
        found.append(path)
    return found


def decode_small(data: bytes, longest: int, spec: Spec) -> Image | None:
    """Decodes an image within the limits of the spec; None where it cannot be."""
    from pipelines.ingest.decoding import decode  # noqa: PLC0415, not for tables
    from pipelines.ingest.rejects import UnreadableError  # noqa: PLC0415

    try:
        return decode(data, spec.limits(), longest)
    except UnreadableError:
        return None
