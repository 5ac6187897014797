"""`targetsplit show`."""

from __future__ import annotations

import click

from pipelines.cli.options import output_options
from pipelines.cli.results import print_plan


@click.command("show", short_help="Show the tables of a run again.")
@click.argument("run", metavar="RUN")
@output_options
def command(run: str, as_json: bool, quiet: bool) -> None:
    """Show the plan in RUN: sizes, composition, strata against their quotas, rows in no split."""
    from pipelines import api  # noqa: PLC0415, loads polars

    print_plan(api.show(run), run, as_json=as_json, quiet=quiet)
