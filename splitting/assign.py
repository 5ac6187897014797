"""Says of every row where it goes: the one function that the plan counts with and the writers write by."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from splitting.frames import pack_frames, unpack_frames
from splitting.plan import SPLIT, Plan
from splitting.request import TRAIN
from splitting.rules import GROUP, KEY, POOLS

REASON = "reason"
HELD_OUT = "held_out"
BIT = "_bit"


def group_reason(split: str) -> str:
    """Why a row outside the pool is held out: other rows of its group are in an evaluation split."""
    return f"group is in {split}"


def new_member_reason(split: str) -> str:
    """Why a row of the pool is held out: its group was there before it came."""
    return f"new member of a group in {split}"


def outside_reason(split: str) -> str:
    """Why a row with the key of an evaluation example is held out: it is not in that split's pool."""
    return f"same key as an example of {split}, but not in its pool"


def key_reason(split: str) -> str:
    """Why a row of another group is held out: an evaluation split has its key."""
    return f"same key as an example of {split}, but in another group"


@dataclass(frozen=True, eq=False)
class Assignment:
    """Where the rows of reserved groups and keys go; every other row goes to `train`.

    Attributes:
        groups: `_group`, `split`, `_bit` of the split's pool: a row a reserved group.
        members: `_group`, `_key`: the examples of the evaluation splits.
        keys: `_key`, `_key_split`: the split that holds each key.
        bits: by split, the bit of its pool.
    """

    groups: pl.DataFrame
    members: pl.DataFrame
    keys: pl.DataFrame
    bits: tuple[tuple[str, int], ...] = ()

    def pool_bit(self, split: str) -> int:
        """The bit of a split's pool."""
        return dict(self.bits)[split]

    @classmethod
    def of(cls, ledger: pl.DataFrame, pool_bits: dict[str, int]) -> Assignment:
        """Reads an assignment off a ledger.

        Args:
            ledger: as in `Plan`.
            pool_bits: the bit of each split's pool in a row's `_pools`; a split that is not there (one of an
                earlier run, no longer asked for) takes no row, and its groups are held out.

        Returns:
            The assignment.
        """
        members = ledger.filter(pl.col(KEY).is_not_null())
        bits = pl.DataFrame(
            {SPLIT: list(pool_bits), BIT: list(pool_bits.values())}, schema={SPLIT: pl.String, BIT: pl.UInt32}
        )
        groups = members.select(GROUP, SPLIT).unique(GROUP, maintain_order=True).join(bits, on=SPLIT, how="left")
        keys = members.select(KEY, pl.col(SPLIT).alias("_key_split")).unique(KEY, maintain_order=True)
        return cls(
            groups.with_columns(pl.col(BIT).fill_null(0)), members.select(GROUP, KEY), keys, tuple(pool_bits.items())
        )

    def to_bytes(self) -> bytes:
        """Packs the assignment."""
        bits = pl.DataFrame(list(self.bits), schema={SPLIT: pl.String, BIT: pl.UInt32}, orient="row")
        return pack_frames({"groups": self.groups, "members": self.members, "keys": self.keys, "bits": bits})

    @classmethod
    def from_bytes(cls, data: bytes) -> Assignment:
        """The assignment that `to_bytes` packed."""
        frames = unpack_frames(data)
        return cls(frames["groups"], frames["members"], frames["keys"], tuple(frames["bits"].iter_rows()))

    def concerns(self, named: pl.DataFrame) -> pl.Series:
        """Which rows need `place`; all the others go to `train`.

        Args:
            named: `_group` and `_key`; rows with a null key are rejected and concern nothing.

        Returns:
            Boolean.
        """
        reserved = named[GROUP].is_in(self.groups[GROUP].implode())
        same_key = named[KEY].is_in(self.keys[KEY].implode())
        return (reserved | same_key).fill_null(value=False)

    def place(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Places rows.

        Args:
            rows: `_group`, `_key`, `_pools`.

        Returns:
            `split` (an evaluation split, `held_out` or `train`) and `reason` (null unless held out), in the order
            given.
        """
        member = self.members.with_columns(_member=pl.lit(value=True))
        joined = (
            rows.select(GROUP, KEY, POOLS)
            .join(self.groups, on=GROUP, how="left", maintain_order="left")
            .join(member, on=[GROUP, KEY], how="left", maintain_order="left")
            .join(self.keys, on=KEY, how="left", maintain_order="left")
        )
        is_member = pl.col("_member").is_not_null()
        in_pool = (pl.col(POOLS) & pl.col(BIT)) > 0
        split = pl.col(SPLIT)
        reason = (
            pl.when(split.is_null() & pl.col("_key_split").is_null())
            .then(None)
            .when(split.is_null())
            .then(pl.format(key_reason("{}"), "_key_split"))
            .when(is_member & in_pool)
            .then(None)
            .when(is_member)
            .then(pl.format(outside_reason("{}"), split))
            .when(in_pool)
            .then(pl.format(new_member_reason("{}"), split))
            .otherwise(pl.format(group_reason("{}"), split))
        )
        placed = joined.select(reason.alias(REASON), split.fill_null(TRAIN).alias(SPLIT))
        where = pl.when(pl.col(REASON).is_not_null()).then(pl.lit(HELD_OUT)).otherwise(SPLIT)
        return placed.select(where.alias(SPLIT), REASON)


def assignment_of(plan: Plan, pool_bits: dict[str, int]) -> Assignment:
    """The assignment that a plan decides.

    Args:
        plan: the plan.
        pool_bits: the bit of each pool.

    Returns:
        The assignment.
    """
    return Assignment.of(plan.ledger, {split.name: pool_bits[split.pool] for split in plan.splits})
