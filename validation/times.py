"""Where splits lie in time: before, inside or after train."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from splitting.request import TRAIN
from validation.checking import Check
from validation.evidence import Evidence
from validation.profile.values import ColumnProfile
from validation.verdict import Finding

Order = Literal["before", "inside", "after", "unknown"]


def time_checks(evidence: Evidence) -> Iterator[Check]:
    """Where dev and test lie in time.

    Args:
        evidence: with measures.

    Yields:
        A check a column of times and split drawn from the target; it tells, and never fails.
    """
    assert evidence.measures is not None  # noqa: S101, the caller looked
    for name in evidence.measures.profile.names():
        if evidence.kind(name) != "time" or name in evidence.roles.skip:
            continue
        train = evidence.column(name, TRAIN)
        for split in evidence.splits[1:]:
            if evidence.drawn_from_target(split):
                ours = evidence.column(name, split)
                yield Check(
                    name=f"{split} against {TRAIN} in time by {name}",
                    role="time",
                    table=f"{split} against {TRAIN}",
                    column=name,
                    description=f"Whether {split} lies before, inside or after {TRAIN} by {name}.",
                    severity="info",
                    expectation="expect_time_order",
                    kwargs={
                        "split": split,
                        "reference": TRAIN,
                        "allowed": ["before", "inside", "after", "unknown"],
                    },
                    observed={"order": order_of(ours, train), **_ends("split", ours), **_ends("reference", train)},
                )


def order_of(split: ColumnProfile, train: ColumnProfile) -> Order:
    """Where one lies to the other; unknown where they overlap in part, or one has no time."""
    ends = [_range(split), _range(train)]
    if any(end is None for pair in ends for end in pair):
        return "unknown"
    (first, last), (begin, end) = ends
    if str(first) > str(end):
        return "after"
    if str(last) < str(begin):
        return "before"
    return "inside" if str(begin) <= str(first) and str(last) <= str(end) else "unknown"


def _range(column: ColumnProfile) -> tuple[object, object]:
    moments = column.moments
    return (moments.minimum, moments.maximum) if moments is not None else (None, None)


def _ends(name: str, column: ColumnProfile) -> dict[str, object]:
    first, last = _range(column)
    return {f"{name}_first": first, f"{name}_last": last}


def time_findings(checks: Iterable[Check]) -> list[Finding]:
    """Splits that lie wholly before or after train, in sentences."""
    found = []
    for check in checks:
        order = check.observed["order"]
        if order in ("before", "after"):
            told = f"{check.kwargs['split']} lies {order} {TRAIN} in time, by `{check.column}`."
            found.append(Finding("info", told, (check.name,)))
    return found
