"""The command line as a user meets it: a process of its own, or called here; and what it left on disk."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import polars as pl
from polars.testing import assert_frame_equal

from pipelines.run_directory import INPUTS, SPEC

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


def check_same(found: dict[str, bytes], run: Path) -> None:
    """A run in a store has plan, evaluation splits and verdicts of one on disk byte for byte, and its `train` rows.

    Args:
        found: the files in the store, by their relative names.
        run: that on disk; nothing else lies in the store.
    """
    kept = {name: data for name, data in found.items() if name.split("/")[0] not in DATED}
    wanted = files(run)
    assert sorted(kept) == sorted(wanted)
    for name, data in wanted.items():
        if name.startswith("data/train-"):
            assert_frame_equal(pl.read_parquet(kept[name]), pl.read_parquet(data))
        elif name not in {SPEC, INPUTS}:  # these two tell where the data lies
            assert kept[name] == data, f"{name} differs"
