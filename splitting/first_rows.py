"""The rows of the groups that come first in the order of `u`: where they suffice, data is read once to plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import polars as pl

from splitting.candidates import Candidates, Shortlist
from splitting.rules import GROUP, KEY, ROWS, Rules

MOST_ROWS = 700_000
_CELL = "_cell"
_ALL = 2**64 - 1


def first_bound(rows: int) -> int:
    """The `u` up to which about 700,000 rows are kept.

    Args:
        rows: of all the data, about.

    Returns:
        A bound of `u`. It decides how much work planning takes, and nothing else.
    """
    return min(_ALL, _ALL * MOST_ROWS // max(1, rows))


@dataclass(frozen=True, eq=False)
class FirstRows:
    """Every row of the groups up to a bound. A monoid: merged, the bound is the least of all.

    Which bound it is depends on how the rows were divided; what `candidates` makes of it does not.

    Attributes:
        bound: the largest `u` up to which every row is held.
        cells: `_cell` (UInt32, from 0) and the cell columns; a cell may be there more than once.
        rows: `_cell`, `_group` and `_key`: twenty bytes a row, so that the many rows take little memory.
    """

    bound: int
    cells: pl.DataFrame
    rows: pl.DataFrame

    @classmethod
    def of_examined(cls, rules: Rules, bound: int, rows: pl.DataFrame) -> FirstRows:
        """The first rows of one batch.

        Args:
            rules: what decides about rows.
            bound: up to which `u` rows are kept.
            rows: from `Rules.examine`; those without a key are no candidates.

        Returns:
            Its rows up to the bound.
        """
        first = rows.filter(rows[GROUP] <= bound).filter(pl.col(KEY).is_not_null())
        columns = list(rules.cell_columns)
        cells = first.select(columns).unique().with_row_index(_CELL)
        return cls(bound, cells, first.join(cells, on=columns, how="left", nulls_equal=True).select(_CELL, GROUP, KEY))

    @classmethod
    def empty(cls, rules: Rules) -> FirstRows:
        """No rows, and none left out."""
        return cls.of_examined(rules, _ALL, Candidates.empty(rules).rows)

    @classmethod
    def merge(cls, parts: Iterable[FirstRows], most: int = MOST_ROWS) -> FirstRows:
        """Merges first rows; leaves out the last groups where there are too many rows.

        Args:
            parts: at least one, all of one spec.
            most: how many rows are kept, and those of the last group.

        Returns:
            The rows of all, up to one bound.
        """
        known = list(parts)
        bound = min(part.bound for part in known)
        cells, rows, start = [], [], 0
        for part in known:
            cells.append(part.cells.with_columns(pl.col(_CELL) + start))
            rows.append(part.rows.filter(pl.col(GROUP) <= bound).with_columns(pl.col(_CELL) + start))
            start += len(part.cells)
        merged = pl.concat(rows)
        if len(merged) > most:
            bound = int(merged[GROUP].sort()[max(0, most - 1)])
            merged = merged.filter(pl.col(GROUP) <= bound)
        return cls(bound, *_renumbered(pl.concat(cells), merged))

    def suffices(self, listed: Shortlist) -> bool:
        """Whether every row of the groups on a shortlist is held."""
        return not len(listed.groups) or int(listed.groups[-1]) <= self.bound

    def candidates(self, listed: Shortlist) -> Candidates:
        """The rows of the groups on a shortlist, for which it suffices.

        Args:
            listed: see `suffices`.

        Returns:
            What `Candidates.of` finds in all of the data.
        """
        chosen = self.rows.filter(pl.col(GROUP).is_in(listed.groups.implode()))
        rows = chosen.join(self.cells, on=_CELL, how="left").drop(_CELL)
        return Candidates(rows.with_columns(pl.lit(1, dtype=pl.Int64).alias(ROWS))).compact()

    def frames(self) -> dict[str, pl.DataFrame]:
        """All of it."""
        bound = pl.DataFrame({"bound": [self.bound]}, schema={"bound": pl.UInt64})
        return {"bound": bound, "first_cells": self.cells, "first_rows": self.rows}

    @classmethod
    def of_frames(cls, frames: Mapping[str, pl.DataFrame]) -> FirstRows:
        """The rows with these `frames`; others are left aside."""
        return cls(int(frames["bound"]["bound"][0]), frames["first_cells"], frames["first_rows"])


def _renumbered(cells: pl.DataFrame, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The same cells and rows, every cell once."""
    columns = [name for name in cells.columns if name != _CELL]
    once = cells.select(columns).unique().with_row_index("_new")
    if len(once) == len(cells):
        return cells, rows
    new = cells.join(once, on=columns, how="left", nulls_equal=True).sort(_CELL)["_new"]
    return once.rename({"_new": _CELL}), rows.with_columns(new.gather(rows[_CELL]).alias(_CELL))


class FirstRowsTaker:
    """Takes the first rows of many batches: as merging each, with less work."""

    def __init__(self, rules: Rules, bound: int, most: int = MOST_ROWS) -> None:
        """Begins with no rows.

        Args:
            rules: what decides about rows.
            bound: up to which `u` rows are kept.
            most: how many rows are kept at most, whatever the bound.
        """
        self._rules, self._most = rules, most
        self._parts = [replace(FirstRows.empty(rules), bound=bound)]
        self._waiting = 0

    def add(self, rows: pl.DataFrame) -> None:
        """Takes of a batch what may be among the first.

        Args:
            rows: from `Rules.examine`; those without a key are no candidates.
        """
        part = FirstRows.of_examined(self._rules, self._parts[0].bound, rows)
        self._parts.append(part)
        self._waiting += len(part.rows)
        if self._waiting > self._most:
            self._merge()

    def first_rows(self) -> FirstRows:
        """The first rows of all that was added."""
        self._merge()
        return self._parts[0]

    def _merge(self) -> None:
        self._parts = [FirstRows.merge(self._parts, self._most)]
        self._waiting = 0
