"""Finds a few groups whose exchange makes up a difference exactly: meet in the middle over sums of moves.

A move gives a group to another part of a draw, or takes one from it. All sums of two moves are kept under a
linear hash, and a lookup finds two such sums that make up the difference. If there are none, sums of four
moves are made from the pairs that change least, and looked up in the same way. The last resort is two groups
of any size with single rows as small change. Every bound is a constant, and nothing is left to chance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import numpy.typing as npt

MOVES = 1_000
"""The most moves, or sums of two, of which all pairs are made: half a million sums, 40 MB, half a second."""
STEP_MOVES = 300
"""The same for each of the many searches that even out two strata."""
CANDIDATES = 64
"""The most exchanges with the right hash whose rows are counted."""

_Integers = npt.NDArray[np.int64]
Exchange = tuple[list[int], list[int]]
"""Kinds given and kinds taken, sorted; a kind once for each of its groups."""


@dataclass(frozen=True, eq=False)
class _Moves:
    """What a part can give or take, a row a kind and direction, the smallest groups first; row 0 moves nothing.

    Attributes:
        kinds: of the groups; any for row 0.
        signs: -1 to give a group, 1 to take one, 0 for nothing.
        limits: how many groups there are; more than any exchange has for nothing.
        vectors: what one of them changes, a column a stratum.
    """

    kinds: _Integers
    signs: _Integers
    limits: _Integers
    vectors: _Integers

    def sums(self) -> _Sums:
        """Each move as a sum of one."""
        size = np.abs(self.vectors).sum(axis=1)
        terms = np.arange(len(self.kinds))[:, None]
        return _Sums(self.vectors @ _weights(self.vectors.shape[1]), np.abs(self.signs), size, terms)

    def exchange(self, moves: Sequence[int]) -> Exchange:
        """The kinds that some moves give and take."""
        give, take = ([int(self.kinds[move]) for move in moves if self.signs[move] == sign] for sign in (-1, 1))
        return sorted(give), sorted(take)

    def make_up(self, moves: Sequence[int], wanted: _Integers) -> bool:
        """Whether there are groups enough, and they change just what is wanted."""
        enough = all(number <= self.limits[move] for move, number in Counter(moves).items())
        return enough and bool((self.vectors[list(moves)].sum(axis=0) == wanted).all())


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums of moves, of which no two have one hash; those of the fewest groups, then rows, come first.

    Attributes:
        hashes: of the sums. The hash of a sum is the sum of the hashes.
        groups: how many groups each moves.
        rows: how many rows each moves.
        terms: the moves, a row a sum.
    """

    hashes: _Integers
    groups: _Integers
    rows: _Integers
    terms: _Integers

    @cached_property
    def by_hash(self) -> _Integers:
        """The positions of the sums in the order of their hashes."""
        return np.argsort(self.hashes)


def find_exchange(rows: _Integers, given: _Integers, taken: _Integers, wanted: _Integers) -> Exchange | None:
    """Finds the groups that a part must give and take to gain the rows that it wants.

    Among the kinds looked at (the `MOVES / 2` smallest by their strata, each way), no exchange of up to four groups is
    overlooked; of those of five to eight groups, and of two groups with single rows, some are looked at.

    Args:
        rows: of a group of each kind; a column a stratum.
        given: of each kind, how many groups the part can give.
        taken: of each kind, how many groups it can take.
        wanted: rows of each stratum that the part must gain, or lose where negative.

    Returns:
        The exchange; None when none was found. Of those of up to four groups, it has the fewest groups, then the
        fewest rows; ties go by the sizes of the groups and the order of kinds.

    Examples:
        >>> rows = np.array([[3, 0], [1, 1], [1, 0]])
        >>> find_exchange(rows, np.array([1, 0, 0]), np.array([0, 1, 1]), np.array([-1, 1]))
        ([0], [1, 2])
    """
    moves = _moves(rows, given, taken, MOVES)
    twos = _pairs(moves.sums(), moves.limits > 1)
    found = _meet(twos, twos, moves, wanted)
    if found is None:
        fours = _pairs(_least_change(twos, moves.vectors))
        found = _meet(fours, twos, moves, wanted) or _meet(fours, fours, moves, wanted)
    return moves.exchange(found) if found else _with_change(rows, given, taken, wanted)


