"""Collects the rows of candidate groups, where the first look at the data did not keep them all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import apache_beam as beam
import polars as pl
import pyarrow as pa
from apache_beam.transforms.window import GlobalWindows
from apache_beam.utils.windowed_value import WindowedValue

from pipelines.jobs.counting import count, stage
from pipelines.jobs.summaries import KeepSummary
from pipelines.progress import report_rows
from pipelines.run_directory import WORK, RunDirectory
from pipelines.sources.fragments import Fragment
from pipelines.sources.reading import read_frame
from splitting.candidates import Candidates, Shortlist
from splitting.rules import Rules

CANDIDATES = "candidates"
SHORTLIST = f"{WORK}/shortlist.bin"


@dataclass(frozen=True)
class CollectTask:
    """What the workers of the job need.

    Attributes:
        rules: what decides about rows.
        schema: of the unified table.
        run: holds the shortlist, which can be too large to travel with every step.
    """

    rules: Rules
    schema: pa.Schema
    run: RunDirectory

    @cached_property
    def groups(self) -> pl.Series:
        """The candidates, UInt64."""
        return Shortlist.from_bytes(self.run.read(SHORTLIST)).groups


def collect_candidates(fragment: Fragment, task: CollectTask) -> Iterator[Candidates]:
    """Collects the rows of one fragment that are in candidate groups.

    Args:
        fragment: what to read.
        task: see there.

    Yields:
        Those of one batch.
    """
    for chunk in read_frame(fragment, task.schema, task.rules.columns_read()):
        yield Candidates.of(task.rules, task.groups, chunk.frame, fragment.source)
        report_rows(len(chunk.frame))


class _CollectCandidates(beam.DoFn):
    """Collects the candidates' rows of all the fragments of a bundle."""

    def __init__(self, task: CollectTask) -> None:
        self._task = task

    def start_bundle(self) -> None:
        self._parts = [Candidates.empty(self._task.rules)]

    def process(self, fragment: Fragment) -> None:
        with stage("collect"):
            self._parts.extend(collect_candidates(fragment, self._task))

    def finish_bundle(self) -> Iterator[WindowedValue]:
        packed = Candidates.merge(self._parts).to_bytes()
        count("summary_bytes", len(packed))
        yield GlobalWindows.windowed_value(packed)


def build_collect(pipeline: beam.Pipeline, fragments: Sequence[Fragment], task: CollectTask) -> None:
    """Adds the job to a pipeline.

    Args:
        pipeline: to add to.
        fragments: all of the data.
        task: see there; the candidates go where the shortlist lies.
    """
    _ = (
        pipeline
        | "Fragments" >> beam.Create(list(fragments))
        | "CollectCandidates" >> beam.ParDo(_CollectCandidates(task)).with_output_types(bytes)
        | "KeepCandidates" >> KeepSummary(Candidates, task.run.path(WORK).uri, CANDIDATES)
    )
