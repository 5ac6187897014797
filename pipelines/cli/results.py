"""Prints what came out, as tables or as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from pipelines.cli.main import CRITICAL_CHECK, DONE

if TYPE_CHECKING:
    from pipelines.api import RunResult
    from splitting.plan import Plan


def print_plan(plan: Plan, out: str, *, as_json: bool, quiet: bool) -> None:
    """Prints a plan.

    Args:
        plan: the plan.
        out: the run directory, as the user named it.
        as_json: print one JSON document instead of tables.
        quiet: print no tables.
    """
    if as_json:
        click.echo(json.dumps({"run": out, "plan": json.loads(plan.to_json())}, indent=1, ensure_ascii=False))
    elif not quiet:
        from pipelines.display import plan_view, view_text  # noqa: PLC0415

        click.echo(view_text(plan_view(plan)), nl=False)


def finish(result: RunResult, out: str, *, as_json: bool, quiet: bool) -> int:
    """Prints a finished run.

    Args:
        result: the run.
        out: the run directory, as the user named it.
        as_json: print one JSON document instead of tables.
        quiet: print no tables.

    Returns:
        The exit code: 3 where a critical check failed.
    """
    code = DONE if result.success else CRITICAL_CHECK
    if as_json:
        document = {
            "run": out,
            "success": result.success,
            "plan": json.loads(result.plan.to_json()),
            "validation": result.judgement.to_document(),
        }
        click.echo(json.dumps(document, indent=1, ensure_ascii=False))
        return code
    if not quiet:
        from pipelines.display import judgement_view, plan_view, view_text  # noqa: PLC0415

        click.echo(view_text(plan_view(result.plan), judgement_view(result.judgement)), nl=False)
        click.echo(f"The run is in {out}")
    if code:
        names = ", ".join(verdict.check.name for verdict in result.judgement.critical[:5])
        click.echo(f"critical checks failed: {names}; see {out}/validation.json", err=True)
    return code
