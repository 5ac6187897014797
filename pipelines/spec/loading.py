"""Parses a spec, and tells everything that is wrong with it at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipelines.sources.filesystems import locate, read_bytes
from pipelines.spec.models import Pool, Spec, shorten
from splitting.errors import DataError, Problem, SpecError

MAX_BYTES = 2**20
_MAX_DEPTH = 20


def load_spec(path: str) -> Spec:
    """Reads a spec.

    Args:
        path: of a YAML file.

    Returns:
        The spec.

    Raises:
        SpecError: the file cannot be read, or is not a spec; lists every problem with its path.
    """
    try:
        data = read_bytes(locate(path))
    except DataError as error:
        raise SpecError(str(error), path) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpecError(f"is not UTF-8 text (byte {error.start}); expected a YAML file", path) from error
    return parse_spec(text, path)


def parse_spec(text: str, origin: str = "spec") -> Spec:
    """Parses a spec.

    Args:
        text: YAML.
        origin: what the text is called in messages.

    Returns:
        The spec.

    Raises:
        SpecError: it is not a spec; lists every problem with its path.
    """
    document = _load_yaml(text, origin)
    if not isinstance(document, dict):
        raise SpecError(f"is {_kind(document)}, expected a mapping with name, salt, sources, …", origin)
    try:
        spec = Spec.model_validate(document)
    except ValidationError as error:
        raise SpecError(_problems(error), origin) from error
    problems = list(_cross_checks(spec))
    if problems:
        raise SpecError(problems, origin)
    return spec


class _StrictLoader(yaml.SafeLoader):
    """A safe loader that refuses keys said twice, keys that are not text, and references (bombs are made of them)."""


def _construct_mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[str, Any]:
    keys: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        line = key_node.start_mark.line + 1
        if not isinstance(key, str):
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else repr(key)
        if key in keys:
            raise SpecError(f"key {shorten(key)} stands twice, the second time in line {line}; keep one")
        keys[key] = loader.construct_object(value_node, deep=True)
    return keys


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct_mapping)


def _load_yaml(text: str, origin: str) -> Any:
    if len(text) > MAX_BYTES:
        raise SpecError(f"is {len(text):,} characters long, expected at most {MAX_BYTES:,}", origin)
    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise SpecError("references (&name, *name) are not allowed; write the value out", origin)
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _MAX_DEPTH:
                raise SpecError(f"is nested deeper than {_MAX_DEPTH} levels", origin)
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506, a subclass of SafeLoader
    except SpecError as error:
        raise SpecError(error.problems, origin) from None
    except yaml.YAMLError as error:
        raise SpecError(_yaml_message(error), origin) from error
    except (ValueError, RecursionError) as error:
        raise SpecError(f"is not YAML that a spec can use: {error}", origin) from error


def _yaml_message(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"is not YAML: line {mark.line + 1}, column {mark.column + 1}: {what}" if mark else f"is not YAML: {what}"


def _kind(value: object) -> str:
    names = {dict: "a mapping", list: "a list", str: "a text", bool: "true or false", int: "a whole number"}
    return "empty" if value is None else names.get(type(value), f"a {type(value).__name__}")


def _problems(error: ValidationError) -> list[Problem]:
    told: dict[tuple[str, str], Problem] = {}
    for detail in error.errors(include_url=False):
        path = _path(detail["loc"])
        problem = Problem(path, _message(detail))
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


def _message(detail: ErrorDetails) -> str:
    kind, got = detail["type"], detail["input"]
    context = detail.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(detail["loc"])
    if kind == "missing":
        return f"is missing{_MISSING.get(str(detail['loc'][-1]), '')}"
    if kind == "value_error":
        return str(context.get("error", detail["msg"]))
    if kind == "literal_error":
        expected = str(context.get("expected", "")).replace("'", "")
        near = difflib.get_close_matches(str(got), expected.replace(" or ", ", ").split(", "), 1)
        return f"got {shorten(got)}, expected {expected}" + (f"; did you mean {near[0]}?" if near else "")
    wanted = _EXPECTED.get(kind)
    if wanted is None:
        return f"got {shorten(got)}: {detail['msg'][:1].lower()}{detail['msg'][1:]}"
    return f"got {_kind(got) if isinstance(got, dict | list) else shorten(got)}, expected {wanted.format(**context)}"


_MISSING = {
    "salt": ": it names the draw (another salt is another draw); write any text, and keep it",
    "key": ": name the column(s) that identify an example, or write row for the whole row",
    "target": ": say which distribution matters, as in {source: app}",
    "splits": ": say what to draw, as in {test: 2500, dev: 2500, train_dev: 2500, train: rest}",
    "sources": ": name the inputs, as in {app: {path: data/app}}",
}
_EXPECTED = {
    "string_type": "a text (put it in quotes if it looks like a number, a date or yes/no)",
    "string_too_short": "a text that is not empty",
    "string_too_long": "at most {max_length} characters",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "too_short": "at least one",
    "int_type": "a whole number",
    "int_parsing": "a number",
    "float_type": "a number",
    "float_parsing": "a number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "finite_number": "a finite number",
}


def _unknown_key(location: tuple[int | str, ...]) -> str:
    key = str(location[-1])
    known = _known_keys(Spec, [part for part in location[:-1] if isinstance(part, str)])
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


def _cross_checks(spec: Spec) -> Iterable[Problem]:
    pools: list[tuple[str, Pool]] = [("target", spec.target)]
    pools += [(f"splits.{n}.from", s.from_) for n, s in spec.splits.items() if isinstance(s.from_, Pool)]
    for path, pool in pools:
        for name in pool.source or ():
            if name not in spec.sources:
                near = difflib.get_close_matches(name, spec.sources, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"the sources are {', '.join(spec.sources)}"
                yield Problem(f"{path}.source", f"there is no source {shorten(name)}; {hint}")
    for path, names in (
        ("key", spec.key),
        ("group", spec.group or ()),
        ("stratify", tuple(item.column for item in spec.stratify)),
    ):
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            yield Problem(path, f"column {twice[0]!r} stands more than once")
    if len(spec.evaluation_splits()) > 24:
        yield Problem("splits", f"got {len(spec.splits)} splits, expected at most 24 beside train")
