"""What the arguments of stock expectations may hold: what could only pass, only fail, or not be judged is refused."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any

from validation.gx.values import is_number, short

SHARES = 1e-6
"""How far the weights of a partition may be from 1 together."""

_LISTS = ("value_set", "value_pairs_set", "regex_list", "like_pattern_list", "type_list", "column_list", "column_set")
_OPTIONAL_LISTS = {
    "expect_column_values_to_be_in_type_list": "type_list",
    "expect_table_columns_to_match_ordered_list": "column_list",
    "expect_table_columns_to_match_set": "column_set",
}
_INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")
_COUNTS = (
    "expect_column_unique_value_count_to_be_between",
    "expect_column_value_lengths_to_be_between",
    "expect_column_value_lengths_to_equal",
    "expect_table_column_count_to_be_between",
    "expect_table_column_count_to_equal",
    "expect_table_row_count_to_be_between",
    "expect_table_row_count_to_equal",
)
_RANGES: dict[str, tuple[float, float, str]] = {
    **dict.fromkeys(_COUNTS, (0, math.inf, "a count of 0 or more")),
    "expect_column_stdev_to_be_between": (0, math.inf, "a deviation of 0 or more"),
    "expect_column_proportion_of_non_null_values_to_be_between": (0, 1, "a share from 0 to 1"),
    "expect_column_proportion_of_unique_values_to_be_between": (0, 1, "a share from 0 to 1"),
}
_IGNORED = ("all_values_are_missing", "any_value_is_missing", "never")

Found = Iterator[tuple[str, str]]


def value_problems(kind: str, kwargs: Mapping[str, Any], place: str) -> Iterator[str]:
    """What is wrong with the values of arguments, those within lists and objects too.

    Args:
        kind: the type of an expectation, as in `expect_column_values_to_be_in_set`.
        kwargs: as they were written; what is of the wrong type is passed over, for Great Expectations tells that.
        place: of the expectation, as in `expectations[0]`.

    Yields:
        Problems with their places.
    """
    for rule in (_lists, _bounds, _ranges, _quantiles, _partition, _others):
        for where, told in rule(kind, kwargs):
            yield f"{told} @ {place}.kwargs{where}"


def _lists(kind: str, kwargs: Mapping[str, Any]) -> Found:
    needed = _OPTIONAL_LISTS.get(kind)
    if needed and kwargs.get(needed) is None:
        yield f".{needed}", f"{needed} is required; without it nothing is asked"
    for key in _LISTS:
        told = kwargs.get(key)
        if not isinstance(told, list):
            continue
        if not told:
            yield f".{key}", f"{key} is empty; name at least one"
        for index, item in enumerate(told):
            at = f".{key}[{index}]"
            if key == "column_set" and not isinstance(item, str):
                yield at, f"is a text, got {short(item)}"
            if key in ("column_list", "column_set") and item in told[:index]:
                yield at, f"{short(item)} stands there twice; keep one"
            parts = item if key == "value_pairs_set" and isinstance(item, list) else [item]
            if any(isinstance(part, list | dict) for part in parts):
                yield at, f"is a text, a number or a truth value, got {short(item)}"
    if isinstance(kwargs.get("column_A"), str) and kwargs.get("column_A") == kwargs.get("column_B"):
        yield ".column_B", f"{short(kwargs['column_A'])} is compared with itself; name another column"


def _bounds(kind: str, kwargs: Mapping[str, Any]) -> Found:
    if not kind.endswith("_to_be_between") or "quantile" in kind:
        return
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    if low is None and high is None:
        yield "", "min_value and max_value cannot both be missing; without them nothing is asked"
    elif low is not None and high is not None:
        if is_number(low) != is_number(high):
            yield "", f"min_value {short(low)} and max_value {short(high)} are of different types"
        elif low == high and (kwargs.get("strict_min") is True or kwargs.get("strict_max") is True):
            yield "", f"nothing lies strictly between {short(low)} and {short(high)}"


def _ranges(kind: str, kwargs: Mapping[str, Any]) -> Found:
    if kind not in _RANGES:
        return
    low, high, what = _RANGES[kind]
    for key in ("min_value", "max_value", "value"):
        told = kwargs.get(key)
        if is_number(told) and not low <= told <= high:
            yield f".{key}", f"{key} is {what}, got {short(told)}"
        elif kind.endswith("_to_equal") and isinstance(told, float) and not told.is_integer():
            yield f".{key}", f"{key} is a whole number, got {short(told)}"


def _quantiles(kind: str, kwargs: Mapping[str, Any]) -> Found:
    if kind != "expect_column_quantile_values_to_be_between":
        return
    rule = kwargs.get("allow_relative_error", False)
    if rule is not False and rule not in _INTERPOLATIONS:
        yield (
            ".allow_relative_error",
            f"allow_relative_error is false or one of {', '.join(_INTERPOLATIONS)}, got {short(rule)}",
        )
    told = kwargs.get("quantile_ranges")
    if isinstance(told, dict):
        yield from _quantile_ranges(told)


def _quantile_ranges(told: Mapping[str, Any]) -> Found:
    at = ".quantile_ranges"
    yield from _keys(told, ({"quantiles", "value_ranges"},), at)
    quantiles, ranges = told.get("quantiles"), told.get("value_ranges")
    if not isinstance(quantiles, list) or not isinstance(ranges, list):
        return
    if not quantiles:
        yield f"{at}.quantiles", "quantiles is empty; name at least one"
    for index, quantile in enumerate(quantiles):
        if not is_number(quantile) or not 0 <= quantile <= 1:
            yield f"{at}.quantiles[{index}]", f"a quantile is a share from 0 to 1, got {short(quantile)}"
    if not _increasing(quantiles):
        yield f"{at}.quantiles", f"quantiles increase, got {short(quantiles)}"
    if len(quantiles) != len(ranges):
        told_more = f"there are {len(quantiles)} quantiles and {len(ranges)} value_ranges; give each quantile its range"
        yield f"{at}.value_ranges", told_more
    for index, span in enumerate(ranges):
        if problem := _span_problem(span):
            yield f"{at}.value_ranges[{index}]", f"{problem}, got {short(span)}"


def _span_problem(span: Any) -> str:
    if not isinstance(span, list) or len(span) != 2:
        return "a range is two numbers, or null for no bound"
    if any(bound is not None and not is_number(bound) for bound in span):
        return "a range is two numbers, or null for no bound"
    low, high = span
    if low is None and high is None:
        return "a range has at least one bound"
    return "a range has its lower bound first" if low is not None and high is not None and low > high else ""


def _partition(kind: str, kwargs: Mapping[str, Any]) -> Found:
    if kind != "expect_column_kl_divergence_to_be_less_than":
        return
    if kwargs.get("threshold") is None:
        yield ".threshold", "threshold is required; without it nothing is asked"
    elif is_number(kwargs["threshold"]) and kwargs["threshold"] < 0:
        yield ".threshold", f"threshold is 0 or more, as every divergence is, got {short(kwargs['threshold'])}"
    told = kwargs.get("partition_object")
    if not isinstance(told, dict):
        return
    at = ".partition_object"
    wrong = list(_keys(told, ({"values", "weights"}, {"bins", "weights"}, {"bins", "weights", "tail_weights"}), at))
    wrong += [(f"{at}.{key}", f"{key} is a list, got {short(v)}") for key, v in told.items() if not isinstance(v, list)]
    if wrong:
        yield from wrong
        return
    yield from _weights(told, at)
    if "bins" in told:
        yield from _bins(told["bins"], told["weights"], at)
    else:
        yield from _values(told["values"], told["weights"], at)


def _weights(told: Mapping[str, list[Any]], at: str) -> Found:
    weights, tails = told["weights"], told.get("tail_weights", [])
    for key, listed in (("weights", weights), ("tail_weights", tails)):
        for index, weight in enumerate(listed):
            if not is_number(weight) or weight < 0:
                yield f"{at}.{key}[{index}]", f"a weight is a number of 0 or more, got {short(weight)}"
    every = [*weights, *tails]
    if all(map(is_number, every)) and abs(sum(every) - 1) > SHARES:
        yield f"{at}.weights", f"weights{' and tail_weights' * bool(tails)} sum to 1, got {sum(every):.6g}"
    if "tail_weights" in told and len(tails) != 2:
        yield f"{at}.tail_weights", f"tail_weights are two, below the bins and above, got {len(tails)}"


def _bins(bins: list[Any], weights: list[Any], at: str) -> Found:
    if not all(map(is_number, bins)) or not _increasing(bins):
        yield f"{at}.bins", f"bins are numbers that increase, got {short(bins)}"
    if len(bins) != len(weights) + 1:
        yield f"{at}.bins", f"bins have one edge more than there are weights, got {len(bins)} and {len(weights)}"


def _values(values: list[Any], weights: list[Any], at: str) -> Found:
    for index, value in enumerate(values):
        if isinstance(value, list | dict):
            yield f"{at}.values[{index}]", f"is a text, a number or a truth value, got {short(value)}"
        elif value in values[:index]:
            yield f"{at}.values[{index}]", f"{short(value)} stands there twice; keep one"
    if len(values) != len(weights):
        yield f"{at}.values", f"there are {len(values)} values and {len(weights)} weights; give each value its weight"


def _keys(told: Mapping[str, Any], allowed: tuple[set[str], ...], at: str) -> Found:
    """The keys of an object, where they are none of those it may have."""
    if set(told) not in allowed:
        shapes = " or ".join(", ".join(sorted(keys)) for keys in allowed)
        yield at, f"is an object of {shapes}, got {', '.join(sorted(told)) or 'nothing'}"


def _increasing(numbers: list[Any]) -> bool:
    known = [number for number in numbers if is_number(number)]
    return all(low < high for low, high in pairwise(known))


def _others(kind: str, kwargs: Mapping[str, Any]) -> Found:
    for key, problem in _OTHERS.items():
        if key in kwargs and (told := problem(kwargs[key], kind)):
            yield f".{key}", f"{told}, got {short(kwargs[key])}"
    if kind == "expect_column_value_z_scores_to_be_less_than" and kwargs.get("double_sided") is True:
        threshold = kwargs.get("threshold")
        if is_number(threshold) and threshold <= 0:
            yield ".threshold", f"threshold is above 0 where it is double sided, got {short(threshold)}"


def _format_problem(told: Any, _: str) -> str:
    if isinstance(told, str) and not re.search("%[^%]", told):
        return "a time format has at least one directive, as in %Y-%m-%d"
    if isinstance(told, str):
        try:
            datetime(2024, 1, 31).strftime(told)  # noqa: DTZ001, no time of anything
        except ValueError as error:
            return f"is no time format ({error})"
    return ""


def _schema_problem(told: Any, _: str) -> str:
    if not isinstance(told, dict):
        return ""
    if not told:
        return "an empty schema allows everything"
    from jsonschema import exceptions, validators  # type: ignore[import-untyped]  # noqa: PLC0415, comes with Great Expectations

    try:
        validators.validator_for(told, default=validators.Draft202012Validator).check_schema(told)
    except exceptions.SchemaError as error:
        return f"is no JSON schema: {error.message}"
    return ""


def _index_problem(told: Any, _: str) -> str:
    return "column_index counts from 0" if is_number(told) and told < 0 else ""


def _ignored_problem(told: Any, kind: str) -> str:
    if kind != "expect_select_column_values_to_be_unique_within_record" or told in _IGNORED:
        return ""
    return f"ignore_row_if is one of {', '.join(_IGNORED)}"


_OTHERS: dict[str, Callable[[Any, str], str]] = {
    "strftime_format": _format_problem,
    "json_schema": _schema_problem,
    "column_index": _index_problem,
    "ignore_row_if": _ignored_problem,
}
