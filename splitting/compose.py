"""Composes the plan from the draws: sizes, composition, held-out rows, and what reviewers must know."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from splitting.assign import HELD_OUT, REASON
from splitting.census import KeyRepeats, key_repeats
from splitting.checksum import HIGH, LOW, checksum_text
from splitting.errors import ShortfallError
from splitting.inputs import Inputs, Previous
from splitting.plan import (
    SPLIT,
    CellPlan,
    Plan,
    PoolPlan,
    QuotaPlan,
    SetAside,
    SourcePlan,
    SplitPlan,
)
from splitting.planning import Reservations, assignment, draw_all, make_ledger
from splitting.pools import PoolDraw
from splitting.request import TARGET_POOL, TRAIN, TRAIN_POOL
from splitting.rules import GROUP, KEY, LONE, POOLS, ROWS, SOURCE


@dataclass(frozen=True)
class Heading:
    """What a plan says of itself beside the decision.

    Attributes:
        name: of the spec.
        identity: what names examples and groups.
        spec_fingerprint: of all in the spec that decides.
        sources: names, in the order of the spec; a source without rows is one, too.
        versions: of what decides.
    """

    name: str
    identity: Mapping[str, Any]
    spec_fingerprint: str
    sources: tuple[str, ...]
    versions: Mapping[str, str]


def make_plan(heading: Heading, inputs: Inputs) -> Plan:
    """Makes the plan.

    Args:
        heading: what it says of itself.
        inputs: what it is made from.

    Returns:
        The plan: a function of the inputs alone.

    Raises:
        ShortfallError: the data cannot give what is asked.
        DeeperCensusNeeded: a longer shortlist could make a draw exact.
    """
    reservations = draw_all(inputs)
    ledger = make_ledger(inputs, reservations)
    placed = _place(inputs, ledger)
    cells = _cells(inputs, placed)
    if inputs.request.on_shortfall != "allow" and not any(cell.split == TRAIN for cell in cells):
        raise ShortfallError(_NO_TRAIN)
    splits = tuple(_split_plan(inputs, item, i, ledger) for item in reservations.draws for i in range(len(item.splits)))
    order = {split.name: i for i, split in enumerate(inputs.request.splits)}
    return Plan(
        name=heading.name,
        identity=dict(heading.identity),
        strata=tuple(stratifier.column for stratifier in inputs.rules.strata),
        spec_fingerprint=heading.spec_fingerprint,
        input_fingerprint=_input_fingerprint(inputs),
        sources=_sources(inputs, heading.sources),
        splits=tuple(sorted(splits, key=lambda split: order[split.name])),
        pools=tuple(PoolPlan(item.pool, item.pool_rows, item.mark) for item in reservations.draws),
        quotas=tuple(quota for item in reservations.draws for quota in _quotas(inputs, item)),
        cells=cells,
        held_out=_held_out(placed),
        rejected=tuple(SetAside(*row) for row in inputs.census.rejected.iter_rows()),
        previous=inputs.previous.plan.fingerprint if inputs.previous else None,
        notes=tuple(_notes(inputs, reservations, splits)),
        ledger=ledger,
        versions=dict(heading.versions),
        links=inputs.linked.plan if inputs.linked is not None else None,
    )


_NO_TRAIN = (
    "train would be empty: the evaluation splits, and the rows held out for them, are all of the data. Ask for smaller "
    "splits, or set `on_shortfall: allow`"
)


def _place(inputs: Inputs, ledger: pl.DataFrame) -> pl.DataFrame:
    where = assignment(inputs, ledger)
    rows = inputs.candidates.rows.filter(where.concerns(inputs.candidates.rows))
    return pl.concat([rows, where.place(rows)], how="horizontal")


def _cells(inputs: Inputs, placed: pl.DataFrame) -> tuple[CellPlan, ...]:
    columns = [SOURCE, *inputs.rules.stratum_columns]
    in_target = (pl.col(POOLS) & inputs.bit(TARGET_POOL)) > 0
    counts = [pl.col(ROWS), pl.when(in_target).then(ROWS).otherwise(0).alias("_target")]
    drawn = placed.select(SPLIT, *columns, *counts)
    gone = drawn.filter(pl.col(SPLIT) != TRAIN).select(*columns, -pl.col(ROWS, "_target"))
    train = pl.concat([inputs.census.cells.select(*columns, *counts), gone])
    train = train.select(pl.lit(TRAIN).alias(SPLIT), *columns, ROWS, "_target")
    evaluation = drawn.filter(~pl.col(SPLIT).is_in([TRAIN, HELD_OUT]))
    table = pl.concat([train, evaluation]).group_by(SPLIT, *columns).agg(pl.col(ROWS, "_target").sum())
    rank = {split.name: i for i, split in enumerate(inputs.request.splits, start=1)} | {TRAIN: 0}
    table = table.filter(pl.col(ROWS) > 0).sort(pl.col(SPLIT).replace_strict(rank, return_dtype=pl.Int32), *columns)
    return tuple(CellPlan(row[0], row[1], tuple(row[2:-2]), row[-2], row[-1]) for row in table.iter_rows())


def _split_plan(inputs: Inputs, drawn: PoolDraw, position: int, ledger: pl.DataFrame) -> SplitPlan:
    split = drawn.splits[position]
    members = ledger.filter(pl.col(KEY).is_not_null(), pl.col(SPLIT) == split.name)
    frozen = sum(row[position] for row in drawn.frozen)
    rows = frozen + sum(row[position] for row in drawn.draw.rows)
    total = int(inputs.census.cells[ROWS].sum())
    target = inputs.census.cells.filter((pl.col(POOLS) & inputs.bit(TARGET_POOL)) > 0)
    by_shuffle = (2 * rows * int(target[ROWS].sum()) + total) // (2 * total)
    return SplitPlan(
        name=split.name,
        pool=drawn.pool,
        pool_rows=drawn.pool_rows,
        asked=drawn.sizes[position],
        rows=rows,
        groups=members[GROUP].n_unique(),
        frozen_rows=frozen,
        shuffle_target_rows=by_shuffle,
    )


def _quotas(inputs: Inputs, drawn: PoolDraw) -> list[QuotaPlan]:
    by_source = drawn.pool == TRAIN_POOL
    columns = inputs.strata_of(drawn.pool)
    quotas = []
    for position, split in enumerate(drawn.splits):
        for stratum in drawn.strata.iter_rows(named=True):
            index = stratum["_index"]
            labels = tuple(stratum[column] for column in columns)
            quotas.append(
                QuotaPlan(
                    split=split.name,
                    source=labels[0] if by_source else None,
                    stratum=labels[1:] if by_source else labels,
                    pool_rows=stratum["_pool_rows"],
                    wanted=drawn.quotas[index][position],
                    rows=drawn.frozen[index][position] + drawn.draw.rows[index][position],
                )
            )
    return quotas


def _held_out(placed: pl.DataFrame) -> tuple[SetAside, ...]:
    counted = placed.filter(pl.col(SPLIT) == HELD_OUT).group_by(SOURCE, REASON).agg(pl.col(ROWS).sum())
    return tuple(SetAside(*row) for row in counted.sort(SOURCE, REASON).iter_rows())


def _sources(inputs: Inputs, names: tuple[str, ...]) -> tuple[SourcePlan, ...]:
    cells = inputs.census.cells.group_by(SOURCE).agg(pl.col(ROWS, LONE, HIGH, LOW).sum())
    counts = {name: counted for name, *counted in cells.iter_rows()}
    rejected = dict(inputs.census.rejected.group_by(SOURCE).agg(pl.col(ROWS).sum()).iter_rows())
    sources = []
    for name in names:
        rows, lone, high, low = counts.get(name, (0, 0, 0, 0))
        sources.append(SourcePlan(name, rows + rejected.get(name, 0), lone, checksum_text(high, low)))
    return tuple(sources)


def _input_fingerprint(inputs: Inputs) -> str:
    """Of keys, groups, sources and strata: an order-free sum, so that files, row order and formats do not matter."""
    columns = [SOURCE, *inputs.rules.stratum_columns]
    sums = inputs.census.cells.group_by(columns).agg(pl.col(ROWS, HIGH, LOW).sum()).sort(columns)
    return hashlib.sha256(json.dumps(sums.rows()).encode()).hexdigest()[:32]


def _notes(inputs: Inputs, reservations: Reservations, splits: tuple[SplitPlan, ...]) -> list[str]:
    notes = _repeat_notes(key_repeats(inputs.census), inputs)
    notes += inputs.linked.notes if inputs.linked is not None else ()
    for split in splits:
        if split.rows != split.asked:
            joined = " or joined to their groups" if inputs.request.new_members == "join" else ""
            kept = f", {split.frozen_rows:,} of them frozen by earlier runs{joined}" if split.frozen_rows else ""
            held = _counted(split.rows, "row")
            notes.append(f"{split.name} holds {held} where {split.asked:,} were asked for{kept}.")
    for item in reservations.draws:
        moved = sum(
            max(0, item.frozen[s][c] + item.draw.rows[s][c] - item.quotas[s][c])
            for s in range(len(item.quotas))
            for c in range(len(item.splits))
        )
        if moved and item.draw.shortfalls and inputs.request.on_shortfall == "fill":
            told = f"{_counted(moved, 'row')} of pool {item.pool!r} {'fills' if moved == 1 else 'fill'}"
            notes.append(f"{told} what other strata could not give.")
    lone = int(inputs.census.cells[LONE].sum())
    if lone:
        has = "row has a null group; it" if lone == 1 else "rows have a null group; each"
        notes.append(f"{lone:,} {has} is a group of one.")
    if inputs.previous is not None:
        notes += _notes_of_earlier(inputs, inputs.previous)
    return notes


def _notes_of_earlier(inputs: Inputs, previous: Previous) -> list[str]:
    notes = []
    if len(previous.trained.groups):
        told = _counted(len(previous.trained.groups), "group")
        notes.append(
            f"{told} would be new to a pool but had members in train before; what was trained on stays out of every "
            "evaluation split."
        )
    members = previous.members.group_by(SPLIT).len().sort(SPLIT)
    for split, count in members.filter(~pl.col(SPLIT).is_in(list(inputs.split_bits))).iter_rows():
        told = f"{_counted(count, 'example')} {'is' if count == 1 else 'are'}"
        notes.append(
            f"An earlier run had the split {split!r}, and this spec has not: its {told} held out, for what one split "
            "judged by is neither trained on nor judged by."
        )
    return notes


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _repeat_notes(repeats: KeyRepeats, inputs: Inputs) -> list[str]:
    if not repeats.repeated:
        return []
    sample = "all" if repeats.exhaustive else "a uniform sample of"
    note = f"Of {sample} {repeats.keys:,} keys, {repeats.repeated:,} have more than one row"
    if not repeats.across_sources:
        return [f"{note}; rows of one key stay together."]
    name = inputs.rules.source_column
    return [
        (
            f"{note}, {repeats.across_sources:,} in more than one source. The same key is taken as the same example; "
            f"if keys only count within a source, set `key: [{name}, {', '.join(inputs.rules.key) or '...'}]`."
        )
    ]
