"""The layout of the output: every file name is known before the first row is read, so a retry writes the same file."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from splitting.plan import SPLIT
from splitting.request import TRAIN
from splitting.rules import GROUP, KEY, ROWS

SHARD_BYTES = 256 * 2**20
_LEAST_SHARD_BYTES = 64 * 2**20
_UNITS = 8
_SHARD = re.compile(r"(.+)-\d{5,}-of-\d{5,}\.parquet")
DATA, TABLES, HELD_OUT, REJECTED, WORK = "data", "tables", "held_out", "rejected", "_work"


def default_shard_bytes(total: int) -> int:
    """About how large a shard is by default: 256 MiB; less, down to 64 MiB, for data that would give few units of work.

    Args:
        total: bytes of all input files.

    Returns:
        Bytes; a function of the data alone, so that another machine writes the same files.

    Examples:
        >>> default_shard_bytes(10 * 2**30) >> 20, default_shard_bytes(2**30) >> 20, default_shard_bytes(2**20) >> 20
        (256, 128, 64)
    """
    return max(_LEAST_SHARD_BYTES, min(SHARD_BYTES, -(-total // _UNITS)))


def shard_path(split: str, number: int, of: int, folder: str = DATA) -> str:
    """The name of a shard in the run directory, as Hugging Face datasets, polars, DuckDB and Spark find it.

    Examples:
        >>> shard_path("train", 3, 17)
        'data/train-00003-of-00017.parquet'
    """
    return f"{folder}/{split}-{number:05d}-of-{of:05d}.parquet"


def tar_path(split: str, number: int) -> str:
    """The name of a tar shard in the run directory, as WebDataset's `train-{000000..000016}.tar` finds it.

    Examples:
        >>> tar_path("train", 3)
        'data/train-000003.tar'
    """
    return f"{DATA}/{split}-{number:06d}.tar"


def split_of_shard(name: str) -> str | None:
    """The split that a file in `data/` belongs to; None of other files.

    Examples:
        >>> split_of_shard("train_dev-00000-of-00001.parquet")
        'train_dev'
    """
    found = _SHARD.fullmatch(name)
    return found[1] if found else None


def aside_path(folder: str, unit: int, kind: str = "rows") -> str:
    """The name of a file of held-out or rejected rows; a unit without any writes none.

    Examples:
        >>> aside_path("held_out", 3)
        'held_out/rows-00003.parquet'
    """
    return f"{folder}/{kind}-{unit:05d}.parquet"


def digest_path(unit: int) -> str:
    """The name of a file with the digests of a unit's train rows, for as long as the job runs."""
    return f"{WORK}/digests-{unit:05d}.bin"


@dataclass(frozen=True)
class Layout:
    """The files of a run.

    Attributes:
        units: how many units of work there are; each writes one train shard.
        starts: by evaluation split, the first group of each of its shards, ascending.
        folder: where the Parquet files of the rows lie: `tables` where `data` has tar files or folders of files.
    """

    units: int
    starts: Mapping[str, tuple[int, ...]]
    folder: str = DATA

    def train_shard(self, unit: int) -> str:
        """The path of a unit's train shard."""
        return self.shard(TRAIN, unit)

    def shard(self, split: str, number: int) -> str:
        """The path of a shard of any split."""
        return shard_path(split, number, self.units if split == TRAIN else self.shards(split), self.folder)

    def shards(self, split: str) -> int:
        """How many shards an evaluation split has."""
        return len(self.starts[split])

    def shard_of(self, split: str, groups: pl.Series) -> pl.Series:
        """The shard that holds each group.

        Args:
            split: an evaluation split.
            groups: UInt64.

        Returns:
            Int64, from 0.
        """
        starts = self.starts[split]
        if len(starts) == 1:
            return pl.repeat(0, len(groups), dtype=pl.Int64, eager=True)
        return pl.Series([bisect_right(starts, group) - 1 for group in groups], dtype=pl.Int64)

    def data_paths(self) -> list[str]:
        """Every Parquet file of the splits, sorted."""
        evaluation = [self.shard(split, i) for split, starts in self.starts.items() for i in range(len(starts))]
        return sorted([*(self.train_shard(unit) for unit in range(self.units)), *evaluation])


def make_layout(
    ledger: pl.DataFrame, splits: tuple[str, ...], units: int, row_bytes: int, shard_bytes: int, folder: str = DATA
) -> Layout:
    """Lays out a run.

    Args:
        ledger: of the plan.
        splits: the evaluation splits.
        units: how many units of work there are.
        row_bytes: about how many bytes a row takes in its input file.
        shard_bytes: about how large a file should be.
        folder: where the Parquet files of the rows lie.

    Returns:
        The layout: an evaluation split is cut at groups into as many shards as its rows need.
    """
    starts: dict[str, tuple[int, ...]] = {}
    for split in splits:
        members = ledger.filter(pl.col(SPLIT) == split, pl.col(KEY).is_not_null())
        groups = members.group_by(GROUP).agg(pl.col(ROWS).sum()).sort(GROUP)
        rows = int(groups[ROWS].sum())
        count = max(1, -(-rows * row_bytes // shard_bytes))
        before = groups.with_columns((pl.col(ROWS).cum_sum() - pl.col(ROWS)).alias("before"))
        firsts: set[int] = set()
        for i in range(1, count):
            firsts |= set(before.filter(pl.col("before") >= rows * i // count)[GROUP].head(1))
        starts[split] = (0, *sorted(firsts))
    return Layout(units, starts, folder)
