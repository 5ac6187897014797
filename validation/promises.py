"""The checks of what every finished run must keep: faithful, sizes, target only, disjoint, labels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import polars as pl

from splitting.request import TARGET_POOL, TRAIN
from validation.checking import Check, Severity
from validation.coincidence import repeats_by_chance
from validation.evidence import Evidence
from validation.tally import Tally

_SAME_KEY = "in another group"
_SHOWN = 20
FEW_NUMBERS = 20
"""Numeric labels of more values may be measurements."""
_WHOLE = re.compile(r"-?[0-9]+")
_NUMBER_OR_TIME = re.compile(
    r"-?(?:[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|inf)|NaN|-?[0-9]{4,}-[0-9]{2}-[0-9]{2}(?:[ T].*)?"
)


def promise_checks(evidence: Evidence) -> Iterator[Check]:
    """The checks of a run's promises.

    Args:
        evidence: what was planned and what was written.

    Yields:
        Checks in a fixed order: faithful, sizes, target only, disjoint, labels.
    """
    yield _rows_in_rows_out(evidence)
    yield from _sizes(evidence)
    yield from _inside_pools(evidence)
    yield from _disjoint(evidence)
    yield from _unlinked(evidence)
    if evidence.roles.label is not None:
        yield from _labels(evidence)


def _rows(tally: Tally, split: str, column: str = "rows") -> int:
    return int(tally.rows.filter(pl.col("split") == split)[column].sum())


def _rows_in_rows_out(evidence: Evidence) -> Check:
    return Check(
        name="rows in = rows out",
        role="faithful",
        table="every row that was written",
        column=None,
        description="Every input row lands in exactly one of: a split, the held-out part, the rejected part.",
        severity="critical",
        expectation="expect_rows_in_to_equal_rows_out",
        kwargs={"rows_read": evidence.plan.rows_read},
        observed={"rows_written": evidence.tally.rows_written()},
    )


def _sizes(evidence: Evidence) -> Iterator[Check]:
    plan, tally = evidence.plan, evidence.tally
    for split in plan.splits:
        yield _size(split.name, f"{split.name} has the planned size.", split.rows, tally)
    written = tally.aside.filter(pl.col("folder") == "held_out", pl.col("reason").str.ends_with(_SAME_KEY))
    foreseen = sum(item.rows for item in plan.held_out if item.reason.endswith(_SAME_KEY))
    expected = plan.rows_of(TRAIN) - (int(written["rows"].sum()) - foreseen)
    told = "train has the planned size, less rows whose key is in an evaluation split under another group."
    yield _size(TRAIN, told, expected, tally)


def _size(split: str, description: str, rows: int, tally: Tally) -> Check:
    return Check(
        name=f"size of {split}",
        role="size",
        table=split,
        column=None,
        description=description,
        severity="critical",
        expectation="expect_split_size",
        kwargs={"split": split, "rows": rows},
        observed={"rows": _rows(tally, split)},
    )


def _inside_pools(evidence: Evidence) -> Iterator[Check]:
    for split in evidence.plan.splits:
        if split.pool == TRAIN:
            continue
        yield Check(
            name=f"{split.name} is from {split.pool}",
            role="target only" if split.pool == TARGET_POOL else "pool only",
            table=split.name,
            column=None,
            description=f"Every example of {split.name} is in the pool {split.pool!r}.",
            severity="critical",
            expectation="expect_target_only",
            kwargs={"split": split.name, "pool": split.pool},
            observed={"rows_outside": _rows(evidence.tally, split.name, "outside")},
        )


_KINDS = {
    "key": ("disjoint", "critical", "No key is in both {} and {}."),
    "group": ("disjoint", "critical", "No group is in both {} and {}."),
    "row": (
        "leakage",
        "warning",
        "No row of {1} says the same as a row of {0}, key and source aside, unless by chance.",
    ),
}


def _disjoint(evidence: Evidence) -> Iterator[Check]:
    kinds = ["key", *(["group"] if evidence.has_groups else []), *(["row"] if evidence.measures else [])]
    splits = evidence.splits
    chance = {"by_chance": repeats_by_chance(evidence)}
    for kind in kinds:
        role, severity, description = _KINDS[kind]
        told: Severity = "critical" if severity == "critical" else "warning"
        for i, first in enumerate(splits):
            for second in splits[i + 1 :]:
                yield Check(
                    name=f"no {kind} in both {first} and {second}",
                    role=role,
                    table=f"{first} and {second}",
                    column=None,
                    description=description.format(first, second),
                    severity=told,
                    expectation="expect_splits_disjoint",
                    kwargs={"what": kind, "first": first, "second": second},
                    observed={
                        "rows_shared": _leaks(evidence.tally, kind, first, second),
                        **(chance if kind == "row" else {}),
                    },
                )


def _unlinked(evidence: Evidence) -> Iterator[Check]:
    """No link between splits. One between frozen splits that was found since cannot be mended: a warning."""
    apart = (
        {(first, second): count for first, second, count in evidence.plan.links.apart} if evidence.plan.links else {}
    )
    for via, link in evidence.links.items():
        for i, first in enumerate(evidence.splits):
            for second in evidence.splits[i + 1 :]:
                frozen = (first, second) in apart or (second, first) in apart
                yield Check(
                    name=f"no {link} in both {first} and {second}",
                    role="disjoint",
                    table=f"{first} and {second}",
                    column=None,
                    description=f"No row of {first} is linked by {link} with a row of {second}.",
                    severity="warning" if frozen else "critical",
                    expectation="expect_splits_disjoint",
                    kwargs={"what": "link", "link": link, "first": first, "second": second},
                    observed={"rows_shared": _leaks(evidence.tally, f"link {via}", first, second)},
                )


def _leaks(tally: Tally, what: str, first: str, second: str) -> int:
    either = pl.col("split").is_in([first, second]) & pl.col("other").is_in([first, second])
    return int(tally.leaks.filter(pl.col("what") == what, either)["rows"].sum())


def _is_measurement(labels: Iterable[str]) -> bool:
    """Whether labels measure something, as fractions, dates and times do: such a label is not one of a few."""
    texts = list(labels)
    return (
        len(texts) > FEW_NUMBERS
        and all(map(_NUMBER_OR_TIME.fullmatch, texts))
        and not all(map(_WHOLE.fullmatch, texts))
    )


def _labels(evidence: Evidence) -> Iterator[Check]:
    """Every label is in train. Many whole numbers may be classes or counts: of those a gap is a warning."""

    def labels(split: str) -> dict[str, int]:
        rows = evidence.tally.rows.filter(pl.col("split") == split, pl.col("label").is_not_null())
        return dict(rows.group_by("label").agg(pl.col("rows").sum()).sort("label").iter_rows())

    known = labels(TRAIN)
    if _is_measurement(known):
        return
    numbered = len(known) > FEW_NUMBERS and all(map(_WHOLE.fullmatch, known))
    for split in evidence.plan.splits:
        found = labels(split.name)
        missing = sorted(
            ((rows, label) for label, rows in found.items() if label not in known), key=lambda x: (-x[0], x[1])
        )
        yield Check(
            name=f"labels of {split.name} are in train",
            role="label",
            table=split.name,
            column=evidence.roles.label,
            description=f"Every label of {split.name} is present in train; a model cannot learn one that is not.",
            severity="critical" if split.name in {"dev", "test"} and not numbered else "warning",
            expectation="expect_labels_covered",
            kwargs={"split": split.name, "reference": TRAIN},
            observed={
                "labels": len(found),
                "missing": len(missing),
                "rows_missing": sum(rows for rows, _ in missing),
                "largest": [[label, rows] for rows, label in missing[:_SHOWN]],
            },
        )
