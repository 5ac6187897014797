"""`targetsplit diff`."""

from __future__ import annotations

import click

from pipelines.cli.options import output_options
from pipelines.cli.results import print_pair


@click.command("diff", short_help="Compare two runs: spec, sizes, examples, data.")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option("--no-scan", is_flag=True, help="Read no data files: count moved examples in the ledgers alone.")
@output_options
def command(old: str, new: str, no_scan: bool, as_json: bool, quiet: bool) -> int:
    """Compare two finished runs: what changed in the spec, in sizes, among the examples and in the data.

    Examples that came, left, were held out or moved are counted in the written files of both runs; where that cannot
    be, in their ledgers, and it says so. Exit code 3 if examples moved though NEW continues OLD.
    """
    from pipelines import api  # noqa: PLC0415, loads polars

    return print_pair(api.diff(old, new, scan=not no_scan), as_json=as_json, quiet=quiet)
