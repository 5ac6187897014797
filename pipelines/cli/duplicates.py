"""`targetsplit duplicates`."""

from __future__ import annotations

import json

import click

from pipelines.cli.options import beam_arguments, output_options
from pipelines.cli.progress import shown_progress


@click.command("duplicates", short_help="Show what a spec links: copies, near-duplicates, shared values.")
@click.argument("spec", metavar="SPEC")
@click.option("-o", "--output", "out", metavar="FOLDER", help="Write every pair there, as duplicates.parquet.")
@click.option("--top", type=click.IntRange(0, 1_000), default=5, show_default=True, help="Clusters to show.")
@click.option("--pairs", type=click.IntRange(1, 1_000), default=5, show_default=True, help="Pairs to show of each.")
@output_options
@beam_arguments
def command(
    spec: str,
    out: str | None,
    top: int,
    pairs: int,
    as_json: bool,
    quiet: bool,
    beam_options: tuple[str, ...],
) -> None:
    """Show what `linked_by` of SPEC links: how many clusters, of which sizes, the largest with pairs to look at.

    Nothing is split, and no size is refused. Everything after -- goes to Beam.
    """
    from pipelines import api  # noqa: PLC0415, loads polars

    with shown_progress(quiet=quiet or as_json) as progress:
        found = api.duplicates(spec, out, beam_options=beam_options, progress=progress)
    if as_json:
        click.echo(json.dumps(found.to_document(top, pairs), indent=1, ensure_ascii=False))
    elif not quiet:
        from pipelines.display import view_text  # noqa: PLC0415
        from pipelines.display_duplicates import duplicates_view  # noqa: PLC0415

        click.echo(view_text(duplicates_view(found, top, pairs)), nl=False)
        if found.uri is not None:
            click.echo(f"Every pair: {found.uri}")
