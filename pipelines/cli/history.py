"""`targetsplit history`."""

from __future__ import annotations

import click

from pipelines.cli.options import open_option
from pipelines.cli.results import show_page


@click.command("history", short_help="Write the history page of a folder of runs, and open it.")
@click.argument("runs", metavar="RUNS")
@open_option
@click.option(
    "--scan/--no-scan",
    default=True,
    help="Count moved examples in the written files, train among them (the default), or in the ledgers alone.",
)
def command(runs: str, opened: bool, scan: bool) -> None:
    """Write RUNS/index.html of the runs that lie side by side in RUNS.

    A line a run: status, sizes, moved examples, mismatch; and what changed beside the run that it continues, or else
    the one before it by name. Links lead to the reports. Of every run the key columns are read once; --no-scan reads
    no data, and then nothing is said of train.
    """
    from pipelines import api  # noqa: PLC0415, loads polars

    show_page(api.history(runs, scan=scan), opened=opened)
