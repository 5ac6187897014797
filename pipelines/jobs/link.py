"""The link job: values of links meet in partitions, are compared there, and leave one forest of linked groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import apache_beam as beam
import polars as pl
import pyarrow as pa

from pipelines.jobs.counting import count, stage
from pipelines.jobs.link_texts import LinkTexts, TextTask
from pipelines.jobs.summaries import KeepSummary, MergeSummaries
from pipelines.progress import report_rows
from pipelines.run_directory import RunDirectory
from pipelines.sources.fragments import Fragment
from pipelines.sources.reading import read_frame
from splitting.linking.candidates import by_text, texts_of
from splitting.linking.forest import VIA
from splitting.linking.hamming import band_masks, near_links
from splitting.linking.partitions import MASK, by_mask, by_number, gathered
from splitting.linking.rules import LinkRule, NearHashes, NearTexts, link_columns
from splitting.linking.values import VALUE, Linkage, equal_links, link_values
from splitting.rules import GROUP, Rules

_MERGES = 16
_Parts: TypeAlias = Iterator[tuple[str, bytes]]


@dataclass(frozen=True)
class LinkTask:
    """What the workers of the link job need.

    Attributes:
        rules: that name groups, before any link.
        links: what links rows.
        schema: of the unified table.
        hashes: about how many hashes there are; decides how near ones are searched, not which are found.
        partitions: in how many parts values are compared; decides no link.
        earlier: the run that is continued, if any.
    """

    rules: Rules
    links: tuple[LinkRule, ...]
    schema: pa.Schema
    hashes: int
    partitions: int
    earlier: RunDirectory | None = None

    def columns(self) -> tuple[str, ...]:
        """The columns that are read."""
        named = {*self.rules.columns_naming(), *link_columns(self.links)}
        return tuple(sorted(named - {self.rules.source_column}))

    def masks(self) -> dict[int, tuple[int, ...]]:
        """By the number of a rule that compares hashes, the masks of its bands."""
        near = {via: rule for via, rule in enumerate(self.links) if isinstance(rule, NearHashes) and rule.distance}
        return {via: band_masks(rule.distance, self.hashes) for via, rule in near.items()}

    def texts(self) -> TextTask:
        """What is compared of texts."""
        rules = {via: rule for via, rule in enumerate(self.links) if isinstance(rule, NearTexts)}
        return TextTask(rules, self.partitions)

    def take(self, frame: pl.DataFrame, nodes: pl.Series) -> tuple[_Parts, _Parts, Linkage]:
        """What is sent of a batch of rows.

        Args:
            frame: the columns that are read.
            nodes: UInt64, the group of each row, before any link.

        Returns:
            Link values by partition, texts by partition, and how many rows could not be linked.
        """
        values, unlinked = link_values(self.links, frame, nodes, self.rules.salt)
        texts = texts_of(self.texts().rules, frame, nodes, self.rules.salt)
        return by_number(values, VALUE, self.partitions), by_text(texts, self.partitions), unlinked


class _TakeValues(beam.DoFn):
    """The link values of a fragment, by partition; on the side, texts to compare, and what could not be linked."""

    LINKAGE, TEXTS = "linkage", "texts"

    def __init__(self, task: LinkTask) -> None:
        self._task = task

    def process(self, fragment: Fragment) -> Iterator[tuple[str, bytes] | beam.pvalue.TaggedOutput]:
        task = self._task
        parts = [Linkage.empty()]
        with stage("link_values"):
            for chunk in read_frame(fragment, task.schema, task.columns()):
                nodes = task.rules.identify(chunk.frame, fragment.source)[GROUP]
                values, texts, unlinked = task.take(chunk.frame, nodes)
                parts.append(unlinked)
                yield from values
                for part in texts:
                    yield beam.pvalue.TaggedOutput(self.TEXTS, part)
                report_rows(len(chunk.frame))
        count("link_bytes_read", fragment.bytes)
        yield beam.pvalue.TaggedOutput(self.LINKAGE, Linkage.merge(parts).to_bytes())


class _TakeWritten(beam.DoFn):
    """The link values of rows that an earlier run wrote: what is gone from the data still links what is not."""

    TEXTS = _TakeValues.TEXTS

    def __init__(self, task: LinkTask) -> None:
        self._task = task

    def process(self, path: str) -> Iterator[tuple[str, bytes] | beam.pvalue.TaggedOutput]:
        with stage("link_values_written"):
            frame = written_rows(path, self._task)
            if frame is None:
                return
            values, texts, _ = self._task.take(frame, self._task.rules.identify_written(frame)[GROUP])
            yield from values
            for part in texts:
                yield beam.pvalue.TaggedOutput(self.TEXTS, part)


def written_rows(path: str, task: LinkTask) -> pl.DataFrame | None:
    """The rows of a file of an earlier run that name groups and link them.

    Args:
        path: relative to that run.
        task: see there.

    Returns:
        The columns that are read, null where the file lacks what links; None where it lacks what names groups.
    """
    assert task.earlier is not None  # noqa: S101, there are no such files without it
    names = task.earlier.column_names(path)
    naming = task.rules.columns_naming()
    links = [name for name in link_columns(task.links) if name in names]
    source = [task.rules.source_column] if task.rules.source_column in names else []
    if not {*naming} <= {*names} or not links:
        return None
    frame = task.earlier.read_frame(path, list(dict.fromkeys([*naming, *links, *source])))
    lacking = {*link_columns(task.links)} - {*links}
    return frame.with_columns(pl.lit(None).alias(name) for name in sorted(lacking))


class _LinkEqual(beam.DoFn):
    """Links equal values of a partition; on the side, hashes, each once, by the bands in which near ones agree."""

    BANDS = "bands"

    def __init__(self, task: LinkTask) -> None:
        self._task = task

    def process(self, item: tuple[str, Iterable[bytes]]) -> Iterator[bytes | beam.pvalue.TaggedOutput]:
        with stage("link_equal"):
            forest, distinct = equal_links(gathered(item[1]))
        yield Linkage.of(forest).to_bytes()
        for via, masks in self._task.masks().items():
            hashes = distinct.filter(pl.col(VIA) == via)
            for part in by_mask(hashes, masks, self._task.partitions):
                yield beam.pvalue.TaggedOutput(self.BANDS, part)


class _LinkNear(beam.DoFn):
    """Compares the hashes of a partition that agree in some bands."""

    def __init__(self, task: LinkTask) -> None:
        self._task = task

    def process(self, item: tuple[str, Iterable[bytes]]) -> Iterator[bytes]:
        masks, found = self._task.masks(), [Linkage.empty()]
        with stage("link_near"):
            for part in gathered(item[1]).partition_by(VIA, MASK):
                via, mask = part.select(VIA, MASK).row(0)
                rule = self._task.links[via]
                if isinstance(rule, NearHashes):
                    found.append(Linkage.of(near_links(part.drop(MASK), rule, masks[via][mask])))
        yield Linkage.merge(found).to_bytes()


@dataclass
class LinkGroups(beam.PTransform):
    """Fragments to one summary, written to a folder: who is linked with whom."""

    task: LinkTask
    folder: str
    name: str
    written: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, fragments: beam.PCollection[Fragment]) -> beam.PCollection[str]:
        """Reads values, links equal ones, then near ones, closes."""
        task = self.task
        taken = fragments | "TakeValues" >> beam.ParDo(_TakeValues(task)).with_outputs(
            _TakeValues.LINKAGE, _TakeValues.TEXTS, main="values"
        )
        written = (
            fragments.pipeline
            | "WrittenFiles" >> beam.Create(list(self.written), reshuffle=False)
            | "SpreadWritten" >> beam.Reshuffle()
            | "TakeWritten" >> beam.ParDo(_TakeWritten(task)).with_outputs(_TakeWritten.TEXTS, main="values")
        )
        equal = (
            (taken.values, written.values)
            | "Values" >> beam.Flatten()
            | "ByValue" >> beam.GroupByKey()
            | "LinkEqual" >> beam.ParDo(_LinkEqual(task)).with_outputs(_LinkEqual.BANDS, main="linkage")
        )
        near = (
            equal[_LinkEqual.BANDS]
            | "ByBands" >> beam.GroupByKey()
            | "LinkNear" >> beam.ParDo(_LinkNear(task)).with_output_types(bytes)
        )
        found = [taken[_TakeValues.LINKAGE], equal.linkage, near]
        if task.texts().rules:
            texts = (taken[_TakeValues.TEXTS], written[_TakeWritten.TEXTS]) | "AllTexts" >> beam.Flatten()
            found.append(texts | "Texts" >> LinkTexts(task.texts()))
        return (
            tuple(found)
            | "Linkages" >> beam.Flatten()
            | "InParts" >> beam.Map(_in_parts).with_output_types(tuple[str, bytes])
            | "MergeParts" >> beam.CombinePerKey(MergeSummaries(Linkage))
            | "Parts" >> beam.Values()
            | "Keep" >> KeepSummary(Linkage, self.folder, self.name)
        )


def _in_parts(packed: bytes) -> tuple[str, bytes]:
    """Merging many forests at once, in a few parts, sorts each edge twice and not once a forest."""
    return str(len(packed) % _MERGES), packed


def build_link(
    pipeline: beam.Pipeline,
    fragments: Sequence[Fragment],
    task: LinkTask,
    folder: str,
    name: str,
    written: tuple[str, ...] = (),
) -> None:
    """Adds the link job to a pipeline.

    Args:
        pipeline: to add to.
        fragments: all of the data.
        task: see there.
        folder: where the summary goes.
        name: of the summary.
        written: files of the run that is continued, relative to it.
    """
    transform = LinkGroups(task, folder, name, written)
    _ = pipeline | "Fragments" >> beam.Create(list(fragments)) | "LinkGroups" >> transform
