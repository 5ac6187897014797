"""The command group, exit codes, and what a user sees of an error."""

from __future__ import annotations

import gc
import importlib
import io
import os
import sys

import click

from pipelines.cli.logs import end_json_log, json_log, start_json_log
from pipelines.cli.tuning import tune_process
from splitting.errors import TargetsplitError
from validation.startup import on_one_stack

DONE, FAILED, WRONG_USE, CRITICAL_CHECK = 0, 1, 2, 3
_COMMANDS = {
    "init": "Look at files and write a commented first spec.",
    "plan": "Decide which example goes where; write the plan, and no data.",
    "apply": "Write the data of a planned run, and check it.",
    "run": "Plan and apply.",
    "duplicates": "Show what a spec links: copies, near-duplicates, shared values.",
    "show": "Show the tables of a run again.",
    "validate": "Judge a finished run again, with other thresholds.",
    "report": "Write the report of a finished run again, and open it.",
    "history": "Write the history page of a folder of runs, and open it.",
    "diff": "Compare two runs: spec, sizes, examples, data.",
    "checks": "Write a first suite of expectations from a finished run.",
    "schema": "Print the JSON Schema of a spec.",
}


class _Commands(click.Group):
    """Loads a command's module only when it is called, so that help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command = importlib.import_module(f"pipelines.cli.{cmd_name}").command
        assert isinstance(command, click.Command)  # noqa: S101
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 failed, 2 the spec or the command line is wrong, 3 a critical check failed.",
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    envvar="TARGETSPLIT_LOG_FORMAT",
    help="What progress and errors look like on standard error; json is an object a line.",
)
@click.version_option(package_name="targetsplit", message="targetsplit %(version)s")
def cli(log_format: str) -> None:
    """Train / train-dev / dev / test splits whose dev and test come from the target distribution."""
    if log_format == "json":
        start_json_log()
        log = json_log()
        if log is not None:
            log.event("INFO", "start", command=click.get_current_context().invoked_subcommand)


def main() -> None:
    """The console script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.unraisablehook = _told_elsewhere
    tune_process()
    code = on_one_stack(lambda: run_command(sys.argv[1:]))
    gc.freeze()  # Python would look through every object once more as it ends, for half a second
    sys.exit(code)


def _told_elsewhere(raised: sys.UnraisableHookArgs) -> None:
    """Bad CSV lines that are not UTF-8 cannot be shown to us by pyarrow; the reader fails with a message of its own."""
    if not isinstance(raised.exc_value, UnicodeDecodeError):
        sys.__unraisablehook__(raised)


def run_command(arguments: list[str]) -> int:
    """Runs the command line.

    Args:
        arguments: without the program's name.

    Returns:
        The exit code. A user's mistake is one message on standard error; our own bugs raise.
    """
    try:
        code = _run(arguments)
        if (log := json_log()) is not None:
            log.event("INFO", "end", exit_code=code)
        return code
    finally:
        end_json_log()


def _run(arguments: list[str]) -> int:
    try:
        code = cli.main(arguments, prog_name="targetsplit", standalone_mode=False)
    except click.ClickException as error:
        if not _logged(error.format_message()):
            error.show()
        return WRONG_USE
    except TargetsplitError as error:
        from pipelines.display import printable  # noqa: PLC0415

        if not _logged(str(error)):
            click.echo("\n".join(printable(line) for line in f"error: {error}".split("\n")), err=True)
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (click.Abort, KeyboardInterrupt):
        told = "interrupted; run the same command again to start over"
        if not _logged(told):
            click.echo(told, err=True)
        return FAILED
    return code if isinstance(code, int) else DONE


def _logged(message: str) -> bool:
    """Whether an error went to the log, where that is in JSON."""
    log = json_log()
    if log is not None:
        log.event("ERROR", "error", message=message)
    return log is not None
