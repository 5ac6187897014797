"""A job that left the launcher as bytes runs in a process that has the wheel alone: workers need nothing by hand."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.transforms.environments import EmbeddedPythonEnvironment
from google.protobuf.message import Message

from pipelines import api, applying, planning
from pipelines.jobs import options
from tests.support.command import ROOT, files
from tests.support.corpus import FULL_SPEC, web_and_app, write_parquet, write_spec

_MOST_BYTES = 100_000
_WORKER = """
import json, sys
import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
job = beam_runner_api_pb2.Pipeline()
job.ParseFromString(sys.stdin.buffer.read())
options = PipelineOptions(["--direct_running_mode=in_memory"])
FnApiRunner().run_via_runner_api(job, options).wait_until_finish()
import pipelines
print(json.dumps({"from": pipelines.__file__, "loaded": sorted(sys.modules)}))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel holds, and nothing else of the project."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(folder / "site")
    return folder / "site"


class _SentAway:
    """Runs jobs as a cluster does: serialised, elsewhere."""

    def __init__(self, installed: Path, folder: Path) -> None:
        self.installed, self.folder = installed, folder
        self.jobs: list[bytes] = []
        self.loaded: set[str] = set()

    def run(self, _options: object, build: object, *_more: object, **_named: object) -> None:
        pipeline = beam.Pipeline(options=options.job_options([]))
        build(pipeline)  # type: ignore[operator]
        job: Message = pipeline.to_runner_api(default_environment=EmbeddedPythonEnvironment.default())
        self.jobs.append(job.SerializeToString(deterministic=True))
        done = subprocess.run(
            [sys.executable, "-P", "-c", _WORKER],
            input=self.jobs[-1],
            cwd=self.folder,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(self.installed)},
            capture_output=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()[-3000:]
        said = json.loads(done.stdout.splitlines()[-1])
        assert Path(said["from"]).is_relative_to(self.installed)
        self.loaded |= set(said["loaded"])


def test_serialised_jobs_give_the_same_bytes_where_only_the_wheel_is(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_parquet(tmp_path, web_and_app(), row_group_size=500)
    spec = write_spec(tmp_path, FULL_SPEC)
    api.run(spec, tmp_path / "here")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    away = _SentAway(installed, elsewhere)
    monkeypatch.setattr(planning, "run_job", away.run)
    monkeypatch.setattr(applying, "run_job", away.run)
    api.run(spec, tmp_path / "away")
    assert len(away.jobs) == 2
    assert files(tmp_path / "away") == files(tmp_path / "here")
    for job in away.jobs:
        assert len(job) < _MOST_BYTES, "what is sent to workers grew: does it hold data, or an object of the launcher?"
        for launcher in (b"pipelines.cli", b"pipelines.api", b"validation.gx", b"pytest"):
            assert launcher not in job, f"what is sent to workers names {launcher.decode()}"
    # Not pandas: Beam loads it by itself, where it is installed.
    heavy = {"great_expectations", "sklearn", "scipy", "pipelines.cli.main", "validation.gx"}
    assert not sorted(heavy & away.loaded)
