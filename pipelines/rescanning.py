"""Counts in written data what suites want and what was not counted when it was written."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.api import Progress
from pipelines.jobs.execution import job_options, run_job
from pipelines.jobs.rescan import METRICS, RescanTask, build_rescan
from pipelines.output.layout import split_of_shard
from pipelines.output.tables import OutputTables
from pipelines.run_directory import DATA, WORK, RunDirectory
from validation.metrics.tables import TableMetrics, Wanted


def rescan(
    run: RunDirectory, wanted: Wanted, tables: OutputTables, beam_options: Sequence[str], progress: Progress
) -> TableMetrics:
    """Reads the data of a run once.

    Args:
        run: finished, with data.
        wanted: by the suites.
        tables: of the run.
        beam_options: handed to Beam.
        progress: told that it is being done.

    Returns:
        What was counted: the same as if it had been counted when the data was written.
    """
    options = job_options(beam_options)
    task = RescanTask(run, wanted, tables.source_column, tuple(tables.columns_of_suites()))
    named = [(f"{DATA}/{name}", split_of_shard(name)) for name in run.names_in(DATA)]
    files = [(path, split) for path, split in named if split is not None]
    progress("reading", 0, None)
    try:
        run_job(options, lambda pipeline: build_rescan(pipeline, files, task, run.path(WORK).uri))
        return TableMetrics.from_bytes(run.read(f"{WORK}/{METRICS}.bin"))
    finally:
        run.clear([WORK])
