"""What a plan is made from: rules, request, counts, candidates, and the run that is continued."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from splitting.candidates import Candidates, Shortlist
from splitting.census import Census
from splitting.linking.linked import Linked
from splitting.plan import SPLIT, Plan
from splitting.request import TARGET_POOL, TRAIN_POOL, Request
from splitting.rules import GROUP, KEY, POOLS, SOURCE, Rules

MAX_MARK = 2**64 - 1


@dataclass(frozen=True, eq=False)
class Trained:
    """What was trained on, of what was looked up.

    Attributes:
        groups: UInt64, groups of which `train` holds a member or a key.
        keys: UInt64, keys that `train` holds.
    """

    groups: pl.Series
    keys: pl.Series

    @classmethod
    def nothing(cls) -> Trained:
        """Nothing was trained on."""
        return cls(pl.Series(GROUP, [], dtype=pl.UInt64), pl.Series(KEY, [], dtype=pl.UInt64))


@dataclass(frozen=True, eq=False)
class Previous:
    """The earlier run that a plan continues.

    Attributes:
        plan: its plan, with the ledger of all runs before it.
        trained: what the earlier run's `train` holds of the rows that could newly be drawn.
    """

    plan: Plan
    trained: Trained

    @property
    def members(self) -> pl.DataFrame:
        """`_group`, `_key` and `split` of every example of an evaluation split, of all runs so far."""
        return self.plan.ledger.filter(pl.col(KEY).is_not_null()).select(GROUP, KEY, SPLIT)

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
        linked: what links joined to clusters; None where nothing links.
    """

    rules: Rules
    request: Request
    census: Census
    shortlist: Shortlist
    candidates: Candidates
    previous: Previous | None = None
    linked: Linked | None = None

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

    def joining(self) -> pl.DataFrame:
        """New members of frozen groups that join their split: in its pool, in no split and no `train` before.

        Returns:
            `_group`, `_key` and `split`, distinct; empty where new members are held out.
        """
        if self.previous is None or self.request.new_members != "join":
            return pl.DataFrame(schema={GROUP: pl.UInt64, KEY: pl.UInt64, SPLIT: pl.String})
        members = self.previous.members
        splits = members.select(GROUP, SPLIT).unique(GROUP, maintain_order=True)
        inside = pl.any_horizontal(
            (pl.col(SPLIT) == name) & ((pl.col(POOLS) & bit) > 0) for name, bit in self.split_bits.items()
        )
        known = pl.concat([members[KEY], self.previous.trained.keys])
        if self.linked is not None:  # what is linked with two splits joins neither
            splits = splits.filter(~pl.col(GROUP).is_in(self.linked.apart.implode()))
        return (
            self.candidates.rows.join(splits, on=GROUP)
            .filter(inside, ~pl.col(KEY).is_in(known.implode()))
            .select(GROUP, KEY, SPLIT)
            .unique()
            .sort(GROUP, KEY)
        )

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
