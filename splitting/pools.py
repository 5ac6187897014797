"""Draws the splits of one pool: strata, quotas, the groups that may be drawn, the draw, the new mark."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from splitting.candidates import CUT
from splitting.draw import Draw, DrawRequest, draw
from splitting.inputs import Inputs
from splitting.plan import SPLIT
from splitting.request import TRAIN_POOL, SplitRequest
from splitting.rounding import apportion, controlled_rounding
from splitting.rules import GROUP, KEY, POOLS, ROWS


class DeeperCensusNeeded(Exception):  # noqa: N818, a signal to the caller, not an error of anybody
    """The listed groups do not allow an exact draw, and there are more groups to list."""


_INDEX = "_index"


@dataclass(frozen=True, eq=False)
class PoolDraw:
    """One pool, drawn.

    Attributes:
        pool: its name.
        splits: the splits drawn from it.
        strata: the strata's labels, `_index` and `_pool_rows`.
        pool_rows: rows of the pool when it was drawn.
        sizes: what the splits ask for, in rows.
        quotas: [stratum][split], rows of earlier runs included.
        frozen: [stratum][split], rows of earlier runs.
        draw: what was drawn in addition.
        mark: every group of the pool below it has been examined.
        examined: UInt64, groups of the pool below the mark.
    """

    pool: str
    splits: tuple[SplitRequest, ...]
    strata: pl.DataFrame
    pool_rows: int
    sizes: tuple[int, ...]
    quotas: list[list[int]]
    frozen: list[list[int]]
    draw: Draw
    mark: int
    examined: pl.Series


def draw_pool(inputs: Inputs, pool: str, reserved: pl.DataFrame, problems: list[str]) -> PoolDraw | None:
    """Draws the splits of one pool.

    Args:
        inputs: what the plan is made from.
        pool: which pool.
        reserved: `_group` and `split` of the groups that other draws and earlier runs hold.
        problems: shortfalls are added to it, a line each.

    Returns:
        The draw; None where the pool is smaller than what is asked.

    Raises:
        DeeperCensusNeeded: a longer shortlist could make the draw exact.
    """
    splits = inputs.request.splits_of(pool)
    strata = _strata(inputs, pool, reserved)
    pool_rows = int(strata["_pool_rows"].sum())
    sizes = _sizes(inputs, pool, splits, pool_rows, problems)
    if sizes is None:
        return None
    quotas = controlled_rounding(strata["_pool_rows"].to_list(), sizes)
    frozen = _frozen_rows(inputs, pool, splits, strata)
    request = DrawRequest(
        splits=tuple(split.name for split in splits),
        quotas=tuple(tuple(row) for row in _wanted(quotas, frozen)),
        complete=tuple(_complete(inputs, pool, strata)),
        on_shortfall=inputs.request.on_shortfall,
    )
    drawn = _draw_without_shared_keys(inputs, _eligible(inputs, pool, reserved, strata), request, reserved)
    if drawn.needs_deeper:
        raise DeeperCensusNeeded
    if drawn.shortfalls and inputs.request.on_shortfall == "error":
        problems += _describe(inputs, pool, drawn, strata)
    elif inputs.request.on_shortfall != "allow":
        problems += _empty(inputs, pool, pool_rows, sizes, frozen, drawn)
    mark, examined = _examine(inputs, pool, reserved, sizes)
    return PoolDraw(pool, splits, strata, pool_rows, tuple(sizes), quotas, frozen, drawn, mark, examined)


def _strata(inputs: Inputs, pool: str, reserved: pl.DataFrame) -> pl.DataFrame:
    """The pool's strata, sorted by label, with their rows; the train mixture is what is not reserved."""
    columns = inputs.strata_of(pool)
    inside = (pl.col(POOLS) & inputs.bit(pool)) > 0
    counted = inputs.census.cells.filter(inside).select(*columns, ROWS)
    if pool == TRAIN_POOL:
        gone = inputs.candidates.rows.filter(_of_others(inputs, pool, reserved))
        counted = pl.concat([counted, gone.select(*columns, -pl.col(ROWS))])
    if not columns:
        total = counted.select(pl.col(ROWS).sum().alias("_pool_rows"))
        return total.with_columns(pl.lit(0, dtype=pl.UInt32).alias(_INDEX))
    return counted.group_by(columns).agg(pl.col(ROWS).sum().alias("_pool_rows")).sort(columns).with_row_index(_INDEX)


