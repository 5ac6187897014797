"""Single values as users write them: sizes, edges, lists of one, and how a value is shown in a message."""

from __future__ import annotations

import datetime as dt
import math
import re
from fractions import Fraction
from typing import Any

_PERCENT = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,20}))?\s*%")


def shorten(value: object, size: int = 60) -> str:
    """A value as it is shown in a message: as YAML has it, and cut.

    Examples:
        >>> shorten("a" * 100, 10)
        "'aaaaaaaa…"
        >>> shorten(None), shorten(True)
        ('nothing', 'true')
    """
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    if isinstance(value, dict | list):
        return kind_of(value)
    text = str(value) if isinstance(value, dt.date) else repr(value[: size + 1] if isinstance(value, str) else value)
    return text if len(text) <= size else text[: size - 1] + "…"


def kind_of(value: object) -> str:
    """What a value is, in words."""
    names = {dict: "a mapping", list: "a list", str: "a text", bool: "true or false", int: "a whole number"}
    return "empty" if value is None else names.get(type(value), f"a {type(value).__name__}")


def listed(value: Any) -> Any:
    """One name stands for a list of one."""
    return [value] if isinstance(value, str) else value


def parse_edge(value: Any) -> int | float:
    """A bin edge.

    Args:
        value: a number.

    Returns:
        The number as it is written.

    Raises:
        ValueError: it is not a finite number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"got {shorten(value)}, expected a number as in 18 or 0.5")
    return value


def parse_size(value: Any) -> int | Fraction | str:
    """A size as users write it.

    Args:
        value: a count, a percentage as in `5%`, or `rest`.

    Returns:
        The count; the share of the pool, exact; or `rest`.

    Raises:
        ValueError: it is none of them; says what to write.

    Examples:
        >>> parse_size("2.5%")
        Fraction(1, 40)
    """
    if isinstance(value, bool | float):
        raise ValueError(f'got {shorten(value)}; write a count of rows as in 2500, or a percentage as in "20%"')
    if isinstance(value, int):
        if value < 1:
            raise ValueError(f"got {value}; a split needs at least one row: leave it out if it is not wanted")
        return value
    if isinstance(value, Fraction):
        return value
    if value == "rest":
        return "rest"
    found = _PERCENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f'got {shorten(value)}; expected a count as in 2500, a percentage as in "5%", or rest')
    decimals = found[2] or ""
    share = Fraction(int(found[1] + decimals), 100 * 10 ** len(decimals))
    if not 0 < share <= 1:
        raise ValueError(f'got {shorten(value)}; expected a percentage above 0% and at most 100%, as in "5%"')
    return share


def size_text(size: int | Fraction | str) -> int | str:
    """A size as users write it.

    Examples:
        >>> size_text(Fraction(1, 40)), size_text(2500)
        ('2.5%', 2500)
    """
    if not isinstance(size, Fraction):
        return size
    percent = size * 100
    digits = next((n for n in range(100) if (percent * 10**n).denominator == 1), None)
    if digits is None:
        raise ValueError(f"{size} is no percentage that ends")
    scaled = str(int(percent * 10**digits)).rjust(digits + 1, "0")
    return f"{scaled[: len(scaled) - digits]}.{scaled[len(scaled) - digits :]}%" if digits else f"{scaled}%"
