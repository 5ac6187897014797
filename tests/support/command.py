"""The command line as a user meets it: a process of its own, or called here; and what it left on disk."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-c", "import sys; from pipelines.cli import main; sys.argv[0] = 'targetsplit'; main()")


def environment(**more: str) -> dict[str, str]:
    """This process's environment, with the project on the path and no terminal size of its own."""
    kept = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES", "FORCE_COLOR"}}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


DATED = ("run.json", "metrics.json", "data_docs", "gx")


def start(arguments: Sequence[str], folder: Path | None = None, **more: str) -> subprocess.Popen[str]:
    """Starts `targetsplit` in a process group of its own."""
    return subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=folder or ROOT,
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def call(arguments: Sequence[str], folder: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    """Runs `targetsplit` to its end."""
    process = start(arguments, folder, **more)
    out, err = process.communicate(timeout=300)
    return subprocess.CompletedProcess(list(arguments), process.returncode, out, err)


def files(run: Path) -> dict[str, bytes]:
    """Every file of a run, hidden ones too, by its relative path; but for those that tell when it began."""
    found = {path.relative_to(run): path for path in sorted(run.rglob("*")) if path.is_file()}
    return {str(name): path.read_bytes() for name, path in found.items() if name.parts[0] not in DATED}
