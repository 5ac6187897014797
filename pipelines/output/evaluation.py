"""Evaluation shards: gathers the rows of one, writes them in the order of `u`, and reads files back for the checks."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from pipelines.output.layout import digest_path
from pipelines.output.measuring import DIGEST
from pipelines.output.media.checking import ShardCheck
from pipelines.output.media.writing import open_rows
from pipelines.output.parcel import LABEL, Parcel
from pipelines.output.task import WriteTask
from pipelines.sources.filesystems import read_pieces
from splitting.request import TRAIN
from splitting.rules import GROUP, KEY, POOLS, SOURCE
from validation.leaks import EvaluationNames
from validation.links import LinkNames
from validation.tally import Tally

_PIECE_BYTES = 2**23


def write_evaluation_shard(split: str, shard: int, parts: Iterable[bytes], task: WriteTask) -> Tally:
    """Writes one shard of an evaluation split.

    Args:
        split: the split.
        shard: which of its shards.
        parts: packed parcels from the units, in any order.
        task: the job's.

    Returns:
        Counts of its rows, and of those that are outside the split's pool: of the file, read back; an index, which
        has neither labels nor pools, is counted as it is written.
    """
    parcel = Parcel.merge(Parcel.from_bytes(part) for part in parts).sorted()
    with open_rows(task.run, task.layout, split, shard, parcel.rows.schema, task.media) as writer:
        writer.write(parcel.rows)
    if task.tables.copies:
        name = task.layout.shard(split, shard)
        check_files(split, shard, task)
        drawn = pl.DataFrame({KEY: parcel.series(KEY), GROUP: parcel.series(GROUP)})
        return task.reader.evaluation(name, split, task.assignment, drawn)
    outside = (parcel.series(POOLS) & task.assignment.pool_bit(split)) == 0
    return Tally.of_split(split, parcel.series(SOURCE), parcel.series(LABEL), outside)


def check_files(split: str, shard: int, task: WriteTask) -> None:
    """Reads the files of a shard's rows back, where files were written.

    Raises:
        DataError: they are not those of the rows.
    """
    if task.media is not None:
        ShardCheck(task.run, task.layout, split, shard, task.media).check()


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
    table = task.run.scan_frame(path, [*key, *group, *task.link_columns])
    named = EvaluationNames.of(split, table, key, group)
    if not task.links:
        return named
    return EvaluationNames.merge([named, EvaluationNames.of_links(LinkNames.of(split, table, task.links))])


def leaks_of_unit(unit: int, names: EvaluationNames, task: WriteTask) -> Tally:
    """Train rows of a unit that are in an evaluation split: by key or group in the written file, or by their digests.

    Args:
        unit: the number of the unit.
        names: of all evaluation splits.
        task: the job's.

    Returns:
        A tally of the leaks, and of the rows.
    """
    key, group = _checked(task)
    check_files(TRAIN, unit, task)
    table = task.run.scan_frame(task.layout.train_shard(unit), [*key, *group])
    found = [names.leaks(TRAIN, table, key, group)]
    if task.links:
        linked = task.run.scan_frame(task.layout.train_shard(unit), task.link_columns)
        found.append(names.links.leaks(TRAIN, linked, task.links))
    if task.tables.copies:
        found.append(task.reader.counts(task.layout.train_shard(unit), TRAIN))
    if task.measure is not None:
        for piece in read_pieces(task.run.path(digest_path(unit)), _PIECE_BYTES):
            digests = pl.Series(np.frombuffer(piece, DIGEST), dtype=pl.UInt64)
            found.append(names.row_leaks(TRAIN, digests))
    return Tally.merge(found)


def _checked(task: WriteTask) -> tuple[list[str], list[str]]:
    """The columns of the written files that name examples and groups; an index has no groups."""
    names = task.tables.split_schema().names
    key = [*task.rules.key] or [name for name in names if name in {"row_key", *task.rules.row_columns}]
    return key, [name for name in task.rules.group if name in names] if set(task.rules.group) <= set(names) else []
