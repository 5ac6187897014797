"""Judges a run: builds every check from the evidence, has Great Expectations judge it, and says what was found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from validation.evidence import Evidence
from validation.findings import merged_findings, promise_findings
from validation.gx.process import Judge
from validation.gx.values import OWN_SUITE, UserSuite
from validation.promises import promise_checks
from validation.settings import CheckSettings
from validation.user_suites import empty_tables, judge_suites, suite_findings
from validation.verdict import Finding, Judgement

if TYPE_CHECKING:
    from validation.measured_run import MeasuredRun


def judge_run(evidence: Evidence, settings: CheckSettings, judge: Judge, suites: Sequence[UserSuite] = ()) -> Judgement:
    """Judges a run.

    Args:
        evidence: what is known of it.
        settings: thresholds, alpha, what fails it.
        judge: the process of Great Expectations.
        suites: of the user, which the judge has loaded.

    Returns:
        The judgement: a function of the evidence and the settings alone.
    """
    measured = _measured(evidence, settings)
    checks = [*promise_checks(evidence), *(measured.checks() if measured else ())]
    verdicts, engine = judge.judge(OWN_SUITE, checks)
    findings = promise_findings(verdicts)
    if measured is not None:
        findings += measured.findings(verdicts)
        users = judge_suites(suites, evidence, judge)
        verdicts, findings = (*verdicts, *users), [*findings, *suite_findings(users)]
        findings += [
            Finding("warning", f"{table} holds no row: suites say nothing of it.")
            for table in empty_tables(suites, evidence)
        ]
    return Judgement(verdicts, merged_findings(findings), settings, measured.mismatch() if measured else None, engine)


def _measured(evidence: Evidence, settings: CheckSettings) -> MeasuredRun | None:
    if evidence.measures is None:
        return None
    from validation.measured_run import MeasuredRun  # noqa: PLC0415, loads scikit-learn and SciPy: seconds

    return MeasuredRun.of(evidence, settings)
