"""A run that is killed leaves nothing that looks whole, and the same command finishes it with the same bytes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.corpus import web_and_app, write_parquet, write_spec

pytestmark = pytest.mark.e2e
POINTS = int(os.environ.get("TARGETSPLIT_KILLS", "3"))
ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "import sys; from pipelines.cli import main; sys.argv[0] = 'targetsplit'; main()"]


def run(spec: Path, out: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*COMMAND, "run", str(spec), "-o", str(out), "--quiet", "--shard-size", "16k"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )


def files(run: Path) -> dict[str, bytes]:
    return {str(path.relative_to(run)): path.read_bytes() for path in sorted(run.rglob("*")) if path.is_file()}


def test_a_killed_run_is_finished_by_the_same_command(tmp_path: Path) -> None:
    write_parquet(tmp_path, web_and_app(), row_group_size=200)
    spec = write_spec(tmp_path)
    started = time.monotonic()
    assert run(spec, tmp_path / "WHOLE").wait(300) == 0
    seconds = time.monotonic() - started
    whole = files(tmp_path / "WHOLE")
    out = tmp_path / "RUN"
    moments = random.Random(20261122)
    for _ in range(POINTS):
        killed = run(spec, out)
        time.sleep(seconds * moments.uniform(0.35, 1.0))
        os.killpg(killed.pid, signal.SIGKILL)
        code = killed.wait(60)
        assert (out / "_SUCCESS").exists() == (code == 0) or files(out) == whole
        if (out / "_SUCCESS").exists():
            assert files(out) == whole
            (out / "_SUCCESS").unlink()
    assert run(spec, out).wait(300) == 0
    assert files(out) == whole
