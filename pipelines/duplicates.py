"""Finds linked rows without splitting anything: clusters with pairs to look at, before a spec is trusted."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipelines.api import Progress
from pipelines.ingesting import ingest_sources
from pipelines.job import make_rules
from pipelines.jobs.execution import run_job
from pipelines.jobs.members import MembersTask, build_members
from pipelines.jobs.options import job_options, runner_of
from pipelines.linking import ROWS_AT_ONCE, WORKING_LINKS, LinkJob
from pipelines.metrics import JobLog
from pipelines.progress import counting
from pipelines.run_directory import WORK, RunDirectory
from pipelines.sources.fragments import about_rows, join_neighbours, take_inventory
from pipelines.sources.schemas import check_reserved
from pipelines.spec.models import Spec
from pipelines.spec.predicates import check_columns
from pipelines.stored_links import StoredLinks
from splitting.errors import Problem, RunDirectoryError, SpecError
from splitting.linking.closing import Earlier, close
from splitting.linking.members import Members, edges_by_rule, largest_clusters, sizes_of, table_of, top_clusters

DUPLICATES = "duplicates.parquet"
MOST_SHOWN = 2_000_000
_MEMBERS = "members"
_ANY_SIZE = 2**63


@dataclass(frozen=True, eq=False)
class Duplicates:
    """Linked rows.

    Attributes:
        table: a row a member, as `table_of`; of the largest clusters, at most two million groups.
        groups: linked with others, in all.
        sizes: how many clusters hold how many groups, from the least on.
        links: by rule, how many links hold the clusters together.
        unlinked: by rule and reason, rows that it could not link.
        source: name of the source column.
        uri: where the table was written; None where it was not.
    """

    table: pl.DataFrame
    groups: int
    sizes: list[tuple[int, int]]
    links: dict[str, int]
    unlinked: list[tuple[str, str, int]]
    source: str
    uri: str | None = None

    @property
    def clusters(self) -> int:
        """How many there are."""
        return sum(clusters for _, clusters in self.sizes)

    def across_sources(self) -> int:
        """How many of the clusters in the table have rows of several sources."""
        counted = self.table.group_by("cluster").agg(pl.col(self.source).n_unique().alias("_sources"))
        return int((counted["_sources"] > 1).sum())

    def to_document(self, top: int, pairs: int) -> dict[str, Any]:
        """As plain values.

        Args:
            top: clusters to show.
            pairs: to show of each.
        """
        return {
            "groups": self.groups,
            "clusters": self.clusters,
            "clusters_in_table": self.table["cluster"].n_unique(),
            "across_sources": self.across_sources(),
            "sizes": [{"groups": groups, "clusters": clusters} for groups, clusters in self.sizes],
            "links": self.links,
            "unlinked": [{"link": link, "reason": reason, "rows": rows} for link, reason, rows in self.unlinked],
            "top": top_clusters(self.table, self.source, top, pairs),
            "written": self.uri,
        }


def find_duplicates(
    spec: Spec, base: str | None, out: str | None, beam_options: Sequence[str], progress: Progress
) -> Duplicates:
    """Links the rows of a spec, and names the members of what is linked.

    Args:
        spec: with `linked_by`.
        base: the folder that relative source paths are against.
        out: a folder for the table; None writes none, and works in a temporary one of this machine.
        beam_options: handed to Beam.
        progress: told how far the jobs are.

    Returns:
        What is linked; clusters of any size.

    Raises:
        SpecError: the spec links nothing.
        RunDirectoryError: there is a table already.
    """
    if not spec.links:
        told = "links nothing; name links, as in [user_id, {near_duplicates: perceptual_hash, distance: 4}]"
        raise SpecError([Problem("linked_by", told)])
    with ExitStack() as stack:
        folder = RunDirectory.at(out or stack.enter_context(tempfile.TemporaryDirectory(prefix="targetsplit-")))
        if out is not None and folder.has(DUPLICATES):
            raise RunDirectoryError(f"{folder.uri}/{DUPLICATES} exists; choose another folder, or delete it first")
        stack.callback(folder.clear, [WORK])
        found = _find(spec, base, folder, beam_options, progress)
        if out is None:
            return found
        folder.write_frame(DUPLICATES, found.table)
        return Duplicates(**{**vars(found), "uri": f"{folder.uri}/{DUPLICATES}"})


def _find(
    spec: Spec, base: str | None, folder: RunDirectory, beam_options: Sequence[str], progress: Progress
) -> Duplicates:
    options = job_options(beam_options)
    log = JobLog("duplicates", runner_of(options))
    requests = ingest_sources(spec, base, folder, None, options, progress, log)
    inventory = take_inventory(requests, base, numbered=False, key=spec.key_columns)
    check_reserved(inventory.schema, spec.source_column)
    check_columns(spec, inventory.schema)
    rules, rows = make_rules(spec, inventory.schema), about_rows(inventory)
    found = LinkJob(spec, inventory, rules, folder, options, progress, log, rows).find()
    closed = close(found.forest, Earlier.nothing(), spec.salt, _ANY_SIZE)
    shown = largest_clusters(closed.links, MOST_SHOWN)
    folder.write_frame(WORKING_LINKS, shown.table)
    task = MembersTask(rules, StoredLinks(folder.uri, WORKING_LINKS, shown.digest()), inventory.schema)
    fragments = join_neighbours(inventory.fragments, ROWS_AT_ONCE)
    with counting("naming", rows, progress):
        run_job(options, lambda made: build_members(made, fragments, task, folder.path(WORK).uri, _MEMBERS))
    members = Members.from_bytes(folder.read_summary(_MEMBERS))
    names = [rule.name for rule in spec.links]
    return Duplicates(
        table=table_of(members, found.forest, shown, spec.links, task.key, spec.source_column),
        groups=len(closed.links),
        sizes=sizes_of(closed.links),
        links=edges_by_rule(found.forest, spec.links),
        unlinked=[(names[via], what, count) for via, what, count in found.unlinked.iter_rows()],
        source=spec.source_column,
    )
