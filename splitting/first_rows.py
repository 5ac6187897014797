"""The rows of the groups that come first in the order of `u`: where they suffice, data is read once to plan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from splitting.candidates import Candidates, Shortlist
from splitting.frames import pack_frames, unpack_frames
from splitting.rules import GROUP, KEY, ROWS, Rules

MOST_ROWS = 700_000
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
        held: the rows, as candidates, equal ones not yet counted together.
    """

    bound: int
    held: Candidates

    @classmethod
    def empty(cls, rules: Rules) -> FirstRows:
        """No rows, and none left out."""
        return cls(_ALL, Candidates.empty(rules))

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
        rows = pl.concat([part.held.rows for part in known])
        if any(part.bound != bound for part in known):
            rows = rows.filter(pl.col(GROUP) <= bound)
        if len(rows) > most:
            bound = int(rows[GROUP].sort()[max(0, most - 1)])
            rows = rows.filter(pl.col(GROUP) <= bound)
        return cls(bound, Candidates(rows))

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
        return self.held.of_groups(listed.groups).compact()

    def to_bytes(self) -> bytes:
        """Packs the rows: a list of groups and one of keys for each cell, a third of what the rows would take."""
        bound = pl.DataFrame({"bound": [self.bound]}, schema={"bound": pl.UInt64})
        rows = self.held.rows
        cells = rows.group_by([name for name in rows.columns if name not in {GROUP, KEY, ROWS}])
        return pack_frames({"bound": bound, "cells": cells.agg(GROUP, KEY)})

    @classmethod
    def from_bytes(cls, data: bytes) -> FirstRows:
        """The rows that `to_bytes` packed."""
        frames = unpack_frames(data)
        cells = frames["cells"]
        rows = cells.filter(pl.col(GROUP).list.len() > 0).explode(GROUP, KEY)
        named = rows.select(GROUP, KEY, pl.all().exclude(GROUP, KEY), pl.lit(1, dtype=pl.Int64).alias(ROWS))
        return cls(int(frames["bound"]["bound"][0]), Candidates(named))


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
        self._parts = [FirstRows(bound, Candidates.empty(rules))]
        self._waiting = 0

    def add(self, rows: pl.DataFrame) -> None:
        """Takes of a batch what may be among the first.

        Args:
            rows: from `Rules.examine`; those without a key are no candidates.
        """
        bound = self._parts[0].bound
        first = rows.filter((pl.col(GROUP) <= bound) & pl.col(KEY).is_not_null())
        self._parts.append(FirstRows(bound, Candidates.of_examined(self._rules, first)))
        self._waiting += len(first)
        if self._waiting > self._most:
            self._merge()

    def first_rows(self) -> FirstRows:
        """The first rows of all that was added."""
        self._merge()
        return self._parts[0]

    def _merge(self) -> None:
        self._parts = [FirstRows.merge(self._parts, self._most)]
        self._waiting = 0
