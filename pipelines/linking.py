"""Links groups before any draw: runs the link job, closes what it found, and leaves it where workers read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import polars as pl

from pipelines.jobs.execution import run_job
from pipelines.jobs.link import LinkTask, build_link
from pipelines.jobs.lookup import written_files
from pipelines.jobs.options import JobOptions
from pipelines.metrics import JobLog
from pipelines.progress import counting
from pipelines.run_directory import LINKS, WORK, RunDirectory
from pipelines.sources.fragments import Inventory, join_neighbours
from pipelines.spec.models import Spec
from pipelines.stored import read_links
from pipelines.stored_links import StoredLinks
from splitting.linking.closing import Closed, Earlier, close
from splitting.linking.linked import Linked, describe
from splitting.linking.values import Linkage
from splitting.plan import SPLIT, Plan
from splitting.rules import GROUP, KEY, Rules

WORKING_LINKS = f"{WORK}/links.parquet"
_LINKAGE = "linkage"
ROWS_AT_ONCE = 250_000
_ROWS_A_PARTITION = 500_000
_MOST_PARTITIONS = 1_024


def planned_links(run: RunDirectory, plan: Plan) -> StoredLinks | None:
    """The links of a plan, for workers; None where it has none.

    Raises:
        RunDirectoryError: they were changed after the plan was made, or cannot be read.
    """
    if plan.links is None:
        return None
    read_links(run, plan)
    return StoredLinks(run.uri, LINKS, plan.links.digest)


def earlier_of(run: RunDirectory, plan: Plan) -> Earlier:
    """What a run that is continued decided about groups."""
    members = plan.ledger.filter(pl.col(KEY).is_not_null())
    return Earlier(read_links(run, plan), members.select(GROUP, SPLIT).unique(GROUP, maintain_order=True))


@dataclass(frozen=True, eq=False)
class Linking:
    """Groups, linked.

    Attributes:
        rules: that name groups by their clusters.
        closed: the clusters.
        linked: what the plan says of them.
    """

    rules: Rules
    closed: Closed
    linked: Linked


@dataclass(frozen=True, eq=False)
class LinkJob:
    """Where and how links are found.

    Attributes:
        spec: what links.
        inventory: the data.
        rules: that name groups, before any link.
        run: where the job leaves its result.
        options: Beam's.
        progress: told how far the job is.
        log: of the jobs.
        rows: about how many there are.
        continued: the run that is continued, if any.
    """

    spec: Spec
    inventory: Inventory
    rules: Rules
    run: RunDirectory
    options: JobOptions
    progress: Callable[[str, int, int | None], None]
    log: JobLog
    rows: int
    continued: RunDirectory | None = None

    def find(self) -> Linkage:
        """Runs the job.

        Returns:
            Who is linked with whom, rows of the run that is continued among them: what is gone from the data still
            links what is not.
        """
        rules = self.spec.links
        if not rules:
            return Linkage.empty()
        partitions = max(1, min(_MOST_PARTITIONS, -(-self.rows * len(rules) // _ROWS_A_PARTITION)))
        task = LinkTask(self.rules, rules, self.inventory.schema, self.rows, partitions, self.continued)
        written = () if self.continued is None else tuple(written_files(self.continued))
        fragments = join_neighbours(self.inventory.fragments, ROWS_AT_ONCE)
        folder = self.run.path(WORK).uri
        with counting("linking", self.rows, self.progress):
            self.log.run(
                "link",
                lambda: run_job(
                    self.options, lambda made: build_link(made, fragments, task, folder, _LINKAGE, written)
                ),
            )
        return Linkage.from_bytes(self.run.read_summary(_LINKAGE))


def link_groups(job: LinkJob, earlier: Earlier) -> Linking | None:
    """Links groups, and leaves the table for the workers of the jobs that follow.

    Args:
        job: see there.
        earlier: what an earlier run decided.

    Returns:
        The links; None where nothing links, and nothing did.

    Raises:
        DataError: too much is linked.
    """
    rules = job.spec.links
    if not rules and not len(earlier.links):
        return None
    found = job.find()
    closed = close(found.forest, earlier, job.spec.salt, job.spec.largest_cluster, [rule.name for rule in rules])
    linked = describe(closed, rules, found.unlinked)
    job.run.write_frame(WORKING_LINKS, closed.links.table)
    stored = StoredLinks(job.run.uri, WORKING_LINKS, linked.plan.digest)
    return Linking(replace(job.rules, links=stored), closed, linked)
