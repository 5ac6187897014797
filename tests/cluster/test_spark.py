"""The same split on a real standalone Spark cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.cases import Case, side_by_side
from tests.cluster.processes import Processes
from tests.cluster.spark import SparkCluster


@pytest.fixture(scope="module")
def spark(work: Path) -> Iterator[SparkCluster]:
    with Processes(work / "spark") as processes:
        cluster = SparkCluster(processes)
        cluster.start()
        yield cluster


@pytest.mark.parametrize("name", ["founding", "demo"])
def test_the_same_bytes(name: str, spark: SparkCluster, founding: Case, demo: Case) -> None:
    print(side_by_side({"founding": founding, "demo": demo}[name], "spark", spark.options()))
