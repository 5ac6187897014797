"""The Airflow DAG, run by Airflow in an environment of its own, on the demo."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cluster import tools
from tests.cluster.cases import SECONDS, Case
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
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AIRFLOW"))}
        return subprocess.run(
            [str(tools.airflow()), *arguments],
            cwd=self.folder,
            env={**kept, **self._settings, **(more or {})},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def test(self, dag: str, date: str, more: Mapping[str, str] | None = None) -> str:
        """Runs a DAG from end to end, and returns what it said."""
        done = self.call("dags", "test", dag, date, more=more)
        return done.stdout + done.stderr

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
    wanted = {name for name in demo.expected() if not name.startswith("data/train-")}
    found = files(first)
    assert not [name for name in wanted if found[name] != demo.expected()[name]]

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


def test_a_plan_that_nobody_approves_is_not_applied(airflow: Airflow) -> None:
    more = {"TARGETSPLIT_APPROVAL": "true", "TARGETSPLIT_APPROVAL_HOURS": "0.002"}
    airflow.test("targetsplit_flights", "2026-02-01", more)
    rejected = [path for path in (airflow.runs / "flights").glob("*2026-02-01*") if path.is_dir()]
    assert len(rejected) == 1
    assert (rejected[0] / "plan" / "plan.json").is_file()
    assert not (rejected[0] / "data").exists()
    assert str(rejected[0]) not in [item["run"] for item in airflow.published("flights")]
