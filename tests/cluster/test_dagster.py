"""The Dagster jobs, run by Dagster in an environment of its own, on the demo."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster import tools
from tests.cluster.cases import SECONDS, Case
from tests.support.command import ROOT, files

_STRICT = "checks: {fail_on: warning}\n"


@pytest.fixture(scope="module")
def home(work: Path, demo: Case) -> Path:
    (demo.folder / "strict.yaml").write_text(demo.spec.read_text() + _STRICT)
    folder = work / "dagster"
    folder.mkdir()
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return folder


def execute(home: Path, demo: Case, job: str, day: str) -> subprocess.CompletedProcess[str]:
    """Runs a job in this process's place, from end to end."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    settings = {
        "DAGSTER_HOME": str(home),
        "TARGETSPLIT_SPECS": str(demo.folder),
        "TARGETSPLIT_RUNS": str(home / "runs"),
        "TARGETSPLIT_COMMAND": str(Path(sys.executable).parent / "targetsplit"),
    }
    (home / "day.yaml").write_text(json.dumps({"ops": {"plan": {"config": {"day": day}}}}))
    command = [tools.dagster(), "job", "execute", "-f", ROOT / "deploy" / "dagster" / "definitions.py", "-j", job]
    return subprocess.run(
        [*map(str, command), "-c", str(home / "day.yaml")],
        cwd=home, env={**kept, **settings}, capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip


def test_the_demo_runs_from_end_to_end_and_is_continued(home: Path, demo: Case) -> None:
    first, second = (home / "runs" / "flights" / day for day in ("2026-01-01", "2026-01-02"))
    done = execute(home, demo, "targetsplit_flights", first.name)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    Case(demo.folder, demo.spec).run("plain")  # the shards are as large as they are by default
    assert files(first) == files(demo.folder / "plain")
    execute(home, demo, "targetsplit_flights", second.name)
    execute(home, demo, "targetsplit_flights", second.name)  # a day that is run again replaces itself
    published = json.loads((first.parent / "published.json").read_text())
    assert published == [str(first), str(second)]
    assert json.loads((second / "plan" / "plan.json").read_text())["previous"], "the second day continues the first"


def test_a_check_that_fails_is_a_failed_step_that_names_it(home: Path, demo: Case) -> None:
    done = execute(home, demo, "targetsplit_strict", "2026-01-01")
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "failed checks: " in said
    assert "validate" in said
    assert not (home / "runs" / "strict" / "published.json").exists()
