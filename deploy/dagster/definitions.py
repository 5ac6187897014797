"""One Dagster job for each spec in a folder: ingest, plan, apply, validate, publish.

Dagster runs the `targetsplit` command and imports nothing of it. Set TARGETSPLIT_SPECS, TARGETSPLIT_RUNS,
TARGETSPLIT_COMMAND, TARGETSPLIT_BEAM_OPTIONS and TARGETSPLIT_INGEST as for Airflow (deploy/airflow), and start it:

    dagster dev -f deploy/dagster/definitions.py
    dagster job launch -f deploy/dagster/definitions.py -j targetsplit_cats -c day.yaml

where day.yaml says {ops: {plan: {config: {day: "2026-01-31"}}}}.

A day's run has a folder of its own, which is replaced when the day is run again: the same data gives the same bytes.
Each run continues the one that was published before it. A failed check fails `validate`, which names it.
"""

import json
import os
import shlex
import subprocess
from pathlib import Path

import dagster as dg
from upath import UPath

SPECS = Path(os.environ.get("TARGETSPLIT_SPECS", "/opt/targetsplit/specs"))
RUNS = os.environ.get("TARGETSPLIT_RUNS", "/var/lib/targetsplit/runs").rstrip("/")
COMMAND = shlex.split(os.environ.get("TARGETSPLIT_COMMAND", "targetsplit"))
BEAM = shlex.split(os.environ.get("TARGETSPLIT_BEAM_OPTIONS", ""))
INGEST = os.environ.get("TARGETSPLIT_INGEST", "")
WRONG_USE, CRITICAL_CHECK = 2, 3
AGAIN = dg.RetryPolicy(max_retries=2, delay=30)


class Day(dg.Config):
    """Which day's run it is, as in 2026-01-31."""

    day: str


def call(context: dg.OpExecutionContext, *arguments: str, accepted: tuple[int, ...] = (0,)) -> str:
    """Runs `targetsplit`; what it printed. A wrong spec or a failed check is not tried again, all else is."""
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False)
    context.log.info(f"{done.stdout}\n{done.stderr}")
    if done.returncode not in accepted:
        said = done.stderr.strip() or done.stdout.strip()
        failed = next((line for line in said.splitlines() if line.startswith("failed checks")), said)
        raise dg.Failure(failed, allow_retries=done.returncode not in (WRONG_USE, CRITICAL_CHECK))
    return done.stdout


def make_job(spec: Path) -> dg.JobDefinition:
    """The job of one spec."""
    home = UPath(RUNS) / spec.stem
    beam = ["--", *BEAM] if BEAM else []

    def published() -> list[str]:
        path = home / "published.json"
        return json.loads(path.read_text()) if path.exists() else []

    @dg.op(retry_policy=AGAIN)
    def plan(context: dg.OpExecutionContext, config: Day) -> str:
        if INGEST:
            subprocess.run(["/bin/sh", "-c", INGEST], check=True, env={**os.environ, "SPEC": str(spec)})
        run = str(home / config.day)
        before = [other for other in published() if other < run]
        more = ["--previous", before[-1]] if before else []
        call(context, "plan", str(spec), "-o", run, "--overwrite", "--quiet", *more, *beam)
        context.add_output_metadata({"plan": dg.MetadataValue.md(f"```\n{call(context, 'show', run)}\n```")})
        return run

    @dg.op(retry_policy=AGAIN)
    def apply(context: dg.OpExecutionContext, run: str) -> str:
        call(context, "apply", run, "--overwrite", "--quiet", *beam, accepted=(0, CRITICAL_CHECK))
        return run

    @dg.op
    def validate(context: dg.OpExecutionContext, run: str) -> str:
        call(context, "validate", run)
        return run

    @dg.op(retry_policy=AGAIN)
    def publish(context: dg.OpExecutionContext, run: str) -> None:
        (home / "published.json").write_text(json.dumps(sorted({*published(), run})))
        context.add_output_metadata({"report": dg.MetadataValue.path(f"{run}/report.html")})

    @dg.job(name=f"targetsplit_{spec.stem}", tags={"dagster/concurrency_key": f"targetsplit_{spec.stem}"})
    def job() -> None:
        publish(validate(apply(plan())))

    return job


defs = dg.Definitions(jobs=[make_job(path) for path in sorted(SPECS.glob("*.yaml"))] if SPECS.is_dir() else [])
