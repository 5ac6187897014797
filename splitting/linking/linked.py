"""What a plan says of links: figures, and what a reviewer must know in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from splitting.linking.closing import Closed
from splitting.linking.forest import ROOT, VIA
from splitting.linking.links import CLUSTER
from splitting.linking.rules import LinkRule
from splitting.linking.values import NO_DETAIL
from splitting.plan import SPLIT, LinkPlan


@dataclass(frozen=True, eq=False)
class Linked:
    """Links, for the plan.

    Attributes:
        plan: their figures.
        notes: what a reviewer must know.
        apart: UInt64, frozen clusters that are linked with one of another split; nothing new joins them.
    """

    plan: LinkPlan
    notes: tuple[str, ...]
    apart: pl.Series


def describe(closed: Closed, rules: Sequence[LinkRule], unlinked: pl.DataFrame) -> Linked:
    """Describes links.

    Args:
        closed: the clusters.
        rules: what linked them.
        unlinked: rows without a value, as in `Linkage`.

    Returns:
        The description: a function of its arguments.
    """
    pairs = _pairs(closed.apart)
    plan = LinkPlan(closed.links.digest(), len(closed.links), closed.clusters, closed.largest, pairs)
    return Linked(plan, tuple(_notes(plan, rules, unlinked)), closed.apart[CLUSTER].unique().sort())


def _pairs(apart: pl.DataFrame) -> tuple[tuple[str, str, int], ...]:
    """By two splits, the clusters that hold frozen examples of both."""
    held = apart.select(ROOT, SPLIT).unique()
    both = held.join(held.rename({SPLIT: "_other"}), on=ROOT).filter(pl.col(SPLIT) < pl.col("_other"))
    counted = both.group_by(SPLIT, "_other").len().sort(SPLIT, "_other")
    return tuple((first, second, int(count)) for first, second, count in counted.iter_rows())


def _notes(plan: LinkPlan, rules: Sequence[LinkRule], unlinked: pl.DataFrame) -> Iterator[str]:
    if rules:
        names = ", ".join(rule.name for rule in rules)
        clusters = f"{plan.clusters:,} cluster{'' if plan.clusters == 1 else 's'}"
        yield (
            f"{plan.groups:,} groups are linked to {clusters} by {names}; the largest holds "
            f"{plan.largest:,}. A cluster is in one split as a whole."
            if plan.groups
            else f"Nothing is linked by {names}: no value is shared, and none is near another."
        )
    for via, what, rows in unlinked.sort(VIA, "what").iter_rows():
        have = f"{rows:,} row{' has' if rows == 1 else 's have'}"
        lack = "a hash that shows no detail" if what == NO_DETAIL else "no value"
        yield f"{have} {lack} for {rules[via].name}, which links {'it' if rows == 1 else 'them'} with nothing."
    for first, second, count in plan.apart:
        yield (
            f"{count:,} cluster{' holds' if count == 1 else 's hold'} examples that earlier runs froze in both {first} "
            f"and {second}: links that were found since. Frozen examples do not move, so each stays where it is."
        )
