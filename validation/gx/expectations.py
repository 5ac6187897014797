"""The project's expectations by type, and a check as one of them."""

from __future__ import annotations

from validation.checking import Check
from validation.gx.observed import ObservedExpectation
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
    meta = {"check": check.name, "role": check.role, "table": check.table, "description": check.description}
    return kind(**kwargs, severity=check.severity, meta=meta)
