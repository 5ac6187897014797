"""Keeps results in a project folder of Great Expectations, and shows them in its Data Docs."""

from __future__ import annotations

import functools
import json
import re
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import great_expectations as gx
from great_expectations.core import (
    ExpectationSuiteValidationResult,
    ExpectationValidationResult,
    RunIdentifier,
)
from great_expectations.data_context.types.resource_identifiers import (
    ExpectationSuiteIdentifier,
    ValidationResultIdentifier,
)
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.expectations.registry import get_renderer_impl, register_renderer
from great_expectations.render import LegacyRendererType, RenderedStringTemplateContent

from validation.gx.engine import Judged, plain
from validation.gx.expectations import EXPECTATIONS
from validation.gx.observed import BADGES
from validation.gx.offline import UUID, guarded, make_offline, unguarded
from validation.gx.quiet import quiet
from validation.gx.stock import ALL_ROWS

PROJECT, SITE = "gx", "data_docs"
"""Of the folder: the project of Great Expectations, and where `index.html` of its Data Docs is."""

_KEPT = {".json", "great_expectations.yml", "config_variables.yml", ".ge_store_backend_id"}
_NAMES = uuid.UUID("6f0b7c6e-9a3e-5c1d-8f2b-3d5a7e9c1b40")


@dataclass(frozen=True)
class Stored:
    """What was kept.

    Attributes:
        run_id: of the run, as Great Expectations has it.
        results: of every suite and table, by their identifiers.
    """

    run_id: Any
    results: dict[Any, Any]


def write_docs(judged: Sequence[Judged], folder: Path, run_name: str, started: datetime) -> Stored:
    """Keeps and shows what was judged; the first page is `data_docs/index.html`, and opens without a network.

    Args:
        judged: suites, each on a table; no two the same.
        folder: where the project and the pages go; made where it is missing.
        run_name: of the run.
        started: when the run began, with a time zone; what is written depends on no other clock.

    Returns:
        The results as they are kept.

    Raises:
        ValueError: two of one suite and table, or a time without a zone.
    """
    places = [(_slug(one.suite), _slug(one.table)) for one in judged]
    if len(set(places)) != len(places):
        raise ValueError(f"two suites of one name and table: {sorted(places)}")
    if started.tzinfo is None:
        raise ValueError("the time of a run needs a time zone")
    with quiet():
        folder.mkdir(parents=True, exist_ok=True)
        context = gx.get_context(mode="file", project_root_dir=folder)
        context.variables.progress_bars = {"globally": False}
        site_config = {**context.variables.data_docs_sites["local_site"], "show_how_to_buttons": False}
        site_config["store_backend"] = {**site_config["store_backend"], "base_directory": f"../{SITE}/"}
        context.update_data_docs_site("local_site", site_config)
        _badge_stock_expectations(judged)
        for suite in dict.fromkeys(suite for suite, _ in places):
            _add_suite(context, suite, [one for one, place in zip(judged, places, strict=True) if place[0] == suite])
        run = RunIdentifier(run_name=_slug(run_name), run_time=started)
        stored = Stored(run, {})
        for one, (suite, table) in zip(judged, places, strict=True):
            key, whole = _add_results(context, one, suite, table, run)
            stored.results[key] = whole
        context.build_data_docs()
    site = folder / SITE
    make_offline(site)
    for kept in sorted(path for path in (folder / PROJECT).rglob("*") if path.suffix in _KEPT or path.name in _KEPT):
        kept.write_text(_named(unguarded(kept.read_text(encoding="utf-8")), kept.name), encoding="utf-8")
    return stored


def _named(text: str, file: str) -> str:
    """A file with identifiers that its name and their places decide, where Great Expectations draws them."""
    names: dict[str, str] = {}
    return UUID.sub(lambda found: names.setdefault(found[0], str(uuid.uuid5(_NAMES, f"{file} {len(names)}"))), text)


def _slug(name: str) -> str:
    """A name that is one part of a path on every system, and tells names apart."""
    plain_name = re.sub(r"[^\w -]+", "_", name, flags=re.ASCII).strip()[:80]
    if plain_name == name:
        return name
    return f"{plain_name or 'suite'}-{uuid.uuid5(_NAMES, name).hex[:6]}"


