"""Parses a spec, and tells everything that is wrong with it at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from fractions import Fraction

from pydantic import ValidationError

from pipelines.sources.filesystems import locate, read_bytes
from pipelines.spec.messages import kind_of, problems_of, shorten
from pipelines.spec.models import ROW, Pool, Spec, size_text
from pipelines.spec.strict_yaml import load_yaml
from splitting.errors import DataError, Problem, SpecError

_MAX_SPLITS = 24


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
    document = load_yaml(text, origin)
    if not isinstance(document, dict):
        raise SpecError(f"is {kind_of(document)}, expected a mapping with name, salt, sources, …", origin)
    try:
        spec = Spec.model_validate(document)
    except ValidationError as error:
        raise SpecError(problems_of(error, Spec), origin) from error
    problems = list(_cross_checks(spec))
    if problems:
        raise SpecError(problems, origin)
    return spec


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
    if spec.group == (ROW,) or (ROW in spec.key and len(spec.key) > 1):
        path = "key" if spec.group != (ROW,) else "group"
        yield Problem(path, "row means the whole row, and stands alone under key; name columns here")
    if len(spec.evaluation_splits()) > _MAX_SPLITS:
        yield Problem("splits", f"got {len(spec.splits)} splits, expected at most {_MAX_SPLITS} beside train")
    yield from _too_much(spec)


def _too_much(spec: Spec) -> Iterable[Problem]:
    """Percentages of one pool that come to more than all of it."""
    shares: dict[str, dict[str, Fraction]] = {}
    for name, split in spec.evaluation_splits().items():
        if isinstance(split.size, Fraction):
            shares.setdefault(repr(split.from_), {})[name] = split.size
    for names in shares.values():
        total = sum(names.values(), Fraction(0))
        if total > 1:
            told = " + ".join(f"{name} {size_text(size)}" for name, size in names.items())
            yield Problem("splits", f"{told} are {size_text(total)} of one pool, expected at most 100%")
