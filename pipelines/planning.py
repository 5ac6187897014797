"""Plans a run: lists the files, runs the census job, draws, writes the plan."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

import polars as pl

from pipelines.api import Progress
from pipelines.ingesting import ingest_sources
from pipelines.job import make_heading, make_request, make_rules, make_tables
from pipelines.jobs.census import FIRST_LOOK, CensusTask, build_census
from pipelines.jobs.collect import CANDIDATES, SHORTLIST, CollectTask, build_collect
from pipelines.jobs.execution import Build, run_job
from pipelines.jobs.lookup import find_trained
from pipelines.jobs.options import JobOptions, job_options, runner_of
from pipelines.linking import LinkJob, earlier_of, link_groups
from pipelines.metrics import JobLog
from pipelines.output.layout import shard_path
from pipelines.progress import counting
from pipelines.run_directory import INGEST, WORK, RunDirectory
from pipelines.sources.fragments import FRAGMENT_BYTES, Inventory, about_rows, join_neighbours, take_inventory
from pipelines.sources.listing import takes
from pipelines.sources.schemas import check_reserved
from pipelines.sources.storable import check_storable
from pipelines.spec.models import Spec
from pipelines.spec.predicates import check_columns
from pipelines.stored import read_plan, write_plan
from pipelines.suites import load_suites, read_suites, write_suites
from splitting.candidates import Candidates, Shortlist, census_limit, shortlist
from splitting.compose import Heading, make_plan
from splitting.errors import DataError, RunDirectoryError
from splitting.first_look import FirstLook
from splitting.first_rows import first_bound
from splitting.inputs import Inputs, Previous, Trained
from splitting.linking.closing import Earlier
from splitting.linking.linked import Linked
from splitting.plan import Plan
from splitting.planning import newly_eligible
from splitting.pools import DeeperCensusNeeded
from splitting.request import TRAIN, Request
from splitting.rules import GROUP, ROWS, Rules
from validation.gx.process import Judge
from validation.gx.values import UserSuite

_DEPTHS = (1, 4, 16, 64, 256, 1024)
_ROWS_AT_ONCE = 500_000


def make_run_plan(
    spec: Spec,
    base: str | None,
    run: RunDirectory,
    earlier: RunDirectory | None,
    beam_options: Sequence[str],
    progress: Progress,
    judge: Judge | None = None,
) -> Plan:
    """Makes and writes the plan of a run.

    Args:
        spec: the spec.
        base: the folder that relative source paths are against.
        run: where the plan goes.
        earlier: the finished run to continue.
        beam_options: handed to Beam.
        progress: told how far the job is.
        judge: reads suites and actions where the spec has any; None starts one for that.

    Returns:
        The plan.
    """
    options = job_options(beam_options)
    _check_outside(run, spec, base)
    key, numbered = spec.key_columns, spec.output == "index"
    log = JobLog("plan", runner_of(options))
    requests = ingest_sources(spec, base, run, earlier, options, progress, log)
    size = FRAGMENT_BYTES // 2 if spec.checks.profile else FRAGMENT_BYTES  # measuring takes memory for each row at hand
    inventory = take_inventory(requests, base, numbered=numbered, key=key, fragment_bytes=size)
    check_reserved(inventory.schema, spec.source_column)
    if spec.output != "index":
        check_storable(inventory.schema)
    check_columns(spec, inventory.schema)
    suites = _suites(spec, base, inventory, judge)
    rules, request, heading = make_rules(spec, inventory.schema), make_request(spec), make_heading(spec)
    old = _continued(earlier, heading) if earlier is not None else None
    try:
        known = earlier_of(earlier, old) if earlier is not None and old is not None else Earlier.nothing()
        linking = link_groups(
            LinkJob(spec, inventory, rules, run, options, progress, log, about_rows(inventory), earlier), known
        )
        rules = rules if linking is None else linking.rules
        job = _CensusJob(rules, request, inventory, run, options, progress, log)
        plan = _decide(job, heading, earlier, old, None if linking is None else linking.linked)
    finally:
        run.clear([WORK])
    run.clear_all()
    if spec.ingested is None:
        run.clear([INGEST])
    write_suites(run, suites)
    log.write(run)
    write_plan(run, spec, inventory, plan, None if linking is None else linking.closed.links)
    return plan


def _suites(spec: Spec, base: str | None, inventory: Inventory, judge: Judge | None) -> tuple[UserSuite, ...]:
    """The suites, which are as they should be, as are the actions: known before any data is read."""
    suites = read_suites(spec.checks, base)
    if suites or spec.checks.actions:
        columns = make_tables(spec, inventory.schema).columns_of_suites()
        with ExitStack() as stack:
            known = judge or stack.enter_context(Judge())
            load_suites(known, spec.checks, suites, columns, environment=False)
    return suites


def _check_outside(run: RunDirectory, spec: Spec, base: str | None) -> None:
    """A run inside a source would be read by the next one, as data."""
    written = run.path(shard_path(TRAIN, 0, 1)).uri
    for name, source in spec.sources.items():
        inside = [path for path in source.paths if takes(path, base, written)]
        if inside:
            raise RunDirectoryError(
                f"{run.uri} lies in source {name!r} ({inside[0]}), and the next run would read what this one wrote; "
                "choose a folder outside of the sources"
            )


def _decide(
    job: _CensusJob, heading: Heading, earlier: RunDirectory | None, old: Plan | None, linked: Linked | None
) -> Plan:
    """Draws, with as deep a census as that takes."""
    for depth in _DEPTHS:
        inputs = replace(job.take(old, depth), linked=linked)
        _check_not_empty(inputs, heading)
        if old is not None and earlier is not None:
            fresh = newly_eligible(inputs)
            trained = job.find_trained(earlier, old, fresh)
            inputs = replace(inputs, previous=Previous(old, trained))
        try:
            return make_plan(heading, inputs)
        except DeeperCensusNeeded:
            continue
    raise DataError("no exact draw was found; ask for other sizes or group less")  # pragma: no cover


class _CensusJob:
    """Runs the census job, as deep as asked, and reads what it wrote."""

    def __init__(
        self,
        rules: Rules,
        request: Request,
        inventory: Inventory,
        run: RunDirectory,
        options: JobOptions,
        progress: Progress,
        log: JobLog,
    ) -> None:
        self._rules, self._request, self._inventory = rules, request, inventory
        self._run, self._options, self._progress = run, options, progress
        self._fragments = join_neighbours(inventory.fragments, _ROWS_AT_ONCE)
        self.log = log

    def take(self, old: Plan | None, depth: int) -> Inputs:
        known = old.ledger[GROUP].unique().sort() if old is not None else pl.Series(GROUP, [], dtype=pl.UInt64)
        limit = census_limit(self._request, _row_bound(self._inventory), len(known), depth)
        task = CensusTask(self._rules, self._inventory.schema, limit, first_bound(about_rows(self._inventory)))
        folder = self._run.path(WORK).uri
        self._run_job("census", partial(build_census, fragments=self._fragments, task=task, folder=folder))
        look = FirstLook.from_bytes(self._run.read_summary(FIRST_LOOK))
        listed = shortlist(look.census, self._rules, self._request, known, depth)
        enough = look.first_rows.suffices(listed)
        candidates = look.first_rows.candidates(listed) if enough else self._collect(listed)
        previous = Previous(old, Trained.nothing()) if old is not None else None
        return Inputs(self._rules, self._request, look.census, listed, candidates, previous)

    def _collect(self, listed: Shortlist) -> Candidates:
        """Looks at the data once more, for the rows of the listed groups."""
        self._run.write(SHORTLIST, listed.to_bytes())
        task = CollectTask(self._rules, self._inventory.schema, self._run)
        self._run_job(CANDIDATES, partial(build_collect, fragments=self._fragments, task=task))
        return Candidates.from_bytes(self._run.read_summary(CANDIDATES))

    def _run_job(self, name: str, build: Build) -> None:
        with counting("planning", _known_rows(self._inventory), self._progress):
            self.log.run(name, lambda: run_job(self._options, build))

    def find_trained(self, earlier: RunDirectory, old: Plan, fresh: pl.DataFrame) -> Trained:
        """What looks new and the earlier run trained on."""
        return find_trained(earlier, old, fresh, self._rules, self._run.path(WORK).uri, self._options)


def _known_rows(inventory: Inventory) -> int | None:
    rows = [fragment.rows for fragment in inventory.fragments]
    return sum(row for row in rows if row is not None) if all(row is not None for row in rows) else None


def _row_bound(inventory: Inventory) -> int:
    """An upper bound of the rows: a row of text takes two bytes at least, more where it is not compressed away."""
    return sum(f.rows if f.rows is not None else 64 * f.bytes for f in inventory.fragments)


def _check_not_empty(inputs: Inputs, heading: Heading) -> None:
    rows = dict(inputs.census.cells.group_by("_source").agg(pl.col(ROWS).sum()).iter_rows())
    rejected = dict(inputs.census.rejected.group_by("_source").agg(pl.col(ROWS).sum()).iter_rows())
    empty = [name for name in heading.sources if not rows.get(name)]
    if not empty:
        return
    told = "; ".join(
        f"source {name!r} has no rows"
        if not rejected.get(name)
        else f"all {rejected[name]:,} rows of source {name!r} are rejected (null key or unreadable)"
        for name in empty
    )
    raise DataError(f"{told}; check its path and key, or take it out of the spec")


def _continued(earlier: RunDirectory, heading: Heading) -> Plan:
    """The plan that is continued; its identity must be that of the spec."""
    if not earlier.finished:
        raise RunDirectoryError(f"--previous {earlier.uri} is not a finished run; give the folder of one")
    old = read_plan(earlier)
    differing = [k for k in heading.identity if heading.identity[k] != old.identity.get(k)]
    if differing:
        name = differing[0]
        raise RunDirectoryError(
            f"--previous {earlier.uri} cannot be continued: its {name} is {old.identity.get(name)!r}, the spec's is "
            f"{heading.identity[name]!r}. Examples would get other names, and move. Use the same {name}, or start anew "
            "without --previous"
        )
    return old
