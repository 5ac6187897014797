"""Looks newly drawn groups up in an earlier run's `train`: what was ever trained on is never drawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import apache_beam as beam
import polars as pl
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.jobs.execution import run_job
from pipelines.jobs.summaries import MergeSummaries
from pipelines.run_directory import DATA, RunDirectory, write_summary
from splitting.errors import RunDirectoryError
from splitting.frames import pack_frames, unpack_frames
from splitting.plan import Plan
from splitting.request import TRAIN
from splitting.rules import GROUP, KEY, Rules

_FOUND = "trained"


@dataclass(frozen=True, eq=False)
class Trained:
    """Groups found in `train`; a monoid.

    Attributes:
        groups: UInt64, sorted, distinct.
    """

    groups: pl.Series

    @classmethod
    def merge(cls, parts: Iterable[Trained]) -> Trained:
        """Their union."""
        return cls(pl.concat([part.groups for part in parts]).unique().sort())

    def to_bytes(self) -> bytes:
        """Packs them."""
        return pack_frames({"groups": self.groups.to_frame(GROUP)})

    @classmethod
    def from_bytes(cls, data: bytes) -> Trained:
        """Unpacks them."""
        return cls(unpack_frames(data)["groups"][GROUP])


@dataclass(frozen=True, eq=False)
class LookupTask:
    """What the workers need.

    Attributes:
        run: the earlier run.
        fresh: `_group`, `_key` of the groups that look new.
        rules: what names keys and groups.
    """

    run: RunDirectory
    fresh: pl.DataFrame
    rules: Rules


def trained_in_file(path: str, task: LookupTask) -> Trained:
    """Which of the groups that look new one file of `train` holds, by group or by key.

    Args:
        path: relative to the earlier run; a full copy of rows, or an index, which has the key alone.
        task: see there.

    Returns:
        Them.
    """
    names = task.run.column_names(path)
    columns = [*task.rules.key, *task.rules.group] or list(task.rules.row_columns)
    frame = task.run.read_frame(path, [name for name in dict.fromkeys(columns) if name in names])
    by_key = set(task.rules.key or task.rules.row_columns) <= {*names}
    by_group = set(task.rules.group) <= {*names} and by_key
    rules = task.rules if by_group else task.rules.without_groups()
    named = rules.identify_written(frame)
    keys = task.fresh.filter(pl.col(KEY).is_in(named[KEY].implode()))
    groups = task.fresh.filter(pl.col(GROUP).is_in(named[GROUP].implode())) if by_group else keys.clear()
    return Trained(pl.concat([keys[GROUP], groups[GROUP]]).unique().sort())


class _LookUp(beam.DoFn):
    def __init__(self, task: LookupTask) -> None:
        self._task = task

    def process(self, path: str) -> Iterator[bytes]:
        yield trained_in_file(path, self._task).to_bytes()


def find_trained(
    earlier: RunDirectory, old: Plan, fresh: pl.DataFrame, rules: Rules, folder: str, options: PipelineOptions
) -> pl.Series:
    """The groups that look new but were in the earlier run's `train`.

    Args:
        earlier: the earlier run, finished.
        old: its plan.
        fresh: `_group`, `_key` of the groups that look new.
        rules: what names keys and groups.
        folder: where the job leaves its result.
        options: Beam's.

    Returns:
        UInt64.

    Raises:
        RunDirectoryError: the earlier run's `train` files are not there.
    """
    if not len(fresh):
        return pl.Series(GROUP, [], dtype=pl.UInt64)
    paths = [f"{DATA}/{name}" for name in earlier.names_in(DATA) if name.startswith(f"{TRAIN}-")]
    if not paths and old.rows_of(TRAIN):
        raise RunDirectoryError(
            f"{earlier.uri}/{DATA} holds no train files; they are needed to tell new examples from trained ones"
        )
    task = LookupTask(earlier, fresh, rules)

    def build(pipeline: beam.Pipeline) -> None:
        _ = (
            pipeline
            | "TrainFiles" >> beam.Create(paths)
            | "Spread" >> beam.Reshuffle()
            | "LookUp" >> beam.ParDo(_LookUp(task)).with_output_types(bytes)
            | "Merge" >> beam.CombineGlobally(MergeSummaries(Trained)).without_defaults()
            | "Write" >> beam.Map(write_summary, folder, _FOUND).with_output_types(str)
        )

    run_job(options, build)
    return Trained.from_bytes(RunDirectory(folder).read(f"{_FOUND}.bin")).groups
