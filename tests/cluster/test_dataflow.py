"""The jobs as Dataflow would be handed them: built and staged by Beam's own Dataflow runner, and never submitted.

Dataflow is a service: nothing here runs on it. What can be seen without an account is that the runner takes the
pipelines and the options of docs/runners.md, what it stages, and what the job that it describes says of workers.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from apache_beam.portability import common_urns
from apache_beam.portability.api import beam_runner_api_pb2

from tests.cluster import stores, tools
from tests.cluster.cases import SECONDS
from tests.cluster.processes import Processes
from tests.support.command import ROOT
from tests.support.corpus import FULL_SPEC, web_and_app, write_parquet, write_spec

IMAGE = "registry.example/targetsplit:0.1.0"
ACCOUNT = "splits@project.iam.gserviceaccount.com"
OPTIONS = (
    "--runner=DataflowRunner", "--project=project", "--region=europe-north1",
    f"--temp_location=gs://{stores.BUCKET}/temp", f"--sdk_container_image={IMAGE}", "--sdk_location=container",
    "--experiments=use_runner_v2", f"--service_account_email={ACCOUNT}",
)  # fmt: skip
"""Those of docs/runners.md."""
_MOST_BYTES = 100_000
_BUILD = """
import sys
import apache_beam as beam
from pipelines import api, applying, planning
from pipelines.jobs import execution
from pipelines.jobs.options import job_options

spec, run, out, *arguments = sys.argv[1:]
jobs = []

def build_and_run_here(options, build):
    jobs.append(f"{out}/job-{len(jobs)}.json")
    given = job_options([*arguments, "--no_auth", f"--template_location={jobs[-1]}"])
    pipeline = beam.Pipeline(options=given)
    build(pipeline)
    pipeline.run()
    return run_here(options, build)

run_here = execution.run_job
planning.run_job = applying.run_job = build_and_run_here
api.run(spec, run)
"""


@pytest.fixture(scope="module")
def jobs(work: Path) -> Iterator[list[dict[str, Any]]]:
    """The descriptions of both jobs, with the pipeline that each has staged as `pipeline`."""
    folder = work / "dataflow"
    write_parquet(folder / "data", web_and_app(), row_group_size=500)
    write_spec(folder / "data", FULL_SPEC)
    with Processes(folder) as processes, stores.google(processes) as port, pytest.MonkeyPatch.context() as patch:
        for variable, value in stores.google_environment(port).items():
            patch.setenv(variable, value)
        for path in sorted((folder / "data").rglob("*")):
            if path.is_file():
                stores.upload(stores.google_uri(port, path.relative_to(folder).as_posix()), path.read_bytes())
        spec, run = (stores.google_uri(port, name) for name in ("data/spec.yaml", "RUN"))
        done = subprocess.run(
            [tools.dataflow(), "-c", _BUILD, spec, run, str(folder), *OPTIONS],
            cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=SECONDS,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-4000:]
        found = [json.loads(path.read_text()) for path in sorted(folder.glob("job-*.json"))]
        staged = stores.objects(stores.google_uri(port, "temp"))
        for job in found:
            options = job["environment"]["sdkPipelineOptions"]["options"]
            path = str(options["pipelineUrl"]).removeprefix(f"gs://{stores.BUCKET}/temp/")
            job["pipeline"] = staged[path]
        yield found


def test_both_jobs_are_described(jobs: list[dict[str, Any]]) -> None:
    assert len(jobs) == 2
    for job in jobs:
        environment = job["environment"]
        assert job["type"] == "JOB_TYPE_BATCH"
        assert environment["serviceAccountEmail"] == ACCOUNT
        assert "use_runner_v2" in environment["experiments"]
        (pool,) = environment["workerPools"]
        assert [image["containerImage"] for image in pool["sdkHarnessContainerImages"]] == [IMAGE]


def test_workers_need_the_image_and_nothing_that_is_staged(jobs: list[dict[str, Any]]) -> None:
    for job in jobs:
        pipeline = beam_runner_api_pb2.Pipeline.FromString(job["pipeline"])
        assert len(job["pipeline"]) < _MOST_BYTES
        (environment,) = pipeline.components.environments.values()
        assert environment.urn == common_urns.environments.DOCKER.urn
        payload = beam_runner_api_pb2.DockerPayload.FromString(environment.payload)
        assert payload.container_image == IMAGE
        roles = [dependency.role_payload for dependency in environment.dependencies]
        names = [beam_runner_api_pb2.ArtifactStagingToRolePayload.FromString(role).staged_name for role in roles]
        assert names == ["submission_environment_dependencies.txt"], "a list of packages, for support"
