"""The draw: which groups make up the splits. Groups are examined in the order of `u`; the first that fit win.

A group fits a split when it fits each of its cells (a stratum of a split). When every group is one row, this
is the bottom-k sample of each stratum (Cohen and Kaplan 2007), and nothing else in this module or in
`balance` runs. Only whole groups of several rows can leave cells open; `balance` then makes the totals exact
and the cells close.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from splitting.balance import balance
from splitting.cells import Vector
from splitting.rounding import apportion, controlled_rounding

_Table = list[list[int]]
_Choose = Callable[[Vector], int]
_NONE = -1


@dataclass(frozen=True)
class DrawRequest:
    """What a draw shall give.

    Attributes:
        splits: names, in the order of the spec, which is the order of every tie.
        quotas: rows still wanted, a tuple a stratum, a column a split. Rows that are frozen are taken off
            already.
        complete: per stratum, whether the candidates hold every eligible group of it.
        on_shortfall: what to do with rows that a stratum does not have: `fill` takes them from other strata;
            `error` and `allow` leave them out (it is the caller who raises).
    """

    splits: tuple[str, ...]
    quotas: tuple[tuple[int, ...], ...]
    complete: tuple[bool, ...]
    on_shortfall: Literal["error", "fill", "allow"] = "error"


@dataclass(frozen=True)
class Shortfall:
    """A stratum that has fewer rows than its splits want together.

    Attributes:
        split: a split that goes short.
        stratum: index of the stratum.
        wanted: rows that the split wants of the stratum.
        available: the split's share of the rows that there are.
    """

    split: str
    stratum: int
    wanted: int
    available: int


@dataclass(frozen=True, eq=False)
class Draw:
    """What a draw gives.

    Attributes:
        taken: `u` (UInt64) and `split` (String), a row a group, sorted by `u`.
        rows: rows drawn, a tuple a stratum, a column a split.
        shortfalls: by stratum, then split; only strata whose candidates are complete.
        deviation: per split, rows drawn less rows wanted; never positive.
        needs_deeper: a total, or a cell of a stratum of single rows, is not exact, and a longer list of
            candidates exists.
        last_u: the largest `u` examined; None when nothing was.
    """

    taken: pl.DataFrame
    rows: tuple[tuple[int, ...], ...]
    shortfalls: tuple[Shortfall, ...]
    deviation: tuple[int, ...]
    needs_deeper: bool
    last_u: int | None


@dataclass(frozen=True, eq=False)
class _Pool:
    """The candidates in the order of `u`. Groups with equal rows in equal strata are of one kind.

    Attributes:
        u: sorted, a number a group.
        kinds: the kind of each group; kinds are numbered by their first group.
        vectors: the rows of each kind.
        available: rows of each stratum.
        strata: indices of the strata by their first group: an order that does not hang on their numbers.
    """

    u: npt.NDArray[np.uint64]
    kinds: list[int]
    vectors: list[Vector]
    available: list[int]
    strata: list[int]


def draw(candidates: pl.DataFrame, request: DrawRequest) -> Draw:
    """Draws whole groups for all splits of a pool at once.

    A group goes to the split, of those where it fits every cell, that lacks the largest fraction of what it
    wants of the group's strata; equal fractions go to the earlier split. The draw ends when every cell is
    full. Otherwise all candidates are examined, those passed over are taken where they bring cells nearer to
    their quotas, and `balance` repairs totals, then cells. No split ever exceeds its total.

    Args:
        candidates: `u` (UInt64, a group's identity), `stratum` (UInt32, an index) and `rows` (Int64,
            positive); a row for each group and stratum, in any order.
        request: what is wanted.

    Returns:
        The draw. It depends on the set of candidates and on the request, on nothing else.

    Raises:
        ValueError: the request's tables do not agree, or a row count is not positive: our bug.

    Examples:
        >>> groups = pl.DataFrame({"u": [9, 4, 7], "stratum": [0, 0, 0], "rows": [1, 1, 1]})
        >>> drawn = draw(groups, DrawRequest(("test", "dev"), ((1, 1),), (True,)))
        >>> drawn.taken.rows(), drawn.deviation, drawn.last_u
        ([(4, 'test'), (7, 'dev')], (0, 0), 7)
    """
    width = len(request.splits)
    if len(request.complete) != len(request.quotas) or any(len(quota) != width for quota in request.quotas):
        raise ValueError("a draw needs a quota for each stratum and split, and a `complete` for each stratum")
    pool = _pool(candidates, len(request.quotas))
    goals = _goals(pool, request)
    where, examined = _place(pool, request, goals)
    return _result(pool, request, goals, np.array(where, dtype=np.int64), examined)


def _pool(candidates: pl.DataFrame, strata: int) -> _Pool:
    ordered = candidates.select(
        pl.col("u").cast(pl.UInt64), pl.col("stratum").cast(pl.Int64), pl.col("rows").cast(pl.Int64)
    ).sort("u", "stratum")
    if not ordered["rows"].fill_null(0).gt(0).all() or not ordered["stratum"].is_between(0, strata - 1).all():
        raise ValueError("candidates need positive rows and a stratum that the request has")
    numbers = ordered["u"].to_numpy()
    starts = np.flatnonzero(np.concatenate([[True], numbers[1:] != numbers[:-1]])[: len(numbers)])
    cells = list(zip(ordered["stratum"].to_list(), ordered["rows"].to_list(), strict=True))
    ends = [*starts[1:].tolist(), len(cells)]
    index: dict[Vector, int] = {}
    kinds = [
        index.setdefault(tuple(cells[start:end]), len(index)) for start, end in zip(starts.tolist(), ends, strict=False)
    ]
    available, first = [0] * strata, [len(cells)] * strata
    by_stratum = ordered.with_row_index("position").group_by("stratum")
    totals = by_stratum.agg(pl.col("rows").sum(), pl.col("position").min())
    for stratum, rows, position in totals.iter_rows():
        available[stratum], first[stratum] = rows, position
    order = sorted(range(strata), key=first.__getitem__)
    return _Pool(numbers[starts], kinds, list(index), available, order)


def _goals(pool: _Pool, request: DrawRequest) -> _Table:
    """The quotas less what a complete stratum does not have, plus (`fill`) as many rows of other strata."""
    goals = [list(quota) for quota in request.quotas]
    missing = [0] * len(request.splits)
    for stratum in pool.strata:
        quota = request.quotas[stratum]
        if request.complete[stratum] and pool.available[stratum] < sum(quota):
            # The split that has gone shortest so far comes first in a tie.
            order = sorted(range(len(quota)), key=lambda split: -missing[split])
            weights = [quota[split] for split in order]
            for split, share in zip(order, apportion(pool.available[stratum], weights, weights), strict=True):
                goals[stratum][split] = share
                missing[split] += quota[split] - share
    if request.on_shortfall == "fill" and any(missing):
        spare = [max(0, pool.available[stratum] - sum(goals[stratum])) for stratum in pool.strata]
        filled = min(sum(spare), sum(missing))
        more = controlled_rounding(apportion(filled, spare, spare), apportion(filled, missing, missing))
        for stratum, extra in zip(pool.strata, more, strict=True):
            goals[stratum] = [goal + rows for goal, rows in zip(goals[stratum], extra, strict=True)]
    return goals


def _place(pool: _Pool, request: DrawRequest, goals: _Table) -> tuple[list[int], int]:
    """The split of each group (-1 for none), and how many groups were examined."""
    width = len(request.splits)
    remaining = [list(goal) for goal in goals]
    where = [_NONE] * len(pool.kinds)
    totals = [sum(row[split] for row in goals) for split in range(width)]
    examined = _walk(pool, where, remaining, totals, lambda vector: _neediest(vector, remaining, goals))
    # A stratum that lacks candidates is no cause for repairs: the caller comes back with more of them.
    deeper = any(
        have < sum(goal) and not complete
        for have, goal, complete in zip(pool.available, goals, request.complete, strict=True)
    )
    if not any(totals) or deeper or all(_size(vector) == 1 for vector in pool.vectors):
        return where, examined
    _walk(pool, where, remaining, totals, lambda vector: _nearest(vector, remaining, totals))
    counts = [[0] * (width + 1) for _ in pool.vectors]
    for kind, split in zip(pool.kinds, where, strict=True):
        counts[kind][split] += 1
    return _assign(pool.kinds, where, balance(pool.vectors, counts, goals)), examined


def _walk(pool: _Pool, where: list[int], remaining: _Table, totals: list[int], choose: _Choose) -> int:
    """Takes groups in the order of `u`, in place, until no split wants rows; returns how many were examined.

    `choose` gives a split or -1. Taking rows never makes it accept what it refused before, so that a kind
    which was refused once is not asked about again.
    """
    wanted = sum(totals)
    refused = bytearray(len(pool.vectors))
    for position, kind in enumerate(pool.kinds):
        if not wanted:
            return position
        if refused[kind] or where[position] != _NONE:
            continue
        split = choose(pool.vectors[kind])
        if split == _NONE:
            refused[kind] = 1
            continue
        where[position] = split
        for stratum, rows in pool.vectors[kind]:
            remaining[stratum][split] -= rows
            totals[split] -= rows
            wanted -= rows
    return len(pool.kinds)


def _neediest(vector: Vector, remaining: _Table, goals: _Table) -> int:
    """The split that lacks the largest fraction of its goal, where the group fits every cell."""
    best, best_lack, best_goal = _NONE, 0, 1
    if len(vector) == 1:
        ((stratum, rows),) = vector
        for split, lack in enumerate(remaining[stratum]):
            if lack >= rows and lack * best_goal > best_lack * goals[stratum][split]:
                best, best_lack, best_goal = split, lack, goals[stratum][split]
        return best
    for split in range(len(remaining[0])):
        if all(rows <= remaining[stratum][split] for stratum, rows in vector):
            lack = sum(remaining[stratum][split] for stratum, _ in vector)
            goal = sum(goals[stratum][split] for stratum, _ in vector)
            if lack * best_goal > best_lack * goal:
                best, best_lack, best_goal = split, lack, goal
    return best


def _nearest(vector: Vector, remaining: _Table, totals: Sequence[int]) -> int:
    """The split whose total the group fits and whose cells it brings nearest to their goals, by squares."""
    best, best_change = _NONE, 0
    for split, room in enumerate(totals):
        change = sum(rows * (rows - 2 * remaining[stratum][split]) for stratum, rows in vector)
        if change < best_change and _size(vector) <= room:
            best, best_change = split, change
    return best


def _size(vector: Vector) -> int:
    return sum(rows for _, rows in vector)


def _assign(kinds: Sequence[int], where: Sequence[int], counts: _Table) -> list[int]:
    """Gives each kind's first groups to its splits; a group keeps its split where the counts allow it."""
    width = len(counts[0]) - 1
    taken = [sum(count[:width]) for count in counts]
    chosen: list[int] = []
    for position, kind in enumerate(kinds):
        if taken[kind]:
            taken[kind] -= 1
            chosen.append(position)
    left = [list(count) for count in counts]
    result = [_NONE] * len(kinds)
    homeless: list[int] = []
    for position in chosen:
        kind, split = kinds[position], where[position]
        if split != _NONE and left[kind][split]:
            left[kind][split] -= 1
            result[position] = split
        else:
            homeless.append(position)
    for position in homeless:
        count = left[kinds[position]]
        split = next(split for split in range(width) if count[split])
        count[split] -= 1
        result[position] = split
    return result


