"""Checks as values: what is expected of which table, and what was counted. No Great Expectations here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["critical", "warning", "info"]


@dataclass(frozen=True)
class RowCount:
    """A table has so many rows: stock expectation `ExpectTableRowCountToEqual`."""

    expected: int
    observed: int


@dataclass(frozen=True)
class ValuesInSet:
    """A column holds only such values: stock expectation `ExpectColumnDistinctValuesToBeInSet`.

    Attributes:
        column: its name.
        allowed: the values.
        observed: the rows of each value that the column holds.
    """

    column: str
    allowed: frozenset[str]
    observed: dict[str, int]


@dataclass(frozen=True)
class Check:
    """One thing that must hold.

    Attributes:
        name: unique in its suite; what results are matched by.
        table: what the numbers are about, as in `dev` or `rows of dev that are not in its pool`.
        description: a sentence for people: what must hold.
        severity: `critical` fails the run.
        fact: what is expected and what was counted.
    """

    name: str
    table: str
    description: str
    severity: Severity
    fact: RowCount | ValuesInSet


@dataclass(frozen=True)
class Verdict:
    """A check, judged.

    Attributes:
        check: the check.
        success: it holds.
        expected: in short, for people.
        observed: in short, for people.
        expectation: the expectation's type and arguments, as Great Expectations names them.
        exception: the message of an expectation that raised; such a check fails, and counts as critical.
    """

    check: Check
    success: bool
    expected: str
    observed: str
    expectation: dict[str, Any]
    exception: str | None = None

    @property
    def severity(self) -> Severity:
        """The severity; an expectation that raised is critical."""
        return "critical" if self.exception else self.check.severity


@dataclass(frozen=True)
class Judgement:
    """All verdicts of a suite.

    Attributes:
        suite: its name.
        verdicts: in the order of the checks.
        engine: the version of Great Expectations that judged.
    """

    suite: str
    verdicts: tuple[Verdict, ...]
    engine: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def failed(self) -> tuple[Verdict, ...]:
        """Verdicts that do not hold."""
        return tuple(verdict for verdict in self.verdicts if not verdict.success)

    @property
    def critical(self) -> tuple[Verdict, ...]:
        """Critical verdicts that do not hold."""
        return tuple(verdict for verdict in self.failed if verdict.severity == "critical")

    def to_document(self) -> dict[str, Any]:
        """The judgement as plain values for JSON; the same for the same run."""
        return {
            "suite": self.suite,
            "success": not self.critical,
            "statistics": {
                "checks": len(self.verdicts),
                "passed": len(self.verdicts) - len(self.failed),
                "failed": len(self.failed),
                "critical": len(self.critical),
            },
            "great_expectations": self.engine,
            "results": [_result(verdict) for verdict in self.verdicts],
        }


def _result(verdict: Verdict) -> dict[str, Any]:
    result = {
        "check": verdict.check.name,
        "table": verdict.check.table,
        "description": verdict.check.description,
        "severity": verdict.severity,
        "success": verdict.success,
        "expected": verdict.expected,
        "observed": verdict.observed,
        "expectation": verdict.expectation,
    }
    return result | ({"exception": verdict.exception} if verdict.exception else {})
