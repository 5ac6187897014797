"""`targetsplit report`."""

from __future__ import annotations

import click

from pipelines.cli.options import open_option
from pipelines.cli.results import show_page


@click.command("report", short_help="Write the report of a finished run again, and open it.")
@click.argument("run", metavar="RUN")
@open_option
@click.option(
    "--sample-rows",
    type=click.IntRange(0, 20),
    default=None,
    help="Rows of each split to show; by default as the spec says.",
)
def command(run: str, opened: bool, sample_rows: int | None) -> None:
    """Write RUN/report.html again, from what the run holds; the data is not read.

    Rows are shown only where the spec or --sample-rows asks for them: data can be private.
    """
    from pipelines import api  # noqa: PLC0415, loads polars

    show_page(api.report(run, sample_rows=sample_rows), opened=opened)
