"""`targetsplit apply`."""

from __future__ import annotations

from typing import Literal

import click

from pipelines.cli.options import beam_arguments, fail_on, output_options, parse_bytes, shard_size
from pipelines.cli.progress import shown_progress
from pipelines.cli.results import finish


@click.command("apply", short_help="Write the data of a planned run, and check it.")
@click.argument("run", metavar="RUN")
@click.option("--overwrite", is_flag=True, help="Write a finished run again.")
@shard_size
@fail_on
@output_options
@beam_arguments
def command(
    run: str,
    overwrite: bool,
    shard_size: str | None,
    fail_on: Literal["critical", "warning"] | None,
    as_json: bool,
    quiet: bool,
    beam_options: tuple[str, ...],
) -> int:
    """Write the data of the plan in RUN, and check what was written. Everything after -- goes to Beam."""
    from pipelines import api  # noqa: PLC0415, loads polars

    with shown_progress(quiet=quiet or as_json) as progress:
        result = api.apply(
            run,
            overwrite=overwrite,
            shard_bytes=parse_bytes(shard_size),
            fail_on=fail_on,
            beam_options=beam_options,
            progress=progress,
        )
    return finish(result, run, as_json=as_json, quiet=quiet)
