"""The pool of Python workers that runners of a test share."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.cluster.processes import LOOPBACK, Processes, children, connections, free_port

WORKER_POOL = "worker-pool"
_CONTROL = 1
"""A worker that is at work has its control connection, and those of its data, state and logs."""


class WorkerPool:
    """Starts Python workers, which import the project as it is installed, not from the folder of the tests."""

    def __init__(self, processes: Processes, *, warm: bool = False) -> None:
        self._processes, self._port, self._warm = processes, free_port(), warm

    def start(self) -> None:
        """Starts the pool, and waits until it answers."""
        how = ["warm"] if self._warm else []
        command = [sys.executable, Path(__file__).with_name("pool.py"), str(self._port), *how]
        self._processes.start(WORKER_POOL, command, {"PYTHONPATH": ""})
        self._processes.wait_for_port(WORKER_POOL, self._port)

    def running(self) -> list[int]:
        """The ids of the workers that run."""
        started = children(self._processes.pid(WORKER_POOL))
        return [worker for forker in started for worker in children(forker)] if self._warm else started

    def working(self) -> list[int]:
        """Those that are connected to their task manager. Flink waits for ever for one that is killed before."""
        return [worker for worker in self.running() if connections(worker) > _CONTROL]

    def options(self) -> list[str]:
        """Beam's options that name the pool."""
        return ["--environment_type=EXTERNAL", f"--environment_config={LOOPBACK}:{self._port}"]
