"""`targetsplit run`."""

from __future__ import annotations

from typing import Literal

import click

from pipelines.cli.options import beam_arguments, fail_on, output_options, parse_bytes, run_options, shard_size
from pipelines.cli.progress import shown_progress
from pipelines.cli.results import finish


@click.command("run", short_help="Plan and apply.")
@click.argument("spec", metavar="SPEC")
@run_options
@shard_size
@fail_on
@output_options
@beam_arguments
def command(
    spec: str,
    out: str,
    previous: str | None,
    overwrite: bool,
    shard_size: str | None,
    fail_on: Literal["critical", "warning"] | None,
    as_json: bool,
    quiet: bool,
    beam_options: tuple[str, ...],
) -> int:
    """Plan and apply: decide which example goes where, write the data to RUN, check it.

    SPEC is a YAML file (see `targetsplit schema`, `targetsplit init`). Everything after -- goes to Beam.
    """
    from pipelines import api  # noqa: PLC0415, loads polars

    with shown_progress(quiet=quiet or as_json) as progress:
        result = api.run(
            spec,
            out,
            previous=previous,
            overwrite=overwrite,
            shard_bytes=parse_bytes(shard_size),
            fail_on=fail_on,
            beam_options=beam_options,
            progress=progress,
        )
    return finish(result, out, as_json=as_json, quiet=quiet)
