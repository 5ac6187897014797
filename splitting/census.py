"""The census: what the first pass counts. A monoid: `empty`, `of`, `merge`; any order gives the same result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import polars as pl

from splitting.checksum import HIGH, LOW, check_sums
from splitting.rules import GROUP, KEY, LONE, NULL_KEY, ROWS, SOURCE, Rules

KEY_SAMPLE = 4096
_SOURCES_LOW, _SOURCES_HIGH = "_source_low", "_source_high"
_PENDING_SHARE = 2


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
    def of(cls, rules: Rules, limit: int, frame: pl.DataFrame, source: str, known: Census | None = None) -> Census:
        """The census of one batch.

        Args:
            rules: what decides about rows.
            limit: how many groups a cell keeps at most.
            frame: the columns that the rules read.
            source: the source of the batch.
            known: as of `of_examined`.

        Returns:
            Its census.
        """
        return cls.of_examined(rules, limit, rules.examine(frame, source), source, known)

    @classmethod
    def of_examined(
        cls, rules: Rules, limit: int, rows: pl.DataFrame, source: str, known: Census | None = None
    ) -> Census:
        """The census of one batch whose rows were examined.

        Args:
            rules: what decides about rows.
            limit: how many groups a cell keeps at most.
            rows: from `Rules.examine`.
            source: the source of the batch.
            known: a census that the result will be merged with. What that leaves out is left out here, too: less
                work, and the same merged census.

        Returns:
            Its census.
        """
        rejected = _rejected(source, NULL_KEY, int(rows[KEY].null_count()))
        if len(rejected):
            rows = rows.filter(pl.col(KEY).is_not_null())
        cells = [column for column in rules.cell_columns if column != SOURCE]  # one batch has one source
        named_source = pl.lit(source, dtype=pl.String).alias(SOURCE)
        each = rows.lazy().group_by(cells)
        counted = each.agg(
            pl.len().cast(pl.Int64).alias(ROWS),
            pl.col(LONE).sum().cast(pl.Int64) if rows[LONE].any() else pl.lit(0, dtype=pl.Int64).alias(LONE),
            *check_sums(),
        ).collect(engine="streaming")  # in half the time of the other engine
        low = (
            rows if known is None else _not_left_out(rows, counted, cells, known.cuts.filter(pl.col(SOURCE) == source))
        )
        smallest = low.group_by(cells).agg(pl.col(GROUP).unique().bottom_k(limit)).explode(GROUP)
        return cls(
            limit,
            counted.select(named_source, pl.all()).sort(rules.cell_columns),
            smallest.select(named_source, pl.all()).sort(GROUP, *rules.cell_columns),
            rejected,
            _key_sample(rows, source, known),
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
        columns = [c for c in parts[0].cells.columns if c not in {ROWS, LONE, HIGH, LOW}]
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

    @cached_property
    def cuts(self) -> pl.DataFrame:
        """The full cells, and the largest group that each keeps; larger ones are left out of any merged census.

        Returns:
            The cell columns and `_cut`.
        """
        columns = [column for column in self.smallest.columns if column != GROUP]
        cells = self.smallest.group_by(columns).agg(pl.len().alias("_kept"), pl.col(GROUP).max().alias("_cut"))
        return cells.filter(pl.col("_kept") >= self.limit).drop("_kept")

    def frames(self) -> dict[str, pl.DataFrame]:
        """All of it; equal censuses give equal frames."""
        limit = pl.DataFrame({"limit": [self.limit]})
        tables = {"cells": self.cells, "smallest": self.smallest, "rejected": self.rejected, "keys": self.keys}
        return {"limit": limit, **tables}

    @classmethod
    def of_frames(cls, frames: Mapping[str, pl.DataFrame]) -> Census:
        """The census with these `frames`; others are left aside."""
        tables = (frames[name] for name in ("cells", "smallest", "rejected", "keys"))
        return cls(int(frames["limit"]["limit"][0]), *tables)


def _rejected(source: str, reason: str, rows: int) -> pl.DataFrame:
    count = 1 if rows else 0
    columns = {SOURCE: [source] * count, "reason": [reason] * count, ROWS: [rows] * count}
    return pl.DataFrame(columns, schema={SOURCE: pl.String, "reason": pl.String, ROWS: pl.Int64})


def _not_left_out(rows: pl.DataFrame, counted: pl.DataFrame, cells: list[str], cuts: pl.DataFrame) -> pl.DataFrame:
    """The cells and groups of one batch whose groups may be among the smallest of their cell.

    Args:
        rows: the batch, with `_group`.
        counted: its cells.
        cells: their columns, without the source.
        cuts: of the census that it will be merged with, of its source alone.

    Returns:
        The cells and groups of those rows, and perhaps of a few others.
    """
    rows = rows.select(*cells, GROUP)
    if not len(cuts):
        return rows
    largest = cuts["_cut"].max()
    low = rows.filter(pl.col(GROUP) <= largest)
    unfilled = counted.select(cells).join(cuts, on=cells, how="anti", nulls_equal=True)
    if not len(unfilled):
        return low
    high = rows.filter(pl.col(GROUP) > largest)
    return pl.concat([low, high.join(unfilled, on=cells, how="semi", nulls_equal=True)])


def _key_sample(rows: pl.DataFrame, source: str, known: Census | None) -> pl.DataFrame:
    """The smallest keys of one batch, those that a known sample leaves out left out."""
    low = rows.select(KEY)
    if known is not None and len(known.keys) == KEY_SAMPLE:
        low = low.filter(pl.col(KEY) <= known.keys[KEY].max())
    size = KEY_SAMPLE
    while len(low) > size:
        lower = low.filter(pl.col(KEY) <= low[KEY].bottom_k(size).max())
        if lower[KEY].n_unique() >= KEY_SAMPLE:
            low = lower
            break
        size *= 2
    named = pl.lit(source, dtype=pl.String)
    counted = low.group_by(KEY).agg(pl.len().cast(pl.Int64).alias(ROWS))
    counted = counted.with_columns(named.alias(_SOURCES_LOW), named.alias(_SOURCES_HIGH))
    return counted.sort(KEY).head(KEY_SAMPLE)


class CensusTaker:
    """Takes the census of many batches: the merged census of them all, with less work than merging each."""

    def __init__(self, rules: Rules, limit: int) -> None:
        """Begins with no rows.

        Args:
            rules: what decides about rows.
            limit: how many groups a cell keeps at most.
        """
        self._rules, self._limit = rules, limit
        self._whole = Census.empty(rules, limit)
        self._parts: list[Census] = []

    def add(self, rows: pl.DataFrame, source: str) -> None:
        """Counts a batch.

        Args:
            rows: from `Rules.examine`.
            source: the source of the batch.
        """
        self._parts.append(Census.of_examined(self._rules, self._limit, rows, source, self._whole))
        if sum(len(part.smallest) for part in self._parts) > _PENDING_SHARE * len(self._whole.smallest):
            self._merge()

    def reject(self, source: str, reason: str, rows: int) -> None:
        """Counts rows that could not be read at all.

        Args:
            source: their source.
            reason: why they could not.
            rows: how many there are.
        """
        blank = Census.empty(self._rules, self._limit)
        self._parts.append(replace(blank, rejected=_rejected(source, reason, rows)))

    def census(self) -> Census:
        """The census of all that was added."""
        self._merge()
        return self._whole

    def _merge(self) -> None:
        self._whole = Census.merge([self._whole, *self._parts])
        self._parts = []


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
