"""`targetsplit validate`."""

from __future__ import annotations

from typing import Literal

import click

from pipelines.cli.options import beam_arguments, fail_on, output_options
from pipelines.cli.progress import shown_progress
from pipelines.cli.results import finish_validation


@click.command("validate", short_help="Judge a finished run again, with other thresholds.")
@click.argument("run", metavar="RUN")
@click.argument("spec", metavar="[SPEC]", required=False)
@click.option("--rescan", is_flag=True, help="Count in the written data what new suites want.")
@fail_on
@output_options
@beam_arguments
def command(
    run: str,
    spec: str | None,
    rescan: bool,
    fail_on: Literal["critical", "warning"] | None,
    as_json: bool,
    quiet: bool,
    beam_options: tuple[str, ...],
) -> int:
    """Judge a finished run again from what was measured; without --rescan the data is not read.

    SPEC is the run's spec with other `checks:`; without it, the run's own are used. Everything after -- goes to Beam.
    """
    from pipelines import api  # noqa: PLC0415, loads polars

    with shown_progress(quiet=quiet or as_json) as progress:
        result = api.validate(run, spec, fail_on=fail_on, rescan=rescan, beam_options=beam_options, progress=progress)
    return finish_validation(result, run, as_json=as_json, quiet=quiet)
