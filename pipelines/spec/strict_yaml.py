"""Reads YAML strictly: no key twice, no references, no tags, nothing that YAML reads otherwise than people do.

A document is bounded before anything is made of it. What is wrong with a single value is noted, with its place and its
line, so that the rest can still be checked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from pipelines.spec.values import shorten
from splitting.errors import SpecError

MAX_CHARACTERS = 200_000
MAX_VALUES = 5_000
MAX_DEPTH = 20
_PLAIN_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_PLAIN_FLOAT = re.compile(r"[-+]?((0|[1-9][0-9]*)\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_SPECIAL_FLOATS = {".nan": "nan", ".inf": "inf", "+.inf": "inf", "-.inf": "-inf"}
_TAG = "tag:yaml.org,2002:"

Place: TypeAlias = tuple[str | int, ...]
"""Where in a document: keys of mappings, and positions in lists."""


@dataclass
class Document:
    """A document that was read.

    Attributes:
        values: plain values; the keys of mappings are texts. Of a key that stands twice, the first counts.
        lines: the line of every place, from 1, in the order of the document.
        problems: what is wrong with single values, in the order of the document.
        unusable: places whose values could not be read; nothing more is to be said of them.
    """

    values: Any = None
    lines: dict[Place, int] = field(default_factory=dict)
    problems: list[tuple[Place, str]] = field(default_factory=list)
    unusable: set[Place] = field(default_factory=set)


class _RefusedError(Exception):
    """The document is not one that a spec may be; the message says why."""


class _BoundedLoader(yaml.SafeLoader):
    """Composes nodes; refuses references (bombs are made of them), tags, and documents that are too large."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._values = self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        line = f"line {event.start_mark.line + 1}"
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise _RefusedError(f"{line}: references (&name, *name) are not allowed; write the value out")
        tag = getattr(event, "tag", None)
        if tag is not None:
            written = f"!!{tag.removeprefix(_TAG)}" if tag.startswith(_TAG) else tag
            raise _RefusedError(f"{line}: the tag {shorten(written)} is not allowed; write the plain value")
        self._values += 1
        if self._values > MAX_VALUES:
            raise _RefusedError(
                f"{line}: holds more than {MAX_VALUES:,} keys and values; name a folder or a glob instead of many files"
            )
        if self._depth >= MAX_DEPTH:
            raise _RefusedError(f"{line}: is nested deeper than {MAX_DEPTH} levels; a spec needs six")
        if isinstance(event, yaml.ScalarEvent) and not _is_unicode(event.value):
            raise _RefusedError(f"{line}: {shorten(event.value)} is not valid Unicode text; write it without \\ud…")
        self._depth += 1
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def read_document(text: str, origin: str) -> Document:
    """Reads one YAML document.

    Args:
        text: YAML.
        origin: what the text is called in messages.

    Returns:
        Plain values, with what is wrong with single ones.

    Raises:
        SpecError: it is not YAML, is too large, or holds what no spec may hold anywhere.
    """
    if len(text) > MAX_CHARACTERS:
        raise SpecError(
            f"is {len(text):,} characters long, expected at most {MAX_CHARACTERS:,}; name a folder or a glob instead "
            "of many files",
            origin,
        )
    try:
        node = _BoundedLoader(text).get_single_node()
    except _RefusedError as error:
        raise SpecError(str(error), origin) from None
    except (yaml.YAMLError, ValueError) as error:
        raise SpecError(_yaml_message(error), origin) from error
    document = Document()
    if node is not None:
        document.values = _value(node, (), document)
    return document


def _value(node: yaml.Node, place: Place, document: Document) -> Any:
    if isinstance(node, yaml.SequenceNode):
        items = []
        for i, item in enumerate(node.value):
            document.lines[(*place, i)] = item.start_mark.line + 1
            items.append(_value(item, (*place, i), document))
        return items
    return _mapping(node, place, document) if isinstance(node, yaml.MappingNode) else _scalar(node, place, document)


def _mapping(node: yaml.MappingNode, place: Place, document: Document) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            told = (
                f"the key in line {key_node.start_mark.line + 1} is a list or a mapping, expected a name; write a text"
            )
            document.problems.append((place, told))
            continue
        key, line = str(key_node.value), key_node.start_mark.line + 1
        if key in found:
            first = document.lines[(*place, key)]
            told = f"key {shorten(key)} stands twice, first in line {first}, the second time in line {line}; keep one"
            document.problems.append(((*place, key), told))
            continue
        document.lines[(*place, key)] = line
        found[key] = None
        found[key] = _value(value_node, (*place, key), document)
    return found


def _scalar(node: yaml.Node, place: Place, document: Document) -> Any:
    """A value by the rules of YAML, less what these take for a number and people do not: 012, 1:30, 2_500, 0x10."""
    text, kind = str(node.value), node.tag.removeprefix(_TAG)
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in ("true", "yes", "on")
    if kind == "int" and _PLAIN_INTEGER.fullmatch(text):
        return int(text)
    if kind == "float" and (_PLAIN_FLOAT.fullmatch(text) or text.lower() in _SPECIAL_FLOATS):
        return float(_SPECIAL_FLOATS.get(text.lower(), text))
    if kind in ("int", "float"):
        told = f"got the number {text[:40]}; write plain digits, as in 2500 (and put a text in quotes)"
        document.problems.append((place, told))
        document.unusable.add(place)
    return text


def _yaml_message(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    if isinstance(error, yaml.reader.ReaderError):
        return f"is not YAML: the character {shorten(chr(error.character))} at {error.position + 1:,}; take it out"
    what = str(getattr(error, "problem", None) or str(error).splitlines()[0])
    what = "".join(c if c.isprintable() else "\ufffd" for c in what)[:200]
    if "but found another document" in what:
        return f"line {mark.line + 1 if mark else 1}: another document begins (---), expected one; keep one"
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return f"is not YAML: {where}{what}; mend it there, or put the text in quotes"