def _of_others(inputs: Inputs, pool: str, reserved: pl.DataFrame) -> pl.Expr:
    """Rows of groups that are reserved for splits of other pools."""
    own = [split.name for split in inputs.request.splits_of(pool)]
    return pl.col(GROUP).is_in(reserved.filter(~pl.col(SPLIT).is_in(own))[GROUP].implode())


def _sizes(
    inputs: Inputs, pool: str, splits: tuple[SplitRequest, ...], pool_rows: int, problems: list[str]
) -> list[int] | None:
    sizes = [split.size.resolve(pool_rows) for split in splits]
    spare = 1 if pool == TRAIN_POOL else 0
    if sum(sizes) <= pool_rows - spare:
        return sizes
    if inputs.request.on_shortfall == "allow" and pool_rows > spare:
        return apportion(pool_rows - spare, sizes)
    asked = " + ".join(f"{size:,} ({split.name})" for size, split in zip(sizes, splits, strict=True))
    left = ", and train needs at least one" if spare else ""
    problems.append(f"  - pool {pool!r}: asked {asked} rows; it has {pool_rows:,}{left}")
    return None


def _in_pool(inputs: Inputs, pool: str) -> pl.DataFrame:
    return inputs.candidates.rows.filter((pl.col(POOLS) & inputs.bit(pool)) > 0)


