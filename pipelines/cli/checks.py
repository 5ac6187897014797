"""`targetsplit checks`."""

from __future__ import annotations

import json

import click


@click.group("checks", short_help="Suites of your own.")
def command() -> None:
    """Suites of expectations of your own, which a spec names under `checks: suites:`."""


@command.command("init", short_help="Write a first suite from a finished run.")
@click.argument("run", metavar="RUN")
@click.option("--on", "table", default="all", metavar="TABLE", help="all, splits.NAME or sources.NAME; default all.")
@click.option("-o", "--output", "out", metavar="FILE", help="Write the suite there instead of printing it.")
def init(run: str, table: str, out: str | None) -> None:
    """Write a first suite: what holds of the rows of a finished run, to be widened and pruned by hand."""
    from pipelines import api  # noqa: PLC0415, loads polars
    from pipelines.sources.filesystems import exists, locate, write_bytes_atomic  # noqa: PLC0415
    from splitting.errors import SpecError  # noqa: PLC0415

    if out is not None and exists(locate(out)):
        raise SpecError(f"{out} exists; choose another file, or delete it first", "arguments")
    suite = api.starter_suite(run, table)
    text = json.dumps(suite, indent=1, ensure_ascii=False) + "\n"
    if out is None:
        click.echo(text, nl=False)
        return
    write_bytes_atomic(locate(out), text.encode())
    click.echo(
        f"Wrote {out}: {len(suite['expectations'])} expectations. Read it, then name it in the spec, under checks:\n"
        f"  suites: [{{path: {out}, on: {table}}}]"
    )
