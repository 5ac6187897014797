"""Links near texts: only bands travel for every text; shingles do for those that share a band with another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import apache_beam as beam
import polars as pl

from pipelines.jobs.counting import count, stage
from splitting.linking.candidates import by_band, by_text, colliding, distinct_texts, with_shingles
from splitting.linking.forest import VIA
from splitting.linking.partitions import gathered
from splitting.linking.rules import NearTexts
from splitting.linking.texts import similar_links
from splitting.linking.values import Linkage

_TEXTS, _BANDS = "texts", "bands"


@dataclass(frozen=True)
class TextTask:
    """What the workers need.

    Attributes:
        rules: those that compare texts, by their number among all links.
        partitions: in how many parts texts are compared; decides no link.
    """

    rules: Mapping[int, NearTexts]
    partitions: int


class _TakeBands(beam.DoFn):
    """The bands of the texts of a partition, each text once."""

    def __init__(self, task: TextTask) -> None:
        self._task = task

    def process(self, item: tuple[str, Iterable[bytes]]) -> Iterator[tuple[str, bytes]]:
        texts = distinct_texts(gathered(item[1]))
        for via, rule in self._task.rules.items():
            with stage("text_bands"):
                parts = list(by_band(texts.filter(pl.col(VIA) == via), rule.percent, self._task.partitions))
            yield from parts


class _Collide(beam.DoFn):
    """The texts of a partition of bands that share one."""

    def __init__(self, task: TextTask) -> None:
        self._task = task

    def process(self, item: tuple[str, Iterable[bytes]]) -> Iterator[tuple[str, bytes]]:
        yield from by_text(colliding(gathered(item[1])), self._task.partitions)


class _Fetch(beam.DoFn):
    """Brings the shingles to the bands that their texts share with others."""

    def __init__(self, task: TextTask) -> None:
        self._task = task

    def process(self, item: tuple[str, Mapping[str, Iterable[bytes]]]) -> Iterator[tuple[str, bytes]]:
        bands = list(item[1][_BANDS])
        if bands:
            yield from with_shingles(gathered(bands), gathered(item[1][_TEXTS]), self._task.partitions)


class _LinkTexts(beam.DoFn):
    """Compares the texts of a partition that share a band."""

    def __init__(self, task: TextTask) -> None:
        self._task = task

    def process(self, item: tuple[str, Iterable[bytes]]) -> Iterator[bytes]:
        found = [Linkage.empty()]
        with stage("link_texts"):
            for rows in gathered(item[1]).partition_by(VIA):
                count("text_candidates", len(rows))
                found.append(Linkage.of(similar_links(rows, self._task.rules[rows[VIA][0]])))
        yield Linkage.merge(found).to_bytes()


@dataclass
class LinkTexts(beam.PTransform):
    """Shingles of texts, by the partition of the text, to packed linkages."""

    task: TextTask

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, texts: beam.PCollection[tuple[str, bytes]]) -> beam.PCollection[bytes]:
        """Finds bands, then who shares one, then compares those."""
        task = self.task
        bands = (
            texts
            | "ByText" >> beam.GroupByKey()
            | "TakeBands" >> beam.ParDo(_TakeBands(task)).with_output_types(tuple[str, bytes])
            | "ByBand" >> beam.GroupByKey()
            | "Collide" >> beam.ParDo(_Collide(task)).with_output_types(tuple[str, bytes])
        )
        return (
            {_TEXTS: texts, _BANDS: bands}
            | "Meet" >> beam.CoGroupByKey()
            | "Fetch" >> beam.ParDo(_Fetch(task)).with_output_types(tuple[str, bytes])
            | "ByCandidate" >> beam.GroupByKey()
            | "LinkTexts" >> beam.ParDo(_LinkTexts(task)).with_output_types(bytes)
        )
