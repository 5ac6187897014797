"""What a run costs, in seconds of processors, on the embedded runner and on Flink; every column is measured."""

from __future__ import annotations

import json
import os
import resource
from pathlib import Path

from tests.cluster.cases import Case, timed, wide_case
from tests.cluster.flink import FlinkCluster

TIMES = int(os.environ.get("TARGETSPLIT_COST_TIMES", "10"))


def _used_here() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _jobs(case: Case, name: str) -> str:
    """What workers say that they took, from `metrics.json`."""
    found = json.loads((case.folder / name / "metrics.json").read_text())
    jobs = [job for verb in ("plan", "apply") for job in found[verb]["jobs"]]
    work = sum(
        amount for job in jobs for counter, amount in job["counters"].items() if counter.endswith("_milliseconds")
    )
    took = ", ".join(f"{job['job']} {job['seconds']:.0f} s" for job in jobs)
    return f"{took}; stages of workers {work / 1000:.1f} s"


def test_what_a_run_costs(flink: FlinkCluster, work: Path) -> None:
    case = wide_case(work / "cost", TIMES, "checks: {profile: true}\n")
    size = sum(path.stat().st_size for path in case.folder.rglob("*.parquet")) / 1e9
    print(f"\n{size:.2f} GB in Parquet, {66_000 * TIMES:,} rows, 3 columns")

    before = _used_here()
    here = timed(case.expected)
    print(f"embedded: {here:.0f} s, {_used_here() - before:.1f} s of processors; {_jobs(case, 'embedded')}")

    before, cluster = _used_here(), flink.processor_seconds()
    there = timed(lambda: case.run("flink", flink.options()))
    launcher, after = _used_here() - before, flink.processor_seconds()
    parts = ", ".join(f"{name} {after[name] - cluster[name]:.1f} s" for name in after)
    print(f"Flink: {there:.0f} s; of processors: launcher {launcher:.1f} s, {parts}; {_jobs(case, 'flink')}")
    case.check("flink")
