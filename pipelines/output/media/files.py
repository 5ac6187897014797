"""The files of rows: how they are read where the rows point, and what tells that they are those that were measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.ingest.names import PATH, KindName, location_columns
from pipelines.output.media.batches import bounded
from pipelines.output.media.names import plain_extension
from splitting.errors import DataError

FORMAT, SIZE, CONTENT = "format", "bytes", "content_hash"
_EXTENSIONS = {"jpeg": "jpg", "mpo": "jpg", "tiff": "tif", "heif": "heic"}
_SHOWN = 3

T = TypeVar("T")
ReadFiles = Callable[[pa.Table, str], list[bytes]]
"""Reads the files of some rows of one source, given its base: their bytes, in the order of the rows."""


@dataclass(frozen=True)
class FileReader:
    """Reads the files that rows point to.

    Attributes:
        bases: by source, what the locations of its files are against.
        read: reads them.
        digest: of the bytes of a file, as `content_hash` holds it.
        source_column: the column that tells a row's source.
        kind: of the files.
    """

    bases: Mapping[str, str]
    read: ReadFiles
    digest: Callable[[bytes], str]
    source_column: str
    kind: KindName = "images"

    @property
    def location(self) -> tuple[str, ...]:
        """The columns that tell where a file lies."""
        return location_columns(self.kind)

    @property
    def noun(self) -> str:
        """What a file is called in names of columns: `image` or `audio`."""
        return self.location[0].removesuffix("_uri")

    def identities(self, rows: pa.Table) -> pa.Array:
        """A text that tells each row's file from every other of the run: its source, and where it lies there."""
        uri, offset, _, number = self.location
        columns = [rows.column(name).cast(pa.string()) for name in (self.source_column, uri, offset, number)]
        return pc.binary_join_element_wise(*columns, "\0", null_handling="replace", null_replacement="")

    def batches(self, rows: pa.Table) -> Iterator[tuple[pa.Table, list[bytes]]]:
        """Rows with their files, a batch that fits in memory at a time.

        Args:
            rows: with the columns of an ingested table, of any sources.

        Yields:
            Runs of rows, in order, and the bytes of their files.

        Raises:
            DataError: a file cannot be read, or is not the one that was measured.
        """
        for batch in bounded(rows, rows.column(SIZE)):
            yield batch, self._files(batch)

    def of_each(self, rows: pa.Table, find: Callable[[pa.Table, str], list[T]]) -> list[T]:
        """What is found for the rows of each source.

        Args:
            rows: of any sources.
            find: told the rows of one source, and its base; gives a value a row.

        Returns:
            The values, in the order of the rows.
        """
        sources = rows.column(self.source_column)
        found: dict[int, T] = {}
        for source in pc.unique(sources).to_pylist():
            at = pc.indices_nonzero(pc.equal(sources, source))
            found |= zip(at.to_pylist(), find(rows.take(at), self.bases[source]), strict=True)
        return [found[i] for i in range(len(rows))]

    def _files(self, rows: pa.Table) -> list[bytes]:
        found = self.of_each(rows, self.read)
        self._check(rows, found)
        return found

    def _check(self, rows: pa.Table, found: list[bytes]) -> None:
        measured = zip(rows.column(PATH).to_pylist(), rows.column(CONTENT).to_pylist(), found, strict=True)
        changed = [path for path, digest, data in measured if self.digest(data) != digest]
        if changed:
            more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
            raise DataError(
                f"{', '.join(changed[:_SHOWN])}{more}: the bytes are not those that were measured: files changed since "
                "then; plan again, which measures them anew"
            )


def extensions(rows: pa.Table) -> list[str]:
    """What the name of each row's file is to end in: by the format that was found in it, whatever its name said.

    Args:
        rows: with the columns of an ingested table.

    Returns:
        Without the dot, as in `jpg`.
    """
    named = zip(rows.column(FORMAT).to_pylist(), rows.column(PATH).to_pylist(), strict=True)
    return [_extension(kind.lower()) if kind else plain_extension(path, "bin") for kind, path in named]


def _extension(kind: str) -> str:
    return _EXTENSIONS.get(kind, kind)
