"""`targetsplit schema`."""

from __future__ import annotations

import json

import click


@click.command("schema", short_help="Print the JSON Schema of a spec.")
def command() -> None:
    """Print the JSON Schema of a spec; editors complete and check specs with it."""
    from pipelines.spec.schema import json_schema  # noqa: PLC0415

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
