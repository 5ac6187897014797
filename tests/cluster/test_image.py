"""The image, as far as it can be had without a Docker engine: the steps of the Dockerfile in a bare Debian root.

The root is Debian's own with Debian's Python 3.11, not `python:3.11-slim`; Beam's boot program is built from source.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import dockerfile, tools
from tests.cluster.cases import SECONDS, founding_case
from tests.cluster.dockerfile import Image
from tests.cluster.processes import LOOPBACK, Processes, free_port
from tests.support.command import files

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a root is entered by root alone")
_POOL_PORT = 50000
"""Of Beam's worker pool in the image."""


@pytest.fixture(scope="module")
def image() -> Image:
    return dockerfile.built()


def call(image: Image, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a container of the image, so to speak."""
    return subprocess.run(image.command(*arguments), capture_output=True, text=True, timeout=SECONDS, check=False)


def test_the_entrypoint_answers_as_the_command_does(image: Image) -> None:
    assert image.user == "10001"
    assert image.entrypoint == ["targetsplit-entrypoint"]
    assert "targetsplit" in call(image, "--version").stdout
    assert call(image, "targetsplit", "--help").stdout == call(image).stdout
    assert call(image, "id", "-u").stdout.strip() == "10001"


@pytest.fixture(scope="module")
def prism(work: Path) -> Iterator[int]:
    with Processes(work / "prism") as processes:
        port = free_port()
        processes.start("prism", [tools.prism(), f"--job_port={port}", "--serve_http=false"])
        processes.wait_for_port("prism", port)
        yield port


def test_launcher_and_workers_of_the_image_give_the_same_bytes(image: Image, prism: int, work: Path) -> None:
    """The launcher runs in the image, hands the job to Prism, and the image's worker pool starts the workers."""
    data = image.root / "work" / "founding"
    case = founding_case(data)
    shutil.chown(data, int(image.user), int(image.user))
    case.expected()
    with Processes(work / "pool") as processes:
        processes.start("pool", image.command("--worker_pool"))
        processes.wait_for_port("pool", _POOL_PORT)
        done = call(
            image, "targetsplit", "run", "/work/founding/spec.yaml", "-o", "/work/founding/RUN", "-q", "--",
            "--runner=PortableRunner", f"--job_endpoint={LOOPBACK}:{prism}", "--environment_type=EXTERNAL",
            f"--environment_config={LOOPBACK}:{_POOL_PORT}",
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:] + processes.log_end("pool")
    found = {name: _placeless(content, image) for name, content in files(data / "RUN").items()}
    assert found == {name: _placeless(content, image) for name, content in case.expected().items()}


def _placeless(content: bytes, image: Image) -> bytes:
    """What a file says, but for where the root lies, and which Python 3.11 it was that wrote the report."""
    return re.sub(rb"\b3\.11\.\d+\b", b"3.11", content.replace(str(image.root).encode(), b""))
