"""Plans in memory: the pure core from frames to a plan, without files and without Beam."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from splitting.assign import assignment_of
from splitting.candidates import Candidates, census_limit, shortlist
from splitting.census import Census
from splitting.compose import Heading, make_plan
from splitting.inputs import Inputs, Previous, Trained
from splitting.linking.linked import Linked
from splitting.plan import Plan
from splitting.planning import newly_eligible
from splitting.pools import DeeperCensusNeeded
from splitting.request import Request
from splitting.rules import GROUP, KEY, Rules

Batches = Sequence[tuple[str, pl.DataFrame]]


def plan_of(
    batches: Batches,
    rules: Rules,
    request: Request,
    previous: Plan | None = None,
    old_train: pl.DataFrame | None = None,
    linked: Linked | None = None,
) -> Plan:
    """The plan of batches of (source, frame), as the jobs make it."""
    rows = sum(len(frame) for _, frame in batches)
    ledger = previous.ledger[GROUP].unique() if previous is not None else pl.Series(GROUP, [], dtype=pl.UInt64)
    for depth in (1, 4, 16, 64, 256, 1024):
        limit = census_limit(request, rows, len(ledger), depth)
        census = Census.merge([Census.empty(rules, limit)] + [Census.of(rules, limit, f, s) for s, f in batches])
        listed = shortlist(census, rules, request, ledger, depth)
        candidates = Candidates.merge(
            [Candidates.empty(rules)] + [Candidates.of(rules, listed.groups, f, s) for s, f in batches]
        )
        continued = None
        if previous is not None:
            none = Previous(previous, Trained.nothing())
            fresh = newly_eligible(Inputs(rules, request, census, listed, candidates, none, linked))
            known = old_train if old_train is not None else pl.DataFrame(schema={GROUP: pl.UInt64, KEY: pl.UInt64})
            hit = fresh.filter(pl.col(GROUP).is_in(known[GROUP].implode()) | pl.col(KEY).is_in(known[KEY].implode()))
            keys = hit.filter(pl.col(KEY).is_in(known[KEY].implode()))[KEY].unique()
            continued = Previous(previous, Trained(hit[GROUP].unique(), keys))
        sources = tuple(dict.fromkeys(source for source, _ in batches))
        heading = Heading("test", {"salt": rules.salt}, "spec", sources, {})
        try:
            return make_plan(heading, Inputs(rules, request, census, listed, candidates, continued, linked))
        except DeeperCensusNeeded:
            continue
    raise AssertionError("no depth sufficed")


def split_rows(batches: Batches, rules: Rules, plan: Plan) -> pl.DataFrame:
    """Every row with the split that the plan gives it: the input columns, `_source`, `split`, `reason`, names."""
    bits = {pool.name: 2**i for i, pool in enumerate(rules.pools)}
    assignment = assignment_of(plan, bits)
    parts = []
    for source, frame in batches:
        rows = rules.examine(frame, source)
        concerned = assignment.concerns(rows)
        placed = assignment.place(rows).with_columns(
            pl.when(concerned).then("split").otherwise(pl.lit("train")).alias("split")
        )
        placed = placed.with_columns(
            pl.when(rows[KEY].is_null()).then(pl.lit("rejected")).otherwise("split").alias("split")
        )
        own = frame.select(pl.all().exclude(rules.source_column))
        parts.append(pl.concat([own, rows, placed], how="horizontal"))
    return pl.concat(parts, how="diagonal_relaxed")


def sizes(split: pl.DataFrame) -> Mapping[str, int]:
    """Rows by split."""
    return dict(split.group_by("split").len().iter_rows())
