"""Judges with Great Expectations: expectations are fed with metrics that were counted elsewhere, never with data.

Runs in the process of `validation.gx.process`; importing this module takes seconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from validation.checking import Check, Verdict
from validation.gx.quiet import quiet

with quiet():
    import great_expectations as gx
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.execution_engine import PandasExecutionEngine

    from validation.gx.expectations import expectation_of, unstated

VERSION: str = gx.__version__

RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 20, "include_unexpected_rows": False}
"""What results hold: counts, and at most 20 unexpected values."""


@dataclass(frozen=True)
class Judged:
    """All checks of one suite on one table, judged.

    Attributes:
        suite: its name.
        table: what it is about: the name of a split, or of the run.
        verdicts: in the order of the checks.
        results: the same as Great Expectations has them, for its Data Docs.
    """

    suite: str
    table: str
    verdicts: tuple[Verdict, ...]
    results: tuple[Any, ...]


def judge_checks(suite: str, checks: Sequence[Check], table: str = "run") -> Judged:
    """Judges the project's own checks.

    Args:
        suite: its name.
        checks: at least one, with distinct names.
        table: what they are about.

    Returns:
        A verdict a check, in their order; one whose expectation could not be made or raised has an exception.

    Raises:
        ValueError: no check, or two of one name: an empty suite would pass in silence.
    """
    if not checks or len({check.name for check in checks}) != len(checks):
        raise ValueError(f"suite {suite!r} needs checks with distinct names, got {len(checks)}")
    with quiet():
        results = dict(_judged_check(check) for check in checks)
    verdicts = tuple(_verdict(check, results[check.name]) for check in checks)
    return Judged(suite, table, verdicts, tuple(results[check.name] for check in checks))


def _judged_check(check: Check) -> tuple[str, Any]:
    """The result of a check, and the check's name as the result's own `meta` tells it."""
    try:
        expectation = expectation_of(check)
    except Exception as error:  # noqa: BLE001, a check that cannot be stated fails, and the run is not lost
        return check.name, failure(unstated(check).configuration, error)
    result = validated(expectation, lambda _name, _domain, _values: check.observed)
    return result.expectation_config.meta["check"], result


def validated(expectation: Any, value: Callable[[str, Mapping[str, Any], Mapping[str, Any]], Any]) -> Any:
    """Validates an expectation with metrics that are known.

    Args:
        expectation: any, the stock ones included.
        value: gives the value of a metric from its name, its domain and its arguments.

    Returns:
        The result; where something raised, one that tells it and has not succeeded.
    """
    engine, runtime = PandasExecutionEngine(), {"result_format": dict(RESULT_FORMAT)}
    try:
        wanted = expectation.get_validation_dependencies(execution_engine=engine, runtime_configuration=runtime)
        metrics = {
            metric.id: value(metric.metric_name, metric.metric_domain_kwargs, metric.metric_value_kwargs)
            for metric in wanted.get_metric_configurations()
        }
        result = expectation.metrics_validate(metrics=metrics, execution_engine=engine, runtime_configuration=runtime)
        result.success = bool(result.success)
    except Exception as error:  # noqa: BLE001, an expectation that raises is a failed check, never a lost run
        return failure(expectation.configuration, error)
    return result


def failure(configuration: Any, error: BaseException) -> Any:
    """The result of an expectation that raised.

    Args:
        configuration: of the expectation.
        error: what it raised.

    Returns:
        A result without success.
    """
    told = {
        "raised_exception": True,
        "exception_message": f"{type(error).__name__}: {error}",
        "exception_traceback": None,
    }
    return ExpectationValidationResult(success=False, expectation_config=configuration, exception_info=told, result={})


def exception_of(result: Any) -> str | None:
    """What an expectation raised: Great Expectations tells it flat, or by the metric that raised.

    Args:
        result: of an expectation.

    Returns:
        The message; None where nothing was raised.
    """
    told = result.exception_info or {}
    for one in [told] if "raised_exception" in told else told.values():
        if one.get("raised_exception"):
            return str(one.get("exception_message") or "unknown")
    return None


def plain(value: Any) -> Any:
    """A value of a result as JSON has it; what JSON lacks becomes text, and NaN None."""
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    for convert in ("tolist", "to_list", "item"):  # of numpy, polars and others
        if hasattr(value, convert):
            found = getattr(value, convert)()
            return found if found is value else plain(found)
    if isinstance(value, float):
        return value if math.isfinite(value) else (None if math.isnan(value) else str(value))
    return value if value is None or isinstance(value, str | int | bool) else str(value)


def _verdict(check: Check, result: Any) -> Verdict:
    exception = exception_of(result)
    return Verdict(check, success=bool(result.success) and exception is None, exception=exception)


def warm_up() -> None:
    """Does once what takes long the first time."""
    check = Check(
        "warm-up", "size", "none", None, "Holds.", "info", "expect_split_size", {"split": "a", "rows": 1}, {"rows": 1}
    )
    judge_checks("warm-up", [check])
