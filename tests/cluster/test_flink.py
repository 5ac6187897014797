"""The same split on a real Flink cluster, also while it loses task managers and workers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cluster.cases import SECONDS, Case, finish, side_by_side
from tests.cluster.flink import FlinkCluster
from tests.cluster.processes import wait_for

SHORT = "TARGETSPLIT_CLUSTER_SHORT" in os.environ
_long = pytest.mark.skipif(SHORT, reason="not in the short form")


def test_the_founding_case_gives_the_same_bytes(
    flink: FlinkCluster, founding: Case, capsys: pytest.CaptureFixture[str]
) -> None:
    took = side_by_side(founding, "flink", flink.options())
    with capsys.disabled():
        print(took)


@_long
def test_the_demo_gives_the_same_bytes(flink: FlinkCluster, demo: Case, capsys: pytest.CaptureFixture[str]) -> None:
    took = side_by_side(demo, "flink", flink.options())
    with capsys.disabled():
        print(took)
        for job in flink.jobs()[:2]:
            print(f"  {job['name']}: {job['duration'] / 1000:.0f} s in Flink")


@_long
def test_images_are_measured_linked_and_written_alike(flink: FlinkCluster, images: Case) -> None:
    images.run("flink", flink.options())
    images.check("flink", but=["plan/inputs.json"])  # names the tables of what was measured, which lie in the run
    plan = json.loads((images.folder / "flink" / "plan" / "plan.json").read_text())
    assert plan["links"]["clusters"] >= 40
    assert sum(one["rows"] for one in plan["rejected"]) == 1


@_long
def test_train_rows_cross_no_shuffle(flink: FlinkCluster, wide: Case) -> None:
    """By Flink's own count of bytes between tasks, hop by hop: evaluation rows and summaries, no train rows.

    The plan's summaries hold the keys and groups of so few rows.
    """
    wide.run("flink", flink.options())
    wide.check("flink")
    data = sum(path.stat().st_size for path in (wide.folder / "flink" / "data").glob("train-*"))
    apply, plan = (flink.shuffled_bytes(str(job["jid"])) for job in flink.jobs()[:2])
    print(f"\nbytes between tasks: plan {plan:,}, apply {apply:,}; train is {data:,}")
    assert plan < 0.6 * data
    assert apply < 0.2 * data


def _there(*patterns: str) -> Callable[[Path], bool]:
    return lambda run: any(next(run.glob(pattern), None) for pattern in patterns)


def _first_worker(_: Path) -> bool:
    return True


MOMENTS = {
    "plan, workers start": (1, _first_worker),
    "plan, workers are at work": (1, _first_worker),
    "plan, rows are counted": (1, _there("_work/first_look.bin", "plan/plan.json")),
    "apply, workers start": (2, _first_worker),
    "apply, a unit is begun": (2, _there("data/*")),
    "apply, a unit is written": (2, _there("data/train-*")),
    "apply, half of the units are written": (2, lambda run: len(list(run.glob("_work/digests-*"))) >= 7),
    "apply, an evaluation shard is written": (2, _there("data/dev-*")),
}
"""When something is killed: in which job of the run, and what must have happened in its folder."""
_OF_WORKERS = ("plan, workers are at work", "apply, a unit is begun")
_IN_SHORT = "apply, a unit is written"


def _await_moment(flink: FlinkCluster, run: Path, moment: str, before: int, process: subprocess.Popen[str]) -> str:
    """Waits until a job of a run is at a moment.

    Returns:
        The id of the job, which still runs.
    """
    number, happened = MOMENTS[moment]

    def reached() -> bool:
        assert process.poll() is None, f"the run ended before: {moment}"
        jobs = flink.jobs()
        started = len(jobs) - before >= number and jobs[0]["state"] in {"RUNNING", "FINISHED"}
        return started and bool(flink.workers()) and happened(run)

    wait_for(moment, reached, SECONDS / 2)
    return str(flink.jobs()[0]["jid"])


def _run_and_kill(flink: FlinkCluster, case: Case, name: str, moment: str, kill: Callable[[str], None]) -> int:
    """Runs a case, kills at a moment, and checks that the bytes are the same. How often Flink saw the job fail."""
    case.expected()
    before = len(flink.jobs())
    process = case.start(name, flink.options())
    try:
        job = _await_moment(flink, case.folder / name, moment, before, process)
        kill(job)
        finish(process)
    finally:
        process.kill()
        process.communicate()
    case.check(name)
    return flink.failures(job)


def _told(failures: int) -> str:
    return f"{failures} failures of the job seen by Flink, recovered" if failures else "the job was not hit"


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(moment, marks=() if moment == _IN_SHORT else _long)
        for moment in MOMENTS
        if moment not in _OF_WORKERS
    ],
)
def test_a_killed_task_manager_changes_nothing(
    moment: str, flink: FlinkCluster, demo: Case, capsys: pytest.CaptureFixture[str]
) -> None:
    victim = flink.task_managers[len(moment) % 2]
    failures = _run_and_kill(flink, demo, "killed", moment, lambda _: flink.replace_task_manager(victim))
    with capsys.disabled():
        print(f"\n{victim} killed ({moment}): {_told(failures)}")


@_long
@pytest.mark.parametrize("moment", _OF_WORKERS)
def test_killed_python_workers_change_nothing(
    moment: str, flink: FlinkCluster, demo: Case, capsys: pytest.CaptureFixture[str]
) -> None:
    """All that are at work are killed, again and again until Flink sees the job fail."""
    killed: list[int] = []

    def kill(job: str) -> None:
        def hit() -> bool:
            for worker in flink.working():
                killed.append(worker)
                with suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)
            return flink.failures(job) > 0 or flink.jobs()[0]["state"] != "RUNNING"

        wait_for("a failure of the job", hit, 120)

    failures = _run_and_kill(flink, demo, "workers-killed", moment, kill)
    with capsys.disabled():
        print(f"\n{len(killed)} Python workers killed ({moment}): {_told(failures)}")
    assert failures, "the kill did not hit the job"


def test_a_job_of_a_killed_launcher_does_no_harm(flink: FlinkCluster, founding: Case) -> None:
    """The job goes on where nobody waits for it; the same command, again, finishes the run."""
    founding.expected()
    before = len(flink.jobs())
    process = founding.start("orphan", flink.options())
    wait_for("a running job", lambda: len(flink.jobs()) > before and flink.jobs()[0]["state"] == "RUNNING", 120)
    time.sleep(1)
    process.kill()
    process.communicate()
    founding.run("orphan", flink.options())
    wait_for("the end of all jobs", lambda: all(job["state"] != "RUNNING" for job in flink.jobs()), 120)
    founding.check("orphan")
