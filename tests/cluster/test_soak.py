"""The demo on Flink, again and again, while task managers and workers are killed at random.

A line a run goes to a log beside the cluster's own, so that runs count that were done before somebody ends the soak.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cluster.cases import SECONDS, Case, finish
from tests.cluster.flink import FlinkCluster
from tests.cluster.processes import Processes
from tests.support.command import files

RUNS = int(os.environ.get("TARGETSPLIT_SOAK", "50"))
LONGEST = float(os.environ.get("TARGETSPLIT_SOAK_SECONDS", "36000"))
"""No run begins after that many seconds."""
_PATIENCE = 300.0
"""A run that takes longer waits for a worker that will not come."""
_JOBS = 2
"""Those of a run: plan and apply."""
_JOB_SECONDS = 15.0
"""About what one takes."""


@pytest.fixture(scope="module")
def flink(work: Path) -> Iterator[FlinkCluster]:
    """One cluster for all runs. Its workers are forked, which saves their imports and changes nothing of a kill."""
    with Processes(work / "flink") as processes:
        cluster = FlinkCluster(processes, warm_workers=True)
        cluster.start()
        yield cluster


def _kill_someone(flink: FlinkCluster, chance: random.Random) -> str:
    workers = flink.working()
    if workers and chance.random() < 0.4:
        for worker in workers:  # one of them may be done with its stage, and missed by nobody
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
        return f"{len(workers)} Python workers"
    name = chance.choice(flink.task_managers)
    flink.replace_task_manager(name)
    return name


def _kill_amid(flink: FlinkCluster, process: subprocess.Popen[str], before: int, chance: random.Random) -> str:
    """Waits for a job of a run, plan's or apply's, and for a moment of it, and kills.

    Args:
        flink: the cluster.
        process: the run's launcher.
        before: how many jobs the cluster knew before the run.
        chance: chooses job, moment and victim.

    Returns:
        What was killed, and when.
    """
    number, moment = chance.randint(1, _JOBS), chance.uniform(0, _JOB_SECONDS)
    began: float | None = None
    while process.poll() is None:
        if began is None and len(flink.jobs()) >= before + number:
            began = time.monotonic()
        if began is not None and time.monotonic() >= began + moment:
            return f"{_kill_someone(flink, chance)}, {moment:.0f} s after the begin of job {number}"
        time.sleep(0.2)
    return "nobody: it was done"


def _finish_or_run_again(flink: FlinkCluster, demo: Case, process: subprocess.Popen[str]) -> bool:
    """Waits for a run; one that waits for a worker that will not come is cancelled, and the same command given again.

    Returns:
        Whether it was run again.
    """
    try:
        finish(process, _PATIENCE)
    except subprocess.TimeoutExpired:
        flink.cancel_jobs()
        demo.run("soak", flink.options())
        return True
    return False


def _digest(run: Path) -> str:
    """One number of all the bytes of a run."""
    digest = hashlib.sha256()
    for name, data in files(run).items():
        digest.update(f"{name} {len(data)} ".encode() + data)
    return digest.hexdigest()


@pytest.mark.timeout(RUNS * SECONDS)
def test_every_run_gives_the_same_bytes(flink: FlinkCluster, demo: Case, work: Path) -> None:
    demo.expected()
    chance = random.Random(int(os.environ.get("TARGETSPLIT_SOAK_SEED", "1")))
    log, start = work / "soak.jsonl", time.monotonic()
    for number in range(1, RUNS + 1):
        began, before = time.monotonic(), len(flink.jobs())
        if began > start + LONGEST:
            break
        process = demo.start("soak", flink.options())
        try:
            killed = _kill_amid(flink, process, before, chance)
            again = _finish_or_run_again(flink, demo, process)
        finally:
            process.kill()
            process.communicate()
        failures = sum(flink.failures(str(job["jid"])) for job in flink.jobs()[: len(flink.jobs()) - before])
        said = {
            "run": number,
            "killed": killed,
            "failures_seen_by_flink": failures,
            "run_again": again,
            "seconds": round(time.monotonic() - began),
            "sha256": _digest(demo.folder / "soak"),
        }
        with log.open("a") as sink:
            sink.write(json.dumps(said) + "\n")
        print(json.dumps(said), flush=True)
        demo.check("soak")