def find_steps(rows: _Integers, given: _Integers, taken: _Integers, wanted: _Integers) -> list[Exchange]:
    """Finds exchanges of up to four groups that each bring two strata nearer to what is wanted, and change no other.

    Args:
        rows: as for `find_exchange`, like the others.
        given: see there.
        taken: see there.
        wanted: see there; the rows that one stratum gains, another loses.

    Returns:
        Exchanges that can be made together: no stratum is in two of them, and there are groups enough. Those that
        bring most come first.
    """
    moves = _moves(rows, given, taken, STEP_MOVES)
    twos = _pairs(moves.sums(), moves.limits > 1)
    steps: list[tuple[int, int, Exchange, tuple[int, int]]] = []
    for less, more in product(np.flatnonzero(wanted < 0).tolist(), np.flatnonzero(wanted > 0).tolist()):
        for number in {1, min(int(wanted[more]), int(-wanted[less]))}:
            goal = np.zeros_like(wanted)
            goal[[less, more]] = -number, number
            found = _meet(twos, twos, moves, goal)
            if found:
                gain = int((wanted * wanted).sum() - ((wanted - goal) ** 2).sum())
                groups = int(np.count_nonzero(moves.signs[found]))
                steps.append((-gain, groups, moves.exchange(found), (less, more)))
    used: set[int] = set()
    left = (given.copy(), taken.copy())
    chosen: list[Exchange] = []
    for _, _, exchange, strata in sorted(steps):
        needs = [np.bincount(kinds, minlength=len(rows)) for kinds in map(_kinds, exchange)]
        if used.isdisjoint(strata) and all((need <= have).all() for need, have in zip(needs, left, strict=True)):
            used.update(strata)
            for need, have in zip(needs, left, strict=True):
                np.subtract(have, need, out=have)
            chosen.append(exchange)
    return chosen


def _kinds(kinds: list[int]) -> _Integers:
    return np.array(kinds, dtype=np.int64)


