"""The job that counts what suites want in data that was written earlier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa

from pipelines.jobs.summaries import KeepSummary
from pipelines.output.read_back import Reader, open_written
from pipelines.run_directory import ASSIGNMENT, RunDirectory
from splitting.assign import Assignment
from splitting.columns import column, from_arrow
from splitting.errors import DataError
from validation.metrics.tables import TableMetrics, Wanted
from validation.tally import Tally

METRICS, TALLY = "metrics", "tally"
_ROWS = 131_072


@dataclass(frozen=True)
class RescanTask:
    """What is counted where.

    Attributes:
        run: the run.
        reader: of its files.
        wanted: what suites want.
        source_column: tells a row's source.
        columns: that suites see.
    """

    @property
    def columns_read(self) -> list[str]:
        """The columns that suites see or that the rules read."""
        return list(dict.fromkeys([*self.columns, *self.reader.rules.columns_read()]))

    run: RunDirectory
    reader: Reader
    wanted: Wanted
    source_column: str
    columns: tuple[str, ...]


def scan_file(name: str, split: str, task: RescanTask) -> tuple[TableMetrics, Tally]:
    """Counts what is wanted in one file, its rows, and those that do not belong in it.

    Args:
        name: of the file, relative to the run.
        split: that it belongs to.
        task: see there.

    Returns:
        What was counted.

    Raises:
        DataError: the file is not what the run wrote.
    """
    found, assignment = TableMetrics.empty(), Assignment.from_bytes(task.run.read(ASSIGNMENT))
    misplaced = []
    with open_written(task.run, name) as file:
        lacking = sorted(set(task.columns_read) - set(file.schema_arrow.names))
        if lacking:
            raise DataError(f"{task.run.uri}/{name} has no column {lacking[0]!r}: it is not the file that was written")
        for batch in file.iter_batches(_ROWS, columns=task.columns_read):
            frame = from_arrow(pa.Table.from_batches([batch]))
            for (source,), rows in frame.group_by(column(task.source_column), maintain_order=True):
                wanted, seen = task.wanted.of(split, str(source)), rows.select(column(n) for n in task.columns)
                found = TableMetrics.merge([found, TableMetrics.of(wanted, split, str(source), seen)])
                misplaced.append(task.reader.misplaced(rows, str(source), split, assignment))
    return found, Tally.merge([task.reader.counts(name, split), *misplaced])


class _Rescan(beam.DoFn):
    """A file to what was counted in it; on the side, the tally of its rows."""

    def __init__(self, task: RescanTask) -> None:
        self._task = task

    def process(self, item: tuple[str, str]) -> Iterator[bytes | beam.pvalue.TaggedOutput]:
        name, split = item
        metrics, tally = scan_file(name, split, self._task)
        yield metrics.to_bytes()
        yield beam.pvalue.TaggedOutput(TALLY, tally.to_bytes())


def build_rescan(pipeline: beam.Pipeline, files: Sequence[tuple[str, str]], task: RescanTask, folder: str) -> None:
    """Adds the job to a pipeline.

    Args:
        pipeline: to add to.
        files: names and splits; at least one.
        task: see there.
        folder: where the metrics go.
    """
    scanned = (
        pipeline
        | "Files" >> beam.Create(list(files))
        | "Rescan" >> beam.ParDo(_Rescan(task)).with_outputs(TALLY, main=METRICS)
    )
    _ = scanned[METRICS] | "KeepMetrics" >> KeepSummary(TableMetrics, folder, METRICS)
    _ = scanned[TALLY] | "KeepTally" >> KeepSummary(Tally, folder, TALLY)
