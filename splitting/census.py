"""The census: what the first pass counts. A monoid: `empty`, `of`, `merge`; any order gives the same result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from splitting.frames import pack_frames, unpack_frames
from splitting.rules import GROUP, KEY, LONE, NULL_KEY, ROWS, SOURCE, Rules

KEY_SAMPLE = 4096
_SOURCES_LOW, _SOURCES_HIGH = "_source_low", "_source_high"
_CHECKS = ("_check_high", "_check_low")


@dataclass(frozen=True, eq=False)
class Census:
    """Counts of rows, and the groups that are first in the order of `u`.

    Attributes:
        limit: how many groups a cell keeps at most.
        cells: a row a cell (source, stratum, pools): `_rows`, `_lone` (rows whose group is null) and two
            order-free checksums of keys and groups.
        smallest: the `limit` smallest distinct groups of each cell (a bottom-k sketch; Cohen and Kaplan 2007),
            as cell columns and `_group`.
        rejected: `_source`, `reason`, `_rows`.
        keys: the 4,096 smallest distinct keys, with their rows and the first and last source that holds them:
            exact counts of a uniform sample of keys, which tell whether keys repeat.
    """

    limit: int
    cells: pl.DataFrame
    smallest: pl.DataFrame
    rejected: pl.DataFrame
    keys: pl.DataFrame

    @classmethod
    def of(cls, rules: Rules, limit: int, frame: pl.DataFrame, source: str) -> Census:
        """The census of one batch.

        Args:
            rules: what decides about rows.
            limit: how many groups a cell keeps at most.
            frame: the columns that the rules read.
            source: the source of the batch.

        Returns:
            Its census.
        """
        named = rules.identify(frame, source)
        rejected = _rejected(source, NULL_KEY, int(named[KEY].null_count()))
        rows = pl.concat([named, rules.classify(frame, source)], how="horizontal")
        if len(rejected):
            rows = rows.filter(pl.col(KEY).is_not_null())
        cells = list(rules.cell_columns)
        check = pl.col(KEY).xor(pl.col(GROUP))
        counted = (
            rows.group_by([column for column in cells if column != SOURCE])  # one batch has one source
            .agg(
                pl.len().cast(pl.Int64).alias(ROWS),
                pl.col(LONE).sum().cast(pl.Int64),
                (check // 2**32).sum().alias(_CHECKS[0]),
                (check % 2**32).sum().alias(_CHECKS[1]),
                pl.col(GROUP).unique().bottom_k(limit),
            )
            .select(pl.lit(source, dtype=pl.String).alias(SOURCE), pl.all())
        )
        return cls(
            limit,
            counted.drop(GROUP).sort(cells),
            counted.select(*cells, GROUP).explode(GROUP).sort(GROUP, *cells),
            rejected,
            _key_sample(rows),
        )

    @classmethod
    def merge(cls, censuses: Iterable[Census]) -> Census:
        """Merges censuses; commutative, associative and exact.

        Args:
            censuses: at least one, all of one spec and one limit.

        Returns:
            The census of all their rows.
        """
        parts = list(censuses)
        limit = parts[0].limit
        columns = [c for c in parts[0].cells.columns if c not in {ROWS, LONE, *_CHECKS}]
        cells = pl.concat([part.cells for part in parts]).group_by(columns).agg(pl.all().sum()).sort(columns)
        smallest = (
            pl.concat([part.smallest for part in parts])
            .group_by(columns)
            .agg(pl.col(GROUP).unique().bottom_k(limit))
            .explode(GROUP)
            .sort(GROUP, *columns)
        )
        rejected = pl.concat([part.rejected for part in parts]).group_by(SOURCE, "reason")
        keys = pl.concat([part.keys for part in parts]).group_by(KEY)
        return cls(
            limit,
            cells,
            smallest,
            rejected.agg(pl.col(ROWS).sum()).sort(SOURCE, "reason"),
            keys.agg(pl.col(ROWS).sum(), pl.col(_SOURCES_LOW).min(), pl.col(_SOURCES_HIGH).max())
            .sort(KEY)
            .head(KEY_SAMPLE),
        )

    @classmethod
    def empty(cls, rules: Rules, limit: int) -> Census:
        """The census of no rows.

        Args:
            rules: what decides about rows.
            limit: how many groups a cell keeps at most.

        Returns:
            The neutral element of `merge`.
        """
        blank = pl.DataFrame(schema=dict.fromkeys([*rules.columns_read(), rules.source_column], pl.Null))
        return cls.of(rules, limit, blank, "")

    def complete_cells(self, columns: Sequence[str]) -> pl.DataFrame:
        """The cells whose every group is in `smallest`.

        Args:
            columns: the cell columns.

        Returns:
            The cell columns and `complete` (Boolean), a row a cell.
        """
        return self.smallest.group_by(list(columns)).agg((pl.len() < self.limit).alias("complete"))

    def to_bytes(self) -> bytes:
        """Packs the census; equal censuses give equal bytes."""
        limit = pl.DataFrame({"limit": [self.limit]})
        return pack_frames(
            {
                "limit": limit,
                "cells": self.cells,
                "smallest": self.smallest,
                "rejected": self.rejected,
                "keys": self.keys,
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Census:
        """The census that `to_bytes` packed."""
        frames = unpack_frames(data)
        limit = int(frames.pop("limit")["limit"][0])
        return cls(limit, **frames)


def _rejected(source: str, reason: str, rows: int) -> pl.DataFrame:
    count = 1 if rows else 0
    columns = {SOURCE: [source] * count, "reason": [reason] * count, ROWS: [rows] * count}
    return pl.DataFrame(columns, schema={SOURCE: pl.String, "reason": pl.String, ROWS: pl.Int64})


def with_rejected(census: Census, source: str, reason: str, rows: int) -> Census:
    """Adds rows that could not be read at all.

    Args:
        census: of the rows that could be read.
        source: the source of the others.
        reason: why they could not.
        rows: how many there are.

    Returns:
        A census that counts them as rejected.
    """
    more = _rejected(source, reason, rows)
    rejected = pl.concat([census.rejected, more]).group_by(SOURCE, "reason").agg(pl.col(ROWS).sum())
    return Census(census.limit, census.cells, census.smallest, rejected.sort(SOURCE, "reason"), census.keys)


def _key_sample(rows: pl.DataFrame) -> pl.DataFrame:
    cut = rows[KEY].bottom_k(KEY_SAMPLE).max()
    low = rows.filter(pl.col(KEY) <= cut) if cut is not None else rows
    while low[KEY].n_unique() < KEY_SAMPLE and len(low) < len(rows):
        cut = rows[KEY].bottom_k(2 * len(low)).max()
        low = rows.filter(pl.col(KEY) <= cut)
    counted = low.group_by(KEY).agg(
        pl.len().cast(pl.Int64).alias(ROWS),
        pl.col(SOURCE).min().alias(_SOURCES_LOW),
        pl.col(SOURCE).max().alias(_SOURCES_HIGH),
    )
    return counted.sort(KEY).head(KEY_SAMPLE)


@dataclass(frozen=True)
class KeyRepeats:
    """What the sample of keys tells about repeats.

    Attributes:
        keys: distinct keys in the sample.
        exhaustive: the sample holds every key of the data.
        repeated: how many of them have more than one row.
        across_sources: how many of them are in more than one source.
    """

    keys: int
    exhaustive: bool
    repeated: int
    across_sources: int


def key_repeats(census: Census) -> KeyRepeats:
    """Reads the sample of keys.

    Args:
        census: of all the data.

    Returns:
        Its counts.
    """
    keys = census.keys
    return KeyRepeats(
        keys=len(keys),
        exhaustive=len(keys) < KEY_SAMPLE,
        repeated=int((keys[ROWS] > 1).sum()),
        across_sources=int((keys[_SOURCES_LOW] != keys[_SOURCES_HIGH]).sum()),
    )


@dataclass(frozen=True, eq=False)
class Candidates:
    """Every row of the groups that a draw may take. A monoid, too.

    Attributes:
        rows: cell columns, `_group`, `_key` and `_rows`: how many rows share them all. Sorted.
    """

    rows: pl.DataFrame

    @classmethod
    def of(cls, rules: Rules, groups: pl.Series, frame: pl.DataFrame, source: str) -> Candidates:
        """The candidates' rows in one batch.

        Args:
            rules: what decides about rows.
            groups: UInt64, the candidates.
            frame: the columns that the rules read.
            source: the source of the batch.

        Returns:
            Their rows.
        """
        named = rules.identify(frame, source).select(GROUP, KEY)
        chosen = named[GROUP].is_in(groups.implode()).fill_null(value=False)
        cells = rules.classify(frame.filter(chosen), source)
        rows = pl.concat([named.filter(chosen), cells], how="horizontal")
        return cls(rows.with_columns(pl.lit(1, dtype=pl.Int64).alias(ROWS))).compact()

    @classmethod
    def empty(cls, rules: Rules) -> Candidates:
        """The candidates in no rows; the neutral element of `merge`."""
        blank = pl.DataFrame(schema=dict.fromkeys([*rules.columns_read(), rules.source_column], pl.Null))
        return cls.of(rules, pl.Series(GROUP, [], dtype=pl.UInt64), blank, "")

    def compact(self) -> Candidates:
        """The same rows, equal ones counted together, sorted."""
        columns = [c for c in self.rows.columns if c != ROWS]
        return Candidates(self.rows.group_by(columns).agg(pl.col(ROWS).sum()).sort(columns))

    @classmethod
    def merge(cls, parts: Iterable[Candidates]) -> Candidates:
        """Merges candidates; commutative, associative and exact.

        Args:
            parts: at least one, all of one spec.

        Returns:
            The rows of all.
        """
        return cls(pl.concat([part.rows for part in parts])).compact()

    def to_bytes(self) -> bytes:
        """Packs the candidates."""
        return pack_frames({"rows": self.rows})

    @classmethod
    def from_bytes(cls, data: bytes) -> Candidates:
        """The candidates that `to_bytes` packed."""
        return cls(unpack_frames(data)["rows"])
