"""`targetsplit plan`."""

from __future__ import annotations

import click

from pipelines.cli.options import beam_arguments, output_options, run_options
from pipelines.cli.progress import shown_progress
from pipelines.cli.results import print_plan


@click.command("plan", short_help="Decide which example goes where.")
@click.argument("spec", metavar="SPEC")
@run_options
@output_options
@beam_arguments
def command(
    spec: str,
    out: str,
    previous: str | None,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
    beam_options: tuple[str, ...],
) -> None:
    """Decide which example goes where, and write the plan to RUN; no data is written.

    SPEC is a YAML file (see `targetsplit schema`, `targetsplit init`). Everything after -- goes to Beam.
    """
    from pipelines import api  # noqa: PLC0415, loads polars

    with shown_progress(quiet=quiet or as_json) as progress:
        plan = api.plan(spec, out, previous=previous, overwrite=overwrite, beam_options=beam_options, progress=progress)
    print_plan(plan, out, as_json=as_json, quiet=quiet)
    if not (quiet or as_json):
        click.echo(f"\nThe plan is in {out}/plan. Write the data with: targetsplit apply {out}")
