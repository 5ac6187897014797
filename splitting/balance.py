"""Repairs a draw of whole groups: first the totals of the splits, then their cells. Bounded, deterministic.

Groups with equal rows in equal strata are of one *kind*; a draw is a table of counts, a row a kind, a column
a split, and a last column for the groups that no split took. Kinds come in the order of their first group, so
that the result does not hang on the numbering of strata. A split's *room* is its total less the rows of its
groups of several rows: single rows are moved about last, wherever they are needed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cache, reduce
from heapq import heapify, heappop, heappush
from itertools import combinations_with_replacement
from math import prod
from operator import or_

import numpy as np
import numpy.typing as npt

from splitting.rounding import apportion

Vector = tuple[tuple[int, int], ...]
"""Rows of a group: (stratum, rows), by stratum."""

_Table = list[list[int]]
_Integers = npt.NDArray[np.int64]

SUBSET_BITS = 2**27
"""The most bits that an exact search for totals may keep (16 MB)."""
SEARCH_MOVES = 1_000
"""The most groups, and pairs of groups, that one step of the local search compares with one another."""
SEARCH_CELLS = 4_000_000
"""The most numbers (kinds by strata) that the local search keeps."""
SEARCH_WORK = 5 * 10**8
"""The most elementary operations of the local search: a few seconds."""


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
    return _local_search(vectors, repair.counts, goals)


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


def best_subsets(sizes: Sequence[int], home: Sequence[int], totals: Sequence[int], spare: int) -> list[int]:
    """Shares groups over splits so that totals are met: a subset-sum table in bits, for all splits at once.

    Args:
        sizes: rows of each group.
        home: the part that each group is in now; a part is the index of a split, or their number for none.
        totals: the most rows that each split can hold.
        spare: rows that something else can fill. What the totals lack need not be less than that.

    Returns:
        The part of each group: totals lack as much as possible up to `spare`, or else as little as possible.
        The last groups stay at home first.

    Examples:
        >>> best_subsets([4, 3, 3, 2], [2, 0, 2, 2], [6, 4], 0)
        [1, 0, 0, 2]
    """
    none = len(totals)
    strides = [prod(total + 1 for total in totals[:split]) for split in range(none)]
    states = prod(total + 1 for total in totals)

    @cache
    def fitting(split: int, size: int) -> int:
        """A bit for each state in which the split has room for the size."""
        period = strides[split] * (totals[split] + 1)
        bits = (1 << (strides[split] * max(0, totals[split] + 1 - size))) - 1
        while period < states:
            bits |= bits << period
            period *= 2
        return bits & ((1 << states) - 1)

    reached = [1]
    for size in sizes:
        now = reached[-1]
        shifted = ((now & fitting(split, size)) << (size * strides[split]) for split in range(none))
        reached.append(reduce(or_, shifted, now))
    state = _best_state(reached[-1], totals, spare)
    parts: list[int] = []
    for size, part, before in zip(reversed(sizes), reversed(home), reversed(reached[:-1]), strict=True):
        for option in (part, none, *range(none)):
            used = 0 if option == none else size
            stride = 0 if option == none else strides[option]
            if (option == none or state // stride % (totals[option] + 1) >= used) and (
                before >> (state - used * stride) & 1
            ):
                state -= used * stride
                parts.append(option)
                break
    return parts[::-1]


def _best_state(reached: int, totals: Sequence[int], spare: int) -> int:
    states = prod(total + 1 for total in totals)
    raw = np.frombuffer(reached.to_bytes(states // 8 + 1, "little"), dtype=np.uint8)
    numbers = np.flatnonzero(np.unpackbits(raw, bitorder="little"))
    lacks = np.full(len(numbers), sum(totals), dtype=np.int64)
    rest = numbers.copy()
    for total in totals:
        lacks -= rest % (total + 1)
        rest //= total + 1
    enough = lacks <= spare
    score = np.where(enough, -lacks, lacks + (sum(totals) if enough.any() else 0))
    return int(numbers[np.argmin(score)])


def _local_search(vectors: Sequence[Vector], counts: _Table, goals: _Table) -> _Table:
    """Exchanges up to two groups of a part for up to two of another, the best first, until none helps."""
    if len(vectors) * len(goals) > SEARCH_CELLS:
        return counts
    rows = np.zeros((len(vectors), len(goals)), dtype=np.int64)
    for kind, vector in enumerate(vectors):
        for stratum, number in vector:
            rows[kind, stratum] = number
    table, wanted = np.array(counts, dtype=np.int64), np.array(goals, dtype=np.int64)
    work = step = fruitless = 0
    while work < SEARCH_WORK:
        deviation = rows.T @ table[:, :-1] - wanted
        if not deviation.any():
            break
        moves, rounds = _moves(table, rows.sum(axis=1), step)
        step += 1
        work += len(moves) ** 2 * (len(goals) + 12)
        exchange = _best_exchange(moves, rows, deviation)
        if exchange is None:
            fruitless += 1
            if fruitless >= rounds:
                break
            continue
        fruitless = 0
        _apply(table, moves[exchange[0]], moves[exchange[1], 0])
        _apply(table, moves[exchange[1]], moves[exchange[0], 0])
    result: _Table = table.tolist()
    return result


def _apply(table: _Integers, move: _Integers, sink: int) -> None:
    for kind in move[1:]:
        if kind >= 0:
            table[kind, move[0]] -= 1
            table[kind, sink] += 1


def _moves(table: _Integers, sizes: _Integers, step: int) -> tuple[_Integers, int]:
    """What can leave a part: nothing, a group, or (unless too many) two: part, kind or -1, kind or -1.

    Where a part has too many kinds, each step looks at others of them, evenly spaced by size. The second
    number is how many steps it takes to look at all.
    """
    parts = table.shape[1]
    nothing = [(part, -1, -1) for part in range(parts)]
    order = np.argsort(sizes, kind="stable")
    all_kinds = [order[table[order, part] > 0] for part in range(parts)]
    strides = [-(-len(held) // (SEARCH_MOVES // parts)) or 1 for held in all_kinds]
    kinds = [held[step % stride :: stride].tolist() for held, stride in zip(all_kinds, strides, strict=True)]
    single = [(part, kind, -1) for part, held in enumerate(kinds) for kind in held]
    double: list[tuple[int, int, int]] = []
    if sum(len(held) * (len(held) + 3) // 2 + 1 for held in kinds) <= SEARCH_MOVES:
        double = [
            (part, kind, other)
            for part, held in enumerate(kinds)
            for kind, other in combinations_with_replacement(held, 2)
            if kind != other or table[kind, part] > 1
        ]
    return np.array([*nothing, *single, *double], dtype=np.int64), max(strides)


def _best_exchange(moves: _Integers, rows: _Integers, deviation: _Integers) -> tuple[int, int] | None:
    """The exchange of two moves that lowers first what totals lack, then the squared deviations, the most."""
    part, rest = moves[:, 0], deviation.shape[1]
    padded = np.vstack([rows, np.zeros((1, rows.shape[1]), dtype=np.int64)])
    vector = padded[moves[:, 1]] + padded[moves[:, 2]]
    size = vector.sum(axis=1)
    full = np.hstack([deviation, -deviation.sum(axis=1, keepdims=True)])
    room = np.append(-deviation.sum(axis=0), 0)
    # Part a gives i and takes j, part b the reverse: with V = v[j] - v[i], the squares of both change by
    # 2 V (deviation[a] - deviation[b]) + 2 V V. Here it is halved, so that it stays whole.
    product = vector @ full
    cross = product[:, part]
    own = product[np.arange(len(part)), part]
    square = (vector * vector).sum(axis=1)
    change = cross + cross.T - own[:, None] - own[None, :]
    change += square[:, None] + square[None, :] - 2 * (vector @ vector.T)
    gain = size[None, :] - size[:, None]
    own_room = np.where(part[:, None] == rest, 0, room[part][:, None] - gain)
    other_room = np.where(part[None, :] == rest, 0, room[part][None, :] + gain)
    lack = np.where(part[None, :] == rest, -gain, 0) + np.where(part[:, None] == rest, gain, 0)
    limit = max(int(rows.sum(axis=1).max()) - 1, int(room.max()))
    allowed = (part[:, None] < part[None, :]) & (np.minimum(own_room, other_room) >= 0)
    allowed &= (np.maximum(own_room, other_room) <= limit) & ((lack < 0) | ((lack == 0) & (change < 0)))
    if not allowed.any():
        return None
    allowed &= lack == lack[allowed].min()
    best = int(np.argmin(np.where(allowed, change, np.iinfo(np.int64).max)))
    return best // len(part), best % len(part)
