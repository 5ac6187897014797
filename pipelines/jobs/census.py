"""The plan's job: counts every row once, and keeps the rows that draws will most likely need."""

from __future__ import annotations

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
from splitting.first_look import FirstLook, FirstLookTaker
from splitting.rules import ROWS, Rules

FIRST_LOOK = "first_look"


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


class _LookAtFragments(beam.DoFn):
    """Looks once at all the fragments of a bundle; unreadable lines are counted as rejected."""

    def __init__(self, task: CensusTask) -> None:
        self._task = task

    def start_bundle(self) -> None:
        self._taker = FirstLookTaker(self._task.rules, self._task.limit, self._task.first)

    def process(self, fragment: Fragment) -> None:
        with stage("count"):
            for chunk in read_frame(fragment, self._task.schema, self._task.rules.columns_read()):
                self._taker.add(chunk.frame, fragment.source)
                self._taker.reject(fragment.source, (row.kind for row in chunk.bad_rows))
                report_rows(len(chunk.frame))
        count("bytes_read", fragment.bytes)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        look = self._taker.first_look()
        count("rows_counted", int(look.census.cells[ROWS].sum()))
        count("rows_rejected", int(look.census.rejected[ROWS].sum()))
        packed = look.to_bytes()
        count("summary_bytes", len(packed))
        yield GlobalWindows.windowed_value(packed)


def build_census(pipeline: beam.Pipeline, fragments: Sequence[Fragment], task: CensusTask, folder: str) -> None:
    """Adds the job to a pipeline.

    Args:
        pipeline: to add to.
        fragments: all of the data.
        task: see there.
        folder: where the summary goes.
    """
    seen = pipeline | "Fragments" >> beam.Create(list(fragments)) | "Look" >> beam.ParDo(_LookAtFragments(task))
    _ = seen | "KeepFirstLook" >> KeepSummary(FirstLook, folder, FIRST_LOOK)
