"""Which groups the draws may need: the first of every cell in the order of `u`, deep enough for every quota."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from splitting.census import Census
from splitting.frames import pack_frames, unpack_frames
from splitting.request import TRAIN_POOL, Request
from splitting.rules import GROUP, KEY, POOLS, ROWS, Rules

CUT = "_cut"
_SPARE = 256
_ALWAYS_ALL = 50_000


@dataclass(frozen=True, eq=False)
class Shortlist:
    """The groups whose rows the second look at the data collects.

    Attributes:
        groups: UInt64, sorted, distinct.
        cuts: a row a cell: the cell columns and `_cut`, the largest listed group of the cell where there may be
            further ones; null where every group of the cell is listed.
    """

    groups: pl.Series
    cuts: pl.DataFrame

    def to_bytes(self) -> bytes:
        """Packs the shortlist."""
        return pack_frames({"groups": self.groups.to_frame(GROUP), "cuts": self.cuts})

    @classmethod
    def from_bytes(cls, data: bytes) -> Shortlist:
        """The shortlist that `to_bytes` packed."""
        frames = unpack_frames(data)
        return cls(frames["groups"][GROUP], frames["cuts"])


def census_limit(request: Request, rows: int, ledger_groups: int = 0, depth: int = 1) -> int:
    """How many groups a cell of the census keeps: enough for all splits, were they drawn from that cell alone.

    Args:
        request: the splits.
        rows: an upper bound of the rows of the data.
        ledger_groups: groups of earlier runs, which come first in the order and are not drawn again.
        depth: a factor for draws that could not be met exactly with less.

    Returns:
        Groups a cell.
    """
    return max(1, min(rows, request.upper_size(rows)) + ledger_groups + _SPARE) * depth


def shortlist(
    census: Census, rules: Rules, request: Request, ledger: pl.Series | None = None, depth: int = 1
) -> Shortlist:
    """Chooses the groups whose rows are collected.

    Args:
        census: of all the data.
        rules: what decides about rows.
        request: the splits.
        ledger: UInt64, groups of earlier runs; always listed, and not counted against a cell's depth.
        depth: a factor for draws that could not be met exactly with less.

    Returns:
        The shortlist. A function of the census alone, so the same wherever it is computed.
    """
    cells = list(rules.cell_columns)
    known = ledger if ledger is not None else pl.Series(GROUP, [], dtype=pl.UInt64)
    listed = census.smallest.filter(pl.col(GROUP).is_not_null())
    fresh = listed.filter(~pl.col(GROUP).is_in(known.implode()))
    wanted = _wanted(census, rules, request, depth)
    if len(fresh) > _ALWAYS_ALL * depth:
        fresh = fresh.join(wanted, on=cells, nulls_equal=True, maintain_order="left")
        fresh = fresh.filter(pl.int_range(pl.len()).over(cells, order_by=GROUP) < pl.col("_wanted")).drop("_wanted")
    size = listed.group_by(cells).agg(pl.len().alias("_all"))
    kept = fresh.group_by(cells).agg(pl.len().alias("_kept"), pl.col(GROUP).max().alias(CUT))
    ledgers = listed.filter(pl.col(GROUP).is_in(known.implode())).group_by(cells).agg(pl.len().alias("_known"))
    cuts = (
        size.join(kept, on=cells, how="left", nulls_equal=True)
        .join(ledgers, on=cells, how="left", nulls_equal=True)
        .with_columns(pl.col("_kept").fill_null(0), pl.col("_known").fill_null(0), pl.col(CUT).fill_null(0))
        .with_columns(
            _complete=(pl.col("_all") < census.limit) & (pl.col("_kept") + pl.col("_known") == pl.col("_all"))
        )
        .select(*cells, pl.when(~pl.col("_complete")).then(CUT).alias(CUT))
        .sort(cells)
    )
    groups = pl.concat([fresh[GROUP], known]).unique().sort()
    return Shortlist(groups, cuts)


def _wanted(census: Census, rules: Rules, request: Request, depth: int) -> pl.DataFrame:
    """How many groups of each cell are listed: twice its quotas and a spare, and those that other draws take."""
    strata = list(rules.stratum_columns)
    cells = census.cells.select(*rules.cell_columns, ROWS)
    total = int(cells[ROWS].sum())
    bits = {pool.name: 2**i for i, pool in enumerate(rules.pools)}
    quota = pl.lit(0, dtype=pl.Int64)
    for pool in request.pools():
        inside = (pl.col(POOLS) & bits[pool]) > 0
        rows = total if pool == TRAIN_POOL else int(cells.filter(inside)[ROWS].sum())
        size = sum(split.size.resolve(rows) for split in request.splits_of(pool))
        in_pool = pl.when(inside).then(ROWS).otherwise(0)
        share = (in_pool.sum().over(strata) if strata else in_pool.sum()) * size // max(1, rows) + 1
        quota = quota + pl.when(inside).then(share).otherwise(0)
    return cells.with_columns((quota * 2 * depth + _SPARE).alias("_wanted")).drop(ROWS)


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
        listed = groups.implode()
        frame = frame.filter(rules.name_groups(frame, source).is_in(listed).fill_null(value=True))
        rows = rules.examine(frame, source).filter(pl.col(GROUP).is_in(listed))
        return cls.of_examined(rules, rows).compact()

    @classmethod
    def empty(cls, rules: Rules) -> Candidates:
        """The candidates in no rows; the neutral element of `merge`."""
        blank = pl.DataFrame(schema=dict.fromkeys([*rules.columns_read(), rules.source_column], pl.Null))
        return cls.of(rules, pl.Series(GROUP, [], dtype=pl.UInt64), blank, "")

    @classmethod
    def of_examined(cls, rules: Rules, rows: pl.DataFrame) -> Candidates:
        """Rows that were examined, as candidates.

        Args:
            rules: what decides about rows.
            rows: from `Rules.examine`, with a key each.

        Returns:
            All of them.
        """
        named = rows.select(GROUP, KEY, *rules.cell_columns)
        return cls(named.with_columns(pl.lit(1, dtype=pl.Int64).alias(ROWS)))

    def of_groups(self, groups: pl.Series) -> Candidates:
        """The rows of some groups, UInt64."""
        return Candidates(self.rows.filter(pl.col(GROUP).is_in(groups.implode())))

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
