"""Checks as values: what is expected, and what was counted. No Great Expectations here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["critical", "warning", "info"]


@dataclass(frozen=True)
class Check:
    """One thing that must hold.

    Attributes:
        name: unique in its suite; what results are matched by.
        role: what kind of promise it is: `size`, `target only`, `disjoint`, `leakage`, `match`, `mismatch`, ...
        table: what it is about, as in `dev` or `dev against test`.
        column: that it is about; None for whole rows.
        description: a sentence: what must hold.
        severity: `critical` fails the run.
        expectation: the type of a project expectation, as in `expect_splits_to_match`.
        kwargs: what is expected: names and thresholds.
        observed: the numbers that were counted.
    """

    name: str
    role: str
    table: str
    column: str | None
    description: str
    severity: Severity
    expectation: str
    kwargs: dict[str, Any] = field(default_factory=dict)
    observed: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """A check, judged.

    Attributes:
        check: the check.
        success: it holds.
        exception: the message of an expectation that raised; such a check fails, and counts as critical.
    """

    check: Check
    success: bool
    exception: str | None = None

    @property
    def severity(self) -> Severity:
        """The severity; an expectation that raised is critical."""
        return "critical" if self.exception else self.check.severity
