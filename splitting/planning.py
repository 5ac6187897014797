"""Makes the decision: every pool drawn in turn, then the ledger of all that was reserved or examined."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from splitting.assign import Assignment
from splitting.errors import DataError, ShortfallError
from splitting.inputs import Inputs
from splitting.plan import SPLIT
from splitting.pools import PoolDraw, draw_pool
from splitting.request import MAX_EVALUATION_GROUPS, TRAIN
from splitting.rules import GROUP, KEY, POOLS, ROWS


@dataclass
class Reservations:
    """Groups reserved so far, and by whom; grows draw by draw."""

    groups: pl.DataFrame
    draws: list[PoolDraw] = field(default_factory=list)


def draw_all(inputs: Inputs) -> Reservations:
    """Draws every split from its pool: the target's first, the train mixture's last.

    Args:
        inputs: see there.

    Returns:
        The reserved groups (`_group`, `split`) and each pool's draw.

    Raises:
        ShortfallError: a stratum or a pool cannot give what is asked; lists every such one and what would fit.
        DeeperCensusNeeded: a longer shortlist could make the draw exact.
    """
    frozen = _frozen_groups(inputs)
    reservations = Reservations(frozen)
    problems: list[str] = []
    for pool in inputs.request.pools():
        drawn = draw_pool(inputs, pool, reservations.groups, problems)
        if drawn is None:
            continue
        reservations.draws.append(drawn)
        reservations.groups = pl.concat([reservations.groups, drawn.draw.taken.rename({"u": GROUP})])
    if problems:
        raise ShortfallError("\n".join(["the data cannot give the splits that are asked for:", *problems, _CURE]))
    if len(reservations.groups) > MAX_EVALUATION_GROUPS:
        raise DataError(
            f"the evaluation splits would hold {len(reservations.groups):,} groups; at most "
            f"{MAX_EVALUATION_GROUPS:,} are allowed: past that size a dev set buys no more precision, and the plan "
            "would be as large as the data. Ask for smaller splits."
        )
    return reservations


_CURE = (
    "Ask for sizes that fit, or set `on_shortfall: fill` (takes the rest from other strata) or "
    "`on_shortfall: allow` (accepts smaller splits)."
)


def _frozen_groups(inputs: Inputs) -> pl.DataFrame:
    schema = {GROUP: pl.UInt64, SPLIT: pl.String}
    if inputs.previous is None:
        return pl.DataFrame(schema=schema)
    return inputs.previous.members.select(GROUP, SPLIT).unique(GROUP, maintain_order=True)


def newly_eligible(inputs: Inputs) -> pl.DataFrame:
    """What a continued run could draw or let join, to be looked up in the earlier run's `train`.

    Args:
        inputs: with `previous`.

    Returns:
        `_group` and `_key`, a row a key of a group that could be drawn, or of a new member that could join; small.
    """
    if inputs.previous is None:
        return pl.DataFrame(schema={GROUP: pl.UInt64, KEY: pl.UInt64})
    known = inputs.previous.plan.ledger[GROUP]
    fresh = pl.lit(value=False)
    for pool in inputs.request.pools():
        fresh = fresh | (((pl.col(POOLS) & inputs.bit(pool)) > 0) & (pl.col(GROUP) < inputs.mark(pool)))
    rows = inputs.candidates.rows
    groups = rows.filter(fresh, ~pl.col(GROUP).is_in(known.implode()))[GROUP].unique()
    drawable = rows.filter(pl.col(GROUP).is_in(groups.implode())).select(GROUP, KEY)
    return pl.concat([drawable, inputs.joining().select(GROUP, KEY)]).unique().sort(GROUP, KEY)


def make_ledger(inputs: Inputs, reservations: Reservations) -> pl.DataFrame:
    """The ledger: the examples of every evaluation split, and every other group that was examined.

    Args:
        inputs: see there.
        reservations: the draws.

    Returns:
        As in `Plan.ledger`.
    """
    bits = pl.DataFrame(
        {SPLIT: list(inputs.split_bits), "_bit": list(inputs.split_bits.values())},
        schema={SPLIT: pl.String, "_bit": pl.UInt32},
    )
    drawn = [item.draw.taken.rename({"u": GROUP}) for item in reservations.draws]
    takers = pl.concat([*drawn, _frozen_groups(inputs).clear()])
    rows = inputs.candidates.rows
    members = (
        pl.concat([rows.join(takers, on=GROUP), rows.join(inputs.joining(), on=[GROUP, KEY])])
        .join(bits, on=SPLIT)
        .filter((pl.col(POOLS) & pl.col("_bit")) > 0)
        .group_by(GROUP, KEY, SPLIT)
        .agg(pl.col(ROWS).sum())
    )
    examined = pl.concat([item.examined for item in reservations.draws]).unique()
    passed = examined.filter(~examined.is_in(reservations.groups[GROUP].implode()))
    others = pl.DataFrame({GROUP: passed}).select(
        GROUP,
        pl.lit(None, dtype=pl.UInt64).alias(KEY),
        pl.lit(TRAIN).alias(SPLIT),
        pl.lit(0, dtype=pl.Int64).alias(ROWS),
    )
    earlier = [inputs.previous.plan.ledger] if inputs.previous is not None else []
    ledger = pl.concat([*earlier, members.select(others.columns), others])
    return ledger.unique([GROUP, KEY], keep="first", maintain_order=True).sort(GROUP, KEY, nulls_last=True)


def assignment(inputs: Inputs, ledger: pl.DataFrame) -> Assignment:
    """The assignment that a ledger decides."""
    return Assignment.of(ledger, inputs.split_bits)