def _moves(rows: _Integers, given: _Integers, taken: _Integers, most: int) -> _Moves:
    chosen = [_smallest(rows, np.flatnonzero(counts))[: most // 2] for counts in (given, taken)]
    kinds = np.concatenate(chosen)
    signs = np.repeat([-1, 1], [len(part) for part in chosen])
    limits = np.concatenate([counts[part] for counts, part in zip((given, taken), chosen, strict=True)])
    order = np.lexsort((signs, kinds, rows.sum(axis=1)[kinds]))
    kinds, signs, limits = kinds[order], signs[order], limits[order]
    vectors = rows[kinds] * signs[:, None]
    return _Moves(
        np.insert(kinds, 0, 0), np.insert(signs, 0, 0), np.insert(limits, 0, 8), np.insert(vectors, 0, 0, axis=0)
    )


def _smallest(rows: _Integers, kinds: _Integers) -> _Integers:
    """Kinds in the order of the least of their ranks by size among the kinds of each stratum."""
    sizes = rows.sum(axis=1)
    at, stratum = np.nonzero(rows[kinds])
    order = np.lexsort((at, sizes[kinds[at]], stratum))
    rank = np.arange(len(at)) - np.searchsorted(stratum[order], stratum[order])
    least = np.full(len(kinds), len(kinds))
    np.minimum.at(least, at[order], rank)
    return kinds[np.lexsort((kinds, sizes[kinds], least))]


def _weights(count: int) -> _Integers:
    """Fixed odd numbers (SplitMix64; Steele, Lea and Flood 2014). The hash only finds exchanges: rows decide."""
    z = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (z ^ (z >> np.uint64(31)) | np.uint64(1)).view(np.int64)


def _pairs(sums: _Sums, twice: npt.NDArray[np.bool_] | None = None) -> _Sums:
    """All sums of two, one for each hash: that of the fewest groups, then rows, then the first.

    `twice` says which can be used twice; None is all.
    """
    one, two = np.triu_indices(len(sums.hashes))
    if twice is not None:
        possible = (one != two) | twice[one]
        one, two = one[possible], two[possible]
    hashes = sums.hashes[one] + sums.hashes[two]
    groups, rows = sums.groups[one] + sums.groups[two], sums.rows[one] + sums.rows[two]
    order = np.lexsort((rows, groups))
    kept = order[np.sort(np.unique(hashes[order], return_index=True)[1])]
    terms = np.hstack([sums.terms[one[kept]], sums.terms[two[kept]]])
    return _Sums(hashes[kept], groups[kept], rows[kept], terms)


def _least_change(twos: _Sums, vectors: _Integers) -> _Sums:
    """The sums of two moves that change the cells least, by squares."""
    squares = (vectors * vectors).sum(axis=1)
    one, two = twos.terms.T
    change = squares[one] + squares[two] + 2 * (vectors @ vectors.T)[one, two]
    kept = np.argsort(change, kind="stable")[:MOVES]
    return _Sums(twos.hashes[kept], twos.groups[kept], twos.rows[kept], twos.terms[kept])


def _meet(some: _Sums, others: _Sums, moves: _Moves, wanted: _Integers) -> list[int] | None:
    """The moves of two sums, one of each sort, that together change what is wanted."""
    goal = int(wanted @ _weights(len(wanted)))
    found = np.searchsorted(others.hashes, goal - some.hashes, sorter=others.by_hash)
    partner = others.by_hash[np.minimum(found, len(others.hashes) - 1)]
    hits = np.flatnonzero(some.hashes + others.hashes[partner] == goal)
    partner = partner[hits]
    order = np.lexsort((some.rows[hits] + others.rows[partner], some.groups[hits] + others.groups[partner]))
    for at in order[:CANDIDATES]:
        terms = [*some.terms[hits[at]].tolist(), *others.terms[partner[at]].tolist()]
        if moves.make_up(terms, wanted):
            return terms
    return None


def _with_change(rows: _Integers, given: _Integers, taken: _Integers, wanted: _Integers) -> Exchange | None:
    """Up to two groups of several rows, and single rows that make up what they leave; the fewest groups."""
    sizes = rows.sum(axis=1)
    single = np.flatnonzero(sizes == 1)
    stratum = rows[single].argmax(axis=1)
    most, least = np.zeros_like(wanted), np.zeros_like(wanted)
    most[stratum], least[stratum] = taken[single], -given[single]
    moves = _moves(rows, np.where(sizes > 1, given, 0), np.where(sizes > 1, taken, 0), MOVES)
    none = int(np.iinfo(np.int64).max)
    fewest, pair, change = none, (0, 0), np.zeros_like(wanted)
    for one, vector in enumerate(moves.vectors):
        left = wanted - vector - moves.vectors[one:]
        fits = ((left <= most) & (left >= least)).all(axis=1)
        fits[0] &= moves.limits[one] > 1
        groups = np.abs(left).sum(axis=1) + np.abs(moves.signs[one:]) + abs(moves.signs[one])
        two = int(np.argmin(np.where(fits, groups, none)))
        if fits[two] and groups[two] < fewest:
            fewest, pair, change = int(groups[two]), (one, one + two), left[two]
    if fewest == none:
        return None
    give, take = moves.exchange(pair)
    for kind, number in zip(single.tolist(), change[stratum].tolist(), strict=True):
        (take if number > 0 else give).extend([kind] * abs(number))
    return sorted(give), sorted(take)
