"""The same split on Prism, Beam's own portable runner: a second opinion without a JVM."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import tools
from tests.cluster.cases import Case, side_by_side
from tests.cluster.processes import LOOPBACK, Processes, free_port
from tests.cluster.workers import WorkerPool


@pytest.fixture(scope="module")
def prism(work: Path) -> Iterator[list[str]]:
    """Beam's options for a job on Prism, which runs until the end of the tests here."""
    program, port = tools.prism(), free_port()
    with Processes(work / "prism") as processes:
        processes.start("prism", [program, f"--job_port={port}", "--serve_http=false"])
        processes.wait_for_port("prism", port)
        pool = WorkerPool(processes)
        pool.start()
        yield ["--runner=PortableRunner", f"--job_endpoint={LOOPBACK}:{port}", *pool.options()]


@pytest.mark.parametrize("name", ["founding", "demo"])
def test_the_same_bytes(name: str, prism: list[str], founding: Case, demo: Case) -> None:
    print(side_by_side({"founding": founding, "demo": demo}[name], "prism", prism))
