"""Texts and patterns, with the meaning that Python gives them; polars searches where it gives them the same."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from validation.metrics.columns import MetricError, mapped

_SAME_EVERYWHERE = re.compile(
    r"""(?: [A-Za-z0-9 _@#%&~`'"<>,:;=/!-]      # itself
          | \\[.\\/+*?()\[\]{}|^$-]             # itself, escaped
          | \[\^?(?:[A-Za-z0-9_ @%,:;=/.]-?)+\] # of plain characters; the last may not be a hyphen
          | [.^|()*+?] | \{\d+(?:,\d*)?\}
        )* \$?""",
    re.VERBOSE | re.ASCII,
)


def searched(texts: pl.Series, pattern: str) -> pl.Series:
    """Whether `re.search` finds a pattern.

    Args:
        texts: String, without nulls.
        pattern: in Python's syntax.

    Returns:
        Boolean.

    Raises:
        MetricError: the pattern is none.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise MetricError(f"{pattern!r} is no regular expression: {error}") from error
    if _same_everywhere(pattern):
        # Python's `$` also matches before a line break at the end.
        rust = pattern[:-1] + r"\n?$" if pattern.endswith("$") and not pattern.endswith(r"\$") else pattern
        try:
            return texts.str.contains(rust)
        except pl.exceptions.ComputeError:
            pass
    return mapped(texts, lambda text: compiled.search(text) is not None, pl.Boolean())


def _same_everywhere(pattern: str) -> bool:
    return _SAME_EVERYWHERE.fullmatch(pattern) is not None and "(?" not in pattern


def searched_list(texts: pl.Series, patterns: Sequence[str], match_on: str = "any") -> pl.Series:
    """Whether `re.search` finds any, or all, of some patterns.

    Args:
        texts: String, without nulls.
        patterns: at least one.
        match_on: `any` or `all`.

    Returns:
        Boolean.

    Raises:
        MetricError: no pattern, or one that is none.
    """
    return _combined([searched(texts, pattern) for pattern in patterns], match_on)


def like(texts: pl.Series, pattern: str, escape: str | None = None) -> pl.Series:
    """SQL's LIKE: `%` stands for any text, `_` for one character; case matters.

    Args:
        texts: String, without nulls.
        pattern: of the whole text.
        escape: the character before a `%` or `_` that stands for itself.

    Returns:
        Boolean.
    """
    parts, position = [], 0
    while position < len(pattern):
        character = pattern[position]
        if escape and character == escape and position + 1 < len(pattern):
            position += 1
            parts.append(re.escape(pattern[position]))
        else:
            parts.append({"%": ".*", "_": "."}.get(character) or re.escape(character))
        position += 1
    compiled = re.compile("".join(parts), re.DOTALL)
    return mapped(texts, lambda text: compiled.fullmatch(text) is not None, pl.Boolean())


def like_list(texts: pl.Series, patterns: Sequence[str], match_on: str = "any", escape: str | None = None) -> pl.Series:
    """SQL's LIKE of any, or all, of some patterns; as `like` and `searched_list`."""
    return _combined([like(texts, pattern, escape) for pattern in patterns], match_on)


def _combined(found: Sequence[pl.Series], match_on: str) -> pl.Series:
    if not found:
        raise MetricError("the list of patterns is empty")
    if match_on not in ("any", "all"):
        raise MetricError(f"match_on must be 'any' or 'all', got {match_on!r}")
    combine = pl.any_horizontal if match_on == "any" else pl.all_horizontal
    return pl.select(combine(*found)).to_series()


def parses_as_json(values: pl.Series) -> pl.Series:
    """Whether texts are JSON; other values never are."""
    if values.dtype != pl.String:
        return pl.repeat(False, len(values), dtype=pl.Boolean, eager=True)
    return mapped(values, lambda text: _does(json.loads, text), pl.Boolean())


def parses_as_time(values: pl.Series, form: str) -> pl.Series:
    """Whether texts are times of a format.

    Args:
        values: String, without nulls.
        form: as in `%Y-%m-%d`, of `datetime.strptime`.

    Returns:
        Boolean.

    Raises:
        MetricError: the values are no texts.
    """
    if values.dtype != pl.String:
        raise MetricError(f"a time format is about texts; the values are of type {values.dtype}")
    return mapped(values, lambda text: _does(lambda told: datetime.strptime(told, form), text), pl.Boolean())  # noqa: DTZ007


def _does(parse: Callable[[str], Any], text: str) -> bool:
    try:
        parse(text)
    except (ValueError, RecursionError):
        return False
    return True
