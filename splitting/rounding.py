"""Rounds quotas to integers with exact sums: one row (apportionment) and a table (controlled rounding).

All decisions are made on integers: a quota is a numerator over a common denominator, never a float.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

_Integers = npt.NDArray[np.int64]
_Flags = npt.NDArray[np.bool_]


def apportion(total: int, weights: Sequence[int], caps: Sequence[int] | None = None) -> list[int]:
    """Shares a whole number in proportion to weights, by largest remainder (Hamilton's method).

    A share whose quota reaches its cap is the cap; what it leaves is shared by the others in proportion. A
    zero weight gets nothing.

    Args:
        total: rows to share; not negative.
        weights: not negative; in the order of the shares.
        caps: the most that each share can be; None for no limit.

    Returns:
        The shares, in the order of the weights. They sum to `total`, and each is the floor or the ceiling of
        its quota `total * weight / sum(weights)` when no cap binds. Equal remainders go to the earlier
        position.

    Raises:
        ValueError: a negative number, or the caps (of positive weights) cannot hold the total: our bug.

    Examples:
        >>> apportion(10, [6, 6, 2])
        [4, 4, 2]
        >>> apportion(10, [6, 6, 2], caps=[10, 1, 10])
        [7, 1, 2]
    """
    limits = [total] * len(weights) if caps is None else list(caps)
    if total < 0 or len(limits) != len(weights) or min([0, *weights, *limits]) < 0:
        raise ValueError(f"total, weights and caps must be whole and alike: {total}, {weights}, {caps}")
    holds = sum(cap for cap, weight in zip(limits, weights, strict=True) if weight)
    if total and holds < total:
        raise ValueError(f"cannot share {total}: the caps of the positive weights hold {holds}")
    shares = [0] * len(weights)
    left, active = total, [i for i, weight in enumerate(weights) if weight]
    while left:
        mass = sum(weights[i] for i in active)
        full = [i for i in active if left * weights[i] >= limits[i] * mass]
        if not full:
            return _largest_remainder(left, weights, active, mass, shares)
        for i in full:
            shares[i] = limits[i]
        left -= sum(limits[i] for i in full)
        active = [i for i in active if not shares[i] and limits[i]]
    return shares


def _largest_remainder(left: int, weights: Sequence[int], active: list[int], mass: int, shares: list[int]) -> list[int]:
    for i in active:
        shares[i] = left * weights[i] // mass
    missing = left - sum(shares[i] for i in active)
    for i in sorted(active, key=lambda i: -(left * weights[i] % mass))[:missing]:
        shares[i] += 1
    return shares


def controlled_rounding(rows: Sequence[int], sizes: Sequence[int]) -> list[list[int]]:
    """Shares the rows of each stratum over splits, so that every cell and every margin is right.

    The quotas `rows[s] * sizes[c] / sum(rows)`, with one more column for what no split takes, are a
    transportation table with whole margins, so a whole table of floors and ceilings exists (total
    unimodularity; Cox 1987). Each stratum first rounds up its largest fractions; then single rows move along
    paths of columns, the smallest loss first, until every column is right.

    Args:
        rows: pool rows of each stratum; not negative.
        sizes: rows of each split; their sum is at most the sum of `rows`.

    Returns:
        Integers, a list a stratum, a column a split. Each is the floor or the ceiling of its quota; each
        column sums to its size; and so does what is left of each stratum, of its own quota. Equal fractions
        go to the earlier column, equal losses to the earlier stratum.

    Raises:
        ValueError: a negative number, or sizes that exceed the pool: our bug.

    Examples:
        >>> controlled_rounding([5, 5, 2], [3, 3])
        [[1, 2], [1, 1], [1, 0]]
    """
    pool, asked = sum(rows), sum(sizes)
    if min([0, *rows, *sizes]) < 0 or asked > pool:
        raise ValueError(f"sizes {list(sizes)} ask for {asked} of {pool} rows")
    columns = [*sizes, pool - asked]
    if not pool or not sizes:
        return [[0] * len(sizes) for _ in rows]
    # Products may pass 64 bits, so they are Python integers; quotients and remainders do not.
    pairs = [[divmod(count * size, pool) for size in columns] for count in rows]
    table = np.array([[quotient for quotient, _ in pair] for pair in pairs], dtype=np.int64)
    fractions = np.array([[remainder for _, remainder in pair] for pair in pairs], dtype=np.int64)
    wanted = np.array(rows, dtype=np.int64) - table.sum(axis=1)
    order = np.argsort(-fractions, axis=1, kind="stable")
    rank = np.argsort(order, axis=1, kind="stable")
    up = rank < wanted[:, None]
    _fix_columns(up, fractions, np.array(columns, dtype=np.int64) - table.sum(axis=0))
    result: list[list[int]] = (table + up)[:, :-1].tolist()
    return result


def _fix_columns(up: _Flags, fractions: _Integers, wanted: _Integers) -> None:
    """Moves roundings up between columns, in place, until each column has as many as wanted."""
    surplus = up.sum(axis=0) - wanted
    while surplus.any():
        path = _shortest_path(up, fractions, surplus)
        steps = list(pairwise(path))
        chosen = [_movable(up, fractions, source, sink) for source, sink in steps]
        count = min(int(surplus[path[0]]), int(-surplus[path[-1]]), *(len(found) for found in chosen))
        # Rows of consecutive steps differ (the shared column is down in one and up in the next), and steps of
        # one path share no other column: the moves do not disturb each other.
        for (source, sink), found in zip(steps, chosen, strict=True):
            loss = fractions[found, source] - fractions[found, sink]
            moved = found[np.argsort(loss, kind="stable")[:count]]
            up[moved, source], up[moved, sink] = False, True
        surplus[path[0]] -= count
        surplus[path[-1]] += count


def _movable(up: _Flags, fractions: _Integers, source: int, sink: int) -> _Integers:
    return np.flatnonzero(up[:, source] & ~up[:, sink] & (fractions[:, sink] > 0))


def _shortest_path(up: _Flags, fractions: _Integers, surplus: _Integers) -> list[int]:
    """The shortest path of columns from one with too many to one with too few, earlier columns first."""
    count = len(surplus)
    open_down = ~up & (fractions > 0)
    edge = up.T.astype(np.int64) @ open_down.astype(np.int64)
    paths = [[column] for column in range(count) if surplus[column] > 0]
    seen = {path[0] for path in paths}
    for path in paths:
        for column in range(count):
            if column in seen or not edge[path[-1], column]:
                continue
            if surplus[column] < 0:
                return [*path, column]
            seen.add(column)
            paths.append([*path, column])
    raise AssertionError("a transportation table with whole margins has a whole rounding")
