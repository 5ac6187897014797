"""Reads written files back: every row of a shard has its file, byte for byte, and a tar file has no others."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Any

from pipelines.ingest.names import PATH
from pipelines.output.layout import Layout, tar_path
from pipelines.output.media.files import CONTENT, SIZE
from pipelines.output.media.tar_shards import CLASS, ROW
from pipelines.output.media.writing import Media
from pipelines.output.read_back import open_written
from pipelines.run_directory import RunDirectory
from pipelines.sources.filesystems import Location, first_line, raise_for, read_bytes
from splitting.errors import DataError

_BATCH = 16
_BUFFER = 2**20


@dataclass(frozen=True)
class ShardCheck:
    """One shard that was written.

    Attributes:
        run: the run directory.
        layout: of the run.
        split: of the shard.
        shard: its number.
        media: how its files were written.
    """

    run: RunDirectory
    layout: Layout
    split: str
    shard: int
    media: Media

    def check(self) -> None:
        """Makes sure that the files are those of the rows.

        Raises:
            DataError: one is missing, is another, or belongs to no row.
        """
        if self.media.mode == "data":
            for row in self._rows([CONTENT, PATH, self.media.column]):
                self._compare(row[PATH], (row[self.media.column] or {}).get("bytes"), row[CONTENT])
        elif self.media.mode == "webdataset":
            self._check_tar()
        elif self.media.link is not None:
            self._check_sizes()
        else:
            self._check_files()

    def _batches(self, columns: list[str]) -> Iterator[list[dict[str, Any]]]:
        with open_written(self.run, self.layout.shard(self.split, self.shard)) as file:
            for group in range(file.num_row_groups):  # read one by one: a look at all at once holds them all
                for batch in file.iter_batches(_BATCH, row_groups=[group], columns=columns):
                    yield batch.to_pylist()

    def _rows(self, columns: list[str]) -> Iterator[dict[str, Any]]:
        return chain.from_iterable(self._batches(columns))

    def _check_files(self) -> None:
        name = self.media.file_column
        with ThreadPoolExecutor(_BATCH) as pool:
            for rows in self._batches([CONTENT, name]):
                found = pool.map(read_bytes, [self.run.path(row[name]) for row in rows])
                for row, data in zip(rows, found, strict=True):
                    self._compare(row[name], data, row[CONTENT])

    def _check_sizes(self) -> None:
        """Links are other names of files whose bytes were compared: what is read back is that they are there."""
        for row in self._rows([SIZE, self.media.file_column]):
            location = self.run.path(row[self.media.file_column])
            found = location.filesystem.get_file_info(location.path).size
            if found != row[SIZE]:
                raise self._other(f"{row[self.media.file_column]} has {found} bytes, expected {row[SIZE]}")

    def _check_tar(self) -> None:
        tar = tar_path(self.split, self.shard)
        samples = _samples(self.run.path(tar))
        for row in self._rows([CONTENT, PATH, self.media.file_column]):
            name = row[self.media.file_column].removeprefix(f"{tar}/")
            sample = next(samples, {})
            key = name.partition(".")[0]
            told = sample.pop(f"{key}.{ROW}", b"{}")
            sample.pop(f"{key}.{CLASS}", None)
            self._compare(row[self.media.file_column], sample.pop(name, None), row[CONTENT])
            if sample or _path_in(told) != row[PATH]:
                raise self._other(f"{tar} has another row beside {name}")
        if more := next(samples, None):
            raise self._other(f"{tar} also holds {next(iter(more))}")

    def _compare(self, name: str, data: bytes | None, digest: str) -> None:
        if data is None or self.media.files.digest(data) != digest:
            raise self._other(f"{name} is not the file that was read")

    def _other(self, what: str) -> DataError:
        return DataError(
            f"{self.run.uri}: {self.split} does not hold the files of its rows ({what}): this run is not to be used. "
            "Apply the plan again; if it happens again, report it"
        )


def _path_in(document: bytes) -> object:
    """The path that a row's JSON names; None where it is no such JSON."""
    try:
        row = json.loads(document)
    except ValueError:
        return None
    return row.get(PATH) if isinstance(row, dict) else None


def _samples(location: Location) -> Iterator[dict[str, bytes]]:
    """The samples of a tar file: their members by name. It is read as a stream, in the memory of one sample.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with (
            location.filesystem.open_input_stream(location.path, compression=None, buffer_size=_BUFFER) as stream,
            tarfile.open(fileobj=stream, mode="r|") as tar,
        ):
            sample: dict[str, bytes] = {}
            current = ""
            for header in tar:
                key = header.name.partition(".")[0]
                if sample and key != current:
                    yield sample
                    sample = {}
                current, member = key, tar.extractfile(header)
                sample[header.name] = member.read() if member is not None else b""
                tar.members.clear()  # type: ignore[attr-defined]  # it would remember every header
            if sample:
                yield sample
    except tarfile.TarError as error:
        told = f"{location.uri} cannot be read as a tar file: {first_line(error)}; apply the plan again"
        raise DataError(told) from error
    except OSError as error:
        raise_for(location, "read", error)
