"""Looks newly drawn groups up in an earlier run's `train` and held-out rows: what was trained on is not drawn."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import apache_beam as beam
import polars as pl
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.jobs.execution import run_job
from pipelines.jobs.summaries import KeepSummary
from pipelines.output.layout import shard_path, split_of_shard
from pipelines.run_directory import HELD_OUT, RunDirectory
from splitting.errors import DataError, RunDirectoryError
from splitting.frames import pack_frames, unpack_frames
from splitting.inputs import Trained
from splitting.plan import Plan
from splitting.request import TRAIN
from splitting.rules import GROUP, KEY, Rules

_FOUND = "trained"


@dataclass(frozen=True, eq=False)
class _Found:
    """Groups and keys found in `train`, sorted and distinct; a monoid."""

    trained: Trained

    @classmethod
    def merge(cls, parts: Iterable[_Found]) -> _Found:
        """Their union."""
        found = [part.trained for part in parts]
        groups = pl.concat([part.groups for part in found]).unique().sort()
        return cls(Trained(groups, pl.concat([part.keys for part in found]).unique().sort()))

    def to_bytes(self) -> bytes:
        """Packs them."""
        return pack_frames({"groups": self.trained.groups.to_frame(GROUP), "keys": self.trained.keys.to_frame(KEY)})

    @classmethod
    def from_bytes(cls, data: bytes) -> _Found:
        """Unpacks them."""
        frames = unpack_frames(data)
        return cls(Trained(frames["groups"][GROUP], frames["keys"][KEY]))


@dataclass(frozen=True, eq=False)
class LookupTask:
    """What the workers need.

    Attributes:
        run: the earlier run.
        fresh: `_group`, `_key` of what looks new.
        rules: what names keys and groups.
    """

    run: RunDirectory
    fresh: pl.DataFrame
    rules: Rules


def trained_in_file(path: str, task: LookupTask) -> Trained:
    """What of that which looks new one file of `train` holds, by group or by key.

    Args:
        path: relative to the earlier run; a full copy of rows, or an index, which has the key alone.
        task: see there.

    Returns:
        Them.

    Raises:
        DataError: the file does not name its examples.
    """
    names = task.run.column_names(path)
    key = task.rules.key or task.rules.row_columns
    lacking = [name for name in key if name not in names]
    if lacking:
        raise DataError(
            f"{task.run.uri}/{path} has no column {lacking[0]!r}, which names examples: what was trained on cannot be "
            "told. An index of whole rows cannot be continued: name a key, or write the data"
        )
    by_group = set(task.rules.group) <= {*names}
    frame = task.run.read_frame(path, list(dict.fromkeys([*key, *(task.rules.group if by_group else ())])))
    rules = task.rules if by_group else task.rules.without_groups()
    named = rules.identify_written(frame)
    keys = task.fresh.filter(pl.col(KEY).is_in(named[KEY].implode()))
    groups = task.fresh.filter(pl.col(GROUP).is_in(named[GROUP].implode())) if by_group else keys.clear()
    return Trained(pl.concat([keys[GROUP], groups[GROUP]]).unique().sort(), keys[KEY].unique().sort())


class _LookUp(beam.DoFn):
    def __init__(self, task: LookupTask) -> None:
        self._task = task

    def process(self, path: str) -> Iterator[bytes]:
        yield _Found(trained_in_file(path, self._task)).to_bytes()


def find_trained(
    earlier: RunDirectory, old: Plan, fresh: pl.DataFrame, rules: Rules, folder: str, options: PipelineOptions
) -> Trained:
    """What looks new but was in the earlier run's `train`, or is held out there: it may have been in `train` before.

    Args:
        earlier: the earlier run, finished.
        old: its plan.
        fresh: `_group`, `_key` of what looks new.
        rules: what names keys and groups.
        folder: where the job leaves its result.
        options: Beam's.

    Returns:
        The groups and keys.

    Raises:
        RunDirectoryError: the earlier run's `train` files are not all there.
    """
    paths = [*_train_files(earlier, old), *_held_out_files(earlier)]
    if not len(fresh):
        return Trained.nothing()
    task = LookupTask(earlier, fresh, rules)

    def build(pipeline: beam.Pipeline) -> None:
        _ = (
            pipeline
            | "TrainFiles" >> beam.Create(paths)
            | "LookUp" >> beam.ParDo(_LookUp(task)).with_output_types(bytes)
            | "Keep" >> KeepSummary(_Found, folder, _FOUND)
        )

    run_job(options, build)
    return _Found.from_bytes(RunDirectory(folder).read(f"{_FOUND}.bin")).trained


def written_files(earlier: RunDirectory) -> list[str]:
    """Every file of rows that a run wrote to its splits, or held out; relative to it."""
    folder = earlier.rows_folder()
    data = [f"{folder}/{name}" for name in earlier.names_in(folder) if split_of_shard(name) is not None]
    return [*data, *_held_out_files(earlier)]


def _held_out_files(earlier: RunDirectory) -> list[str]:
    """Files of rows that are held out now, and may have been trained on in a run before that."""
    return [f"{HELD_OUT}/{name}" for name in earlier.names_in(HELD_OUT) if name.startswith("rows-")]


def _train_files(earlier: RunDirectory, old: Plan) -> list[str]:
    """Every train file of a run; one that is missing would hide what was trained on."""
    folder = earlier.rows_folder()
    names = set(earlier.names_in(folder))
    found = sorted(name for name in names if name.startswith(f"{TRAIN}-"))
    counts = [re.search(r"-of-(\d+)\.parquet$", name) for name in found]
    count = max((int(match[1]) for match in counts if match), default=0)
    wanted = [shard_path(TRAIN, number, count, folder).removeprefix(f"{folder}/") for number in range(count)]
    missing = [name for name in wanted if name not in names]
    if missing or (not found and old.rows_of(TRAIN)):
        more = f" and {len(missing) - 1} more" if missing[1:] else ""
        lack = f"lacks {missing[0]}{more}" if missing else "has none"
        raise RunDirectoryError(
            f"--previous {earlier.uri} cannot be continued: every train file is needed to tell new examples from "
            f"trained ones, and its {folder} folder {lack}; bring it back"
        )
    return [f"{folder}/{name}" for name in found]
