"""The run directory: where everything of a run lies, what is there, and how a finished one is told from the rest."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
import pyarrow.parquet as pq

from pipelines.sources.atomic import target_of
from pipelines.sources.filesystems import (
    Location,
    delete_tree,
    exists,
    list_names,
    locate,
    read_bytes,
    write_bytes_atomic,
)
from pipelines.sources.uris import join, split_query
from splitting.columns import column
from splitting.errors import RunDirectoryError

SPEC, PLAN, LEDGER, INPUTS = "spec.yaml", "plan/plan.json", "plan/ledger.parquet", "plan/inputs.json"
SUITES, LINKS = "plan/suites.json", "plan/links.parquet"
VALIDATION, CARD, RUN_LOG, SUCCESS = "validation.json", "README.md", "run.json", "_SUCCESS"
DATA, TABLES, HELD_OUT, REJECTED, WORK = "data", "tables", "held_out", "rejected", "_work"
PROFILE, DOCS, PROJECT, REPORT = "profile", "data_docs", "gx", "report.html"
CLAIM = "_claim"
INGEST = "ingest"
"""Tables of what files hold, images or sounds: kept, so that a file is not decoded again."""
METRICS = "metrics.json"
ASSIGNMENT = f"{WORK}/assignment.bin"
_TABLES = {DATA, TABLES, HELD_OUT, REJECTED, PROFILE}
_TO_READ = {CARD, DOCS, PROJECT, REPORT, VALIDATION}
OWN = frozenset({SPEC, "plan", RUN_LOG, METRICS, SUCCESS, WORK, INGEST, *_TABLES, *_TO_READ})


@dataclass(frozen=True)
class RunDirectory:
    """A run directory, local or on object storage.

    Attributes:
        uri: absolute path or URI, without a slash at its end.
    """

    uri: str

    @classmethod
    def at(cls, path: str) -> RunDirectory:
        """The run directory at a path, relative ones against the working directory."""
        stem, query = split_query(locate(path).uri)
        return cls(stem.rstrip("/") + query)

    def path(self, name: str) -> Location:
        """Where a file of the run lies.

        Args:
            name: relative, as in `plan/plan.json`.
        """
        return locate(join(self.uri, name))

    def has(self, name: str) -> bool:
        """Whether a file of the run is there."""
        return exists(self.path(name))

    @property
    def finished(self) -> bool:
        """Whether the run is whole: `_SUCCESS` is written last."""
        return self.has(SUCCESS)

    def read(self, name: str) -> bytes:
        """The bytes of a file."""
        return read_bytes(self.path(name))

    def read_summary(self, name: str) -> bytes:
        """What workers left in the run's working folder by `write_summary`."""
        return self.read(f"{WORK}/{name}.bin")

    def write(self, name: str, data: bytes | str) -> None:
        """Writes a file at once: whole or not at all."""
        write_bytes_atomic(self.path(name), data.encode() if isinstance(data, str) else data)

    def write_frame(self, name: str, frame: pl.DataFrame) -> None:
        """Writes a small frame as Parquet, whole or not at all."""
        sink = io.BytesIO()
        pq.write_table(frame.to_arrow(compat_level=pl.CompatLevel.oldest()), sink, compression="zstd")
        self.write(name, sink.getvalue())

    def read_frame(self, name: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """Reads columns of a Parquet file of the run."""
        location = self.path(name)
        if location.is_local:
            return pl.read_parquet(location.path, columns=list(columns) if columns is not None else None, glob=False)
        table = pq.read_table(location.path, filesystem=location.filesystem, columns=columns, partitioning=None)
        return pl.DataFrame(pl.from_arrow(table))

    def scan_frame(self, name: str, columns: Sequence[str]) -> pl.LazyFrame:
        """Columns of a Parquet file of the run, to be read in pieces where the file is local."""
        location = self.path(name)
        if location.is_local:
            scan = pl.scan_parquet(location.path, glob=False, hive_partitioning=False)
            return scan.select(column(name) for name in dict.fromkeys(columns))
        return self.read_frame(name, list(dict.fromkeys(columns))).lazy()

    def column_names(self, name: str) -> list[str]:
        """The columns of a Parquet file of the run."""
        location = self.path(name)
        names: list[str] = pq.read_schema(location.path, filesystem=location.filesystem).names
        return names

    def names_in(self, name: str) -> list[str]:
        """The names in a folder of the run, sorted; empty where there is none."""
        return list_names(self.path(name))

    def rows_folder(self) -> str:
        """The folder that holds the rows of the splits as Parquet: `tables` where `data` has tar files or folders."""
        return TABLES if self.names_in(TABLES) else DATA

    def names(self) -> list[str]:
        """What lies at the top of the directory, sorted; empty where there is none."""
        return list_names(self.path(""))

    def require_free(self, *, overwrite: bool) -> None:
        """Makes sure that a new run may be written here; changes nothing.

        Args:
            overwrite: a finished run may be replaced.

        Raises:
            RunDirectoryError: there is a finished run, or something that is not a run.
        """
        names = self.names()
        strangers = [name for name in names if target_of(name) not in OWN and not name.startswith(CLAIM)]
        if strangers:
            raise RunDirectoryError(
                f"{self.uri} is not a run directory: it holds {strangers[0]!r}"
                f"{f' and {len(strangers) - 1} more' if len(strangers) > 1 else ''}; choose an empty or new folder"
            )
        if SUCCESS in names and not overwrite:
            raise RunDirectoryError(
                f"{self.uri} holds a finished run; choose another folder, or replace it with --overwrite"
            )

    def clear_all(self) -> None:
        """Deletes what an earlier run left here, but for what it ingested; first what says that it is finished."""
        own = [name for name in self.names() if target_of(name) in OWN - {INGEST}]
        self.clear(sorted(own, key=lambda name: name != SUCCESS))

    def clear(self, names: Sequence[str]) -> None:
        """Deletes files and folders of the run, in the order given."""
        for name in names:
            delete_tree(self.path(name))

    def require_finished(self) -> None:
        """Raises RunDirectoryError where there is no finished run."""
        if self.finished:
            return
        if self.has(PLAN):
            raise RunDirectoryError(f"{self.uri} is not a finished run; finish it with: targetsplit apply {self.uri}")
        raise RunDirectoryError(
            f"{self.uri} holds no run; give a folder that was written by: targetsplit run SPEC -o {self.uri}"
        )

    def require_plan(self) -> None:
        """Raises RunDirectoryError where there is no plan."""
        if not self.has(PLAN):
            raise RunDirectoryError(f"{self.uri} holds no plan; make one with: targetsplit plan SPEC -o {self.uri}")


def write_summary(data: bytes, folder: str, name: str) -> str:
    """Writes a merged summary where the launcher reads it; called by workers.

    Args:
        data: the packed summary.
        folder: URI of the folder.
        name: of the file, without ending.

    Returns:
        The URI of the file.
    """
    location = locate(join(folder, f"{name}.bin"))
    write_bytes_atomic(location, data)
    return location.uri
