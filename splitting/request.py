"""What is asked for: the splits, their sizes and the pools that they are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TARGET_POOL = "target"
TRAIN_POOL = "train"
TRAIN = "train"
MAX_EVALUATION_GROUPS = 5_000_000

OnShortfall = Literal["error", "fill", "allow"]
NewMembers = Literal["hold_out", "join"]


@dataclass(frozen=True)
class Size:
    """A split's size: a count, or a share of its pool as a fraction of integers.

    Attributes:
        count: rows; None for a share.
        numerator: of the share.
        denominator: of the share, positive.
    """

    count: int | None = None
    numerator: int = 0
    denominator: int = 1

    def resolve(self, pool_rows: int) -> int:
        """The size in rows.

        Args:
            pool_rows: rows of the pool.

        Returns:
            The count, or the share of the pool, rounded down.

        Examples:
            >>> Size(numerator=5, denominator=100).resolve(210_000)
            10500
        """
        return pool_rows * self.numerator // self.denominator if self.count is None else self.count


@dataclass(frozen=True)
class SplitRequest:
    """One evaluation split.

    Attributes:
        name: the split.
        pool: the name of the pool that it is drawn from.
        size: how many rows.
    """

    name: str
    pool: str
    size: Size


@dataclass(frozen=True)
class Request:
    """All that is asked for.

    Attributes:
        splits: the evaluation splits, in the order of the spec; `train` is what is left.
        on_shortfall: what to do where a stratum cannot give its quota.
        new_members: what becomes of new members of a group that is already in an evaluation split.
    """

    splits: tuple[SplitRequest, ...]
    on_shortfall: OnShortfall = "error"
    new_members: NewMembers = "hold_out"

    def pools(self) -> tuple[str, ...]:
        """The pools in the order of their draws: the target first, the train mixture (what is left) last."""
        rank = {TARGET_POOL: 0, TRAIN_POOL: 2}
        names = dict.fromkeys(split.pool for split in self.splits)
        return tuple(sorted(names, key=lambda name: rank.get(name, 1)))

    def splits_of(self, pool: str) -> tuple[SplitRequest, ...]:
        """The splits drawn from a pool, in the order of the spec."""
        return tuple(split for split in self.splits if split.pool == pool)

    def upper_size(self, rows: int) -> int:
        """The rows that all splits together can want of a table of so many rows."""
        return sum(split.size.resolve(rows) for split in self.splits)
