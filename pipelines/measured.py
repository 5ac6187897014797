"""Keeps what was counted and measured with the run, so that it can be judged again without touching the data."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable
from typing import TypeVar

import polars as pl

from pipelines.run_directory import PROFILE, RunDirectory
from splitting.errors import RunDirectoryError
from splitting.plan import SPLIT, Plan
from splitting.rules import GROUP, KEY, ROWS
from validation.measures import Measures
from validation.metrics.tables import TableMetrics
from validation.profile.profile import Profile
from validation.profile.sample import Sample
from validation.repeats import RowRepeats
from validation.tally import Tally

FORMAT = 2
COUNTS, STATISTICS, SAMPLE, REPEATS, METRICS = "counts", "statistics", "sample", "repeats", "metrics"
DOCUMENT = f"{PROFILE}/profile.json"
_MAGIC = b"targetsplit"
T = TypeVar("T")


def write_measured(run: RunDirectory, tally: Tally, measures: Measures | None) -> None:
    """Keeps counts and measures; `profile/profile.json` has the statistics for people and other tools.

    Args:
        run: where.
        tally: the counts.
        measures: None where nothing was measured.
    """
    _write(run, COUNTS, tally.to_bytes())
    if measures is None:
        return
    _write(run, STATISTICS, measures.profile.to_bytes())
    _write(run, SAMPLE, measures.sample.to_bytes())
    _write(run, REPEATS, measures.repeats.to_bytes())
    write_metrics(run, measures.metrics)
    run.write(DOCUMENT, json.dumps(measures.profile.to_document(), indent=1, ensure_ascii=False) + "\n")


def read_measured(run: RunDirectory, *, profiled: bool) -> tuple[Tally, Measures | None]:
    """Reads what `write_measured` kept.

    Args:
        run: a finished run.
        profiled: the run was measured, as its spec says.

    Returns:
        Counts, and measures where there are any.

    Raises:
        RunDirectoryError: a file is missing, was changed, or was written by another version.
    """
    tally = _read(run, COUNTS, Tally.from_bytes)
    if not profiled:
        return tally, None
    profile = _read(run, STATISTICS, Profile.from_bytes)
    sample = _read(run, SAMPLE, Sample.from_bytes)
    repeats, metrics = _read(run, REPEATS, RowRepeats.from_bytes), _read(run, METRICS, TableMetrics.from_bytes)
    return tally, Measures(profile, sample, repeats, metrics)


def read_profile(run: RunDirectory) -> Profile:
    """The statistics of every column, without the rest of what was measured.

    Raises:
        RunDirectoryError: as for `read_measured`.
    """
    return _read(run, STATISTICS, Profile.from_bytes)


def write_metrics(run: RunDirectory, metrics: TableMetrics) -> None:
    """Keeps what suites wanted."""
    _write(run, METRICS, metrics.to_bytes())


def _path(name: str) -> str:
    return f"{PROFILE}/{name}.bin"


def _write(run: RunDirectory, name: str, data: bytes) -> None:
    digest = hashlib.sha256(data).hexdigest().encode()
    run.write(_path(name), b" ".join((_MAGIC, str(FORMAT).encode(), digest)) + b"\n" + data)


def _read(run: RunDirectory, name: str, read: Callable[[bytes], T]) -> T:
    path = _path(name)
    again = f"write the run again: targetsplit apply {run.uri} --overwrite"
    if not run.has(path):
        raise RunDirectoryError(f"{run.uri} has no {path}; {again}")
    head, _, data = run.read(path).partition(b"\n")
    words = head.split(b" ")
    if len(words) != 3 or words[0] != _MAGIC or words[2].decode(errors="replace") != hashlib.sha256(data).hexdigest():
        raise RunDirectoryError(f"{run.uri}/{path} was changed or cut after it was written; {again}")
    if words[1] != str(FORMAT).encode():
        version = words[1].decode(errors="replace")[:20]
        raise RunDirectoryError(f"{run.uri}/{path} is of format {version}, and this version reads {FORMAT}; {again}")
    try:
        return read(data)
    except (ValueError, KeyError, struct.error, pl.exceptions.PolarsError, OSError) as error:
        raise RunDirectoryError(f"{run.uri}/{path} cannot be read: {error}; {again}") from error


def group_sizes(plan: Plan) -> dict[str, float]:
    """By evaluation split, the mean size of the group that a row finds itself in: `Σ size² / rows`.

    Args:
        plan: with its ledger.

    Returns:
        At least 1 each; 1 for all where there are no groups.
    """
    members = plan.ledger.filter(pl.col(KEY).is_not_null()) if KEY in plan.ledger.columns else plan.ledger
    sizes = members.group_by(SPLIT, GROUP).agg(pl.col(ROWS).sum())
    found = sizes.group_by(SPLIT).agg((pl.col(ROWS) ** 2).sum() / pl.col(ROWS).sum())
    known = dict(found.iter_rows())
    return {split.name: max(1.0, float(known.get(split.name) or 1.0)) for split in plan.splits}
