"""The project's expectations by type, and a check as one of them."""

from __future__ import annotations

from typing import Any

from validation.checking import Check
from validation.gx.observed import ObservedExpectation, Outcome
from validation.gx.promises import (
    ExpectLabelsCovered,
    ExpectNoLeakColumn,
    ExpectNoNewCategories,
    ExpectRowsInToEqualRowsOut,
    ExpectSameSchema,
    ExpectSplitsDisjoint,
    ExpectSplitSize,
    ExpectTargetOnly,
    ExpectTimeOrder,
)
from validation.gx.shifts import (
    ExpectMismatchHarmless,
    ExpectMismatchMeasured,
    ExpectSourceShare,
    ExpectSplitsToMatch,
)

EXPECTATIONS: dict[str, type[ObservedExpectation]] = {
    kind.expectation_type: kind
    for kind in (
        ExpectLabelsCovered,
        ExpectMismatchHarmless,
        ExpectMismatchMeasured,
        ExpectNoLeakColumn,
        ExpectNoNewCategories,
        ExpectRowsInToEqualRowsOut,
        ExpectSameSchema,
        ExpectSourceShare,
        ExpectSplitSize,
        ExpectSplitsDisjoint,
        ExpectSplitsToMatch,
        ExpectTargetOnly,
        ExpectTimeOrder,
    )
}


class ExpectCheckToBeStated(ObservedExpectation):
    """Stands for a check that no expectation can be made of: a bug, which fails.

    Attributes:
        wanted: the type that the check named.
    """

    wanted: str

    def judged(self, observed: dict[str, Any]) -> Outcome:
        """See the class."""
        return Outcome(success=False, value=None, told="not stated")


def expectation_of(check: Check) -> ObservedExpectation:
    """A check as an expectation.

    Args:
        check: of a type of this project.

    Returns:
        The expectation; its `meta` has the check's name, which results are matched by, and the sentence that is shown.

    Raises:
        ValueError: the type is unknown, or a field is missing, of a wrong type, or unknown.
    """
    kind = EXPECTATIONS.get(check.expectation)
    if kind is None:
        raise ValueError(f"no expectation is of type {check.expectation!r}; known are {', '.join(EXPECTATIONS)}")
    kwargs = {**check.kwargs, "check": check.name}
    if check.column is not None:
        kwargs["column"] = check.column
    return kind(**kwargs, severity=check.severity, meta=_meta(check))


def unstated(check: Check) -> ObservedExpectation:
    """What stands for a check in Data Docs where `expectation_of` raised."""
    return ExpectCheckToBeStated(check=check.name, wanted=check.expectation, severity="critical", meta=_meta(check))


def _meta(check: Check) -> dict[str, Any]:
    return {"check": check.name, "role": check.role, "table": check.table, "description": check.description}
