"""Judges a run from what was counted and measured; the data is not touched. Used by `apply`, and by `validate`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from pipelines.api import FailOn, Progress, RunResult
from pipelines.card import dataset_card
from pipelines.claims import check_claim
from pipelines.docs import write_docs
from pipelines.ingest.names import hash_columns, place_columns
from pipelines.job import make_tables, written_links
from pipelines.measured import group_sizes, read_measured, write_metrics
from pipelines.output.tables import OutputTables
from pipelines.reporting import write_report
from pipelines.run_directory import CARD, SUCCESS, VALIDATION, RunDirectory
from pipelines.spec.check_models import Checks
from pipelines.spec.models import Spec
from pipelines.stored import check_spec, read_inventory, read_plan, read_spec
from pipelines.suites import load_suites, read_suites, stored_suites
from splitting.errors import RunDirectoryError
from splitting.plan import Plan
from validation.evidence import Evidence
from validation.gx.process import Judge
from validation.gx.values import UserSuite
from validation.judgement import judge_run
from validation.measures import Measures
from validation.metrics.tables import TableMetrics, Wanted
from validation.settings import ColumnRoles
from validation.tally import Tally
from validation.verdict import Judgement


def column_roles(spec: Spec) -> ColumnRoles:
    """What the columns of a run are for.

    Args:
        spec: of the run.

    Returns:
        The roles.
    """
    return ColumnRoles(
        key=spec.key_columns,
        group=spec.group or (),
        label=spec.label,
        source=spec.source_column,
        strata=tuple(item.column for item in spec.stratify),
        skip=spec.checks.skip,
        times=spec.checks.times,
        places=place_columns(spec.ingested),
        hashes=hash_columns(spec.ingested),
    )


def judge_evidence(
    plan: Plan, spec: Spec, tally: Tally, measures: Measures | None, judge: Judge, suites: Sequence[UserSuite] = ()
) -> Judgement:
    """Judges what is known of a run.

    Args:
        plan: what was decided.
        spec: what was asked, its `checks` among it.
        tally: what was counted.
        measures: what was measured; None for nothing.
        judge: judges the checks.
        suites: of the user, which the judge has loaded.

    Returns:
        The judgement.
    """
    roles = column_roles(spec)
    # An index has the keys of its rows and not their groups: those cannot be looked up in it.
    has_groups = spec.group is not None and (spec.output != "index" or set(spec.group) <= set(spec.key_columns))
    links = {number: rule.name for number, rule in written_links(spec)}
    evidence = Evidence(plan, tally, roles, has_groups, group_sizes(plan), measures, links)
    return judge_run(evidence, spec.checks.settings(), judge, suites)


def with_fail_on(spec: Spec, fail_on: FailOn | None) -> Spec:
    """The spec, failing from another severity on; None leaves it."""
    return (
        spec
        if fail_on is None
        else spec.model_copy(update={"checks": spec.checks.model_copy(update={"fail_on": fail_on})})
    )


def finish_run(run: RunDirectory, plan: Plan, spec: Spec, judgement: Judgement, judge: Judge) -> RunResult:
    """Writes what people and programs read of a judged run, `_SUCCESS` last; then runs the actions.

    Args:
        run: where.
        plan: what was decided.
        spec: what was asked.
        judgement: what the checks say.
        judge: has judged.

    Returns:
        The finished run.
    """
    run.write(VALIDATION, json.dumps(judgement.to_document(), indent=1, ensure_ascii=False) + "\n")
    run.write(CARD, dataset_card(plan, spec, judgement))
    with ThreadPoolExecutor(1) as beside:
        docs = beside.submit(write_docs, run, judge, spec.name)  # most of it is the judge's work
        write_report(run, spec.report.sample_rows)
        docs.result()
    check_claim(run)
    run.write(SUCCESS, json.dumps({"plan": plan.fingerprint, "success": judgement.success}) + "\n")
    actions = spec.checks.actions
    missed = judge.act(actions, spec.name, success=judgement.success) if actions else []
    return RunResult(run.uri, plan, judgement, tuple(missed))


@dataclass(frozen=True)
class Again:
    """How a finished run is judged again.

    Attributes:
        asked: the spec whose `checks` are to judge; None takes those of the run.
        base: the folder that relative paths of suites in `asked` are against.
        fail_on: instead of what the spec says.
        rescan: read the data again, where suites want what was not counted.
        beam_options: handed to Beam; for `rescan`.
    """

    asked: Spec | None = None
    base: str | None = None
    fail_on: FailOn | None = None
    rescan: bool = False
    beam_options: Sequence[str] = ()


def validate_run(run: RunDirectory, again: Again, progress: Progress, judge: Judge) -> RunResult:
    """Judges a finished run again.

    Args:
        run: a finished run.
        again: how.
        progress: told what is being done.
        judge: judges the checks.

    Returns:
        The run.

    Raises:
        RunDirectoryError: the run is not finished, or was written by another version.
        SpecError: `asked` decides otherwise than the run's spec, names columns that are not there, or has suites that
            are wrong.
    """
    run.require_finished()
    plan, spec = read_plan(run), read_spec(run)
    check_spec(run, plan, spec)
    tally, measures = read_measured(run, profiled=spec.checks.profile)
    if again.asked is not None:
        spec = _with_checks(run, spec, again.asked)
    suites = read_suites(spec.checks, again.base) if again.asked is not None else stored_suites(run)
    tables = make_tables(spec, read_inventory(run).schema)
    wanted = load_suites(judge, spec.checks, suites, tables.columns_of_suites(), environment=True)
    if not spec.checks.profile:
        measures = None
    if wanted and measures is None:
        raise RunDirectoryError(
            f"{run.uri} was written with `profile: false`, and suites need the profile; run it anew"
        )
    if again.rescan or (measures is not None and measures.metrics.lacks(wanted, measures.cells())):
        metrics = _rescanned(run, plan, spec, tables, wanted, tally, again, progress)
        if measures is not None:
            write_metrics(run, metrics)
            measures = replace(measures, metrics=metrics)
    progress("checking", 0, None)
    judgement = judge_evidence(plan, with_fail_on(spec, again.fail_on), tally, measures, judge, suites)
    return finish_run(run, plan, spec, judgement, judge)


def _rescanned(
    run: RunDirectory,
    plan: Plan,
    spec: Spec,
    tables: OutputTables,
    wanted: Wanted,
    tally: Tally,
    again: Again,
    progress: Progress,
) -> TableMetrics:
    """What suites want, counted in the written data, which is what was written, or this fails."""
    from pipelines.rescanning import rescan  # noqa: PLC0415, imports Beam

    if not again.rescan:
        raise RunDirectoryError(
            f"the suites want what was not counted when {run.uri} was written; count it in the written data with: "
            f"targetsplit validate {run.uri} SPEC --rescan"
        )
    if spec.output == "index":
        raise RunDirectoryError(
            f"{run.uri} holds an index and no data: suites are counted when it is written; run anew"
        )
    return rescan(run, plan, spec, tables, wanted, tally, again.beam_options, progress)


def _with_checks(run: RunDirectory, spec: Spec, asked: Spec) -> Spec:
    from pipelines.spec.predicates import check_columns  # noqa: PLC0415, loads what reads files

    if asked.decision() != spec.decision():
        differing = [name for name, value in asked.decision().items() if value != spec.decision()[name]]
        raise RunDirectoryError(
            f"the spec says otherwise than that of {run.uri} in {', '.join(differing)}, and only `checks` and `report` "
            "may differ where a run is judged again; plan a new run for the rest"
        )
    if problems := list(_not_measured(spec.checks, asked.checks)):
        raise RunDirectoryError(f"{run.uri} was measured otherwise: {'; '.join(problems)}; run anew for that")
    merged = spec.model_copy(update={"checks": asked.checks, "report": asked.report})
    check_columns(merged, read_inventory(run).schema)
    return merged


def _not_measured(then: Checks, now: Checks) -> Iterator[str]:
    """What is asked for and was decided while the data was written."""
    if now.profile and not then.profile:
        yield "`checks: profile` was false"
    if now.sample != then.sample:
        yield f"`checks: sample` was {then.sample:,}, and {now.sample:,} is asked for"
    if missing := [name for name in then.skip if name not in now.skip]:
        yield f"`checks: skip` left out {', '.join(missing)}"
