"""Prints what came out, as tables or as JSON."""

from __future__ import annotations

import json
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.logs import JsonLog, json_log
from pipelines.cli.main import CRITICAL_CHECK, DONE

_MOST_NAMED = 5

if TYPE_CHECKING:
    from pipelines.api import RunResult
    from pipelines.report.run_facts import RunPair
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


def show_page(where: str, *, opened: bool) -> None:
    """Prints where a page is, and opens it.

    Args:
        where: a path or a URI.
        opened: open it in a browser.

    Raises:
        click.UsageError: it is to be opened and lies elsewhere, or there is no browser.
    """
    click.echo(where)
    if not opened:
        return
    if "://" in where:
        raise click.UsageError(f"{where} is not on this machine, so --open cannot open it; open it where it is served")
    if not webbrowser.open(Path(where).absolute().as_uri()):
        raise click.UsageError(f"no browser was found here; open {where} yourself, or leave out --open")


def print_pair(pair: RunPair, *, as_json: bool, quiet: bool) -> int:
    """Prints two runs beside each other.

    Args:
        pair: of both.
        as_json: print one JSON document instead of tables.
        quiet: print nothing but what is wrong.

    Returns:
        The exit code: 3 where examples of a run that is continued moved.
    """
    from pipelines.report.pair_view import moved_words, pair_document, pair_view  # noqa: PLC0415

    tone, told, _ = moved_words(pair)
    if as_json:
        click.echo(json.dumps(pair_document(pair), indent=1, ensure_ascii=False))
    elif not quiet:
        from pipelines.display import view_text  # noqa: PLC0415
        from pipelines.display_pair import pair_text  # noqa: PLC0415

        click.echo(view_text(pair_text(pair_view(pair))), nl=False)
    if tone != "bad":
        return DONE
    _tell(told, json_log())
    return CRITICAL_CHECK


def finish(result: RunResult, out: str, *, as_json: bool, quiet: bool) -> int:
    """Prints a finished run.

    Args:
        result: the run.
        out: the run directory, as the user named it.
        as_json: print one JSON document instead of tables.
        quiet: print no tables.

    Returns:
        The exit code: 3 where a check failed that fails the run.
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
        from pipelines.display import plan_view, view_text  # noqa: PLC0415

        click.echo(view_text(plan_view(result.plan)))
    return _finish_verdict(result, out, quiet=quiet)


def finish_validation(result: RunResult, out: str, *, as_json: bool, quiet: bool) -> int:
    """Prints a run that was judged again.

    Args:
        result: the run.
        out: the run directory, as the user named it.
        as_json: print one JSON document instead of sentences.
        quiet: print nothing but what fails the run.

    Returns:
        The exit code, as for `finish`.
    """
    if as_json:
        document = {"run": out, "success": result.success, "validation": result.judgement.to_document()}
        click.echo(json.dumps(document, indent=1, ensure_ascii=False))
        return DONE if result.success else CRITICAL_CHECK
    return _finish_verdict(result, out, quiet=quiet)


def _finish_verdict(result: RunResult, out: str, *, quiet: bool) -> int:
    if not quiet:
        from pipelines.display import judgement_view, view_text  # noqa: PLC0415

        click.echo(view_text(judgement_view(result.judgement)))
        click.echo(f"The run:     {out}\nEvery check: {out}/validation.json, {out}/data_docs/index.html")
        click.echo(f"To look at:  {out}/report.html")
    log = json_log()
    for line in result.missed:
        _tell(line, log)
    if result.success:
        return DONE
    names = ", ".join(verdict.check.name for verdict in result.judgement.failing[:_MOST_NAMED])
    more = len(result.judgement.failing) - _MOST_NAMED
    _tell(f"failed checks: {names}{f' and {more:,} more' if more > 0 else ''}; see {out}/validation.json", log)
    return CRITICAL_CHECK


def _tell(line: str, log: JsonLog | None) -> None:
    if log is None:
        click.echo(line, err=True)
    else:
        log.event("ERROR", "error", message=line)
