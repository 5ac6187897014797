"""Where splits lie in time: before, inside or after train."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal

from splitting.request import TRAIN
from validation.checking import Check
from validation.evidence import Evidence
from validation.profile.values import ColumnProfile
from validation.verdict import Finding

Order = Literal["before", "inside", "after", "unknown"]
_YEAR = re.compile(r"([+-]?\d+)(.*)", re.DOTALL)


def time_checks(evidence: Evidence) -> Iterator[Check]:
    """Where dev and test lie in time.

    Args:
        evidence: with measures.

    Yields:
        A check a column of times and split drawn from the target; it tells, and never fails.
    """
    assert evidence.measures is not None  # noqa: S101, the caller looked
    for name in evidence.measures.profile.names():
        kind = evidence.kind(name)
        placed = kind == "time" or (kind == "number" and name in evidence.roles.times)
        if not placed or name in evidence.roles.skip:
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
    (first, last), (begin, end) = ((_place(one), _place(other)) for one, other in ends)
    if first > end:
        return "after"
    if last < begin:
        return "before"
    return "inside" if begin <= first and last <= end else "unknown"


def _place(moment: object) -> tuple[float, str]:
    """Orders numbers, and times in ISO 8601 of any year: the texts of years before 0 and after 9999 do not."""
    if isinstance(moment, int | float):
        return (moment, "")
    found = _YEAR.fullmatch(str(moment))
    return (int(found[1]), found[2]) if found else (0, str(moment))


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


def unplaced_findings(evidence: Evidence) -> list[Finding]:
    """Columns that are named as times and are none: no split can be placed by them."""
    assert evidence.measures is not None  # noqa: S101, the caller looked
    measured = evidence.measures.profile.names()
    found = []
    for name in evidence.roles.times:
        kind = evidence.kind(name) if name in measured else None
        if kind not in (None, "time", "number"):
            told = f"`{name}` is named in `checks: times` and holds no times: the splits are not placed by it."
            found.append(Finding("info", told))
    return found
