"""Reads the written data of a run again: is it what was written, and what do suites want of it?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from pipelines.api import Progress
from pipelines.job import make_rules
from pipelines.jobs.execution import run_job
from pipelines.jobs.options import job_options
from pipelines.jobs.rescan import METRICS, TALLY, RescanTask, build_rescan
from pipelines.linking import planned_links
from pipelines.output.layout import split_of_shard
from pipelines.output.read_back import Reader
from pipelines.output.tables import OutputTables
from pipelines.run_directory import ASSIGNMENT, WORK, RunDirectory
from pipelines.spec.models import Spec
from splitting.assign import assignment_of
from splitting.errors import DataError
from splitting.plan import Plan
from validation.metrics.tables import TableMetrics, Wanted
from validation.tally import Tally

_SHOWN = 3


def rescan(
    run: RunDirectory,
    plan: Plan,
    spec: Spec,
    tables: OutputTables,
    wanted: Wanted,
    stored: Tally,
    beam_options: Sequence[str],
    progress: Progress,
) -> TableMetrics:
    """Reads the data of a run once.

    Args:
        run: finished, with data.
        plan: of the run.
        spec: of the run.
        tables: of the run.
        wanted: by the suites.
        stored: what was counted when it was written.
        beam_options: handed to Beam.
        progress: told that it is being done.

    Returns:
        What was counted: the same as if it had been counted when the data was written.

    Raises:
        DataError: the data is not what was written.
    """
    options = job_options(beam_options)
    rules = make_rules(spec, tables.schema, planned_links(run, plan))
    task = RescanTask(
        run, Reader(run, rules, spec.label), wanted, tables.source_column, tuple(tables.columns_of_suites())
    )
    folder = run.rows_folder()
    named = [(f"{folder}/{name}", split_of_shard(name)) for name in run.names_in(folder)]
    files = [(path, split) for path, split in named if split is not None]
    if not files:
        raise DataError(f"{run.uri}/{folder} holds no file of a split; {_again(run)}")
    progress("reading", 0, None)
    try:
        run.write(ASSIGNMENT, assignment_of(plan, {pool.name: 2**i for i, pool in enumerate(rules.pools)}).to_bytes())
        run_job(options, lambda pipeline: build_rescan(pipeline, files, task, run.path(WORK).uri))
        metrics = TableMetrics.from_bytes(run.read_summary(METRICS))
        changes = list(_changes(Tally.from_bytes(run.read_summary(TALLY)), stored))
    finally:
        run.clear([WORK])
    if changes:
        more = f", and {len(changes) - _SHOWN} more" if len(changes) > _SHOWN else ""
        told = "; ".join(changes[:_SHOWN])
        raise DataError(f"{run.uri}/{folder} was changed after it was written: {told}{more}; {_again(run)}")
    return metrics


def _again(run: RunDirectory) -> str:
    return f"write it again: targetsplit apply {run.uri} --overwrite"


def _changes(found: Tally, stored: Tally) -> Iterator[str]:
    """What differs between the files and what was counted when they were written."""
    for split, other, rows in found.leaks.select("split", "other", "rows").iter_rows():
        yield f"{rows:,} {'row' if rows == 1 else 'rows'} of {split} should be in {other} by the plan"
    names = ["split", "source", "label"]
    joined = stored.rows.select(*names, pl.col("rows").alias("written")).join(
        found.rows.select(*names, "rows"), on=names, how="full", coalesce=True, nulls_equal=True
    )
    differing = joined.fill_null(0).filter(pl.col("written") != pl.col("rows")).sort(names)
    for split, source, label, written, rows in differing.iter_rows():
        of = f" of label {label!r}" if label is not None else ""
        yield f"{split} holds {rows:,} rows{of} from {source}, {written:,} were written"
