"""Ingests a source without Beam: lists its parts and does each, as the job does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.ingest.counts import IngestCounts
from pipelines.ingest.kinds import kind_of
from pipelines.ingest.listing import base_of
from pipelines.ingest.members import Part
from pipelines.ingest.names import KindName
from pipelines.ingest.part import IngestTask, ingest_part, list_parts
from pipelines.ingest.rejects import Limits


@dataclass(frozen=True)
class Ingested:
    """What an ingest wrote: rows, rejected files by path, what it counted, in how many parts."""

    rows: pl.DataFrame
    rejected: dict[str, str]
    counts: IngestCounts
    parts: int


def task_of(folder: Path, *paths: str, root: str | None = None, kind: KindName = "images", **more: Any) -> IngestTask:
    """A task for some paths; its tables go to a folder."""
    root = root if root is not None else str(folder)
    options = {"base": base_of("s", paths, root), "limits": Limits(), "root": root, **more}
    return IngestTask(source="s", kind=kind, paths=paths, folder=str(folder / "_tables"), **options)


def ingest(task: IngestTask) -> Ingested:
    """Does all parts of a task."""
    parts = [Part.from_bytes(part.number, part.to_bytes()) for part in list_parts(task)]
    counts = IngestCounts.merge([ingest_part(part, task) for part in parts])
    tables = sorted(Path(task.folder).glob("table-*.parquet"))
    rejects = sorted(Path(task.folder).glob("rejected-*.parquet"))
    rejected = {
        path: f"{kind}: {reason}" for file in rejects for path, kind, reason in pl.read_parquet(file).iter_rows()
    }
    rows = pl.concat([pl.read_parquet(file) for file in tables], how="diagonal") if tables else pl.DataFrame()
    return Ingested(rows, rejected, counts, len(parts))


def fingerprint(task: IngestTask) -> str:
    """Of what measures."""
    return kind_of(task.kind).fingerprint(task.limits)


def elsewhere(task: IngestTask, folder: Path) -> IngestTask:
    """The same task, its tables in another folder."""
    return replace(task, folder=str(folder))
