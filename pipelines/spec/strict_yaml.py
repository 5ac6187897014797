"""Reads YAML strictly: no key twice, no references, no tags, nothing that YAML reads otherwise than people do."""

from __future__ import annotations

import re
from typing import Any

import yaml

from pipelines.spec.messages import shorten
from splitting.errors import SpecError

MAX_BYTES = 2**20
_MAX_DEPTH = 20
_PLAIN_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")


class _StrictLoader(yaml.SafeLoader):
    """A safe loader that refuses keys said twice, keys that are not text, and references (bombs are made of them)."""


def _construct_mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[str, Any]:
    keys: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        line = key_node.start_mark.line + 1
        if not isinstance(key, str):
            if not isinstance(key_node, yaml.ScalarNode):
                raise SpecError(f"line {line}: a key is a list or a mapping, expected a name")
            key = str(key_node.value)
        if key in keys:
            raise SpecError(f"key {shorten(key)} stands twice, the second time in line {line}; keep one")
        keys[key] = loader.construct_object(value_node, deep=True)
    return keys


def _construct_integer(loader: _StrictLoader, node: yaml.ScalarNode) -> int:
    """Refuses what YAML 1.1 takes for a number and people do not: 012 (ten), 1:30 (ninety), 2_500, 0x10."""
    text = str(loader.construct_scalar(node))
    if not _PLAIN_INTEGER.fullmatch(text):
        line = node.start_mark.line + 1
        raise SpecError(
            f"line {line}: got the number {text[:40]}; write digits only, as in 2500 (a text stands in quotes)"
        )
    return int(text)


_StrictLoader.add_constructor("tag:yaml.org,2002:int", _construct_integer)


def _construct_date(loader: _StrictLoader, node: yaml.ScalarNode) -> str:
    """A date stays the text that it is."""
    return str(loader.construct_scalar(node))


_StrictLoader.add_constructor("tag:yaml.org,2002:timestamp", _construct_date)
_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct_mapping)


def _line(event: yaml.Event) -> str:
    return f"line {event.start_mark.line + 1}" if event.start_mark is not None else "line 1"


def load_yaml(text: str, origin: str) -> Any:
    """Reads one YAML document.

    Args:
        text: YAML.
        origin: what the text is called in messages.

    Returns:
        Plain values; the keys of mappings are texts.

    Raises:
        SpecError: it is not YAML, or holds what a spec may not.
    """
    if len(text) > MAX_BYTES:
        raise SpecError(f"is {len(text):,} characters long, expected at most {MAX_BYTES:,}", origin)
    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise SpecError("references (&name, *name) are not allowed; write the value out", origin)
            if getattr(event, "tag", None) is not None:
                raise SpecError(f"{_line(event)}: tags (!name) are not allowed; write the plain value", origin)
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
    if "could not determine a constructor" in what:
        what = "tags (!name) are not allowed; write plain values"
    return f"is not YAML: line {mark.line + 1}, column {mark.column + 1}: {what}" if mark else f"is not YAML: {what}"
