"""What the first look at data leaves: its census, and the rows that draws will most likely need. Both merge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from splitting.census import Census, CensusTaker
from splitting.first_rows import FirstRows, FirstRowsTaker
from splitting.frames import pack_frames, unpack_frames
from splitting.rules import Rules


@dataclass(frozen=True, eq=False)
class FirstLook:
    """What was seen of some rows.

    Attributes:
        census: of all of them.
        first_rows: those that come first.
    """

    census: Census
    first_rows: FirstRows

    @classmethod
    def merge(cls, looks: Iterable[FirstLook]) -> FirstLook:
        """Merges both; commutative, associative and exact.

        Args:
            looks: at least one, all of one spec.

        Returns:
            What would have been seen of all their rows.
        """
        parts = list(looks)
        return cls(Census.merge(part.census for part in parts), FirstRows.merge(part.first_rows for part in parts))

    def to_bytes(self) -> bytes:
        """Packs both."""
        return pack_frames({**self.census.frames(), **self.first_rows.frames()})

    @classmethod
    def from_bytes(cls, data: bytes) -> FirstLook:
        """What `to_bytes` packed."""
        frames = unpack_frames(data)
        return cls(Census.of_frames(frames), FirstRows.of_frames(frames))


class FirstLookTaker:
    """Looks at many batches."""

    def __init__(self, rules: Rules, limit: int, bound: int) -> None:
        """Begins with no rows.

        Args:
            rules: what decides about rows.
            limit: how many groups a cell of the census keeps.
            bound: rows of groups up to this `u` are kept.
        """
        self._rules = rules
        self._census = CensusTaker(rules, limit)
        self._first_rows = FirstRowsTaker(rules, bound)

    def add(self, frame: pl.DataFrame, source: str) -> None:
        """Looks at a batch.

        Args:
            frame: the columns that the rules read.
            source: the source of the batch.
        """
        rows = self._rules.examine(frame, source)
        self._census.add(rows, source)
        self._first_rows.add(rows)

    def reject(self, source: str, reasons: Iterable[str]) -> None:
        """Counts rows that could not be read at all.

        Args:
            source: their source.
            reasons: why each of them could not.
        """
        for reason, rows in Counter(reasons).items():
            self._census.reject(source, reason, rows)

    def first_look(self) -> FirstLook:
        """What was seen of all that was added."""
        return FirstLook(self._census.census(), self._first_rows.first_rows())
