"""Whether the columns that an expectation names are of a type that it can be asked of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from validation.gx.values import is_number, short
from validation.tables import ValueKind

_OF_NUMBERS = {
    "expect_column_mean_to_be_between",
    "expect_column_median_to_be_between",
    "expect_column_quantile_values_to_be_between",
    "expect_column_stdev_to_be_between",
    "expect_column_sum_to_be_between",
    "expect_column_value_z_scores_to_be_less_than",
    "expect_column_values_to_not_be_outliers",
    "expect_multicolumn_sum_to_equal",
}
_OF_TEXTS = {"expect_column_values_to_match_strftime_format"}
_AS_TEXT = ("regex", "like_pattern", "value_lengths")
_WITHIN = {
    "expect_column_max_to_be_between",
    "expect_column_min_to_be_between",
    "expect_column_values_to_be_between",
}
_ALIKE = {
    "expect_column_pair_values_a_to_be_greater_than_b",
    "expect_column_pair_values_to_be_equal",
    "expect_multicolumn_values_to_be_equal",
}
_COUNTED: tuple[ValueKind, ...] = ("number", "boolean")
_NAMES: dict[ValueKind, str] = {
    "text": "texts",
    "number": "numbers",
    "boolean": "truth values",
    "time": "dates or times",
    "nested": "lists, structs or bytes",
    "unknown": "values of any type",
}


def type_problems(expectation: Any, place: str, kinds: Mapping[str, ValueKind]) -> Iterator[str]:
    """Where the type of a column and what is asked of it do not go together.

    Args:
        expectation: of Great Expectations, its columns known to be there.
        place: of it, as in `expectations[0]`.
        kinds: of the columns; what is not known is passed over.

    Yields:
        Problems with their places, at most one a column.
    """
    kind = expectation.expectation_type
    named = list(_columns(expectation))
    for where, name in named:
        if (found := kinds.get(name, "unknown")) != "unknown" and (told := _problem(kind, found, expectation)):
            key, reason = told
            yield f"{reason}, and {name!r} holds {_NAMES[found]} @ {place}.kwargs.{key or where}"
    known = {kinds[name] for _, name in named if kinds.get(name, "unknown") != "unknown"}
    if kind in _ALIKE and len({"number" if one in _COUNTED else one for one in known}) > 1:
        told_kinds = ", ".join(f"{name!r} holds {_NAMES[kinds[name]]}" for _, name in named if name in kinds)
        yield f"values of different types are never compared: {told_kinds} @ {place}.kwargs"


def _columns(expectation: Any) -> Iterator[tuple[str, str]]:
    for key in ("column", "column_A", "column_B"):
        if isinstance(name := getattr(expectation, key, None), str):
            yield key, name
    listed = getattr(expectation, "column_list", None)
    for index, name in enumerate(listed if isinstance(listed, list | tuple) else ()):
        yield f"column_list[{index}]", name


def _problem(kind: str, found: ValueKind, expectation: Any) -> tuple[str, str] | None:
    """The argument that is wrong (empty for the column's name), and what it asks for."""
    bins = kind == "expect_column_kl_divergence_to_be_less_than" and "bins" in (expectation.partition_object or {})
    if (kind in _OF_NUMBERS or bins) and found not in _COUNTED:
        return "", f"{'bins are' if bins else f'{kind} is'} about numbers"
    if kind in _OF_TEXTS and found != "text":
        return "", f"{kind} is about texts"
    if any(word in kind for word in _AS_TEXT) and found in ("time", "nested"):
        return "", f"{kind} is about texts, and numbers as they are printed"
    if kind in _WITHIN:
        return _bound_problem(found, expectation)
    return _set_problem(found, getattr(expectation, "value_set", None))


def _bound_problem(found: ValueKind, expectation: Any) -> tuple[str, str] | None:
    for key in ("min_value", "max_value"):
        bound = getattr(expectation, key)
        if bound is None:
            continue
        fits = found in _COUNTED if is_number(bound) else found == "time"
        if not fits:
            return key, f"the bound {short(bound) if is_number(bound) else str(bound)} is a " + (
                "number" if is_number(bound) else "date or time"
            )
    return None


def _set_problem(found: ValueKind, values: Any) -> tuple[str, str] | None:
    """A set that has no value in common with any column of that type: it could only pass, or only fail."""
    if not isinstance(values, list):
        return None
    if found == "nested":
        return "", "a set is of texts, numbers, truth values, dates or times"
    known = [value for value in values if value is not None]
    fits = {
        "text": lambda value: isinstance(value, str),
        "time": lambda value: not isinstance(value, int | float),
        "number": lambda value: isinstance(value, int | float),
        "boolean": lambda value: isinstance(value, int | float) and value in (0, 1),
    }[found]
    if known and not any(map(fits, known)):
        return "value_set", f"the set {short(values)} has no such value"
    return None
