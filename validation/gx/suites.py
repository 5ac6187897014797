"""Reads suites strictly: Great Expectations itself drops what it does not know, and an empty suite passes."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from great_expectations.expectations.registry import (
    get_expectation_impl,
    list_registered_expectation_implementations,
)

from validation.gx.argument_values import value_problems
from validation.gx.arguments import altered, argument_problems, refusals
from validation.gx.column_types import type_problems
from validation.gx.expectations import EXPECTATIONS
from validation.gx.row_conditions import RowConditionError, columns_of, row_condition_of
from validation.gx.stock import Route, route_of
from validation.gx.values import MOST_BYTES, SuiteError, UserSuite
from validation.tables import ValueKind

MOST_EXPECTATIONS = 5_000
"""Of a suite."""

SEVERITIES = ("critical", "warning", "info")

_UNKNOWN: ValueKind = "unknown"
_SUITE_KEYS = {"name", "expectations", "meta", "notes", "id", "suite_parameters"}
_KEYS = {"type", "kwargs", "meta", "notes", "description", "severity", "id", "rendered_content"}
_FOREIGN_FIELDS = {
    "batch_id": "the split is the batch",
    "catch_exceptions": "exceptions always are caught",
    "result_format": "results hold counts and some unexpected values",
    "windows": "there are no earlier runs to compare with",
}
_OWN_FIELDS = {"id", "meta", "notes", "description", "severity", "rendered_content"}
_COLUMN_FIELDS = ("column", "column_A", "column_B", "column_list")
_MAY_LACK_COLUMNS = {"expect_column_to_exist"}


@dataclass(frozen=True)
class LoadedSuite:
    """A suite that can be judged.

    Attributes:
        suite: as it was written.
        expectations: of Great Expectations, at least one.
        routes: how each is judged.
    """

    suite: UserSuite
    expectations: tuple[Any, ...]
    routes: tuple[Route, ...]


def load_suites(
    suites: Sequence[UserSuite], columns: Mapping[str, ValueKind] | Sequence[str] | None = None
) -> tuple[LoadedSuite, ...]:
    """Reads suites.

    Args:
        suites: with distinct names.
        columns: of the splits, with what they hold where that is known; None where they are not known yet.

    Returns:
        The suites in their order; no expectation is dropped.

    Raises:
        SuiteError: with every problem of all suites.
    """
    problems: list[str] = []
    loaded = []
    kinds = columns if isinstance(columns, Mapping) else dict.fromkeys(columns or (), _UNKNOWN)
    known = None if columns is None else kinds
    seen: set[str] = set()
    for suite in suites:
        if suite.name in seen:
            problems.append(f"{suite.origin}: another suite is called {suite.name!r}")
        seen.add(suite.name)
        found, wrong = _load(suite, known)
        problems += [f"{suite.origin}: {problem}" for problem in wrong]
        if found:
            loaded.append(found)
    if problems:
        raise SuiteError(problems)
    return tuple(loaded)


def _load(suite: UserSuite, columns: Mapping[str, ValueKind] | None) -> tuple[LoadedSuite | None, list[str]]:
    try:
        document = _parsed(suite.text)
    except ValueError as error:
        return None, [str(error)]
    problems = list(_document_problems(document))
    if problems:
        return None, problems
    expectations = []
    for index, told in enumerate(document["expectations"]):
        place = f"expectations[{index}]"
        found, wrong = _expectation(told, place)
        if found is not None:
            wrong += [*_column_problems(found, place, columns), *_row_condition_problems(found, place, columns)]
            wrong += _route_problems(found, place)
            wrong += type_problems(found, place, columns or {})
        problems += wrong
        if found is not None and not wrong:
            expectations.append(found)
    if problems:
        return None, problems
    return LoadedSuite(suite, tuple(expectations), tuple(route_of(one) for one in expectations)), []


def _parsed(text: str) -> Any:
    if len(text.encode()) > MOST_BYTES:
        raise ValueError(f"has more than {MOST_BYTES:,} bytes")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if twice := sorted({key for key, _ in pairs if sum(key == other for other, _ in pairs) > 1}):
            raise ValueError(f"the key {twice[0]!r} is twice in one object")
        return dict(pairs)

    def no_constant(name: str) -> Any:
        raise ValueError(f"{name} is no number in JSON")

    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=no_constant)
    except json.JSONDecodeError as error:
        raise ValueError(f"is no JSON: {error.msg} at line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise ValueError("is nested too deeply") from error


def _document_problems(document: Any) -> Iterator[str]:
    if not isinstance(document, dict):
        yield f"is a suite, an object with `expectations`; got {_kind(document)}"
        return
    if "expectation_suite_name" in document:
        yield "is in the format of Great Expectations before 1.0; write `name`, and `type` in each expectation"
        return
    for key in sorted(document.keys() - _SUITE_KEYS):
        yield f"unknown key {key!r}{_near(key, _SUITE_KEYS)} @ {key}"
    if document.get("suite_parameters"):
        yield "parameters are not given to suites here; write the values @ suite_parameters"
    if not isinstance(document.get("name", ""), str):
        yield f"is a text, got {_kind(document['name'])} @ name"
    told = document.get("expectations")
    if not isinstance(told, list):
        yield f"needs a list of expectations, got {_kind(told)} @ expectations"
    elif not told:
        yield "has no expectation; an empty suite would pass in silence @ expectations"
    elif len(told) > MOST_EXPECTATIONS:
        yield f"has {len(told):,} expectations, at most {MOST_EXPECTATIONS:,} are read @ expectations"


def _expectation(told: Any, place: str) -> tuple[Any, list[str]]:
    """The expectation, or None and what is wrong."""
    if not isinstance(told, dict):
        return None, [f"is an object with `type` and `kwargs`, got {_kind(told)} @ {place}"]
    problems = [
        f"unknown key {key!r}{_near(key, _KEYS)} @ {place}.{key}"
        for key in sorted(told.keys() - _KEYS)
        if key != "expectation_type"
    ]
    if "expectation_type" in told:
        problems.append(f"`expectation_type` is called `type` since Great Expectations 1.0 @ {place}")
    severity = told.get("severity", "critical")
    if severity not in SEVERITIES:
        problems.append(f"severity {severity!r} is not one of {', '.join(SEVERITIES)} @ {place}.severity")
    kwargs = told.get("kwargs", {})
    if not isinstance(kwargs, dict):
        problems.append(f"is an object, got {_kind(kwargs)} @ {place}.kwargs")
    kind, wrong = _type(told.get("type"), place) if "type" in told or not problems else (None, [])
    problems += wrong
    if kind is None or not isinstance(kwargs, dict):
        return None, problems
    about = {key: told.get(key) for key in ("meta", "notes", "description")}
    about["severity"] = severity if severity in SEVERITIES else None
    made, wrong = _made(kind, kwargs, place, about)
    return (None, problems + wrong) if problems or wrong else (made, [])


def _type(name: Any, place: str) -> tuple[Any, list[str]]:
    known = sorted(set(list_registered_expectation_implementations()) - set(EXPECTATIONS))
    if not isinstance(name, str) or name not in known:
        near = _near(name, known) if isinstance(name, str) else ""
        return None, [f"no expectation is of type {name!r}{near} @ {place}.type"]
    return get_expectation_impl(name), []


def _made(kind: Any, kwargs: dict[str, Any], place: str, about: dict[str, Any]) -> tuple[Any, list[str]]:
    fields = set(kind.__fields__) - _OWN_FIELDS
    problems = [
        f"{key!r} cannot be set: {_FOREIGN_FIELDS[key]} @ {place}.kwargs.{key}"
        for key in kwargs
        if key in _FOREIGN_FIELDS
    ]
    unknown = [key for key in kwargs if key not in fields]
    usable = fields - _FOREIGN_FIELDS.keys()
    problems += [
        f"{kind.expectation_type} has no {key!r}{_near(key, usable)} @ {place}.kwargs.{key}" for key in unknown
    ]
    problems += [
        f"a parameter has no value here; write it @ {place}.kwargs.{key}"
        for key, value in kwargs.items()
        if isinstance(value, dict) and "$PARAMETER" in value
    ]
    given = {key: value for key, value in kwargs.items() if key in usable}
    problems += argument_problems(given, place)
    problems += value_problems(kind.expectation_type, given, place)
    try:
        made = kind(**given, **{key: value for key, value in about.items() if value is not None})
    except Exception as error:  # noqa: BLE001, every class checks in its own way
        return None, _once(problems, refusals(error, given, place))
    return made, problems or list(altered(made, given, place))


def _once(ours: list[str], theirs: list[str]) -> list[str]:
    """Problems of which Great Expectations tells the same place again, or one around it, once."""
    places = [problem.rsplit(" @ ", 1)[1] for problem in ours]
    return ours + [told for told in theirs if not any(at.startswith(told.rsplit(" @ ", 1)[1]) for at in places)]


def _column_problems(expectation: Any, place: str, columns: Collection[str] | None) -> Iterator[str]:
    if columns is None or expectation.expectation_type in _MAY_LACK_COLUMNS:
        return
    for key in _COLUMN_FIELDS:
        told = getattr(expectation, key, None)
        for name in [told] if isinstance(told, str) else told or []:
            if name not in columns:
                yield f"the splits have no column {name!r}{_near(name, columns)} @ {place}.kwargs.{key}"


def _row_condition_problems(expectation: Any, place: str, columns: Collection[str] | None) -> Iterator[str]:
    try:
        condition = row_condition_of(getattr(expectation, "row_condition", None))
    except RowConditionError as error:
        yield f"{error} @ {place}.kwargs.row_condition"
        return
    if condition is None or columns is None:
        return
    for name in columns_of(condition):
        if name not in columns:
            yield f"the splits have no column {name!r}{_near(name, columns)} @ {place}.kwargs.row_condition"


def _route_problems(expectation: Any, place: str) -> Iterator[str]:
    route = route_of(expectation)
    if route.how == "refused":
        yield f"{expectation.expectation_type} cannot be judged: {route.reason} @ {place}"


def _near(name: str, known: Any) -> str:
    found = difflib.get_close_matches(name, sorted(known), 1)
    return f"; did you mean {found[0]!r}?" if found else ""


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", type(None): "nothing", bool: "a truth value"}
    return names.get(type(value), "a number")
