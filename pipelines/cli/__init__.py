"""The command line: one file a command; exit codes in one place."""

from __future__ import annotations

from pipelines.cli.main import main

__all__ = ["main"]