def _indexed(rows: pl.DataFrame, strata: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    if not columns:
        return rows.with_columns(pl.lit(0, dtype=pl.UInt32).alias(_INDEX))
    return rows.join(strata, on=columns, nulls_equal=True)


def _frozen_rows(inputs: Inputs, pool: str, splits: tuple[SplitRequest, ...], strata: pl.DataFrame) -> list[list[int]]:
    counts = [[0] * len(splits) for _ in range(len(strata))]
    if inputs.previous is None:
        return counts
    members = pl.concat([inputs.previous.members, inputs.joining()]).unique(
        [GROUP, KEY], keep="first", maintain_order=True
    )
    kept = _in_pool(inputs, pool).join(members, on=[GROUP, KEY])
    position = {split.name: i for i, split in enumerate(splits)}
    indexed = _indexed(kept, strata, inputs.strata_of(pool)).group_by(_INDEX, SPLIT).agg(pl.col(ROWS).sum())
    for index, split, count in indexed.select(_INDEX, SPLIT, ROWS).iter_rows():
        if split in position:
            counts[index][position[split]] = count
    return counts


def _wanted(quotas: list[list[int]], frozen: list[list[int]]) -> list[list[int]]:
    """What is still wanted: the quotas less the frozen rows, a split's overruns taken off its other strata."""
    if not quotas:
        return []
    columns = []
    for split in range(len(quotas[0])):
        missing = [max(0, q[split] - f[split]) for q, f in zip(quotas, frozen, strict=True)]
        total = sum(q[split] for q in quotas) - sum(f[split] for f in frozen)
        columns.append(
            apportion(total, missing, caps=missing)
            if 0 < total < sum(missing)
            else missing
            if total > 0
            else [0] * len(missing)
        )
    return [list(row) for row in zip(*columns, strict=True)]


def _eligible(inputs: Inputs, pool: str, reserved: pl.DataFrame, strata: pl.DataFrame) -> pl.DataFrame:
    """The groups that may be drawn: in the pool, not reserved, and new where a run is continued."""
    rows = _in_pool(inputs, pool).filter(~pl.col(GROUP).is_in(reserved[GROUP].implode()))
    if inputs.previous is not None:
        known = pl.concat([inputs.previous.plan.ledger[GROUP], inputs.previous.trained.groups])
        rows = rows.filter(pl.col(GROUP) < inputs.mark(pool), ~pl.col(GROUP).is_in(known.implode()))
    indexed = _indexed(rows, strata, inputs.strata_of(pool))
    return indexed.group_by(pl.col(GROUP).alias("u"), pl.col(_INDEX).alias("stratum")).agg(
        pl.col(ROWS).sum().alias("rows")
    )


def _draw_without_shared_keys(
    inputs: Inputs, eligible: pl.DataFrame, request: DrawRequest, reserved: pl.DataFrame
) -> Draw:
    """Draws so that no key is in two evaluation splits, even where a key is in several groups.

    A group that shares a key with a reserved group, or has the key of an example that an earlier run put into a split
    (its group was corrected since), is not drawn. Where two drawn groups share one, the first in the
    order of `u` stays, and the draw is made again without the other.
    """
    shared = inputs.candidates.rows.select(GROUP, KEY).unique().filter(pl.col(GROUP).n_unique().over(KEY) > 1)
    taken = shared.filter(pl.col(GROUP).is_in(reserved[GROUP].implode()))[KEY].unique()
    barred = shared.filter(pl.col(KEY).is_in(taken.implode()))[GROUP].unique()
    if inputs.previous is not None:
        frozen = inputs.previous.members[KEY].unique()
        renamed = inputs.candidates.rows.filter(pl.col(KEY).is_in(frozen.implode()))[GROUP].unique()
        barred = pl.concat([barred, renamed])
    while True:
        drawn = draw(eligible.filter(~pl.col("u").is_in(barred.implode())), request)
        among = shared.filter(pl.col(GROUP).is_in(drawn.taken["u"].implode()))
        clashing = among.filter(pl.col(GROUP) != pl.col(GROUP).min().over(KEY))[GROUP].unique()
        if not len(clashing):
            return drawn
        barred = pl.concat([barred, clashing])


def _complete(inputs: Inputs, pool: str, strata: pl.DataFrame) -> list[bool]:
    """By stratum: every group that may be drawn is a candidate."""
    columns = inputs.strata_of(pool)
    mark = inputs.mark(pool)
    cuts = inputs.shortlist.cuts.filter((pl.col(POOLS) & inputs.bit(pool)) > 0)
    open_cells = cuts.filter(pl.col(CUT).is_not_null() & (pl.col(CUT) < mark))
    if not columns:
        return [len(open_cells) == 0]
    partial = set(_indexed(open_cells, strata, columns)[_INDEX].to_list())
    return [index not in partial for index in range(len(strata))]


def _examine(inputs: Inputs, pool: str, reserved: pl.DataFrame, sizes: list[int]) -> tuple[int, pl.Series]:
    """The new mark, and the pool's groups below it.

    The mark is where the pool's rows, in the order of `u`, reach the sizes asked for: the ledger stays about as
    large as the splits. It never passes what is listed in full, and never rises.
    """
    cuts = inputs.shortlist.cuts.filter((pl.col(POOLS) & inputs.bit(pool)) > 0)
    listed: list[int] = cuts[CUT].drop_nulls().to_list()
    rows = _in_pool(inputs, pool)
    if pool == TRAIN_POOL:
        rows = rows.filter(~_of_others(inputs, pool, reserved))
    ordered = rows.group_by(GROUP).agg(pl.col(ROWS).sum()).sort(GROUP)
    reached: list[int] = ordered.filter(pl.col(ROWS).cum_sum() >= sum(sizes))[GROUP].head(1).to_list()
    mark = min([*(group + 1 for group in (*reached, *listed)), inputs.mark(pool)])
    return mark, ordered.filter(pl.col(GROUP) < mark)[GROUP]


def _empty(
    inputs: Inputs, pool: str, pool_rows: int, sizes: list[int], frozen: list[list[int]], drawn: Draw
) -> list[str]:
    """Splits that would hold nothing: a percentage of a small pool, or every group larger than what they ask for."""
    sizes_of_groups = _in_pool(inputs, pool).group_by(GROUP).agg(pl.col(ROWS).sum())[ROWS]
    least = min(sizes_of_groups.to_list(), default=0)
    return [
        f"  - {split.name} would be empty: asked {sizes[i]:,}, and the least group of pool {pool!r} has {least:,} rows"
        if sizes[i]
        else f"  - {split.name} would be empty: its share of the {pool_rows:,} rows of pool {pool!r} is less than a row"
        for i, split in enumerate(inputs.request.splits_of(pool))
        if not sum(row[i] for row in frozen) + sum(row[i] for row in drawn.rows)
    ]


def _describe(inputs: Inputs, pool: str, drawn: Draw, strata: pl.DataFrame) -> list[str]:
    columns = inputs.strata_of(pool)
    names = (["source"] if pool == TRAIN_POOL else []) + [s.column for s in inputs.rules.strata]
    lines = []
    for item in drawn.shortfalls:
        labels = strata.row(item.stratum, named=True)
        where = ", ".join(f"{n}={labels[c]!r}" for n, c in zip(names, columns, strict=True)) or "the whole pool"
        lines.append(
            f"  - {item.split}, {where}: wants {item.wanted:,} more rows; {item.available:,} would fit"
            + (" (only examples that are new since the earlier run can be drawn)" if inputs.previous else "")
        )
    return lines
