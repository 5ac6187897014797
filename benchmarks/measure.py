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
        message: the last lines it printed, if it did not end well.
    """

    status: str
    wall: float
    cpu: float
    peak: int
    message: str = ""


def look(root: psutil.Process, cpu: dict[int, float]) -> int:
    """Looks at a process and its descendants once.

    Args:
        root: the process.
        cpu: each process's processor seconds so far, by number; updated.

    Returns:
        Their resident memory, summed, in bytes.
    """
    total = 0
    with contextlib.suppress(psutil.Error):
        for process in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                total += process.memory_info().rss
                times = process.cpu_times()
                cpu[process.pid] = times.user + times.system
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
    cpu: dict[int, float] = {}
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
            peak = max(peak, look(process, cpu))
            if status == "ok" and (peak > limit or elapsed > timeout):
                status = "out of memory" if peak > limit else "timed out"
                end_tree(child)
            time.sleep(POLL_SECONDS)
    child.returncode = os.waitstatus_to_exitcode(wait_status)
    if status == "ok" and child.returncode:
        status = "skipped" if child.returncode == SKIPPED else "failed"
    tail = "" if status == "ok" else "\n".join(log.read_text(errors="replace").splitlines()[-8:])
    # The kernel's own counts catch what falls between two looks, but miss what a child left running (a JVM).
    seconds = max(sum(cpu.values()), usage.ru_utime + usage.ru_stime)
    peak = max(peak, usage.ru_maxrss * (1024 if os.uname().sysname == "Linux" else 1))
    return Measurement(status, elapsed, seconds, peak, tail)
