"""The first suite: the promises that every finished run must keep, checked against what was written."""

from __future__ import annotations

import polars as pl

from splitting.plan import Plan
from splitting.request import TRAIN
from validation.checks import Check, RowCount, Severity, ValuesInSet
from validation.tally import Tally

SUITE = "splits"
_SAME_KEY = "in another group"


def first_checks(plan: Plan, tally: Tally, *, has_label: bool, has_groups: bool) -> tuple[Check, ...]:
    """The checks of a run.

    Args:
        plan: what was decided.
        tally: what was written.
        has_label: the spec names a label.
        has_groups: the written files hold the group columns.

    Returns:
        Checks in a fixed order: faithful, sizes, target only, disjoint, labels.
    """
    return (
        _rows_in_rows_out(plan, tally),
        *_sizes(plan, tally),
        *_inside_pools(plan, tally),
        *_disjoint(plan, tally, has_groups=has_groups),
        *(_labels(plan, tally) if has_label else ()),
    )


def _count(name: str, table: str, description: str, expected: int, observed: int) -> Check:
    severity: Severity = "critical"
    return Check(name, table, description, severity, RowCount(expected, observed))


def _rows(tally: Tally, split: str, column: str = "rows") -> int:
    return int(tally.rows.filter(pl.col("split") == split)[column].sum())


def _rows_in_rows_out(plan: Plan, tally: Tally) -> Check:
    return _count(
        "rows in = rows out",
        "every row that was written",
        "Every input row lands in exactly one of: a split, the held-out part, the rejected part.",
        plan.rows_read,
        tally.rows_written(),
    )


def _sizes(plan: Plan, tally: Tally) -> list[Check]:
    sizes = [(split.name, split.rows) for split in plan.splits]
    checks = [
        _count(f"size of {name}", name, f"{name} has the planned size.", rows, _rows(tally, name))
        for name, rows in sizes
    ]
    written = tally.aside.filter(pl.col("folder") == "held_out", pl.col("reason").str.ends_with(_SAME_KEY))
    foreseen = sum(item.rows for item in plan.held_out if item.reason.endswith(_SAME_KEY))
    expected = plan.rows_of(TRAIN) - (int(written["rows"].sum()) - foreseen)
    description = "train has the planned size, less rows whose key is in an evaluation split under another group."
    return [*checks, _count(f"size of {TRAIN}", TRAIN, description, expected, _rows(tally, TRAIN))]


def _inside_pools(plan: Plan, tally: Tally) -> list[Check]:
    return [
        _count(
            f"{split.name} is from {split.pool}",
            f"rows of {split.name} that are not in the pool {split.pool!r}",
            f"Every example of {split.name} is in the pool {split.pool!r}.",
            0,
            _rows(tally, split.name, "outside"),
        )
        for split in plan.splits
        if split.pool != TRAIN
    ]


def _disjoint(plan: Plan, tally: Tally, *, has_groups: bool) -> list[Check]:
    names = [TRAIN, *(split.name for split in plan.splits)]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    kinds = ["key", *(["group"] if has_groups else [])]
    return [
        _count(
            f"no {kind} in both {a} and {b}",
            f"rows of {a} whose {kind} is in {b}",
            f"No {kind} is in both {a} and {b}.",
            0,
            _leaks(tally, kind, a, b),
        )
        for kind in kinds
        for a, b in pairs
    ]


def _leaks(tally: Tally, what: str, a: str, b: str) -> int:
    either = pl.col("split").is_in([a, b]) & pl.col("other").is_in([a, b])
    return int(tally.leaks.filter(pl.col("what") == what, either)["rows"].sum())


def _labels(plan: Plan, tally: Tally) -> list[Check]:
    def labels(split: str) -> dict[str, int]:
        rows = tally.rows.filter(pl.col("split") == split, pl.col("label").is_not_null())
        return dict(rows.group_by("label").agg(pl.col("rows").sum()).sort("label").iter_rows())

    known = frozenset(labels(TRAIN))
    return [
        Check(
            f"labels of {split.name} are in train",
            split.name,
            f"Every label of {split.name} is present in train; a model cannot learn one that is not.",
            "critical" if split.name in {"dev", "test"} else "warning",
            ValuesInSet("label", known, labels(split.name)),
        )
        for split in plan.splits
    ]
