"""One Airflow DAG for each spec in a folder: ingest, plan, approval, apply, validate, publish.

Airflow runs the `targetsplit` command, and imports nothing of it: the project lives in an environment, or an image, of
its own, and its packages never meet Airflow's. Copy this file to the DAGs folder and set, where Airflow runs tasks:

| variable | what it says |
| --- | --- |
| `TARGETSPLIT_SPECS` | the folder of the specs; `NAME.yaml` makes the DAG `targetsplit_NAME` |
| `TARGETSPLIT_RUNS` | where runs go, local or a URI: `RUNS/NAME/DATE` |
| `TARGETSPLIT_COMMAND` | the command; by default `targetsplit`, as in `/opt/targetsplit/bin/targetsplit` |
| `TARGETSPLIT_BEAM_OPTIONS` | what stands after `--`, as in `--runner=FlinkRunner ...`; by default nothing |
| `TARGETSPLIT_INGEST` | a command that brings the data before the plan is made; by default nothing |
| `TARGETSPLIT_SCHEDULE` | as Airflow writes it, `@daily` for one; by default only when asked |
| `TARGETSPLIT_APPROVAL` | `true`: a person approves each plan before it costs anything; by default not |
| `TARGETSPLIT_APPROVAL_HOURS` | after so many hours without an answer the plan is rejected; 72 by default |

Every task can be run again: a run has a folder of its own, which is replaced, and the same data gives the same bytes.
Each run continues the one that was published before it, so no example ever moves between splits.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.exceptions import AirflowException, AirflowFailException
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG, ObjectStoragePath, Param, get_current_context, task

SPECS = Path(os.environ.get("TARGETSPLIT_SPECS", "/opt/targetsplit/specs"))
RUNS = os.environ.get("TARGETSPLIT_RUNS", "/var/lib/targetsplit/runs").rstrip("/")
COMMAND = shlex.split(os.environ.get("TARGETSPLIT_COMMAND", "targetsplit"))
BEAM = shlex.split(os.environ.get("TARGETSPLIT_BEAM_OPTIONS", ""))
INGEST = os.environ.get("TARGETSPLIT_INGEST", "")
SCHEDULE = os.environ.get("TARGETSPLIT_SCHEDULE") or None
APPROVAL = os.environ.get("TARGETSPLIT_APPROVAL", "false").lower() in {"1", "true", "yes"}
APPROVAL_TIME = timedelta(hours=float(os.environ.get("TARGETSPLIT_APPROVAL_HOURS", "72")))

DONE, FAILED, WRONG_USE, CRITICAL_CHECK = 0, 1, 2, 3
PUBLISHED = "published.json"


def call(*arguments: str, beam: bool = False, accepted: tuple[int, ...] = (DONE,)) -> str:
    """Runs `targetsplit`.

    Args:
        arguments: of the command.
        beam: hand it the options of Beam.
        accepted: exit codes that are no failure.

    Returns:
        What it printed.

    Raises:
        AirflowFailException: the spec is wrong, or a check failed: trying again gives the same.
        AirflowException: it failed otherwise; Airflow tries again.
    """
    done = subprocess.run(
        [*COMMAND, *arguments, *(["--", *BEAM] if beam and BEAM else [])],
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout, done.stderr, sep="\n")
    if done.returncode in accepted:
        return done.stdout
    said = done.stderr.strip() or done.stdout.strip()
    if done.returncode == CRITICAL_CHECK:
        raise AirflowFailException(next((line for line in said.splitlines() if line.startswith("failed checks")), said))
    if done.returncode == WRONG_USE:
        raise AirflowFailException(said)
    raise AirflowException(f"targetsplit ended with {done.returncode}: {said}")


def run_folder(name: str) -> str:
    """The folder of this DAG run, by its date: the same whenever it, or one of its tasks, is run again."""
    run = get_current_context()["dag_run"]
    known_as = run.logical_date.isoformat() if run.logical_date else run.run_id
    return f"{RUNS}/{name}/{re.sub(r'[^A-Za-z0-9_.-]+', '-', known_as)}"


def published(name: str) -> list[dict[str, Any]]:
    """The runs of a spec that were published, the oldest first."""
    path = _published_path(name)
    return json.loads(path.read_text()) if path.exists() else []


def _published_path(name: str) -> ObjectStoragePath:
    return ObjectStoragePath(f"{RUNS}/{name}/{PUBLISHED}")


def previous_run(runs: list[dict[str, Any]], run: str) -> str | None:
    """The run that a run continues: the one published before it."""
    names = [item["run"] for item in runs]
    before = names[: names.index(run)] if run in names else names
    return before[-1] if before else None


def make_dag(spec: Path) -> DAG:
    """The DAG of one spec."""
    name = spec.stem

    @task
    def ingest() -> None:
        """Brings the data, by the command that the deployment names."""
        if INGEST:
            subprocess.run(["/bin/sh", "-c", INGEST], check=True, env={**os.environ, "SPEC": str(spec)})

    @task
    def plan(params: dict[str, Any] | None = None) -> str:
        """Decides which example goes where; returns the plan's tables."""
        run = run_folder(name)
        earlier = previous_run(published(name), run) if (params or {})["continue_published"] else None
        more = ["--previous", earlier] if earlier else []
        call("plan", str(spec), "-o", run, "--overwrite", "--quiet", *more, beam=True)
        return call("show", run)

    @task
    def apply(params: dict[str, Any] | None = None) -> str:
        """Writes the data. What the checks say is told by `validate`."""
        run = run_folder(name)
        size = (params or {})["shard_size"]
        more = ["--shard-size", size] if size else []
        call("apply", run, "--overwrite", "--quiet", *more, beam=True, accepted=(DONE, CRITICAL_CHECK))
        return run

    @task(retries=0)
    def validate(run: str) -> str:
        """Judges what was written; fails, with the names of the checks, where one fails that must not."""
        call("validate", run)
        return run

    @task
    def publish(run: str) -> dict[str, str]:
        """Adds the run to `published.json`: what readers take, and what the next run continues."""
        plan_json = json.loads(ObjectStoragePath(f"{run}/_SUCCESS").read_text())
        item = {"run": run, "plan": plan_json["plan"], "report": f"{run}/data_docs/index.html"}
        others = [known for known in published(name) if known["run"] != run]
        _published_path(name).write_text(json.dumps([*others, item], indent=1) + "\n")
        print(f"The report: {item['report']}")
        return item

    with DAG(
        dag_id=f"targetsplit_{re.sub(r'[^A-Za-z0-9_.-]+', '-', name)}",
        description=f"Splits by {spec.name}",
        doc_md=f"The report of each run is the `report` that `publish` returns.\n\n```yaml\n{spec.read_text()}\n```",
        schedule=SCHEDULE,
        catchup=False,
        max_active_runs=1,  # each run continues the one before
        default_args={"retries": 2, "retry_delay": timedelta(seconds=30), "execution_timeout": timedelta(hours=12)},
        params={
            "continue_published": Param(True, type="boolean", description="No example moves between splits"),
            "shard_size": Param("", type="string", pattern=r"^(\d+[kKmMgG])?$", description="As in 64M"),
        },
        tags=["targetsplit"],
    ) as dag:
        planned = plan()
        applied = apply()
        ingest() >> planned
        if APPROVAL:
            approval = ApprovalOperator(
                task_id="approve",
                subject=f"Is this plan of {spec.name} as it should be?",
                body="```\n{{ ti.xcom_pull(task_ids='plan') }}\n```",
                defaults=[ApprovalOperator.REJECT],
                response_timeout=APPROVAL_TIME,
                retries=0,
            )
            planned >> approval >> applied
        else:
            planned >> applied
        publish(validate(applied))
    return dag


for path in sorted(SPECS.glob("*.yaml")) if SPECS.is_dir() else []:
    made = make_dag(path)
    globals()[made.dag_id] = made
