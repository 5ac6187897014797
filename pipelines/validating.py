"""Judges a run from what was counted and measured; the data is not touched. Used by `apply`, and by `validate`."""

from __future__ import annotations

import json

from pipelines.api import FailOn, Progress, RunResult
from pipelines.card import dataset_card
from pipelines.measured import group_sizes, read_measured
from pipelines.run_directory import CARD, SUCCESS, VALIDATION, RunDirectory
from pipelines.spec.models import Spec
from pipelines.stored import read_inventory, read_plan, read_spec
from splitting.errors import RunDirectoryError
from splitting.plan import Plan
from validation.evidence import Evidence
from validation.gx.process import Judge
from validation.measures import Measures
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
    )


def judge_evidence(plan: Plan, spec: Spec, tally: Tally, measures: Measures | None, judge: Judge) -> Judgement:
    """Judges what is known of a run.

    Args:
        plan: what was decided.
        spec: what was asked, its `checks` among it.
        tally: what was counted.
        measures: what was measured; None for nothing.
        judge: judges the checks.

    Returns:
        The judgement.
    """
    from validation.judgement import judge_run  # noqa: PLC0415, loads scikit-learn: not before the data is written

    roles = column_roles(spec)
    # An index has the keys of its rows and not their groups: those cannot be looked up in it.
    has_groups = spec.group is not None and (spec.output == "data" or set(spec.group) <= set(spec.key_columns))
    evidence = Evidence(plan, tally, roles, has_groups, group_sizes(plan), measures)
    return judge_run(evidence, spec.checks.settings(), judge)


def with_fail_on(spec: Spec, fail_on: FailOn | None) -> Spec:
    """The spec, failing from another severity on; None leaves it."""
    return (
        spec
        if fail_on is None
        else spec.model_copy(update={"checks": spec.checks.model_copy(update={"fail_on": fail_on})})
    )


def write_verdict(run: RunDirectory, plan: Plan, spec: Spec, judgement: Judgement) -> None:
    """Writes what people and programs read of a judged run; `_SUCCESS` last."""
    run.write(VALIDATION, json.dumps(judgement.to_document(), indent=1, ensure_ascii=False) + "\n")
    run.write(CARD, dataset_card(plan, spec, judgement))
    run.write(SUCCESS, json.dumps({"plan": plan.fingerprint, "success": judgement.success}) + "\n")


def validate_run(
    run: RunDirectory, asked: Spec | None, fail_on: FailOn | None, progress: Progress, judge: Judge
) -> RunResult:
    """Judges a finished run again.

    Args:
        run: a finished run.
        asked: the spec whose `checks` are to judge; None takes those of the run.
        fail_on: instead of what the spec says.
        progress: told what is being done.
        judge: judges the checks.

    Returns:
        The run.

    Raises:
        RunDirectoryError: the run is not finished, or was written by another version.
        SpecError: `asked` decides otherwise than the run's spec, or names columns that are not there.
    """
    if not run.finished:
        raise RunDirectoryError(f"{run.uri} is not a finished run; finish it with: targetsplit apply {run.uri}")
    plan, spec = read_plan(run), read_spec(run)
    if asked is not None:
        spec = _with_checks(run, spec, asked)
    tally, measures = read_measured(run)
    progress("checking", 0, None)
    judgement = judge_evidence(plan, with_fail_on(spec, fail_on), tally, measures, judge)
    write_verdict(run, plan, spec, judgement)
    return RunResult(run.uri, plan, judgement)


def _with_checks(run: RunDirectory, spec: Spec, asked: Spec) -> Spec:
    from pipelines.spec.predicates import check_columns  # noqa: PLC0415, loads what reads files

    if asked.decision() != spec.decision():
        differing = [name for name, value in asked.decision().items() if value != spec.decision()[name]]
        raise RunDirectoryError(
            f"the spec says otherwise than that of {run.uri} in {', '.join(differing)}, and only `checks` may differ "
            "where a run is judged again; plan a new run for the rest"
        )
    merged = spec.model_copy(update={"checks": asked.checks})
    check_columns(merged, read_inventory(run).schema)
    return merged
