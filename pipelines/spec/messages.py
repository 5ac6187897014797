"""Turns what pydantic says of a spec into messages for the people who write specs."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from pipelines.spec.strict_yaml import Place
from pipelines.spec.values import kind_of, shorten

_UNION_PARTS = frozenset(
    {
        "Pool",
        "NearDuplicates",
        "NearText",
        "int",
        "float",
        "str",
        "constrained-str",
        "literal['rest']",
        "is-instance[Fraction]",
    }
)
_LONGEST_KEY = 60


def shown(place: Place) -> str:
    """A place as users read it.

    Examples:
        >>> shown(("sources", "app", "path", 1))
        'sources.app.path[1]'
    """
    path = ""
    for part in place:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            name = part if len(part) <= _LONGEST_KEY else part[: _LONGEST_KEY - 1] + "…"
            path += f".{name}" if path else name
    return path


def place_of(location: Iterable[int | str], values: Any) -> Place:
    """Where in the document pydantic found something, without the parts that are about its own models.

    Args:
        location: pydantic's.
        values: the document.

    Returns:
        The place. It may name a key that is not there.
    """
    place: list[int | str] = []
    for part in location:
        there = isinstance(values, dict) and part in values
        if isinstance(part, int) or there:
            inside = there or (isinstance(values, list) and part in range(len(values)))
            values = values[part] if inside else None
            if inside or not isinstance(part, int):
                place.append(part)
        elif part not in _UNION_PARTS and not part.startswith(("function-", "is-instance", "literal[", "tuple[")):
            place.append(part)
    return tuple(place)


def message_of(detail: ErrorDetails, model: type[BaseModel]) -> str:  # noqa: PLR0911, one return a kind of error
    """What is wrong, in words: what was there, what was expected, what to do.

    Args:
        detail: pydantic's.
        model: the model that was validated; its keys are what unknown keys are compared with.

    Returns:
        The message, without its place.
    """
    kind, got = detail["type"], detail["input"]
    context = detail.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(detail["loc"], model)
    if kind == "too_short" and not got:
        return f"is empty, expected at least one entry{_wanted_there(detail)}"
    if kind == "missing":
        return f"is missing{_MISSING.get(str(detail['loc'][-1]), '; write it')}"
    if kind == "value_error":
        return str(context.get("error", detail["msg"]))
    if kind == "literal_error":
        expected = str(context.get("expected", "")).replace("'", "")
        near = difflib.get_close_matches(str(got)[:_LONGEST_KEY], expected.replace(" or ", ", ").split(", "), 1)
        return f"got {shorten(got)}, expected {expected}" + (f"; did you mean {near[0]}?" if near else "")
    wanted = _EXPECTED.get(kind)
    if kind in _NOT_THAT_KIND:
        parent = str(detail["loc"][-2]) if len(detail["loc"]) > 1 else ""
        wanted = _INSIDE.get(parent) or _EXPECTED_AT.get(str(detail["loc"][-1]), wanted)
    if wanted is None:
        return f"got {shorten(got)}: {detail['msg'][:1].lower()}{detail['msg'][1:]}"
    told = wanted
    for bound in ("max_length", "ge", "le"):
        told = told.replace(f"{{{bound}}}", str(context.get(bound)))
    return f"got {kind_of(got) if isinstance(got, dict | list) else shorten(got)}, expected {told}"


def _wanted_there(detail: ErrorDetails) -> str:
    wanted = _EXPECTED_AT.get(str(detail["loc"][-1]))
    return f": {wanted}" if wanted else ""


_MISSING = {
    "name": ": write a name of the data set, as in cat-finder",
    "salt": ": it names the draw (another salt is another draw); write any text, and keep it",
    "key": ": name the column(s) that identify an example, or write row for the whole row",
    "target": ": say which distribution matters, as in {source: app}",
    "splits": ": say what to draw, as in {test: 2500, dev: 2500, train_dev: 2500, train: rest}",
    "sources": ": name the inputs, as in {app: {path: data/app}}",
    "path": ": write a file, folder or glob, as in {path: data/app}",
    "size": ': write a count of rows as in 2500, or a percentage as in "20%"',
    "column": ": name a column, as in {column: age, edges: [18, 40]}",
    "near_duplicates": ": name the column of a 64-bit hash, as in {near_duplicates: perceptual_hash, distance: 4}",
}
_NOT_THAT_KIND = frozenset(["tuple_type", "list_type", "dict_type", "model_type", "model_attributes_type", "too_short"])
_INSIDE = {
    "sources": "a mapping, as in {path: data/app}",
    "linked_by": "a column, {near_duplicates: COLUMN} or {near_text: COLUMN}",
    "stratify": "a column, or {column: NAME, edges: [NUMBERS]}",
}
_EXPECTED_AT = {
    "target": "a mapping, as in {source: app}",
    "csv": 'a mapping, as in {delimiter: ";"}',
    "column_types": "a mapping, as in {zip: string}",
    "path": "a file, folder or glob, or a list of them",
    "key": "a column, or a list of columns",
    "group": "a column, or a list of columns",
    "linked_by": "a list of links, as in [user_id, {near_duplicates: perceptual_hash, distance: 4}]",
    "source": "a source, or a list of sources",
    "null_values": "a text, or a list of texts",
    "stratify": "a list of columns, as in [label, {column: age, edges: [18, 40]}]",
    "edges": "a list of numbers",
    "checks": "a mapping, as in {min_rows: 100, skip: [file_name]}",
    "thresholds": "a mapping, as in {js_excess: [0.05, 0.1]}",
    "suites": "a list, as in [{path: suite.json, on: [splits.dev]}]",
    "actions": "a list, as in [{type: slack, slack_webhook: '${SLACK}'}]",
    "on": "all, splits.NAME or sources.NAME, or a list of those",
    "skip": "a column, or a list of columns",
    "times": "a column, or a list of columns",
    "splits": "a mapping, as in {test: 2500, dev: 2500, train_dev: 2500, train: rest}",
    "sources": "a mapping, as in {app: {path: data/app}}",
}
_EXPECTED = {
    "string_type": "a text (put it in quotes if it looks like a number, a date or yes/no)",
    "string_too_short": "a text that is not empty; write one, or take the line out",
    "string_too_long": "at most {max_length} character(s); write a shorter one",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "too_short": "at least one entry",
    "bool_strict": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
}


def _unknown_key(location: tuple[int | str, ...], model: type[BaseModel]) -> str:
    key = str(location[-1])[:_LONGEST_KEY]
    known = _known_keys(model, [part for part in location[:-1] if isinstance(part, str)])
    near = difflib.get_close_matches(key, known, 1)
    hint = f'; did you mean "{near[0]}"?' if near else f"; expected one of {', '.join(known)}"
    return f'unknown key "{key}"{hint}'


def _known_keys(model: type[BaseModel], path: list[str]) -> list[str]:
    """The keys of the model at a path; names of sources and splits are stepped over."""
    current, named, among = model, False, None
    for part in path:
        if (chosen := _model_in(among, part)) is not None:  # which of several models a value is
            current, among = chosen, None
            continue
        field = None if named else next((f for n, f in current.model_fields.items() if part in (n, f.alias)), None)
        named = field is not None and get_origin(field.annotation) is dict
        among = field.annotation if field is not None else None
        inner = _model_in(among)
        current = inner or current
    return [field.alias or name for name, field in current.model_fields.items()]


def _model_in(annotation: Any, name: str | None = None) -> type[BaseModel] | None:
    """The first model in an annotation, or the first of a name."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation if name in (None, annotation.__name__) else None
    return next((model for part in get_args(annotation) if (model := _model_in(part, name)) is not None), None)
