"""What a plan is made from: rules, request, counts, candidates, and the run that is continued."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from splitting.candidates import Candidates, Shortlist
from splitting.census import Census
from splitting.plan import Plan
from splitting.request import TARGET_POOL, TRAIN_POOL, Request
from splitting.rules import SOURCE, Rules

MAX_MARK = 2**64 - 1


@dataclass(frozen=True, eq=False)
class Previous:
    """The earlier run that a plan continues.

    Attributes:
        plan: its plan, with the ledger of all runs before it.
        trained: UInt64, those of the newly eligible groups that the earlier run's `train` holds.
    """

    plan: Plan
    trained: pl.Series

    def mark(self, pool: str, *, narrows_target: bool) -> int:
        """The mark of a pool; a pool that the earlier run did not draw from has none of its own."""
        marks = {item.name: item.mark for item in self.plan.pools}
        return int(marks.get(pool, marks.get(TARGET_POOL, 0) if narrows_target else 0))


@dataclass(frozen=True, eq=False)
class Inputs:
    """All that a plan is made from.

    Attributes:
        rules: what decides about rows.
        request: what is asked for.
        census: of all the data.
        shortlist: whose rows the candidates are.
        candidates: every row of the shortlist's groups.
        previous: the run that is continued, if any.
    """

    rules: Rules
    request: Request
    census: Census
    shortlist: Shortlist
    candidates: Candidates
    previous: Previous | None = None

    def bit(self, pool: str) -> int:
        """The bit of a pool in a row's `_pools`."""
        bits: dict[str, int] = {p.name: 2**i for i, p in enumerate(self.rules.pools)}
        return bits[pool]

    @property
    def split_bits(self) -> dict[str, int]:
        """The bit of each split's pool."""
        return {split.name: self.bit(split.pool) for split in self.request.splits}

    def strata_of(self, pool: str) -> list[str]:
        """The columns that make a pool's strata: the train mixture is stratified by source too."""
        return [*([SOURCE] if pool == TRAIN_POOL else []), *self.rules.stratum_columns]

    def mark(self, pool: str) -> int:
        """Only groups below the mark of an earlier run can be drawn; without one, all can."""
        if self.previous is None:
            return MAX_MARK
        target = next((p for p in self.rules.pools if p.name == TARGET_POOL), None)
        mine = next(p for p in self.rules.pools if p.name == pool)
        narrows = (
            target is not None and mine.sources == target.sources and (set(target.conditions) <= set(mine.conditions))
        )
        return self.previous.mark(pool, narrows_target=narrows)
