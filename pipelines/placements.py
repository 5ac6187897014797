"""Looks up where a run's files have some examples: on the launcher, a batch at a time, the key columns alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import polars as pl
import pyarrow as pa

from pipelines.job import make_rules
from pipelines.output.layout import shard_path, split_of_shard
from pipelines.output.read_back import open_written
from pipelines.report.moves import places
from pipelines.run_directory import HELD_OUT, RunDirectory
from pipelines.sources.filesystems import first_line
from pipelines.spec.models import Spec
from pipelines.stored import read_inventory
from splitting.columns import from_arrow
from splitting.errors import DataError
from splitting.plan import Plan
from splitting.request import TRAIN
from splitting.rules import KEY, Rules

_BATCH = 2**18
_COUNT = re.compile(r"-of-(\d+)\.parquet$")
_ASIDE = re.compile(r"rows-\d+\.parquet")


def find_places(run: RunDirectory, plan: Plan, spec: Spec, wanted: pl.Series) -> pl.DataFrame:
    """Where the files of a run have examples.

    Args:
        run: a finished run.
        plan: its plan.
        spec: its spec.
        wanted: UInt64, keys as the run's rules name them, sorted and distinct.

    Returns:
        `_key` and `place`: an evaluation split, `train` or `held_out`; of the keys that are there. Of a key in several
        places, `train` goes before a split, and that before `held_out`.

    Raises:
        DataError: files are missing or are not those of the plan, or hold no key to look up.
    """
    rules = make_rules(spec, read_inventory(run).schema).without_groups()
    keys = wanted.to_numpy()
    found = np.zeros(len(keys), dtype=np.int32)
    names = [HELD_OUT, *(split.name for split in plan.splits), TRAIN]
    for code, name in enumerate(names, 1):
        rows = 0
        for path in _files(run, plan, name):
            for batch in _keys(run, path, rules):
                rows += len(batch)
                hashes = batch.drop_nulls().to_numpy()
                at = np.minimum(np.searchsorted(keys, hashes), max(0, len(keys) - 1))
                found[at[keys[at] == hashes] if len(keys) else at[:0]] = code
        planned = sum(part.rows for part in plan.held_out) if name == HELD_OUT else plan.rows_of(name)
        if rows != planned:
            raise DataError(f"{run.uri} holds {rows:,} rows of {name}, and its plan says {planned:,}")
    return places(wanted, found.tolist(), names)


def row_columns(run: RunDirectory, spec: Spec) -> tuple[str, ...]:
    """The columns that name an example where the whole row does, sorted; empty where key columns do."""
    return tuple(sorted(read_inventory(run).schema.names)) if spec.key_is_row else ()


def _files(run: RunDirectory, plan: Plan, name: str) -> list[str]:
    """The files of a split, or of what was held out.

    Raises:
        DataError: one of a split is missing.
    """
    if name == HELD_OUT:
        return [f"{HELD_OUT}/{file}" for file in run.names_in(HELD_OUT) if _ASIDE.fullmatch(file)]
    folder = run.rows_folder()
    found = [file for file in run.names_in(folder) if split_of_shard(file) == name]
    counts = [_COUNT.search(file) for file in found]
    count = max((int(match[1]) for match in counts if match), default=0)
    wanted = [shard_path(name, number, count, folder) for number in range(count)]
    missing = sorted({*wanted} - {f"{folder}/{file}" for file in found})
    if missing or (not found and plan.rows_of(name)):
        raise DataError(f"{run.uri} lacks {missing[0] if missing else f'the {folder} files of {name}'}")
    return wanted


def _keys(run: RunDirectory, path: str, rules: Rules) -> Iterator[pl.Series]:
    """The keys of a file's rows, a batch at a time."""
    names = list(dict.fromkeys(rules.key or rules.row_columns))
    with open_written(run, path) as file:
        lacking = [name for name in names if name not in file.schema_arrow.names]
        if lacking:
            raise DataError(f"{run.uri}/{path} has no column {lacking[0]!r}, so its examples cannot be named")
        try:
            for batch in file.iter_batches(batch_size=_BATCH, columns=names):
                frame = from_arrow(pa.Table.from_batches([batch]))
                yield rules.identify_written(frame).get_column(KEY)
        except (pa.ArrowException, OSError, pl.exceptions.PolarsError, TypeError) as error:
            raise DataError(f"{run.uri}/{path} cannot be read: {first_line(error)}") from error
