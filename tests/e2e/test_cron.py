"""The example for cron: two days, the second continuing the first; a day that is done is not done again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import ROOT, environment
from tests.support.corpus import SPEC, web_and_app, write_parquet, write_spec

pytestmark = pytest.mark.e2e
COMMAND = f"{sys.executable} -c 'import sys; from pipelines.cli import main; main()'"


def _make(folder: Path, day: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "-f", ROOT / "deploy" / "cron" / "Makefile", f"SPEC={folder}/spec.yaml", f"RUNS={folder}/runs",
         f"DAY={day}", f"COMMAND={COMMAND}"],
        cwd=folder, env=environment(), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def test_two_days(tmp_path: Path) -> None:
    write_parquet(tmp_path, web_and_app())
    write_spec(tmp_path, SPEC)
    for day in ("2026-01-01", "2026-01-02"):
        done = _make(tmp_path, day)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "runs" / "latest").read_text() == f"{tmp_path}/runs/{day}\n"
    plans = [json.loads((tmp_path / f"runs/2026-01-0{day}/plan/plan.json").read_text()) for day in (1, 2)]
    assert plans[0]["previous"] is None
    assert plans[1]["previous"]
    before = (tmp_path / "runs/2026-01-02/run.json").stat().st_mtime_ns
    assert _make(tmp_path, "2026-01-02").returncode == 0
    assert (tmp_path / "runs/2026-01-02/run.json").stat().st_mtime_ns == before


def test_a_failed_check_publishes_nothing(tmp_path: Path) -> None:
    write_parquet(tmp_path, web_and_app())
    suite = {"name": "strict", "expectations": [{"type": "expect_table_row_count_to_equal", "kwargs": {"value": 1}}]}
    (tmp_path / "suite.json").write_text(json.dumps(suite))
    write_spec(tmp_path, SPEC.replace("{{profile: false}}", "{{suites: [{{path: suite.json, on: [splits.dev]}}]}}"))
    done = _make(tmp_path, "2026-01-01")
    assert done.returncode == 2
    assert "failed checks" in done.stderr
    assert not (tmp_path / "runs" / "latest").exists()
