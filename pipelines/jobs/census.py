"""The plan's job: counts every row once, and keeps the rows that draws will most likely need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa
from apache_beam.transforms.window import GlobalWindows
from apache_beam.utils.windowed_value import WindowedValue

from pipelines.jobs.counting import count, stage
from pipelines.jobs.summaries import KeepSummary
from pipelines.progress import report_rows
from pipelines.sources.fragments import Fragment
from pipelines.sources.reading import read_frame
from splitting.census import Census, CensusTaker
from splitting.first_rows import FirstRows, FirstRowsTaker
from splitting.rules import ROWS, Rules

CENSUS, FIRST_ROWS = "census", "first_rows"


@dataclass(frozen=True)
class CensusTask:
    """What the workers of the plan's job need.

    Attributes:
        rules: what decides about rows.
        schema: of the unified table.
        limit: how many groups a cell of the census keeps.
        first: rows of groups up to this `u` are kept.
    """

    rules: Rules
    schema: pa.Schema
    limit: int
    first: int


class FirstLook:
    """The first look at data: its census, and the rows that draws will most likely need."""

    def __init__(self, task: CensusTask) -> None:
        """Begins with no rows.

        Args:
            task: see there.
        """
        self._task = task
        self._census = CensusTaker(task.rules, task.limit)
        self._first_rows = FirstRowsTaker(task.rules, task.first)

    def add(self, fragment: Fragment) -> None:
        """Counts a fragment, unreadable lines as rejected.

        Args:
            fragment: what to read.
        """
        task = self._task
        for chunk in read_frame(fragment, task.schema, task.rules.columns_read()):
            rows = task.rules.examine(chunk.frame, fragment.source)
            self._census.add(rows, fragment.source)
            self._first_rows.add(rows)
            for reason, rejected in Counter(row.kind for row in chunk.bad_rows).items():
                self._census.reject(fragment.source, reason, rejected)
            report_rows(len(chunk.frame))

    def finish(self) -> tuple[Census, FirstRows]:
        """What was seen."""
        return self._census.census(), self._first_rows.first_rows()


class _LookAtFragments(beam.DoFn):
    """Takes one census of all the fragments of a bundle; on the side, their first rows."""

    def __init__(self, task: CensusTask) -> None:
        self._task = task

    def start_bundle(self) -> None:
        self._look = FirstLook(self._task)

    def process(self, fragment: Fragment) -> None:
        with stage("count"):
            self._look.add(fragment)
        count("bytes_read", fragment.bytes)

    def finish_bundle(self) -> Iterator[WindowedValue | beam.pvalue.TaggedOutput]:
        census, first_rows = self._look.finish()
        count("rows_counted", int(census.cells[ROWS].sum()))
        count("rows_rejected", int(census.rejected[ROWS].sum()))
        counted, first = census.to_bytes(), first_rows.to_bytes()
        count("summary_bytes", len(counted) + len(first))
        yield GlobalWindows.windowed_value(counted)
        yield beam.pvalue.TaggedOutput(FIRST_ROWS, GlobalWindows.windowed_value(first))


@dataclass
class TakeCensus(beam.PTransform):
    """Fragments to two summaries, written to a folder: the census, and the first rows."""

    task: CensusTask
    folder: str

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, fragments: beam.PCollection[Fragment]) -> beam.PCollection[str]:
        """Looks, merges, writes."""
        seen = fragments | "LookAtFragments" >> beam.ParDo(_LookAtFragments(self.task)).with_outputs(
            FIRST_ROWS, main=CENSUS
        )
        return (
            seen[CENSUS] | "KeepCensus" >> KeepSummary(Census, self.folder, CENSUS),
            seen[FIRST_ROWS] | "KeepFirstRows" >> KeepSummary(FirstRows, self.folder, FIRST_ROWS),
        ) | beam.Flatten()


def build_census(pipeline: beam.Pipeline, fragments: Sequence[Fragment], task: CensusTask, folder: str) -> None:
    """Adds the job to a pipeline.

    Args:
        pipeline: to add to.
        fragments: all of the data.
        task: see there.
        folder: where the summaries go.
    """
    _ = pipeline | "Fragments" >> beam.Create(list(fragments)) | "TakeCensus" >> TakeCensus(task, folder)
