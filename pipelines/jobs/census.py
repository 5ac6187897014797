"""The plan's job: count every row once, list the groups that draws may need, collect those groups' rows."""

from __future__ import annotations

from collections import Counter
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
from splitting.first_rows import FirstRows, FirstRowsTaker
from splitting.request import Request
from splitting.rules import ROWS, Rules


@dataclass(frozen=True)
class CensusTask:
    """What the workers of the plan's job need.

    Attributes:
        rules: what decides about rows.
        request: the splits.
        schema: of the unified table.
        limit: how many groups a cell of the census keeps.
        depth: a factor for draws that could not be met exactly with less.
        first: rows of groups up to this `u` are kept at the first look.
        ledger: groups of earlier runs, sorted.
    """

    rules: Rules
    request: Request
    schema: pa.Schema
    limit: int
    depth: int
    first: int
    ledger: tuple[int, ...] = ()

    def ledger_groups(self) -> pl.Series:
        """The ledger's groups as UInt64."""
        return pl.Series("_group", self.ledger, dtype=pl.UInt64)


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


class _LookAtFragments(beam.DoFn):
    """Takes one census of all the fragments of a bundle; on the side, their first rows."""

    FIRST_ROWS = "first rows"

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
        yield beam.pvalue.TaggedOutput(self.FIRST_ROWS, GlobalWindows.windowed_value(first))


class _ChooseCandidates(beam.DoFn):
    """The candidates, where the first rows hold them all; else, on the side, the groups to collect."""

    TO_COLLECT = "to collect"

    def __init__(self, task: CensusTask) -> None:
        self._task = task

    def process(self, listed: bytes, first_rows: bytes) -> Iterator[bytes | beam.pvalue.TaggedOutput]:
        chosen, held = Shortlist.from_bytes(listed), FirstRows.from_bytes(first_rows)
        if held.suffices(chosen):
            yield held.candidates(chosen).to_bytes()
        else:
            yield Candidates.empty(self._task.rules).to_bytes()
            yield beam.pvalue.TaggedOutput(self.TO_COLLECT, listed)


class _CollectCandidates(beam.DoFn):
    """Collects the candidates' rows of all the fragments of a bundle."""

    def __init__(self, task: CensusTask) -> None:
        self._task = task

    def start_bundle(self) -> None:
        self._groups: pl.Series | None = None
        self._parts = [Candidates.empty(self._task.rules)]

    def process(self, fragment: Fragment, listed: list[bytes]) -> None:
        if not listed:
            report_rows(fragment.rows or 0)
            return
        if self._groups is None:
            self._groups = Shortlist.from_bytes(listed[0]).groups
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
        """Counts, lists; collects what the first look did not hold."""
        task, folder = self.task, self.folder
        spread = fragments | "Spread" >> beam.Reshuffle()
        first_rows = _LookAtFragments.FIRST_ROWS
        seen = spread | "LookAtFragments" >> beam.ParDo(_LookAtFragments(task)).with_outputs(first_rows, main="census")
        census = seen.census | "MergeCensus" >> beam.CombineGlobally(MergeSummaries(Census)).without_defaults()
        held = seen[first_rows] | "MergeFirstRows" >> beam.CombineGlobally(MergeSummaries(FirstRows)).without_defaults()
        listed = census | "Shortlist" >> beam.Map(_shortlist, task).with_output_types(bytes)
        chosen = listed | "ChooseCandidates" >> beam.ParDo(
            _ChooseCandidates(task), beam.pvalue.AsSingleton(held)
        ).with_outputs(_ChooseCandidates.TO_COLLECT, main="held")
        collected = spread | "CollectCandidates" >> beam.ParDo(
            _CollectCandidates(task), beam.pvalue.AsList(chosen[_ChooseCandidates.TO_COLLECT])
        ).with_output_types(bytes)
        candidates = (
            (chosen.held, collected)
            | "Candidates" >> beam.Flatten()
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
