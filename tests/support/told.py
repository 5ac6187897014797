"""What a command that fails tells its user."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.cli.main import run_command
from tests.support.command import files
from tests.support.corpus import SPEC, write_spec

SMALL = {"test": 20, "dev": 20, "train_dev": 20}


def told(arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> str:
    """The one message of a command that fails."""
    assert run_command(arguments) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(("error: ", "Error: ", "Usage: "))
    for noise in ("Traceback", "apache_beam", "severity", "apitools", "while running", "RuntimeError"):
        assert noise not in captured.err
    return captured.err


def run_told(folder: Path, capsys: pytest.CaptureFixture[str], code: int = 1, text: str = SPEC) -> str:
    """The message of a run over a folder's corpus that fails; it left nothing that looks whole."""
    run = folder / "RUN"
    message = told(["run", str(write_spec(folder, text, **SMALL)), "-o", str(run)], code, capsys)
    assert not (run / "_SUCCESS").exists()
    assert not [path for path in files(run) if path.startswith("_work") or ".part" in path]
    return message
