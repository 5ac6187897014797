"""The demo on Flink, again and again, while task managers and workers are killed at random."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time

from tests.cluster.cases import Case, finish
from tests.cluster.flink import FlinkCluster

RUNS = int(os.environ.get("TARGETSPLIT_SOAK", "50"))
_LONGEST_WAIT = 60.0


def _kill_someone(flink: FlinkCluster, chance: random.Random) -> str:
    workers = flink.workers()
    if workers and chance.random() < 0.4:
        victim = chance.choice(workers)
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            return "a worker that had ended"
        return "a Python worker"
    name = chance.choice(flink.task_managers)
    flink.replace_task_manager(name)
    return name


def _finish_or_run_again(flink: FlinkCluster, demo: Case, process: subprocess.Popen[str]) -> str:
    """Waits for a run; one that waits for a worker that will not come is cancelled, and the same command given again.

    Returns:
        What is to be said of it: nothing, or that it was run again.
    """
    try:
        finish(process)
    except subprocess.TimeoutExpired:
        flink.cancel_jobs()
        demo.run("soak", flink.options())
        return "; waited for ever, cancelled and run again"
    return ""


def test_every_run_gives_the_same_bytes(flink: FlinkCluster, demo: Case) -> None:
    demo.expected()
    chance = random.Random(int(os.environ.get("TARGETSPLIT_SOAK_SEED", "1")))
    print()
    for number in range(1, RUNS + 1):
        began, before = time.monotonic(), len(flink.jobs())
        process = demo.start("soak", flink.options())
        try:
            wait = chance.uniform(0, _LONGEST_WAIT)
            while process.poll() is None and time.monotonic() < began + wait:
                time.sleep(0.2)
            killed = _kill_someone(flink, chance) if process.poll() is None else "nobody: it was done"
            again = _finish_or_run_again(flink, demo, process)
        finally:
            process.kill()
            process.communicate()
        demo.check("soak")
        failures = sum(flink.failures(str(job["jid"])) for job in flink.jobs()[: len(flink.jobs()) - before])
        seconds = time.monotonic() - began
        print(
            f"soak {number}: same bytes, {seconds:.0f} s; after {wait:.0f} s killed {killed}; {failures} failures seen"
            f"{again}",
            flush=True,
        )
