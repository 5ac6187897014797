"""Options and arguments that several commands share."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from splitting.errors import SpecError

F = TypeVar("F", bound=Callable[..., Any])
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}


def output_options(command: F) -> F:
    """`--json` and `--quiet`."""
    command = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)
    return click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")(command)


def beam_arguments(command: F) -> F:
    """Everything after `--` goes to Beam."""
    return click.argument("beam_options", nargs=-1, type=click.UNPROCESSED, metavar="[-- BEAM OPTIONS]")(command)


def run_options(command: F) -> F:
    """`-o`, `--previous`, `--overwrite`."""
    for option in (
        click.option("--overwrite", is_flag=True, help="Replace a finished run."),
        click.option("--previous", metavar="RUN", help="Continue a finished run: nothing that it decided moves."),
        click.option("-o", "--output", "out", required=True, metavar="RUN", help="The run directory."),
    ):
        command = option(command)
    return command


fail_on = click.option(
    "--fail-on",
    type=click.Choice(["critical", "warning"]),
    help="From which severity on a failed check is exit code 3; by default as the spec says, else critical.",
)
open_option = click.option(
    "--open", "opened", is_flag=True, help="Open the page in a browser; it must lie on this machine."
)
shard_size = click.option(
    "--shard-size", metavar="SIZE", help="About how large a data file should be, as in 64M; 256M by default."
)


def parse_bytes(text: str | None) -> int | None:
    """Bytes from a size with a unit.

    Args:
        text: as in `256M`, `1.5G`, `64MiB`; None stays None.

    Returns:
        Bytes.

    Raises:
        SpecError: it is not a size.

    Examples:
        >>> parse_bytes("64M")
        67108864
    """
    if text is None:
        return None
    found = re.fullmatch(r"(\d+)([kmg]?)(i?b)?", text.strip().lower())
    size = int(found[1]) * _UNITS[found[2]] if found else 0
    if size < 1:
        raise SpecError(f"--shard-size: got {text!r}, expected a size as in 64M or 1G", "arguments")
    return size
