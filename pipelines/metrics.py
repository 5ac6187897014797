"""What jobs took: `metrics.json` of a run, for operators. Seconds and counters of attempts, the same for no two runs.

Beside `run.json`, Data Docs and the project of Great Expectations, this is what may differ between two runs of the
same spec over the same data.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from pipelines.run_directory import METRICS, RunDirectory
from splitting.errors import DataError


class JobLog:
    """Remembers what the jobs of one verb took, to be written when the run directory is there."""

    def __init__(self, verb: str, runner: str) -> None:
        """Begins with no jobs.

        Args:
            verb: `plan` or `apply`.
            runner: of the jobs.
        """
        self._verb, self._runner = verb, runner
        self._jobs: list[dict[str, Any]] = []

    def run(self, name: str, job: Callable[[], dict[str, int]]) -> None:
        """Runs a job.

        Args:
            name: of the job.
            job: runs it and returns its counters.
        """
        began = time.monotonic()
        found = job()
        self._jobs.append({"job": name, "seconds": round(time.monotonic() - began, 3), "counters": found})

    def write(self, run: RunDirectory) -> None:
        """Writes them in place of what an earlier call of the same verb left in `metrics.json`."""
        document = _read(run)
        document[self._verb] = {"runner": self._runner, "jobs": self._jobs}
        run.write(METRICS, json.dumps(document, indent=1) + "\n")


def _read(run: RunDirectory) -> dict[str, Any]:
    """What is there; nothing where it cannot be read, as nothing is decided by it."""
    if not run.has(METRICS):
        return {}
    try:
        found = json.loads(run.read(METRICS))
    except (ValueError, DataError):
        return {}
    return found if isinstance(found, dict) else {}
