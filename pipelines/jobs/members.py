"""The job that names the members of clusters: the rows of linked groups, with their keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam
import polars as pl
import pyarrow as pa

from pipelines.jobs.summaries import KeepSummary
from pipelines.progress import report_rows
from pipelines.sources.fragments import Fragment
from pipelines.sources.reading import read_frame
from pipelines.stored_links import StoredLinks
from splitting.columns import column
from splitting.hashing import canonical_text
from splitting.linking.members import Members
from splitting.rules import GROUP, KEY, Rules


@dataclass(frozen=True)
class MembersTask:
    """What the workers need.

    Attributes:
        rules: that name groups, before any link.
        links: which groups are linked.
        schema: of the unified table.
    """

    rules: Rules
    links: StoredLinks
    schema: pa.Schema

    @property
    def key(self) -> tuple[str, ...]:
        """The names of the key columns; one of digests where the whole row names an example."""
        return self.rules.key or ("row_key",)


def members_of(fragment: Fragment, task: MembersTask) -> Iterator[Members]:
    """The linked rows of a fragment.

    Args:
        fragment: what to read.
        task: see there.

    Yields:
        Those of one batch.
    """
    for chunk in read_frame(fragment, task.schema, task.rules.columns_naming()):
        named = task.rules.identify(chunk.frame, fragment.source)
        if task.rules.key:
            rows = chunk.frame.with_columns(pl.lit(fragment.source).alias(task.rules.source_column))
            keys = [canonical_text(rows.select(column(name)).to_series()) for name in task.rules.key]
        else:
            keys = [named[KEY].cast(pl.String)]
        yield Members.of(named[GROUP], fragment.source, keys, task.links.links)
        report_rows(len(chunk.frame))


class _FindMembers(beam.DoFn):
    def __init__(self, task: MembersTask) -> None:
        self._task = task

    def process(self, fragment: Fragment) -> Iterator[bytes]:
        parts = [Members.empty(len(self._task.key)), *members_of(fragment, self._task)]
        yield Members.merge(parts).to_bytes()


def build_members(
    pipeline: beam.Pipeline, fragments: Sequence[Fragment], task: MembersTask, folder: str, name: str
) -> None:
    """Adds the job to a pipeline.

    Args:
        pipeline: to add to.
        fragments: all of the data.
        task: see there.
        folder: where the summary goes.
        name: of the summary.
    """
    _ = (
        pipeline
        | "Fragments" >> beam.Create(list(fragments))
        | "FindMembers" >> beam.ParDo(_FindMembers(task)).with_output_types(bytes)
        | "Keep" >> KeepSummary(Members, folder, name)
    )
