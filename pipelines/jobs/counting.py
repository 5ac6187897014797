"""Beam metrics of the jobs: counters in one namespace, summed by whatever runner runs them.

A runner counts attempts: where a bundle is done twice, its rows may be counted twice. Nothing is decided by these
numbers; what is judged is counted in the written files.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from apache_beam.metrics import Metrics, MetricsFilter
from apache_beam.runners.runner import PipelineResult

from validation.tally import Tally

NAMESPACE = "targetsplit"


def count(name: str, amount: int) -> None:
    """Adds to a counter; called by workers.

    Args:
        name: of the counter, as in `rows_read`.
        amount: what is added.
    """
    Metrics.counter(NAMESPACE, name).inc(amount)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Counts a piece of work and its time, in `NAME_calls` and `NAME_milliseconds`; called by workers."""
    began = time.monotonic()
    yield
    count(f"{name}_calls", 1)
    count(f"{name}_milliseconds", round(1000 * (time.monotonic() - began)))


def count_unit(tally: Tally, evaluation_rows: int, bytes_read: int) -> None:
    """Counts what became of the rows of a unit of work; called by workers.

    Args:
        tally: of the unit: rows read and set aside.
        evaluation_rows: those that go to evaluation splits.
        bytes_read: size of its fragments, as they lie in their files.
    """
    read = int(tally.read["rows"].sum())
    aside = {str(folder): int(rows["rows"].sum()) for (folder,), rows in tally.aside.group_by("folder")}
    count("rows_read", read)
    count("bytes_read", bytes_read)
    count("rows_evaluation", evaluation_rows)
    count("rows_train", read - evaluation_rows - sum(aside.values()))
    for folder, rows in sorted(aside.items()):
        count(f"rows_{folder}", rows)


def counters(result: PipelineResult) -> dict[str, int]:
    """The counters of a finished job.

    Args:
        result: of the job.

    Returns:
        Sums by name, sorted; empty where the runner keeps none.
    """
    try:
        found = result.metrics().query(MetricsFilter().with_namespace(NAMESPACE))["counters"]
    except (NotImplementedError, AttributeError, KeyError, RuntimeError):
        return {}
    sums: dict[str, int] = {}
    for metric in found:
        name = metric.key.metric.name
        value = metric.committed if metric.committed is not None else metric.attempted
        sums[name] = sums.get(name, 0) + int(value or 0)
    return dict(sorted(sums.items()))
