"""Evaluation shards: gathers the rows of one, writes them in the order of `u`, and reads files back for the checks."""

from __future__ import annotations

import io
from collections.abc import Iterable

import polars as pl
import pyarrow as pa

from pipelines.output.layout import shard_path
from pipelines.output.unit import WriteTask
from validation.tally import EvaluationNames, Tally

_ORDER = ("_group", "_key", "_source", "_digest")


def write_evaluation_shard(split: str, shard: int, parts: Iterable[bytes], task: WriteTask) -> Tally:
    """Writes one shard of an evaluation split.

    Args:
        split: the split.
        shard: which of its shards.
        parts: Arrow IPC bytes from the units, in any order.
        task: the job's.

    Returns:
        Counts of its rows, and of those that are outside the split's pool.
    """
    table = pa.concat_tables([pa.ipc.open_stream(io.BytesIO(part)).read_all() for part in parts])
    table = table.append_column("_source", table.column(task.tables.source_column))
    order = pa.compute.sort_indices(table, [(name, "ascending") for name in _ORDER])
    table = table.take(order)
    rows = table.select(task.tables.split_schema().names).cast(task.tables.split_schema())
    with task.run.shard_writer(shard_path(split, shard, task.layout.shards(split)), rows.schema) as writer:
        writer.write(rows)
    bit = int(task.assignment.pool_bit(split))
    pools = pl.Series(pl.from_arrow(table.column("_pools")))
    sources = pl.Series(pl.from_arrow(rows.column(task.tables.source_column)))
    return Tally.of_split(split, sources, pl.Series(pl.from_arrow(table.column("_label"))), (pools & bit) == 0)


def names_in_file(path: str, split: str, task: WriteTask) -> EvaluationNames:
    """The raw keys and groups in a written file.

    Args:
        path: relative to the run directory.
        split: of the file.
        task: the job's.

    Returns:
        Them.
    """
    key, group = _checked(task)
    return EvaluationNames.of(split, task.run.read_frame(path, [*key, *group]), key, group)


def leaks_in_file(path: str, split: str, names: EvaluationNames, task: WriteTask) -> Tally:
    """Rows of a written file whose key or group is in another, evaluation split.

    Args:
        path: relative to the run directory.
        split: of the file.
        names: of all evaluation splits.
        task: the job's.

    Returns:
        A tally of the leaks.
    """
    key, group = _checked(task)
    return names.leaks(split, task.run.read_frame(path, [*key, *group]))


def _checked(task: WriteTask) -> tuple[list[str], list[str]]:
    """The columns of the written files that name examples and groups; an index has no groups."""
    names = task.tables.split_schema().names
    key = [*task.rules.key] or [name for name in names if name in {"row_key", *task.rules.row_columns}]
    return key, [name for name in task.rules.group if name in names] if set(task.rules.group) <= set(names) else []
