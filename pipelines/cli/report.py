"""`targetsplit report`."""

from __future__ import annotations

import click


@click.command("report", short_help="Write the report of a finished run again, and open it.")
@click.argument("run", metavar="RUN")
@click.option("--open", "opened", is_flag=True, help="Open the report in a browser; the run must lie on this machine.")
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

    where = api.report(run, sample_rows=sample_rows)
    click.echo(where)
    if not opened:
        return
    if "://" in where:
        raise click.UsageError(f"{where} is not on this machine, so --open cannot open it; open it where it is served")
    click.launch(where)
