"""Run a command in a fresh process and measure it: wall and processor time, peak memory of its tree."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

POLL_SECONDS = 0.05
MEMORY_LIMIT = 0.85  # of the machine's memory: past it the process is ended rather than the machine
SKIPPED = 77  # the exit code by which a script says that something it needs is not here


@dataclass(frozen=True)
class Measurement:
    """What one run took.

    Attributes:
        status: "ok", "skipped", "failed", "out of memory" or "timed out".
        wall: seconds from start to end.
        cpu: user and system seconds of all its processes.
        peak: bytes of resident memory, summed over the process tree, at the worst moment seen.
        message: the last lines it printed, if it did not go well.
    """

    status: str
    wall: float
    cpu: float
    peak: int
    message: str = ""


def tree_memory(root: psutil.Process) -> int:
    """Sums the resident memory of a process and its descendants, in bytes."""
    total = 0
    try:
        processes = [root, *root.children(recursive=True)]
    except psutil.Error:
        return 0
    for process in processes:
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total


def end_tree(child: subprocess.Popen[bytes]) -> None:
    """Ends the process group that `measure` started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def measure(command: list[str], log: Path, timeout: float) -> Measurement:
    """Runs a command to its end.

    Args:
        command: the program and its arguments.
        log: where its output goes.
        timeout: seconds after which it is ended.

    Returns:
        The measurement; never raises because the command fails.
    """
    os.sync()
    log.parent.mkdir(parents=True, exist_ok=True)
    peak, status = 0, "ok"
    limit = psutil.virtual_memory().total * MEMORY_LIMIT
    with log.open("wb") as output:
        started = time.perf_counter()
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        process = psutil.Process(child.pid)
        while True:
            pid, wait_status, usage = os.wait4(child.pid, os.WNOHANG)
            elapsed = time.perf_counter() - started
            if pid:
                break
            peak = max(peak, tree_memory(process))
            if status == "ok" and (peak > limit or elapsed > timeout):
                status = "out of memory" if peak > limit else "timed out"
                end_tree(child)
            time.sleep(POLL_SECONDS)
    child.returncode = os.waitstatus_to_exitcode(wait_status)
    if status == "ok" and child.returncode:
        status = "skipped" if child.returncode == SKIPPED else "failed"
    tail = "" if status == "ok" else "\n".join(log.read_text(errors="replace").splitlines()[-8:])
    # The kernel's own high-water mark of the largest process catches what falls between two looks.
    peak = max(peak, usage.ru_maxrss * (1024 if os.uname().sysname == "Linux" else 1))
    return Measurement(status, elapsed, usage.ru_utime + usage.ru_stime, peak, tail)
