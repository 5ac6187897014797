"""The job that counts what suites want in data that was written earlier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.jobs.summaries import MergeSummaries
from pipelines.run_directory import RunDirectory, write_summary
from splitting.columns import column, from_arrow
from validation.metrics.tables import TableMetrics, Wanted

METRICS = "metrics"
_ROWS = 131_072


@dataclass(frozen=True)
class RescanTask:
    """What is counted where.

    Attributes:
        run: the run.
        wanted: what suites want.
        source_column: tells a row's source.
        columns: that suites see.
    """

    run: RunDirectory
    wanted: Wanted
    source_column: str
    columns: tuple[str, ...]


def metrics_of_file(name: str, split: str, task: RescanTask) -> TableMetrics:
    """Counts what is wanted in one file.

    Args:
        name: of the file, relative to the run.
        split: that it belongs to.
        task: see there.

    Returns:
        What was counted.
    """
    location = task.run.path(name)
    found = TableMetrics.empty()
    with pq.ParquetFile(location.filesystem.open_input_file(location.path)) as file:
        for batch in file.iter_batches(_ROWS, columns=list(task.columns)):
            frame = from_arrow(pa.Table.from_batches([batch]))
            for (source,), rows in frame.group_by(column(task.source_column), maintain_order=True):
                wanted = task.wanted.of(split, str(source))
                found = TableMetrics.merge([found, TableMetrics.of(wanted, split, str(source), rows)])
    return found


class _Rescan(beam.DoFn):
    """A file to what was counted in it."""

    def __init__(self, task: RescanTask) -> None:
        self._task = task

    def process(self, item: tuple[str, str]) -> list[bytes]:
        name, split = item
        return [metrics_of_file(name, split, self._task).to_bytes()]


def build_rescan(pipeline: beam.Pipeline, files: Sequence[tuple[str, str]], task: RescanTask, folder: str) -> None:
    """Adds the job to a pipeline.

    Args:
        pipeline: to add to.
        files: names and splits; at least one.
        task: see there.
        folder: where the metrics go.
    """
    _ = (
        pipeline
        | "Files" >> beam.Create(list(files))
        | "Spread" >> beam.Reshuffle()
        | "Rescan" >> beam.ParDo(_Rescan(task)).with_output_types(bytes)
        | "MergeMetrics" >> beam.CombineGlobally(MergeSummaries(TableMetrics)).without_defaults()
        | "WriteMetrics" >> beam.Map(write_summary, folder, METRICS).with_output_types(str)
    )
