"""Ingests the sources that are files of a kind, images or sounds: from there on each is a table in the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from pipelines.api import Progress
from pipelines.ingest.counts import PARTS, TAKEN, IngestCounts
from pipelines.ingest.embedding import EMBEDDING, Embedding, check_lengths, make_embedding, vector_lengths
from pipelines.ingest.file_tables import FileTable
from pipelines.ingest.folders import REJECTS, STAMPS, TABLE, IngestFacts, folder_of, part_name, write_facts
from pipelines.ingest.kinds import Kind, kind_of
from pipelines.ingest.labels import LabelRule
from pipelines.ingest.listing import base_of, check_apart
from pipelines.ingest.names import place_columns
from pipelines.ingest.part import IngestTask
from pipelines.ingest.reuse import earlier_parts
from pipelines.ingest.unifying import unify_parts
from pipelines.job import source_requests
from pipelines.jobs.execution import run_job
from pipelines.jobs.ingest import COUNTS, build_ingest
from pipelines.jobs.options import JobOptions
from pipelines.metrics import JobLog
from pipelines.progress import counting
from pipelines.run_directory import WORK, RunDirectory
from pipelines.sources.filesystems import Location, locate
from pipelines.sources.fragments import SourceRequest
from pipelines.spec.models import Spec
from splitting.errors import DataError, SpecError

_SHOWN = 5


def ingest_sources(
    spec: Spec,
    base: str | None,
    run: RunDirectory,
    earlier: RunDirectory | None,
    options: JobOptions,
    progress: Progress,
    log: JobLog,
) -> tuple[SourceRequest, ...]:
    """Makes tables of what the sources of a spec hold, where they are files of a kind.

    Args:
        spec: the spec.
        base: the folder that relative source paths are against.
        run: where the tables go.
        earlier: the finished run to continue; what it measured of a file that did not change is taken over.
        options: of the job.
        progress: told how far the job is.
        log: keeps what the job took.

    Returns:
        What to read: the sources themselves, if they are tables already.

    Raises:
        SpecError: the extra of the kind is not installed.
        DataError: a source has no such files, or too many that cannot be read.
    """
    if spec.ingested is None:
        return source_requests(spec)
    kind = kind_of(spec.ingested)
    embedding = _embedding(spec, base)
    tasks = [_task(spec, name, base, run, earlier, kind, embedding) for name in spec.sources]
    unlisted = [(task.source, path) for task in tasks if task.table is None for path in task.paths]
    check_apart(unlisted, locate(base or ".").uri)
    folder = run.path(WORK).uri
    try:
        with counting(f"measuring {kind.name}", None, progress):
            log.run("ingest", lambda: run_job(options, lambda made: build_ingest(made, tasks, folder)))
        counts = IngestCounts.from_bytes(run.read_summary(COUNTS))
    finally:
        run.clear([WORK])
    for task in tasks:
        _finish(run, task, kind, counts)
    tables = [run.path(name) for task in tasks for name in _names(run, task.source, TABLE)]
    _unify(tables, tasks, kind)
    if embedding is not None:
        check_lengths({length for table in tables for length in vector_lengths(table)})
    _check_rejected(spec, run, kind, counts)
    return tuple(request for task in tasks for request in _requests(run, task.source))


def _task(
    spec: Spec,
    name: str,
    base: str | None,
    run: RunDirectory,
    earlier: RunDirectory | None,
    kind: Kind,
    embedding: Embedding | None,
) -> IngestTask:
    source = spec.sources[name]
    root = locate(base or ".").uri
    runs = [run] if earlier is None else [run, earlier]
    label = LabelRule(spec.label or "label", source.label.from_, source.label.level) if source.label else None
    if label is not None and label.column in (*kind.schema.names, *place_columns(kind.name)):
        raise SpecError(f"got {label.column!r}, which is a column that is measured; choose another name", "label")
    task = IngestTask(
        source=name,
        kind=kind.name,
        paths=source.paths,
        root=root,
        base=base_of(name, source.paths, root),
        folder=run.path(folder_of(name)).uri,
        limits=spec.limits(),
        label=label,
        table=FileTable(source.table.path, source.table.file, source.table.columns) if source.table else None,
        embedding=embedding,
        source_column=spec.source_column,
    )
    earlier_of = (part for where in runs for part in earlier_parts(where, name, task.fingerprint()))
    return replace(task, earlier=tuple(earlier_of))


def _embedding(spec: Spec, base: str | None) -> Embedding | None:
    asked = spec.images.embedding
    return make_embedding(asked.function, asked.onnx, asked.size, locate(base or ".").uri) if asked else None


def _finish(run: RunDirectory, task: IngestTask, kind: Kind, counts: IngestCounts) -> None:
    """Takes out what an earlier ingest left, and says what there is."""
    parts, folder = counts.total(task.source, PARTS), folder_of(task.source)
    known = {part_name(what, number) for what in (TABLE, REJECTS, STAMPS) for number in range(parts)}
    run.clear([f"{folder}/{name}" for name in run.names_in(folder) if name not in known])
    if not parts:
        raise DataError(
            f"source {task.source!r}: no {kind.name} in {', '.join(task.paths)}; check the path "
            "(left out are names that begin with . or _, documents, and tables without a column of files)"
        )
    taken, rejected = counts.total(task.source, TAKEN), counts.rejected(task.source)
    facts = IngestFacts(kind.name, task.base, task.fingerprint(), parts, taken, rejected)
    write_facts(run, task.source, facts)


def _unify(tables: Sequence[Location], tasks: Sequence[IngestTask], kind: Kind) -> None:
    """What lies beside files as JSON has types that only all parts together tell."""
    labels = [task.label.column for task in tasks if task.label is not None]
    known = {*kind.schema.names, *place_columns(kind.name), EMBEDDING.name, *labels}
    unify_parts(tables, known)


def _check_rejected(spec: Spec, run: RunDirectory, kind: Kind, counts: IngestCounts) -> None:
    """Too many files that cannot be read are a wrong path or a broken disk, rather than a few bad files."""
    most = spec.max_rejected()
    for source in spec.sources:
        found, taken = counts.rejected(source), counts.total(source, TAKEN)
        rejected = sum(found.values())
        if rejected <= most.of(rejected + taken):
            continue
        kinds = ", ".join(f"{count:,} {name}" for name, count in found.items())
        shown = "".join(f"\n  - {path}: {why}" for path, why in islice(_rejects(run, source), _SHOWN))
        raise DataError(
            f"source {source!r}: {rejected:,} of {rejected + taken:,} {kind.name} are rejected ({kinds}), more than "
            f"max_rejected {most}:{shown}\nmend or remove them, or raise {spec.ingested}.max_rejected"
        )


def _rejects(run: RunDirectory, source: str) -> list[tuple[str, str]]:
    folder, found = folder_of(source), list[tuple[str, str]]()
    for name in run.names_in(folder):
        if name.startswith(REJECTS) and len(found) < _SHOWN:
            frame = run.read_frame(f"{folder}/{name}")
            found += [(path, f"{kind}: {why}") for path, kind, why in frame.head(_SHOWN).iter_rows()]
    return found


def _requests(run: RunDirectory, source: str) -> list[SourceRequest]:
    """The tables of a source, and what it rejected, as files of a table."""
    tables, rejects = (_names(run, source, what) for what in (TABLE, REJECTS))
    requests = [SourceRequest(source, tables, "parquet", base=run.uri)]
    return [*requests, SourceRequest(source, rejects, "rejects", base=run.uri)] if rejects else requests


def _names(run: RunDirectory, source: str, what: str) -> tuple[str, ...]:
    folder = folder_of(source)
    return tuple(f"{folder}/{name}" for name in run.names_in(folder) if name.startswith(what))
