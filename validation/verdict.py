"""The verdict on a run: every check with what it found, one status, and the sentences that people read first."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from validation.checking import Severity, Verdict
from validation.settings import CheckSettings

FORMAT = 2
Status = Literal["passed", "passed with warnings", "failed"]
_RANK = {"critical": 0, "warning": 1, "info": 2}


@dataclass(frozen=True)
class Finding:
    """One thing that a reader should know, in a sentence.

    Attributes:
        severity: how much it matters.
        sentence: what was found, with figures.
        checks: the names of the checks that found it.
    """

    severity: Severity
    sentence: str
    checks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judgement:
    """The verdict on a run.

    Attributes:
        verdicts: of every check, in their order.
        findings: failures first, then warnings, then what is worth knowing.
        settings: what the checks were told.
        mismatch: how the train mixture and the target differ, and what that costs; plain values. None where nothing
            was measured.
        engine: the version of Great Expectations that judged.
        notes: what could not be judged, or was done otherwise than a reader would think.
    """

    verdicts: tuple[Verdict, ...]
    findings: tuple[Finding, ...]
    settings: CheckSettings
    mismatch: dict[str, Any] | None = None
    engine: str = ""
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[Verdict, ...]:
        """Verdicts that do not hold; the most severe first."""
        return tuple(sorted((v for v in self.verdicts if not v.success), key=lambda v: _RANK[v.severity]))

    @property
    def critical(self) -> tuple[Verdict, ...]:
        """Critical verdicts that do not hold."""
        return tuple(verdict for verdict in self.failed if verdict.severity == "critical")

    @property
    def failing(self) -> tuple[Verdict, ...]:
        """Verdicts that fail the run: those as severe as `fail_on`."""
        limit = _RANK[self.settings.fail_on]
        return tuple(verdict for verdict in self.failed if _RANK[verdict.severity] <= limit)

    @property
    def success(self) -> bool:
        """Nothing fails the run."""
        return not self.failing

    @property
    def status(self) -> Status:
        """All in a word or three."""
        if self.failing:
            return "failed"
        return "passed with warnings" if any(v.severity != "info" for v in self.failed) else "passed"

    def to_document(self) -> dict[str, Any]:
        """The judgement as plain values for JSON, with their fingerprint; the same for the same run."""
        failed = self.failed
        document: dict[str, Any] = {
            "format": FORMAT,
            "status": self.status,
            "success": self.success,
            "statistics": {
                "checks": len(self.verdicts),
                "passed": len(self.verdicts) - len(failed),
                "failed": {s: sum(v.severity == s for v in failed) for s in _RANK},
            },
            "findings": [{**asdict(finding), "checks": list(finding.checks)} for finding in self.findings],
            "mismatch": self.mismatch,
            "settings": asdict(self.settings),
            "great_expectations": self.engine,
            "notes": list(self.notes),
            "results": [_result(verdict) for verdict in self.verdicts],
        }
        return {**document, "fingerprint": document_fingerprint(document)}


def document_fingerprint(document: Mapping[str, Any]) -> str:
    """SHA-256 of what a verdict says, whatever the order of its fields and the white space.

    Args:
        document: of `Judgement.to_document`, or as it was read; a fingerprint in it is left out.

    Returns:
        32 hexadecimal digits.
    """
    told = json.loads(json.dumps({name: value for name, value in document.items() if name != "fingerprint"}))
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]


def _result(verdict: Verdict) -> dict[str, Any]:
    check = verdict.check
    result = {
        "check": check.name,
        "role": check.role,
        "table": check.table,
        "column": check.column,
        "description": check.description,
        "severity": verdict.severity,
        "success": verdict.success,
        "expectation": check.expectation,
        "expected": check.kwargs,
        "observed": rounded(check.observed),
    }
    return result | ({"exception": verdict.exception} if verdict.exception else {})


def rounded(value: Any, digits: int = 6) -> Any:
    """Plain values with floats to so many significant digits; what is no number in JSON becomes null.

    Examples:
        >>> rounded({"a": [0.123456789, float("nan")]})
        {'a': [0.123457, None]}
    """
    if isinstance(value, float):
        return float(f"{value:.{digits}g}") if value == value and abs(value) != float("inf") else None  # noqa: PLR0124
    if isinstance(value, dict):
        return {name: rounded(item, digits) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [rounded(item, digits) for item in value]
    return value
