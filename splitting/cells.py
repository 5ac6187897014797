"""Brings the cells of a draw to their goals by exchanges of groups; totals are not made worse. Bounded, deterministic.

First a local search: always the exchange of up to two groups for up to two that helps most. It stops where no
such exchange helps, or at its bound; what is left is small, and `exchange` looks for what makes it up exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, combinations_with_replacement, pairwise, product

import numpy as np
import numpy.typing as npt

from splitting.exchange import Exchange, find_exchange, find_steps

Vector = tuple[tuple[int, int], ...]
"""Rows of a group: (stratum, rows), by stratum."""

_Table = list[list[int]]
_Integers = npt.NDArray[np.int64]

SEARCH_MOVES = 1_000
"""The most groups, and pairs of groups, that one step of the local search compares with one another."""
SEARCH_CELLS = 1_000_000
"""The most numbers (kinds by strata) that are kept. The smallest kinds come first; the others stay as they are."""
SEARCH_WORK = 5 * 10**8
"""The most elementary operations of the local search, were each pair compared: a second or so."""
EXACT_SEARCHES = 10
"""The most searches for an exact exchange: half a second each."""
STEPS = 8
"""The most rounds of exchanges that each even out two strata of a split."""


def settle_cells(vectors: Sequence[Vector], counts: _Table, goals: _Table) -> _Table:
    """Lowers what totals lack, then brings cells near their goals, exactly so where an exchange is found.

    What counts as near is the sum of the squared differences of cells from goals, the rows left over being a
    cell of each stratum too.

    Args:
        vectors: the rows of each kind.
        counts: how many groups of each kind are in each split, and (last column) in none.
        goals: rows wanted, a list a stratum, a column a split. No split holds more than its column's sum.

    Returns:
        New counts, of the same groups. No split exceeds its total.
    """
    sizes = [sum(rows for _, rows in vector) for vector in vectors]
    kept = sorted(sorted(range(len(vectors)), key=sizes.__getitem__)[: SEARCH_CELLS // len(goals)])
    rows = np.zeros((len(kept), len(goals)), dtype=np.int64)
    for position, kind in enumerate(kept):
        for stratum, number in vectors[kind]:
            rows[position, stratum] = number
    table = np.array(counts, dtype=np.int64)
    wanted = np.array(goals, dtype=np.int64) - _fixed_rows(vectors, table, kept, len(goals))
    found = table[kept]
    _search(rows, found, wanted)
    _make_exact(rows, found, wanted)
    table[kept] = found
    result: _Table = table.tolist()
    return result


def _fixed_rows(vectors: Sequence[Vector], table: _Integers, kept: list[int], strata: int) -> _Integers:
    """The rows, by stratum and split, of groups of kinds that are not kept."""
    counts = table[:, :-1].copy()
    counts[kept] = 0
    fixed = np.zeros((strata, counts.shape[1]), dtype=np.int64)
    for kind in np.flatnonzero(counts.any(axis=1)).tolist():
        for stratum, number in vectors[kind]:
            fixed[stratum] += number * counts[kind]
    return fixed


def _make_exact(rows: _Integers, table: _Integers, wanted: _Integers) -> None:
    """Makes splits exact, in place, by exchanges with the rest, or else with the rest by way of another split."""
    rest = table.shape[1] - 1
    searches = EXACT_SEARCHES
    ways = [(rest,), *((split, rest) for split in range(rest))]
    for way, split in product(ways, range(rest)):
        lack = wanted - rows.T @ table[:, :-1]
        if split in way or not lack[:, split].any():
            continue
        if searches < len(way):
            return
        searches -= len(way)
        if not _exchange_along(rows, table, lack, (split, *way)) and len(way) == 1:
            _step(rows, table, wanted, split)


def _exchange_along(rows: _Integers, table: _Integers, lack: _Integers, route: tuple[int, ...]) -> bool:
    """Makes each split of a route exact by an exchange with the next part, all or none; says whether it did."""
    trial = table.copy()
    owed = np.zeros(len(lack), dtype=np.int64)
    for part, other in pairwise(route):
        owed = owed + lack[:, part]
        found = find_exchange(rows, trial[:, part], trial[:, other], owed)
        if found is None:
            return False
        _swap(trial, part, other, found)
    table[:] = trial
    return True


def _step(rows: _Integers, table: _Integers, wanted: _Integers, split: int) -> None:
    """Brings a split nearer in two strata at a time, in place."""
    for _ in range(STEPS):
        lack = wanted[:, split] - rows.T @ table[:, split]
        steps = find_steps(rows, table[:, split], table[:, -1], lack)
        if not steps:
            break
        for exchange in steps:
            _swap(table, split, table.shape[1] - 1, exchange)


def _swap(table: _Integers, part: int, other: int, exchange: Exchange) -> None:
    for kinds, source, sink in ((exchange[0], part, other), (exchange[1], other, part)):
        np.subtract.at(table, (kinds, source), 1)
        np.add.at(table, (kinds, sink), 1)


def _search(rows: _Integers, table: _Integers, wanted: _Integers) -> None:
    """Exchanges up to two groups of a part for up to two of another, in place, the best first, until none helps."""
    work = step = fruitless = 0
    while work < SEARCH_WORK:
        deviation = rows.T @ table[:, :-1] - wanted
        if not deviation.any():
            return
        moves, rounds = _moves(table, rows.sum(axis=1), step)
        step += 1
        work += len(moves) ** 2 * (len(wanted) + 12)
        exchange = _best_exchange(moves, rows, deviation)
        if exchange is None:
            fruitless += 1
            if fruitless >= rounds:
                return
            continue
        fruitless = 0
        _apply(table, moves[exchange[0]], moves[exchange[1], 0])
        _apply(table, moves[exchange[1]], moves[exchange[0], 0])


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
    """The exchange of two moves that lowers first what totals lack, then the squared deviations, the most.

    Of equals it is the first. Returned are the positions of the two moves, that of the earlier part first.
    """
    padded = np.vstack([rows, np.zeros((1, rows.shape[1]), dtype=np.int64)])
    vector = padded[moves[:, 1]] + padded[moves[:, 2]]
    size = vector.sum(axis=1)
    room = np.append(-deviation.sum(axis=0), 0)
    limit = max(int(rows.sum(axis=1).max()) - 1, int(room.max()))
    change = _Changes(vector, moves[:, 0], deviation)
    rest = deviation.shape[1]
    found: list[tuple[int, int, int, int]] = []
    for one, other in combinations(range(rest + 1), 2):
        here, there = change.held[one], change.held[other]
        gain = size[there][None, :] - size[here][:, None]
        own_room, other_room = room[one] - gain, 0 if other == rest else room[other] + gain
        lack = -gain if other == rest else np.zeros_like(gain)
        squares = change.between(one, other)
        allowed = (np.minimum(own_room, other_room) >= 0) & (np.maximum(own_room, other_room) <= limit)
        allowed &= (lack < 0) | ((lack == 0) & (squares < 0))
        if allowed.any():
            least = int(lack[allowed].min())
            allowed &= lack == least
            best = int(np.argmin(np.where(allowed, squares, np.iinfo(np.int64).max)))
            row, column = divmod(best, len(there))
            found.append((least, int(squares[row, column]), int(here[row]), int(there[column])))
    return min(found)[2:] if found else None


class _Changes:
    """How much exchanges of moves change the squared deviations.

    Part a gives i and takes j, part b the reverse: with V = v[j] - v[i], the squares of both change by
    2 V (deviation[a] - deviation[b]) + 2 V V. Here it is halved, so that it stays whole.
    """

    def __init__(self, vector: _Integers, part: _Integers, deviation: _Integers) -> None:
        """Computes what no pair needs anew.

        Args:
            vector: rows that each move takes out of its part, a column a stratum.
            part: of each move.
            deviation: of the parts but the last, the rest; a row a stratum.
        """
        full = np.hstack([deviation, -deviation.sum(axis=1, keepdims=True)])
        self.held = [np.flatnonzero(part == number) for number in range(full.shape[1])]
        self._vector, self._product = vector, vector @ full
        own = self._product[np.arange(len(part)), part]
        self._alone = (vector * vector).sum(axis=1) - own

    def between(self, one: int, other: int) -> _Integers:
        """Of the moves of two parts: a row each of the one, a column each of the other."""
        here, there = self.held[one], self.held[other]
        change: _Integers = -2 * (self._vector[here] @ self._vector[there].T)
        change += (self._product[here, other] + self._alone[here])[:, None]
        change += (self._product[there, one] + self._alone[there])[None, :]
        return change
