"""Clusters are started only where TARGETSPLIT_CLUSTERS names them, as the verbs `make test-cluster` and its like do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.cases import Case, demo_case, founding_case, images_case, wide_case
from tests.cluster.flink import FlinkCluster
from tests.cluster.processes import Processes

_WANTED = os.environ.get("TARGETSPLIT_CLUSTERS", "").split()
collect_ignore = [
    path.name for path in Path(__file__).parent.glob("test_*.py") if path.stem.removeprefix("test_") not in _WANTED
]


@pytest.fixture(scope="session")
def work() -> Iterator[Path]:
    """A folder with a short path for data, runs and logs; kept where a test fails."""
    folder = Path(os.environ.get("TARGETSPLIT_CLUSTER_WORK", f"/tmp/targetsplit-clusters-{os.getpid()}"))
    folder.mkdir(parents=True, exist_ok=True)
    yield folder
    if "TARGETSPLIT_CLUSTER_WORK" not in os.environ:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def founding(work: Path) -> Case:
    return founding_case(work / "founding")


@pytest.fixture(scope="session")
def wide(work: Path) -> Case:
    return wide_case(work / "wide")


@pytest.fixture(scope="session")
def images(work: Path) -> Case:
    return images_case(work / "images")


@pytest.fixture(scope="session")
def demo(work: Path) -> Case:
    return demo_case(work / "demo")


@pytest.fixture(scope="session")
def flink(work: Path) -> Iterator[FlinkCluster]:
    with Processes(work / "flink") as processes:
        cluster = FlinkCluster(processes)
        cluster.start()
        yield cluster
