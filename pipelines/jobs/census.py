"""The plan's job: count every row once, list the groups that draws may need, collect those groups' rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam
import polars as pl
import pyarrow as pa
from apache_beam.transforms.window import GlobalWindows
from apache_beam.utils.windowed_value import WindowedValue

from pipelines.jobs.counting import count, stage
from pipelines.jobs.summaries import MergeSummaries
from pipelines.progress import report_rows
from pipelines.run_directory import write_summary
from pipelines.sources.fragments import Fragment
from pipelines.sources.reading import read_frame
from splitting.candidates import Candidates, Shortlist, shortlist
from splitting.census import Census, CensusTaker
from splitting.request import Request
from splitting.rules import ROWS, Rules

BAD_LINE = "bad line"


@dataclass(frozen=True)
class CensusTask:
    """What the workers of the plan's job need.

    Attributes:
        rules: what decides about rows.
        request: the splits.
        schema: of the unified table.
        limit: how many groups a cell of the census keeps.
        depth: a factor for draws that could not be met exactly with less.
        ledger: groups of earlier runs, sorted.
    """

    rules: Rules
    request: Request
    schema: pa.Schema
    limit: int
    depth: int
    ledger: tuple[int, ...] = ()

    def ledger_groups(self) -> pl.Series:
        """The ledger's groups as UInt64."""
        return pl.Series("_group", self.ledger, dtype=pl.UInt64)


def count_fragment(fragment: Fragment, task: CensusTask, taker: CensusTaker) -> None:
    """Adds one fragment to a census, unreadable lines counted as rejected.

    Args:
        fragment: what to read.
        task: see there.
        taker: takes the census.
    """
    for chunk in read_frame(fragment, task.schema, task.rules.columns_read()):
        taker.add(chunk.frame, fragment.source)
        if chunk.bad_rows:
            taker.reject(fragment.source, BAD_LINE, len(chunk.bad_rows))
        report_rows(len(chunk.frame))


def collect_candidates(fragment: Fragment, groups: pl.Series, task: CensusTask) -> Iterator[Candidates]:
    """Collects the rows of one fragment that are in candidate groups.

    Args:
        fragment: what to read.
        groups: UInt64, the candidates.
        task: see there.

    Yields:
        Those of one batch.
    """
    for chunk in read_frame(fragment, task.schema, task.rules.columns_read()):
        yield Candidates.of(task.rules, groups, chunk.frame, fragment.source)
        report_rows(len(chunk.frame))


class _CountFragments(beam.DoFn):
    """Takes one census of all the fragments of a bundle."""

    def __init__(self, task: CensusTask) -> None:
        self._task = task

    def start_bundle(self) -> None:
        self._taker = CensusTaker(self._task.rules, self._task.limit)

    def process(self, fragment: Fragment) -> None:
        with stage("count"):
            count_fragment(fragment, self._task, self._taker)
        count("bytes_read", fragment.bytes)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        census = self._taker.census()
        packed = census.to_bytes()
        count("rows_counted", int(census.cells[ROWS].sum()))
        count("rows_rejected", int(census.rejected[ROWS].sum()))
        count("summary_bytes", len(packed))
        yield GlobalWindows.windowed_value(packed)


class _CollectCandidates(beam.DoFn):
    """Collects the candidates' rows of all the fragments of a bundle."""

    def __init__(self, task: CensusTask) -> None:
        self._task = task

    def start_bundle(self) -> None:
        self._groups: pl.Series | None = None
        self._parts = [Candidates.empty(self._task.rules)]

    def process(self, fragment: Fragment, listed: bytes) -> None:
        if self._groups is None:
            self._groups = Shortlist.from_bytes(listed).groups
        with stage("collect"):
            self._parts.extend(collect_candidates(fragment, self._groups, self._task))

    def finish_bundle(self) -> Iterator[WindowedValue]:
        packed = Candidates.merge(self._parts).to_bytes()
        count("summary_bytes", len(packed))
        yield GlobalWindows.windowed_value(packed)


@dataclass
class TakeCensus(beam.PTransform):
    """Fragments to three summaries, written to a folder: `census`, `shortlist` and `candidates`."""

    task: CensusTask
    folder: str

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, fragments: beam.PCollection[Fragment]) -> beam.PCollection[str]:
        """Counts, lists, collects."""
        task, folder = self.task, self.folder
        spread = fragments | "Spread" >> beam.Reshuffle()
        census = (
            spread
            | "CountFragments" >> beam.ParDo(_CountFragments(task)).with_output_types(bytes)
            | "MergeCensus" >> beam.CombineGlobally(MergeSummaries(Census)).without_defaults()
        )
        listed = census | "Shortlist" >> beam.Map(_shortlist, task).with_output_types(bytes)
        candidates = (
            spread
            | "CollectCandidates"
            >> beam.ParDo(_CollectCandidates(task), beam.pvalue.AsSingleton(listed)).with_output_types(bytes)
            | "MergeCandidates" >> beam.CombineGlobally(MergeSummaries(Candidates)).without_defaults()
        )
        written = [
            summary | f"Write {name}" >> beam.Map(write_summary, folder, name).with_output_types(str)
            for name, summary in (("census", census), ("shortlist", listed), ("candidates", candidates))
        ]
        return tuple(written) | beam.Flatten()


def _shortlist(census: bytes, task: CensusTask) -> bytes:
    counted = Census.from_bytes(census)
    return shortlist(counted, task.rules, task.request, task.ledger_groups(), task.depth).to_bytes()


def build_census(pipeline: beam.Pipeline, fragments: Sequence[Fragment], task: CensusTask, folder: str) -> None:
    """Adds the plan's job to a pipeline.

    Args:
        pipeline: to add to.
        fragments: all of the data.
        task: see there.
        folder: where the summaries go.
    """
    _ = pipeline | "Fragments" >> beam.Create(list(fragments)) | "TakeCensus" >> TakeCensus(task, folder)
