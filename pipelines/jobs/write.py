"""The apply job: units of work write train shards; evaluation rows, few, meet in theirs; counts come back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam

from pipelines.jobs.counting import count, count_unit, stage
from pipelines.jobs.summaries import KeepSummary, MergeSummaries
from pipelines.output.evaluation import leaks_of_unit, names_in_file, write_evaluation_shard
from pipelines.output.parcel import Parcel
from pipelines.output.task import Unit, WriteTask
from pipelines.output.unit import write_unit
from validation.leaks import EvaluationNames
from validation.measures import Measures
from validation.tally import Tally

TALLY, MEASURES = "tally", "measures"
_SEPARATOR = "/"


class _WriteUnit(beam.DoFn):
    """Yields evaluation rows by shard; on the side, the tally, what was measured, and which train shard was written."""

    TALLY, UNIT, MEASURES, NAMES = "tally", "unit", "measures", "names"
    SIDES = (TALLY, UNIT, MEASURES, NAMES)

    def __init__(self, task: WriteTask) -> None:
        self._task = task

    def process(self, unit: Unit) -> Iterator[tuple[str, bytes] | beam.pvalue.TaggedOutput]:
        with stage("write"):
            result = write_unit(unit, self._task)
        tally = result.tally()
        rows = sum(len(parcel.rows) for parcels in result.parcels.values() for parcel in parcels)
        count_unit(tally, rows, sum(fragment.bytes for fragment in unit.fragments))
        for (split, shard), parcels in sorted(result.parcels.items()):
            packed = Parcel.merge(parcels).to_bytes()
            count("evaluation_bytes", len(packed))
            yield f"{split}{_SEPARATOR}{shard}", packed
        yield beam.pvalue.TaggedOutput(self.TALLY, tally.to_bytes())
        yield beam.pvalue.TaggedOutput(self.UNIT, unit.number)
        if result.measuring is not None:
            with stage("measure"):
                measures, names = result.measuring.finish()
            summary = measures.to_bytes()
            count("summary_bytes", len(summary))
            yield beam.pvalue.TaggedOutput(self.MEASURES, summary)
            for part in names:
                yield beam.pvalue.TaggedOutput(self.NAMES, part.to_bytes())


class _WriteShard(beam.DoFn):
    """Writes one evaluation shard and yields its tally; on the side, the keys and groups in it."""

    NAMES = "names"

    def __init__(self, task: WriteTask) -> None:
        self._task = task

    def process(self, item: tuple[str, Iterable[bytes]]) -> Iterator[bytes | beam.pvalue.TaggedOutput]:
        split, shard = item[0].split(_SEPARATOR)
        with stage("shard"):
            tally = write_evaluation_shard(split, int(shard), item[1], self._task)
        yield tally.to_bytes()
        path = self._task.layout.shard(split, int(shard))
        yield beam.pvalue.TaggedOutput(self.NAMES, names_in_file(path, split, self._task).to_bytes())


class _FindLeaks(beam.DoFn):
    """Reads a written train shard back and counts rows that are, by key, group or contents, in an evaluation split.

    The names of all these splits come as a list of one, or of none where there is no such split.
    """

    def __init__(self, task: WriteTask) -> None:
        self._task = task

    def process(self, unit: int, packed: list[bytes]) -> Iterator[bytes]:
        with stage("read_back"):
            names = EvaluationNames.from_bytes(packed[0]) if packed else EvaluationNames.empty()
            found = leaks_of_unit(unit, names, self._task)
        yield found.to_bytes()


@dataclass
class WriteSplits(beam.PTransform):
    """Units of work to shards, and one tally, written to a folder."""

    task: WriteTask
    folder: str

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, units: beam.PCollection[Unit]) -> beam.PCollection[str]:
        """Writes, gathers, reads back, counts."""
        task = self.task
        written = units | "WriteUnits" >> beam.ParDo(_WriteUnit(task)).with_outputs(*_WriteUnit.SIDES, main="rows")
        shards = (
            written.rows
            | "ByShard" >> beam.GroupByKey()
            | "WriteShards" >> beam.ParDo(_WriteShard(task)).with_outputs(_WriteShard.NAMES, main="tally")
        )
        names = (
            (shards[_WriteShard.NAMES], written[_WriteUnit.NAMES])
            | "Names" >> beam.Flatten()
            | "MergeNames" >> beam.CombineGlobally(MergeSummaries(EvaluationNames)).without_defaults()
        )
        leaks = (
            written[_WriteUnit.UNIT]
            | "Stored" >> beam.Reshuffle()
            | "FindLeaks" >> beam.ParDo(_FindLeaks(task), beam.pvalue.AsList(names)).with_output_types(bytes)
        )
        between = names | "BetweenSplits" >> beam.Map(_leaks_between, task).with_output_types(bytes)
        _ = written[_WriteUnit.MEASURES] | "KeepMeasures" >> KeepSummary(Measures, self.folder, MEASURES)
        return (
            (written[_WriteUnit.TALLY], shards.tally, leaks, between)
            | "Tallies" >> beam.Flatten()
            | "KeepTally" >> KeepSummary(Tally, self.folder, TALLY)
        )


def _leaks_between(names: bytes, task: WriteTask) -> bytes:
    found = EvaluationNames.from_bytes(names)
    return Tally.merge([found.leaks_between(), found.links.leaks_between(task.links)]).to_bytes()


def build_write(pipeline: beam.Pipeline, units: Sequence[Unit], task: WriteTask, folder: str) -> None:
    """Adds the apply job to a pipeline.

    Args:
        pipeline: to add to.
        units: all of the data.
        task: see there.
        folder: where the tally goes.
    """
    _ = pipeline | "Units" >> beam.Create(list(units)) | "WriteSplits" >> WriteSplits(task, folder)
