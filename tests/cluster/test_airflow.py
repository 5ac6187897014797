"""The Airflow DAG, run by Airflow in an environment of its own, on the demo."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cluster import tools
from tests.cluster.cases import SECONDS, SHARD, Case
from tests.cluster.processes import wait_for
from tests.support.command import ROOT, files

_STRICT = "checks: {fail_on: warning}\n"


class Airflow:
    """An Airflow with a database of its own, the DAG in its DAGs folder, and one folder of specs."""

    def __init__(self, folder: Path, specs: Path) -> None:
        self.folder, self.runs = folder, folder / "runs"
        self._settings = {
            "AIRFLOW_HOME": str(folder),
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "deploy" / "airflow"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "false",
            "TARGETSPLIT_SPECS": str(specs),
            "TARGETSPLIT_RUNS": str(self.runs),
            "TARGETSPLIT_COMMAND": str(Path(sys.executable).parent / "targetsplit"),
        }
        self.call("db", "migrate")

    def call(self, *arguments: str, more: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Runs `airflow`."""
        return subprocess.run(
            [str(tools.airflow()), *arguments],
            cwd=self.folder,
            env=self.environment(more),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def test(self, dag: str, date: str, more: Mapping[str, str] | None = None) -> str:
        """Runs a DAG from end to end, and returns what it said."""
        done = self.call("dags", "test", dag, date, "--conf", json.dumps({"shard_size": SHARD}), more=more)
        return done.stdout + done.stderr

    @contextmanager
    def started(self, dag: str, date: str, more: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
        """Runs a DAG while the block runs; `said` tells what it said so far."""
        with (self.folder / "said").open("wb") as sink:
            command = [str(tools.airflow()), "dags", "test", dag, date]
            environment = self.environment(more)
            with subprocess.Popen(
                command, cwd=self.folder, env=environment, stdout=sink, stderr=sink, start_new_session=True
            ) as process:
                try:
                    yield process
                finally:
                    os.killpg(process.pid, signal.SIGKILL)

    def said(self) -> str:
        """What the DAG that was started said."""
        return (self.folder / "said").read_text(errors="replace")

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment of Airflow."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AIRFLOW"))}
        return {**kept, **self._settings, **(more or {})}

    def published(self, name: str) -> list[dict[str, str]]:
        """What was published of a spec."""
        path = self.runs / name / "published.json"
        found: list[dict[str, str]] = json.loads(path.read_text()) if path.exists() else []
        return found


@pytest.fixture(scope="module")
def airflow(work: Path, demo: Case) -> Airflow:
    text = demo.spec.read_text()
    (demo.folder / "strict.yaml").write_text(text + _STRICT)
    (work / "airflow").mkdir()
    return Airflow(work / "airflow", demo.folder)


def test_there_is_a_dag_for_each_spec(airflow: Airflow) -> None:
    airflow.call("dags", "reserialize")
    listed = airflow.call("dags", "list", "-o", "json")
    assert {dag["dag_id"] for dag in json.loads(listed.stdout[listed.stdout.index("[{") :])} == {
        "targetsplit_flights",
        "targetsplit_strict",
    }


def test_the_demo_runs_from_end_to_end_twice_and_again(airflow: Airflow, demo: Case) -> None:
    said = airflow.test("targetsplit_flights", "2026-01-01")
    published = airflow.published("flights")
    assert len(published) == 1, said[-4000:]
    first = Path(published[0]["run"])
    assert Path(published[0]["report"]).is_file()
    assert files(first) == demo.expected()

    airflow.test("targetsplit_flights", "2026-01-02")
    airflow.test("targetsplit_flights", "2026-01-02")  # a day that is run again replaces itself
    runs = [item["run"] for item in airflow.published("flights")]
    assert len(runs) == 2
    assert runs[0] == str(first)
    plan = json.loads((Path(runs[1]) / "plan" / "plan.json").read_text())
    assert plan["previous"], "the second day continues the first"


def test_a_check_that_fails_is_a_failed_task_that_names_it(airflow: Airflow) -> None:
    said = airflow.test("targetsplit_strict", "2026-01-01")
    assert "failed checks: " in said
    assert airflow.published("strict") == []


def test_a_plan_that_nobody_approved_is_not_applied(airflow: Airflow) -> None:
    """The DAG waits at the gate, for as long as it is watched here; who answers is the scheduler's matter."""
    with airflow.started("targetsplit_flights", "2026-02-01", {"TARGETSPLIT_APPROVAL": "true"}) as dag:
        plans = airflow.runs / "flights"
        wait_for("a plan", lambda: bool(list(plans.glob("2026-02-01*/plan/plan.json"))), SECONDS)
        wait_for("the gate", lambda: "awaiting" in airflow.said().lower(), SECONDS)
        time.sleep(10)
        assert dag.poll() is None
    (run,) = plans.glob("2026-02-01*")
    assert not (run / "data").exists()
    assert str(run) not in [item["run"] for item in airflow.published("flights")]
