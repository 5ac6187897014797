"""Data Docs of a run, and the log that says when it began and with which versions."""

from __future__ import annotations

import json
import platform
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from pipelines.run_directory import DOCS, PROJECT, RUN_LOG, RunDirectory
from splitting.errors import RunDirectoryError
from validation.gx.process import Judge

PACKAGES = ("targetsplit", "apache-beam", "great-expectations", "numpy", "polars", "pyarrow", "scikit-learn", "scipy")


def write_run_log(run: RunDirectory) -> None:
    """Writes when the run began, and with which versions: the one place where a clock is read."""
    log = {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }
    run.write(RUN_LOG, json.dumps(log, indent=1) + "\n")


def started(run: RunDirectory) -> datetime:
    """When a run began.

    Raises:
        RunDirectoryError: its log cannot be read.
    """
    try:
        return datetime.fromisoformat(json.loads(run.read(RUN_LOG))["started"])
    except (ValueError, KeyError, TypeError) as error:
        raise RunDirectoryError(
            f"{run.uri}/{RUN_LOG} cannot be read; write the run again: targetsplit apply {run.uri} --overwrite"
        ) from error


def write_docs(run: RunDirectory, judge: Judge, name: str) -> None:
    """Keeps all that was judged as a project of Great Expectations, and its Data Docs, which open without a network.

    Args:
        run: where.
        judge: has judged.
        name: of the run.
    """
    run.clear([DOCS, PROJECT])
    with tempfile.TemporaryDirectory() as folder:
        judge.write_docs(folder, name, started(run))
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file():
                run.write(path.relative_to(folder).as_posix(), path.read_bytes())
