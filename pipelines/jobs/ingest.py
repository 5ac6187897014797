"""The ingest's job: lists the members of sources as a stream of parts, measures each part where there is room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam

from pipelines.ingest.counts import REUSED, TAKEN, IngestCounts
from pipelines.ingest.members import Part
from pipelines.ingest.part import IngestTask, ingest_part, list_parts
from pipelines.jobs.counting import count, stage
from pipelines.jobs.summaries import KeepSummary

COUNTS = "ingest"


class _ListParts(beam.DoFn):
    """Lists the members of a source, packed to parts."""

    def __init__(self, tasks: dict[str, IngestTask]) -> None:
        self._tasks = tasks

    def process(self, source: str) -> Iterator[tuple[str, int, bytes]]:
        for part in list_parts(self._tasks[source]):
            count("members_listed", part.members.num_rows)
            yield source, part.number, part.to_bytes()


class _IngestPart(beam.DoFn):
    """Reads and measures a part, writes its files, yields what was counted."""

    def __init__(self, tasks: dict[str, IngestTask]) -> None:
        self._tasks = tasks

    def process(self, item: tuple[str, int, bytes]) -> Iterator[bytes]:
        source, number, packed = item
        with stage("ingest"):
            counts = ingest_part(Part.from_bytes(number, packed), self._tasks[source])
        count("members_taken", counts.total(source, TAKEN))
        count("members_reused", counts.total(source, REUSED))
        for kind, members in counts.rejected(source).items():
            count(f"members_rejected_{kind.replace(' ', '_')}", members)
        yield counts.to_bytes()


@dataclass
class IngestSources(beam.PTransform):
    """Names of sources to their tables; and one summary of counts, written to a folder."""

    tasks: tuple[IngestTask, ...]
    folder: str

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, sources: beam.PCollection[str]) -> beam.PCollection[str]:
        """Lists, measures, counts."""
        tasks = {task.source: task for task in self.tasks}
        nothing = sources.pipeline | "NoCounts" >> beam.Create([IngestCounts.empty().to_bytes()])
        counted = (
            sources
            | "ListParts" >> beam.ParDo(_ListParts(tasks)).with_output_types(tuple[str, int, bytes])
            | "SpreadParts" >> beam.Reshuffle()
            | "IngestParts" >> beam.ParDo(_IngestPart(tasks)).with_output_types(bytes)
        )
        return (
            (counted, nothing)
            | "Counts" >> beam.Flatten()
            | "KeepCounts" >> KeepSummary(IngestCounts, self.folder, COUNTS)
        )


def build_ingest(pipeline: beam.Pipeline, tasks: Sequence[IngestTask], folder: str) -> None:
    """Adds the ingest's job to a pipeline.

    Args:
        pipeline: to add to.
        tasks: one a source.
        folder: where the counts go.
    """
    sources = [task.source for task in tasks]
    _ = pipeline | "Sources" >> beam.Create(sources) | "Ingest" >> IngestSources(tuple(tasks), folder)