def _add_suite(context: Any, name: str, judged: Sequence[Judged]) -> None:
    """The expectations of a suite, each once; what could not be stated has no place in one."""
    found: dict[str, Any] = {}
    for one in judged:
        for result in one.results:
            told = _configuration(result)
            key = json.dumps([told["type"], told["kwargs"]], sort_keys=True)
            with suppress(Exception):  # its result tells what is wrong with it
                found.setdefault(key, ExpectationConfiguration(**told).to_domain_obj())
    context.suites.add_or_update(gx.ExpectationSuite(name=name, expectations=list(found.values())))


def _add_results(context: Any, judged: Judged, suite: str, table: str, run: Any) -> tuple[Any, Any]:
    results = [_stored(result) for result in judged.results]
    fine = sum(verdict.success for verdict in judged.verdicts)
    count = len(results)
    about = {"data_asset_name": guarded(judged.table)}
    whole = ExpectationSuiteValidationResult(
        results=results,
        success=fine == count,
        suite_name=suite,
        statistics={
            "evaluated_expectations": count,
            "successful_expectations": fine,
            "unsuccessful_expectations": count - fine,
            "success_percent": 100 * fine / count,
        },
        meta={
            "run_id": run,
            "validation_time": run.run_time,
            "batch_spec": about,
            "active_batch_definition": about,
            "batch_markers": {},
            "great_expectations_version": gx.__version__,
        },
    )
    named = ExpectationSuiteIdentifier(name=suite)
    key = ValidationResultIdentifier(expectation_suite_identifier=named, run_id=run, batch_identifier=table)
    context.validation_results_store.store_validation_results(whole, key, named)
    return key, whole


def _configuration(result: Any) -> dict[str, Any]:
    told = result.expectation_config.to_json_dict()
    keys = ("type", "kwargs", "meta", "notes", "description", "severity")
    return {key: guarded(plain(told[key])) for key in keys if told.get(key) is not None}


def _stored(result: Any) -> Any:
    told = result.to_json_dict()
    return ExpectationValidationResult(
        success=bool(result.success),
        expectation_config=ExpectationConfiguration(**_configuration(result)),
        result=guarded(plain(told.get("result") or {})),
        meta=guarded(plain(told.get("meta") or {})),
        exception_info=_exception(told.get("exception_info") or {}),
    )


def _exception(told: dict[str, Any]) -> dict[str, Any]:
    flat = told if "raised_exception" in told else next(iter(told.values()), {})
    raised = bool(flat.get("raised_exception"))
    message = guarded(str(flat.get("exception_message") or "unknown")) if raised else None
    return {"raised_exception": raised, "exception_message": message, "exception_traceback": message}


def _badge_stock_expectations(judged: Sequence[Judged]) -> None:
    """Data Docs show no severity, nor what was counted over a sample; now they do, before the sentence."""
    for kind in {result.expectation_config.type for one in judged for result in one.results} - EXPECTATIONS.keys():
        found = get_renderer_impl(kind, LegacyRendererType.PRESCRIPTIVE)
        if found is not None and not hasattr(found.renderer, "with_badge"):
            register_renderer(kind, found.expectation, _with_badge(found.renderer))


def _with_badge(render: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(render)
    def rendered(configuration: Any = None, result: Any = None, **more: Any) -> Any:
        blocks = render(configuration=configuration, result=result, **more)
        told = configuration or (result and result.expectation_config)
        if not told or not isinstance(blocks, list):
            return blocks
        template = getattr(blocks[0], "string_template", None) if blocks else None
        if not isinstance(template, dict):
            template = {"template": "", "params": {}}
            blocks.insert(0, RenderedStringTemplateContent(string_template=template))
        _prepend_badge(template, told)
        return blocks

    rendered.with_badge = True  # type: ignore[attr-defined]
    return rendered


def _prepend_badge(template: dict[str, Any], told: Any) -> None:
    severity = getattr(told.severity, "value", told.severity)
    counted = (told.meta or {}).get("counted", ALL_ROWS)
    sampled = " (on $counted)" if counted != ALL_ROWS else ""
    template["template"] = f"$severity{sampled} {template['template']}"
    template["params"] = {**template.get("params", {}), "severity": severity, "counted": counted}
    styling = dict(template.get("styling") or {})
    styling["params"] = {
        **styling.get("params", {}),
        "severity": {"classes": ["badge", BADGES.get(severity, "badge-secondary")]},
        "counted": {"classes": []},
    }
    template["styling"] = styling
