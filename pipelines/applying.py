"""Applies a plan: packs fragments to units, runs the writing job, checks, finishes the run directory."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pipelines.api import FailOn, Progress, RunResult
from pipelines.docs import write_run_log
from pipelines.ingest.names import hash_columns, place_columns
from pipelines.job import make_rules, make_tables, written_links
from pipelines.jobs.execution import run_job
from pipelines.jobs.options import job_options, runner_of
from pipelines.jobs.write import MEASURES, TALLY, build_write
from pipelines.linking import planned_links
from pipelines.measured import write_measured
from pipelines.media import decode_small, make_files, make_media
from pipelines.metrics import JobLog
from pipelines.output.layout import Layout, default_shard_bytes, make_layout
from pipelines.output.media.weights import joined, weighed
from pipelines.output.media.writing import Media
from pipelines.output.tables import OutputTables
from pipelines.output.task import Unit, WriteTask
from pipelines.progress import counting
from pipelines.run_directory import (
    ASSIGNMENT,
    CARD,
    DATA,
    DOCS,
    HELD_OUT,
    PROFILE,
    PROJECT,
    REJECTED,
    REPORT,
    RUN_LOG,
    SUCCESS,
    TABLES,
    VALIDATION,
    WORK,
    RunDirectory,
)
from pipelines.sources.fragments import Inventory, check_unchanged, pack_units
from pipelines.spec.models import Spec
from pipelines.stored import check_spec, read_inventory, read_plan, read_spec
from pipelines.suites import load_suites, stored_suites
from pipelines.validating import finish_run, judge_evidence, with_fail_on
from splitting.assign import assignment_of
from splitting.checksum import checksum_text
from splitting.errors import DataError
from splitting.plan import Plan
from splitting.request import TRAIN
from splitting.rules import Rules
from validation.gx.process import Judge
from validation.measures import MeasureOptions, Measures
from validation.metrics.tables import Wanted
from validation.profile.profile import ProfileOptions
from validation.tally import Tally
from validation.verdict import Judgement

_WRITTEN = (DATA, TABLES, HELD_OUT, REJECTED, WORK)
_CHANGED = ": the input files changed after the plan was made; plan again"


def apply_run_plan(
    run: RunDirectory,
    shard_bytes: int | None,
    fail_on: FailOn | None,
    beam_options: Sequence[str],
    progress: Progress,
    judge: Judge,
) -> RunResult:
    """Writes the data of a planned run and finishes it.

    Args:
        run: holds a plan.
        shard_bytes: about how large a data file should be.
        fail_on: from which severity on a failed check fails the run, instead of what the spec says.
        beam_options: handed to Beam.
        progress: told how far the job is.
        judge: judges the checks.

    Returns:
        The finished run.

    Raises:
        DataError: the inputs are not what was planned with, or rows were lost.
    """
    options = job_options(beam_options)
    plan, spec, inventory = read_plan(run), read_spec(run), read_inventory(run)
    check_unchanged(inventory)
    check_spec(run, plan, spec)
    rules = make_rules(spec, inventory.schema, planned_links(run, plan))
    tables = make_tables(spec, inventory.schema)
    suites = stored_suites(run)
    wanted = load_suites(judge, spec.checks, suites, tables.columns_of_suites(), environment=True)
    run.clear([SUCCESS, VALIDATION, CARD, DOCS, PROJECT, REPORT, PROFILE, RUN_LOG, *_WRITTEN])
    write_run_log(run)
    media = make_media(run, spec, inventory)
    units, layout = _lay_out(plan, inventory, shard_bytes, media)
    task = _task(run, spec, tables, rules, layout, plan.fingerprint, wanted, media)
    log = JobLog("apply", runner_of(options))
    try:
        run.write(ASSIGNMENT, assignment_of(plan, {pool.name: 2**i for i, pool in enumerate(rules.pools)}).to_bytes())
        with counting("writing", plan.rows_read, progress):
            folder = run.path(WORK).uri
            log.run("write", lambda: run_job(options, lambda pipeline: build_write(pipeline, units, task, folder)))
        tally = Tally.from_bytes(run.read_summary(TALLY))
        measures = Measures.from_bytes(run.read_summary(MEASURES)) if spec.checks.profile else None
    finally:
        run.clear([WORK])
    _check_faithful(plan, tally)
    log.write(run)
    write_measured(run, tally, measures)
    progress("checking", 0, None)
    judgement = judge_evidence(plan, with_fail_on(spec, fail_on), tally, measures, judge, suites)
    if measures is not None and spec.report.thumbnails:
        _write_thumbnails(run, spec, plan, judgement, measures)
    return finish_run(run, plan, spec, judgement, judge)


def _write_thumbnails(run: RunDirectory, spec: Spec, plan: Plan, judgement: Judgement, measures: Measures) -> None:
    files = make_files(run, spec) if spec.ingested == "images" else None
    if files is not None:
        from pipelines.thumbnails import make_thumbnails, write_thumbnails  # noqa: PLC0415, not for tables

        splits, decode = (TRAIN, *(split.name for split in plan.splits)), partial(decode_small, spec=spec)
        document = judgement.to_document()
        write_thumbnails(run, make_thumbnails(measures.sample, splits, document, files, decode, spec.label))


def _lay_out(
    plan: Plan, inventory: Inventory, shard_bytes: int | None, media: Media | None
) -> tuple[list[Unit], Layout]:
    """The units of work and the files that they write; a row weighs what it takes in them."""
    fragments = inventory.fragments if media is None else weighed(inventory.fragments)
    total = sum(one.bytes for one in inventory.files) if media is None else sum(one.bytes for one in fragments)
    size = shard_bytes or default_shard_bytes(total)
    packed = pack_units(fragments, size)
    units = [Unit(i, part if media is None else joined(part)) for i, part in enumerate(packed)]
    splits, row_bytes = tuple(split.name for split in plan.splits), -(-total // max(1, plan.rows_read))
    folder = DATA if media is None or media.mode == "data" else TABLES
    return units, make_layout(plan.ledger, splits, len(units), row_bytes, size, folder)


def _task(
    run: RunDirectory,
    spec: Spec,
    tables: OutputTables,
    rules: Rules,
    layout: Layout,
    fingerprint: str,
    wanted: Wanted,
    media: Media | None,
) -> WriteTask:
    schema = tables.split_schema()
    if media is not None:
        media.row_schema(schema)  # a column that stands in the way is told before anything is written
    measure = _measured(spec, tables, wanted) if spec.checks.profile else None
    return WriteTask(run, fingerprint, rules, tables, layout, spec.label, measure, media, written_links(spec))


def _measured(spec: Spec, tables: OutputTables, wanted: Wanted) -> MeasureOptions:
    """Whole rows are told apart without the columns that name them, and those that the spec leaves out."""
    places, hashes = place_columns(spec.ingested), hash_columns(spec.ingested)
    skipped = (*spec.key_columns, *places, *spec.checks.skip)
    digested = tuple(name for name in tables.measured_columns() if name not in skipped)
    strata = tuple(item.column for item in spec.stratify if not item.edges)
    names = tuple(dict.fromkeys((*spec.key_columns, *places, *hashes)))
    columns = ProfileOptions(skip=spec.checks.skip, label=spec.label, categorical=strata, names=names)
    return MeasureOptions(columns, spec.checks.sample, digested, wanted, spec.source_column)


def _check_faithful(plan: Plan, tally: Tally) -> None:
    """The rows of the plan are the rows that were read, and all of them were written, or the run fails."""
    read = {source: (rows, checksum_text(high, low)) for source, rows, high, low in tally.read.iter_rows()}
    for source in plan.sources:
        rows, checksum = read.get(source.name, (0, checksum_text(0, 0)))
        if rows != source.rows:
            raise DataError(f"source {source.name!r}: {source.rows:,} rows were planned, {rows:,} were read{_CHANGED}")
        if checksum != source.checksum:
            raise DataError(f"source {source.name!r}: its keys or groups are not those that were planned{_CHANGED}")
    if tally.rows_written() != plan.rows_read:
        raise DataError(
            f"{plan.rows_read:,} rows were read, {tally.rows_written():,} were written: rows were lost or doubled, and "
            "this run is not to be used. Apply the plan again; if it happens again, report it"
        )
