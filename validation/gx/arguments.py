"""The arguments of a suite's expectations, checked more strictly than Great Expectations does.

Nothing is taken for something else, and what could only fail is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from validation.gx.values import is_number, short

_NOT_TOLD = "value is not a valid dict"  # of a parameter, which has no value here
_WORDS = {
    "field required": "is required",
    "str type expected": "is a text",
    "value is not a valid float": "is a number",
    "value is not a valid integer": "is a whole number",
    "value is not a valid list": "is a list",
    "value could not be parsed to a boolean": "is true or false",
    "invalid datetime format": "is a time in ISO 8601, as in 2024-01-31T12:00:00",
    "invalid date format": "is a date in ISO 8601, as in 2024-01-31",
}


def argument_problems(kwargs: dict[str, Any], place: str) -> Iterator[str]:
    """What is wrong with arguments as they were written.

    Args:
        kwargs: of an expectation.
        place: of the expectation, as in `expectations[0]`.

    Yields:
        Problems with their places.
    """
    yield from _patterns(kwargs, place)
    yield from _references(kwargs, place)
    yield from _bounds(kwargs, place)
    mostly = kwargs.get("mostly")
    if mostly is not None and (not is_number(mostly) or not 0 <= mostly <= 1):
        yield f"mostly is a share from 0 to 1, got {short(mostly)} @ {place}.kwargs.mostly"


def refusals(error: Exception, kwargs: dict[str, Any], place: str) -> list[str]:
    """What Great Expectations found wrong, a problem an argument.

    Args:
        error: that an expectation raised when it was made.
        kwargs: that it was made from.
        place: of the expectation.

    Returns:
        Problems with their places; `mostly` is not among them, see `argument_problems`.
    """
    told: list[dict[str, Any]] = error.errors() if hasattr(error, "errors") else [{"loc": (), "msg": str(error)}]
    messages: dict[str, list[str]] = {}
    for one in told:
        loc = ".".join(map(str, one["loc"])).replace("__root__", "")
        messages.setdefault(loc, []).append(_WORDS.get(str(one["msg"]), str(one["msg"])))
    if len(messages) > 1:
        messages.pop("", None)  # that something is missing, where it is there and wrong
    messages.pop("mostly", None)
    return [_refusal(loc, found, kwargs, place) for loc, found in messages.items()]


def _refusal(loc: str, messages: Sequence[str], kwargs: dict[str, Any], place: str) -> str:
    reasons = [message for message in dict.fromkeys(messages) if message != _NOT_TOLD] or list(messages)
    key = loc.split(".", maxsplit=1)[0]
    got = f", got {short(kwargs[key])}" if key in kwargs else ""
    ours = all(reason.startswith("is ") for reason in reasons)
    text = f"{loc} is {' or '.join(reason[3:] for reason in reasons)}" if ours else reasons[-1]
    return f"{text}{got} @ {place}.kwargs{'.' * bool(loc)}{loc}"


def altered(expectation: Any, kwargs: dict[str, Any], place: str) -> Iterator[str]:
    """Arguments that Great Expectations took for something else: "5" for 5, 1.5 rows for 1, 2^53 + 1 for 2^53.

    Args:
        expectation: as it was made.
        kwargs: that it was made from.
        place: of the expectation.

    Yields:
        Problems with their places.
    """
    for key, told in kwargs.items():
        for loc, (written, taken) in _pairs(told, getattr(expectation, key, told), key):
            if not _same(written, taken):
                yield f"{short(written)} would be taken as {short(taken)} @ {place}.kwargs.{loc}"


def _pairs(told: Any, taken: Any, loc: str) -> Iterator[tuple[str, tuple[Any, Any]]]:
    if isinstance(told, list) and isinstance(taken, list | tuple) and len(told) == len(taken):
        for index, (one, other) in enumerate(zip(told, taken, strict=True)):
            yield from _pairs(one, other, f"{loc}[{index}]")
    elif isinstance(told, dict) and isinstance(taken, dict):
        for key in told.keys() & taken.keys():
            yield from _pairs(told[key], taken[key], f"{loc}.{key}")
    elif isinstance(told, str | int | float):
        yield loc, (told, getattr(taken, "value", taken))


def _same(written: Any, taken: Any) -> bool:
    if isinstance(written, str):
        return isinstance(taken, date) or not isinstance(taken, str | int | float) or taken == written
    if isinstance(written, bool) or isinstance(taken, bool):
        return written is taken
    return not isinstance(taken, str | int | float) or (is_number(taken) and written == taken)


def _bounds(kwargs: dict[str, Any], place: str) -> Iterator[str]:
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    comparable = (is_number(low) and is_number(high)) or (isinstance(low, str) and isinstance(high, str))
    if comparable and low > high:  # type: ignore[operator]
        yield f"min_value {short(low)} is above max_value {short(high)} @ {place}.kwargs"


def _patterns(kwargs: dict[str, Any], place: str) -> Iterator[str]:
    for key in ("regex", "regex_list"):
        told = kwargs.get(key)
        for pattern in told if isinstance(told, list) else [told]:
            try:
                re.compile(pattern if isinstance(pattern, str) else "")
            except re.error as error:
                yield f"{short(pattern)} is no regular expression: {error} @ {place}.kwargs.{key}"


def _references(kwargs: dict[str, Any], place: str) -> Iterator[str]:
    """References of a JSON schema to other documents: the validator would open them, on disk or over the network."""
    left = [kwargs.get("json_schema")]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            for key in ("$ref", "$dynamicRef", "$recursiveRef"):
                told = part.get(key, "#")
                if isinstance(told, str) and not told.startswith("#"):
                    yield f"{key} {short(told)} leads out of the schema; write it within @ {place}.kwargs.json_schema"
            left += part.values()
        elif isinstance(part, list):
            left += part
