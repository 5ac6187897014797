"""Writes a shard of rows together with their files: embedded in Parquet, in a tar file, or in folders."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, Protocol

import pyarrow as pa

from pipelines.ingest.names import PATH
from pipelines.output.layout import DATA, Layout, tar_path
from pipelines.output.media.files import FileReader, extensions
from pipelines.output.media.folders import file_places, link_file
from pipelines.output.media.huggingface import embedded, embedding_schema
from pipelines.output.media.tar_shards import CLASS, ROW, Member, class_texts, open_tar, row_documents, sample_key
from pipelines.output.shards import open_shard
from pipelines.run_directory import RunDirectory
from pipelines.sources.filesystems import write_bytes_atomic
from splitting.errors import DataError

_AT_ONCE = 16  # a disk makes many files durable at once in about the time of one; a store answers many at once

MediaMode = Literal["data", "webdataset", "folder"]


@dataclass(frozen=True)
class Media:
    """How files go out with their rows.

    Attributes:
        mode: `data` embeds them in Parquet; `webdataset` and `folder` write them apart, and the rows to `tables/`.
        files: reads them.
        label: the label column, if there is one.
        folders: of `folder`, the folder of each label.
        link: of `folder`: the local path of each row's file, given the base of its source, to be linked; None copies.
    """

    mode: MediaMode
    files: FileReader
    label: str | None = None
    folders: Mapping[str | None, str] = field(default_factory=dict)
    link: Callable[[pa.Table, str], list[str]] | None = None

    @property
    def column(self) -> str:
        """The column of embedded files."""
        return self.files.noun

    @property
    def file_column(self) -> str:
        """The column of `tables/` that tells where in the run a row's file lies."""
        return f"{self.files.noun}_file"

    def row_schema(self, schema: pa.Schema) -> pa.Schema:
        """The schema of the Parquet files that hold the rows.

        Raises:
            DataError: a column of the rows stands in the way.
        """
        if self.mode == "data":
            return embedding_schema(schema, self.column, self.column.capitalize())
        if self.file_column in schema.names:
            raise DataError(
                f"the rows have a column {self.file_column!r}, which tells where files are written; rename that column"
            )
        return schema.append(pa.field(self.file_column, pa.string()))

    def with_column(self, rows: pa.Table, values: pa.Array) -> pa.Table:
        """Rows with their last column."""
        return pa.table([*rows.columns, values], schema=self.row_schema(rows.schema))


class RowWriter(Protocol):
    """Takes the rows of one shard."""

    def write(self, table: pa.Table) -> None:
        """Appends rows."""


@contextmanager
def open_rows(
    run: RunDirectory, layout: Layout, split: str, shard: int, schema: pa.Schema, media: Media | None
) -> Iterator[RowWriter]:
    """Writes one shard of a split, with the files of its rows where they are to be written.

    Args:
        run: the run directory.
        layout: of the run.
        split: to write.
        shard: which of its shards.
        schema: of the rows.
        media: how files go out; None for rows alone.

    Yields:
        What takes the rows. The Parquet file appears, whole, when the block ends without an error.
    """
    path = run.path(layout.shard(split, shard))
    rows = schema if media is None else media.row_schema(schema)
    with open_shard(path, rows, bounded=media is not None and media.mode == "data") as writer:
        if media is None:
            yield writer
        elif media.mode == "data":
            yield _Embedding(writer, media)
        elif media.mode == "folder":
            yield _Folder(writer, media, split, run)
        else:
            with open_tar(run.path(tar_path(split, shard))) as tar:
                yield _Tar(writer, media, split, shard, tar.write)


@dataclass
class _Embedding:
    """Writes each row with its file."""

    writer: RowWriter
    media: Media

    def write(self, table: pa.Table) -> None:
        for rows, data in self.media.files.batches(table):
            self.writer.write(self.media.with_column(rows, embedded(data, rows.column(PATH))))


@dataclass
class _Tar:
    """Writes files and rows to a tar file, and rows beside it."""

    writer: RowWriter
    media: Media
    split: str
    shard: int
    add: Callable[[Member], None]
    written: int = 0

    def write(self, table: pa.Table) -> None:
        for rows, data in self.media.files.batches(table):
            keys = [sample_key(self.split, self.shard, self.written + i) for i in range(len(rows))]
            names = [f"{key}.{ending}" for key, ending in zip(keys, extensions(rows), strict=True)]
            told = row_documents(rows.drop_columns(list(self.media.files.location)))
            classes = class_texts(rows, self.media.label)
            for key, name, file, row, number in zip(keys, names, data, told, classes, strict=True):
                self.add(Member(name, file))
                self.add(Member(f"{key}.{ROW}", row))
                if number is not None:
                    self.add(Member(f"{key}.{CLASS}", number))
            self.written += len(rows)
            tar = tar_path(self.split, self.shard)
            places = pa.array([f"{tar}/{name}" for name in names], pa.string())
            self.writer.write(self.media.with_column(rows, places))


@dataclass
class _Folder:
    """Writes files to the folders of their labels, and rows beside them."""

    writer: RowWriter
    media: Media
    split: str
    run: RunDirectory

    def write(self, table: pa.Table) -> None:
        for rows, places in self._written(table):
            told = pa.array([f"{DATA}/{place}" for place in places], pa.string())
            self.writer.write(self.media.with_column(rows, told))

    def _written(self, table: pa.Table) -> Iterator[tuple[pa.Table, list[str]]]:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for rows, data in self.media.files.batches(table):  # linked files are read too: they may have changed
                places = self._places(rows)
                targets = [self.run.path(f"{DATA}/{place}") for place in places]
                if self.media.link is None:
                    list(pool.map(write_bytes_atomic, targets, data))
                else:
                    list(map(link_file, self.media.files.of_each(rows, self.media.link), targets))
                yield rows, places

    def _places(self, rows: pa.Table) -> list[str]:
        return file_places(rows, self.split, self.media.label, self.media.folders, self.media.files)
