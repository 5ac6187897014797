"""What all of the project's expectations share: a metric that gives what was counted, and how a result is shown.

An expectation never sees data. Its `check` names a check, and the metric gives what was counted for that check. Fields
have no defaults: Great Expectations does not save a value that equals its default, so a later default would change the
rule.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider
from great_expectations.render import (
    LegacyDiagnosticRendererType,
    LegacyRendererType,
    RenderedStringTemplateContent,
)
from great_expectations.render.renderer.renderer import renderer

METRIC = "targetsplit.observed"
"""The metric of every expectation of this project."""

BADGES = {"critical": "badge-danger", "warning": "badge-warning", "info": "badge-info"}


@dataclass(frozen=True)
class Outcome:
    """What an expectation found.

    Attributes:
        success: it holds.
        value: the one number or word that it went by.
        told: what was found, in a few words for people.
        grade: of what was measured; None where nothing is graded.
    """

    success: bool
    value: Any
    told: str
    grade: str | None = None


class ObservedMetric(TableMetricProvider):  # type: ignore[misc]
    """What was counted for a check, from a table with the columns `check` and `observed` (JSON), a row a check.

    The process that judges gives the numbers without a table; with this, a saved suite runs on such a table, too.
    """

    metric_name = METRIC
    value_keys = ("check",)

    @metric_value(engine=PandasExecutionEngine)  # type: ignore[untyped-decorator]
    def _pandas(
        cls,  # noqa: N805
        execution_engine: Any,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any],
    ) -> dict[str, Any]:
        table, *_ = execution_engine.get_compute_domain(metric_domain_kwargs, domain_type=MetricDomainTypes.TABLE)
        name = metric_value_kwargs["check"]
        rows = table.loc[table["check"] == name, "observed"]
        if len(rows) != 1:
            raise ValueError(f"{len(rows)} rows are about the check {name!r}, expected 1")
        observed: dict[str, Any] = json.loads(rows.iloc[0])
        return observed


class ObservedExpectation(BatchExpectation):  # type: ignore[misc]
    """Base of the project's expectations: a subclass has fields and `judged`.

    Attributes:
        check: the name of the check.
        column: that it is about; Data Docs then show it in the section of that column.
    """

    check: str
    column: str | None = None

    metric_dependencies: ClassVar[tuple[str, ...]] = (METRIC,)
    success_keys: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """All fields that Great Expectations does not have itself decide success."""
        super().__init_subclass__(**kwargs)
        cls.success_keys = tuple(name for name in cls.__fields__ if name not in BatchExpectation.__fields__)

    @abstractmethod
    def judged(self, observed: dict[str, Any]) -> Outcome:
        """Judges.

        Args:
            observed: what was counted.

        Returns:
            What was found.
        """

    def _validate(
        self, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None
    ) -> dict[str, Any]:
        observed = metrics[METRIC]
        outcome = self.judged(observed)
        details = {**observed, "told": outcome.told}
        if outcome.grade is not None:
            details["grade"] = outcome.grade
        return {"success": outcome.success, "result": {"observed_value": outcome.value, "details": details}}

    @classmethod
    @renderer(renderer_type=LegacyRendererType.PRESCRIPTIVE)  # type: ignore[untyped-decorator]
    def _prescriptive_renderer(
        cls, configuration: Any = None, result: Any = None, runtime_configuration: Any = None
    ) -> list[RenderedStringTemplateContent]:
        configuration = configuration or (result and result.expectation_config)
        if not configuration:
            return []
        meta, kwargs = configuration.meta or {}, configuration.kwargs
        severity = getattr(configuration.severity, "value", configuration.severity)
        limits = [name for name in cls.success_keys if name not in {"check", "column"} and name in kwargs]
        params = {name: _plain(kwargs[name]) for name in limits}
        params |= {"severity": severity, "sentence": meta.get("description") or kwargs.get("check", "")}
        shown = " ".join(f"{name.replace('_', ' ')} ${name}" for name in limits)
        styles = {"severity": {"classes": ["badge", BADGES.get(severity, "badge-secondary")]}}
        styles |= {name: {"classes": ["badge", "badge-secondary"]} for name in limits}
        template = {
            "template": f"$severity $sentence\n{shown}",
            "params": params,
            "styling": {"params": styles},
        }
        return [RenderedStringTemplateContent(content_block_type="string_template", string_template=template)]

    @classmethod
    @renderer(renderer_type=LegacyDiagnosticRendererType.OBSERVED_VALUE)  # type: ignore[untyped-decorator]
    def _diagnostic_observed_value_renderer(
        cls, configuration: Any = None, result: Any = None, runtime_configuration: Any = None
    ) -> Any:
        details = (result.result or {}).get("details") if result else None
        if not details:
            return "--"
        template = {"template": "$told", "params": {"told": details["told"]}}
        return RenderedStringTemplateContent(content_block_type="string_template", string_template=template)


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
