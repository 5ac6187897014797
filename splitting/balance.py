"""Repairs a draw of whole groups: first the totals of the splits, then their cells. Bounded, deterministic.

Groups with equal rows in equal strata are of one *kind*; a draw is a table of counts, a row a kind, a column
a split, and a last column for the groups that no split took. Kinds come in the order of their first group, so
that the result does not hang on the numbering of strata. A split's *room* is its total less the rows of its
groups of several rows: single rows are moved about last, wherever they are needed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush
from math import prod

from splitting.cells import Vector, settle_cells
from splitting.rounding import apportion
from splitting.subsets import best_subsets

_Table = list[list[int]]

SUBSET_BITS = 2**27
"""The most bits that an exact search for totals may keep (16 MB)."""


def balance(vectors: Sequence[Vector], counts: _Table, goals: _Table) -> _Table:
    """Makes totals exact where that is possible, then brings cells near their goals.

    Totals are exact when single rows can fill the room that groups leave, which is always so when the pool
    has rows enough, `splits * (largest group - 1)` of them single; or when a search within `SUBSET_BITS`
    finds an exact choice of groups. Otherwise each split lacks less than the largest group. Then a local
    search lowers first what the totals lack, then the sum of the squared differences of cells from goals, the
    rows left over being a cell of each stratum too.

    Args:
        vectors: the rows of each kind.
        counts: how many groups of each kind are in each split, and (last column) in none.
        goals: rows wanted, a list a stratum, a column a split. No split holds more than its column's sum.

    Returns:
        New counts, of the same groups. No split exceeds its total.
    """
    repair = _Repair(vectors, counts, goals)
    repair.add_groups()
    repair.swap_sizes()
    repair.search_subsets()
    repair.place_singles()
    return settle_cells(vectors, repair.counts, goals)


class _Repair:
    """A table of counts under repair, with what follows from it: rooms and deviations of cells."""

    def __init__(self, vectors: Sequence[Vector], counts: _Table, goals: _Table) -> None:
        self.vectors = vectors
        self.counts = [list(count) for count in counts]
        self.sizes = [sum(rows for _, rows in vector) for vector in vectors]
        self.width = len(counts[0]) - 1
        self.singles = [kind for kind, size in enumerate(self.sizes) if size == 1]
        self.groups = [kind for kind, size in enumerate(self.sizes) if size > 1]
        self.room = [sum(goal[split] for goal in goals) for split in range(self.width)]
        self.deviation = [[-rows for rows in goal] for goal in goals]
        for kind, count in enumerate(counts):
            for split in range(self.width):
                if count[split]:
                    self._add(kind, split, count[split])

    def _add(self, kind: int, split: int, number: int) -> None:
        if self.sizes[kind] > 1:
            self.room[split] -= self.sizes[kind] * number
        for stratum, rows in self.vectors[kind]:
            self.deviation[stratum][split] += rows * number

    def move(self, kind: int, source: int, sink: int) -> None:
        """Moves one group of a kind between splits, or (`width`) from or to the groups that none took."""
        self.counts[kind][source] -= 1
        self.counts[kind][sink] += 1
        if source < self.width:
            self._add(kind, source, -1)
        if sink < self.width:
            self._add(kind, sink, 1)

    @property
    def lack(self) -> int:
        """Rows that no single row can fill; totals can be exact when it is not positive."""
        return sum(self.room) - sum(sum(self.counts[kind]) for kind in self.singles)

    def add_groups(self) -> None:
        """Takes groups where there is room, until single rows can fill the rest."""
        lack = self.lack
        for kind in self.groups:
            size = self.sizes[kind]
            while self.counts[kind][-1] and lack > 0:
                fits = [split for split in range(self.width) if self.room[split] >= size]
                if not fits:
                    break
                self.move(kind, self.width, min(fits, key=lambda split: self._change(kind, split)))
                lack -= size

    def _change(self, kind: int, split: int) -> int:
        return sum(rows * (rows + 2 * self.deviation[stratum][split]) for stratum, rows in self.vectors[kind])

    def swap_sizes(self) -> None:
        """Swaps taken groups for larger ones that no split took; the largest gain that fits comes first."""
        while self.lack > 0:
            gain, kind, other, split = max(self._swaps(), default=(0, 0, 0, 0), key=lambda swap: swap[0])
            if not gain:
                return
            self.move(kind, split, self.width)
            self.move(other, self.width, split)
            self.add_groups()

    def _swaps(self) -> Iterator[tuple[int, int, int, int]]:
        free = {self.sizes[kind]: kind for kind in reversed(self.groups) if self.counts[kind][-1]}
        sizes = sorted(free)
        for split in range(self.width):
            taken = {self.sizes[kind]: kind for kind in self.groups if self.counts[kind][split]}
            for size, kind in taken.items():
                at = bisect_right(sizes, size + self.room[split]) - 1
                if at >= 0 and sizes[at] > size:
                    yield sizes[at] - size, kind, free[sizes[at]], split

    def search_subsets(self) -> None:
        """Searches all choices of groups for the best totals: of all splits at once, or else one by one."""
        if self.lack > 0 and not self._search(list(range(self.width))):
            for split in range(self.width):
                if self.lack > 0 and self.room[split]:
                    self._search([split])
            self.add_groups()

    def _search(self, splits: list[int]) -> bool:
        parts = [*splits, self.width]
        items = [(k, part) for k in self.groups for part in parts for _ in range(self.counts[k][part])]
        items.reverse()
        held = [sum(self.sizes[kind] for kind, part in items if part == split) for split in splits]
        totals = [self.room[split] + rows for split, rows in zip(splits, held, strict=True)]
        if prod(total + 1 for total in totals) * max(32, len(items) + 1) > SUBSET_BITS:
            return False
        spare = sum(self.room[split] for split in splits) - self.lack
        home = [parts.index(part) for _, part in items]
        found = best_subsets([self.sizes[kind] for kind, _ in items], home, totals, spare)
        for (kind, part), place in zip(items, found, strict=True):
            self.move(kind, part, parts[place])
        return True

    def place_singles(self) -> None:
        """Gives each split the single rows that it has room for; the cells that differ most come first."""
        number = sum(sum(self.counts[kind]) for kind in self.singles)
        needs = self.room if self.lack <= 0 else apportion(number, self.room, self.room)
        change = [need - sum(self.counts[kind][split] for kind in self.singles) for split, need in enumerate(needs)]
        for split in sorted(range(self.width), key=change.__getitem__):
            if change[split] < 0:
                self._shift_singles(split, self.width, -change[split])
            else:
                self._shift_singles(self.width, split, change[split])

    def _shift_singles(self, source: int, sink: int, number: int) -> None:
        split, sign = (sink, 1) if source == self.width else (source, -1)
        heap = [
            (sign * self.deviation[self.vectors[kind][0][0]][split], kind)
            for kind in self.singles
            if self.counts[kind][source]
        ]
        heapify(heap)
        for _ in range(number):
            key, kind = heappop(heap)
            self.move(kind, source, sink)
            if self.counts[kind][source]:
                heappush(heap, (key + 1, kind))