def _result(pool: _Pool, request: DrawRequest, goals: _Table, where: npt.NDArray[np.int64], examined: int) -> Draw:
    width = len(request.splits)
    rows = _count_rows(pool, len(goals), width, where)
    drawn, wanted, goal = (
        [sum(row[split] for row in table) for split in range(width)] for table in (rows, request.quotas, goals)
    )
    grouped = {stratum for vector in pool.vectors if _size(vector) > 1 for stratum, _ in vector}
    inexact = drawn != (wanted if request.on_shortfall == "fill" else goal) or any(
        rows[stratum] != goals[stratum] for stratum in range(len(goals)) if stratum not in grouped
    )
    positions = np.flatnonzero(where >= 0)
    names = pl.Series("split", list(request.splits), dtype=pl.String)
    return Draw(
        taken=pl.DataFrame({"u": pl.Series(pool.u[positions], dtype=pl.UInt64)}).with_columns(
            names.gather(where[positions]) if len(positions) else names.clear()
        ),
        rows=tuple(tuple(row) for row in rows),
        shortfalls=_shortfalls(pool, request),
        deviation=tuple(have - want for have, want in zip(drawn, wanted, strict=True)),
        needs_deeper=inexact and not all(request.complete),
        last_u=int(pool.u[examined - 1]) if examined else None,
    )


def _count_rows(pool: _Pool, strata: int, width: int, where: npt.NDArray[np.int64]) -> _Table:
    cells = np.bincount(
        np.array(pool.kinds, dtype=np.int64) * (width + 1) + where + 1,
        minlength=len(pool.vectors) * (width + 1),
    )
    rows = [[0] * width for _ in range(strata)]
    for vector, counts in zip(pool.vectors, cells.reshape(-1, width + 1).tolist(), strict=True):
        for stratum, each in vector:
            for split in range(width):
                rows[stratum][split] += each * counts[split + 1]
    return rows


def _shortfalls(pool: _Pool, request: DrawRequest) -> tuple[Shortfall, ...]:
    # What the splits would get with no filling: goals of the same request, but without `fill`.
    plain = DrawRequest(request.splits, request.quotas, request.complete, "allow")
    return tuple(
        Shortfall(name, stratum, wanted, share)
        for stratum, (quota, goal) in enumerate(zip(request.quotas, _goals(pool, plain), strict=True))
        for name, wanted, share in zip(request.splits, quota, goal, strict=True)
        if share < wanted
    )
