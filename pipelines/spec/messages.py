"""Turns what pydantic says of a spec into messages for the people who write specs."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterable
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from splitting.errors import Problem


def shorten(value: object, size: int = 60) -> str:
    """A value as it is shown in a message: as YAML has it, and cut."""
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    text = str(value) if isinstance(value, dt.date) else repr(value)
    return text if len(text) <= size else text[: size - 1] + "…"


def kind_of(value: object) -> str:
    """What a value is, in words."""
    names = {dict: "a mapping", list: "a list", str: "a text", bool: "true or false", int: "a whole number"}
    return "empty" if value is None else names.get(type(value), f"a {type(value).__name__}")


def problems_of(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """Every problem that pydantic found, each once.

    Args:
        error: pydantic's.
        model: the model that was validated; its keys are what unknown keys are compared with.

    Returns:
        Problems, each with its path.
    """
    told: dict[tuple[str, str], Problem] = {}
    for detail in error.errors(include_url=False):
        path = _path(detail["loc"])
        problem = Problem(path, _message(detail, model))
        told.setdefault((path, problem.message), problem)
    return list(told.values())


_UNION_PARTS = frozenset({"Pool", "int", "float", "str", "constrained-str", "literal['rest']", "is-instance[Fraction]"})


def _path(location: Iterable[int | str]) -> str:
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part not in _UNION_PARTS and not part.startswith(("function-", "is-instance", "literal[", "tuple[")):
            path += f".{part}" if path else part
    return path


def _message(detail: ErrorDetails, model: type[BaseModel]) -> str:  # noqa: PLR0911, one return a kind of error
    kind, got = detail["type"], detail["input"]
    context = detail.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(detail["loc"], model)
    if kind == "too_short" and not got:
        return "is empty, expected at least one entry"
    if kind == "missing":
        return f"is missing{_MISSING.get(str(detail['loc'][-1]), '')}"
    if kind == "value_error":
        return str(context.get("error", detail["msg"]))
    if kind == "literal_error":
        expected = str(context.get("expected", "")).replace("'", "")
        near = difflib.get_close_matches(str(got), expected.replace(" or ", ", ").split(", "), 1)
        return f"got {shorten(got)}, expected {expected}" + (f"; did you mean {near[0]}?" if near else "")
    wanted = _EXPECTED.get(kind)
    if kind in _NOT_THAT_KIND:
        here = str(detail["loc"][-1])
        parent = str(detail["loc"][-2]) if len(detail["loc"]) > 1 else ""
        wanted = _INSIDE.get(parent) or _EXPECTED_AT.get(here, wanted)
    if wanted is None:
        return f"got {shorten(got)}: {detail['msg'][:1].lower()}{detail['msg'][1:]}"
    told = wanted.replace("{max_length}", str(context.get("max_length")))
    return f"got {kind_of(got) if isinstance(got, dict | list) else shorten(got)}, expected {told}"


_MISSING = {
    "salt": ": it names the draw (another salt is another draw); write any text, and keep it",
    "key": ": name the column(s) that identify an example, or write row for the whole row",
    "target": ": say which distribution matters, as in {source: app}",
    "splits": ": say what to draw, as in {test: 2500, dev: 2500, train_dev: 2500, train: rest}",
    "sources": ": name the inputs, as in {app: {path: data/app}}",
}
_NOT_THAT_KIND = frozenset(["tuple_type", "list_type", "dict_type", "model_type", "model_attributes_type", "too_short"])
_INSIDE = {"sources": "a mapping, as in {path: data/app}", "stratify": "a column, or {column: NAME, edges: [NUMBERS]}"}
_EXPECTED_AT = {
    "target": "a mapping, as in {source: app}",
    "path": "a file, folder or glob, or a list of them",
    "key": "a column, or a list of columns",
    "group": "a column, or a list of columns",
    "source": "a source, or a list of sources",
    "null_values": "a text, or a list of texts",
    "stratify": "a list of columns, as in [label, {column: age, edges: [18, 40]}]",
    "edges": "a list of numbers",
    "splits": "a mapping, as in {test: 2500, dev: 2500, train_dev: 2500, train: rest}",
    "sources": "a mapping, as in {app: {path: data/app}}",
}
_EXPECTED = {
    "string_type": "a text (put it in quotes if it looks like a number, a date or yes/no)",
    "string_too_short": "a text that is not empty",
    "string_too_long": "at most {max_length} character(s)",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "too_short": "at least one entry",
    "bool_strict": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a number",
    "float_type": "a number",
    "float_parsing": "a number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "finite_number": "a finite number",
}


def _unknown_key(location: tuple[int | str, ...], model: type[BaseModel]) -> str:
    key = str(location[-1])
    known = _known_keys(model, [part for part in location[:-1] if isinstance(part, str)])
    near = difflib.get_close_matches(key, known, 1)
    hint = f'; did you mean "{near[0]}"?' if near else f"; expected one of {', '.join(known)}"
    return f'unknown key "{key[:60]}"{hint}'


def _known_keys(model: type[BaseModel], path: list[str]) -> list[str]:
    """The keys of the model at a path; names of sources and splits are stepped over."""
    current = model
    for part in path:
        field = next((f for n, f in current.model_fields.items() if part in (n, f.alias)), None)
        inner = _model_in(field.annotation) if field is not None else None
        current = inner or current
    return [field.alias or name for name, field in current.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_in(part)) is not None), None)
