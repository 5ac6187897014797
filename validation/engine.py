"""Judges checks with Great Expectations: stock expectations, fed with counts instead of data.

Called by `validation/judging.py`, in a process of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from validation.checks import Check, Judgement, RowCount, ValuesInSet, Verdict

_PARTIAL = 20
_RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": _PARTIAL, "include_unexpected_rows": False}
_SHOWN = 5
_NO_VALUE = "\0no value"  # Great Expectations refuses an empty set


def judge(suite: str, checks: Sequence[Check]) -> Judgement:
    """Judges every check.

    Args:
        suite: its name.
        checks: at least one, with distinct names.

    Returns:
        A verdict a check, in their order.

    Raises:
        ValueError: no check, or two of one name: an empty suite would pass in silence.
    """
    if not checks or len({check.name for check in checks}) != len(checks):
        raise ValueError(f"suite {suite!r} needs checks with distinct names, got {len(checks)}")
    with _quiet():
        import great_expectations as gx  # noqa: PLC0415, takes seconds

        verdicts = tuple(_judge(check) for check in checks)
    return Judgement(suite, verdicts, gx.__version__)


def warm_up() -> None:
    """Does once what takes long the first time: the import, and a check of each kind."""
    counts = {"yes": 1}
    facts: dict[str, RowCount | ValuesInSet] = {
        "rows": RowCount(1, 1),
        "values": ValuesInSet("column", frozenset(counts), counts),
    }
    judge("warm-up", [Check(name, "none", "Holds.", "info", fact) for name, fact in facts.items()])


class _quiet:  # noqa: N801, used as a function
    """Great Expectations captures Python's warnings at import; gives them back."""

    def __enter__(self) -> None:
        self._logger = logging.getLogger("great_expectations")
        self._level = self._logger.level
        self._logger.setLevel(logging.CRITICAL)

    def __exit__(self, *_: object) -> None:
        logging.captureWarnings(capture=False)
        self._logger.setLevel(self._level)


def _judge(check: Check) -> Verdict:
    from great_expectations.execution_engine import PandasExecutionEngine  # noqa: PLC0415

    expectation = _expectation(check)
    engine = PandasExecutionEngine()
    runtime = {"result_format": dict(_RESULT_FORMAT)}
    wanted = expectation.get_validation_dependencies(execution_engine=engine, runtime_configuration=runtime)
    told = {"type": expectation.expectation_type, "kwargs": _kwargs(check)}
    try:
        metrics = {m.id: _metric(m.metric_name, check) for m in wanted.get_metric_configurations()}
        result = expectation.metrics_validate(metrics=metrics, execution_engine=engine, runtime_configuration=runtime)
    except Exception as error:  # noqa: BLE001, an expectation that raises is a failed check, never a lost run
        return Verdict(
            check, success=False, expected=_expected(check), observed="", expectation=told, exception=str(error)
        )
    return Verdict(
        check, success=bool(result.success), expected=_expected(check), observed=_observed(check), expectation=told
    )


def _expectation(check: Check) -> Any:
    import great_expectations.expectations as gxe  # noqa: PLC0415

    about = {"severity": check.severity, "description": check.description, "meta": {"check": check.name}}
    if isinstance(check.fact, RowCount):
        return gxe.ExpectTableRowCountToEqual(value=check.fact.expected, **about)
    kwargs = _kwargs(check)
    return gxe.ExpectColumnDistinctValuesToBeInSet(**kwargs, **about)


def _kwargs(check: Check) -> dict[str, Any]:
    if isinstance(check.fact, RowCount):
        return {"value": check.fact.expected}
    return {"column": check.fact.column, "value_set": sorted(check.fact.allowed) or [_NO_VALUE]}


def _metric(name: str, check: Check) -> Any:
    """The value of a metric that an expectation asks for, from the counts."""
    fact = check.fact
    if isinstance(fact, RowCount) and name == "table.row_count":
        return fact.observed
    if isinstance(fact, ValuesInSet):
        strangers = sorted(set(fact.observed) - fact.allowed)
        if name == "column.value_counts":
            import pandas as pd  # noqa: PLC0415, comes with Great Expectations

            index = pd.Index(sorted(fact.observed), name="value", dtype=object)
            return pd.Series([fact.observed[value] for value in index], index=index, name="count")
        if name == "column.distinct_values":
            return set(fact.observed)
        if name == "column.distinct_values.not_in_set":
            return strangers[:_PARTIAL]
        if name == "column.distinct_values.not_in_set.count":
            return len(strangers)
    raise KeyError(f"no count for metric {name!r}")


def _expected(check: Check) -> str:
    if isinstance(check.fact, RowCount):
        return f"{check.fact.expected:,}"
    return f"{len(check.fact.allowed):,} labels of train"


def _observed(check: Check) -> str:
    if isinstance(check.fact, RowCount):
        return f"{check.fact.observed:,}"
    strangers = sorted(set(check.fact.observed) - check.fact.allowed)
    if not strangers:
        return f"{len(check.fact.observed):,} labels, all in train"
    shown = ", ".join(repr(value) for value in strangers[:_SHOWN])
    return f"{len(strangers):,} labels are not in train: {shown}{', …' if len(strangers) > _SHOWN else ''}"
