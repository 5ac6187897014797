"""The `row_condition` of an expectation: read into comparisons, never handed to pandas, whose queries can run code.

Read are the conditions of Great Expectations, as objects or as text (`col("age") > 18`), and of pandas' queries what
chooses rows by comparing columns with values: `age >= 18 and label in ["cat", "dog"]`.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal, TypeAlias

import polars as pl
from great_expectations.expectations.row_conditions import (
    AndCondition,
    ComparisonCondition,
    NullityCondition,
    OrCondition,
    PassThroughCondition,
)

from validation.metrics.bounds import between
from validation.metrics.columns import MetricError, comparable, members, values_of

MOST_CHARACTERS = 4_000
"""Of a condition in text."""

MOST_NESTED = 50
"""Conditions within conditions."""

_BOUNDS: dict[str, dict[str, Any]] = {
    ">": {"side": "min_value", "strict_min": True},
    ">=": {"side": "min_value"},
    "<": {"side": "max_value", "strict_max": True},
    "<=": {"side": "max_value"},
}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_OPERATORS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "IN",
    ast.NotIn: "NOT_IN",
}
_EXPECTED = "compare columns with values, as in age >= 18 and label in ['cat', 'dog'], joined by and, or, not"


class RowConditionError(ValueError):
    """A condition that cannot be read; its text says why."""


@dataclass(frozen=True)
class Comparison:
    """A column against a value.

    Attributes:
        column: its name.
        operator: `==`, `!=`, `<`, `<=`, `>`, `>=`, `IN` or `NOT_IN`; `null` and `nonnull` take no value.
        value: a scalar; of `IN` and `NOT_IN` a list of them.
    """

    column: str
    operator: str
    value: Any = None


@dataclass(frozen=True)
class Combination:
    """Conditions, joined.

    Attributes:
        how: `not` has one part.
        parts: at least one.
    """

    how: Literal["and", "or", "not"]
    parts: tuple[RowCondition, ...]


RowCondition: TypeAlias = Comparison | Combination


def row_condition_of(told: Any) -> RowCondition | None:
    """Reads the condition of an expectation.

    Args:
        told: what an expectation of Great Expectations holds as its `row_condition`.

    Returns:
        The condition; None for none.

    Raises:
        RowConditionError: it is none of those that are read.
    """
    if told is None or told == "":
        return None
    if isinstance(told, PassThroughCondition):
        return _of_text(told.pass_through_filter)
    if isinstance(told, str):
        return _of_text(told)
    if isinstance(told, ComparisonCondition):
        sign = getattr(told.operator, "value", told.operator)
        value = list(told.parameter) if sign in ("IN", "NOT_IN") else told.parameter
        return Comparison(told.column.name, sign, _checked_value(value))
    if isinstance(told, NullityCondition):
        return Comparison(told.column.name, "null" if told.is_null else "nonnull")
    if isinstance(told, AndCondition | OrCondition):
        parts = tuple(part for one in told.conditions if (part := row_condition_of(one)) is not None)
        if not parts:
            raise RowConditionError("joins no conditions")
        return Combination("and" if isinstance(told, AndCondition) else "or", parts)
    raise RowConditionError(f"is of a kind that is not read: {type(told).__name__}")


def columns_of(condition: RowCondition) -> list[str]:
    """The columns that a condition looks at, in its order, each once."""
    if isinstance(condition, Comparison):
        return [condition.column]
    return list(dict.fromkeys(name for part in condition.parts for name in columns_of(part)))


def chosen(condition: RowCondition, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that meet a condition.

    Args:
        condition: to be met; a comparison with a null is met by `!=` and `not in` alone, as in pandas.
        rows: to choose from.

    Returns:
        Those rows, in their order.

    Raises:
        MetricError: a column cannot be compared with the value, or is not there.
    """
    return rows.filter(_met(condition, rows))


def _met(condition: RowCondition, rows: pl.DataFrame) -> pl.Series:
    if isinstance(condition, Comparison):
        return _compared(condition, values_of(rows, condition.column))
    parts = [_met(part, rows) for part in condition.parts]
    if condition.how == "not":
        return ~parts[0]
    return reduce(operator.and_ if condition.how == "and" else operator.or_, parts)


def _compared(condition: Comparison, values: pl.Series) -> pl.Series:
    sign, value = condition.operator, condition.value
    if sign in ("null", "nonnull"):
        return values.is_null() if sign == "null" else values.is_not_null()
    try:
        if sign in _BOUNDS:
            arguments = dict(_BOUNDS[sign])
            return between(values, **{arguments.pop("side"): value}, **arguments).fill_null(value=False)
        wanted = members(value if isinstance(value, list) else [value], values.dtype)
        same = comparable(values).is_in(wanted.implode()).fill_null(value=False)
    except MetricError as error:
        raise MetricError(f"row_condition on {condition.column!r}: {error}") from error
    return ~same if sign in ("!=", "NOT_IN") else same


def _of_text(text: str) -> RowCondition:
    if len(text) > MOST_CHARACTERS:
        raise RowConditionError(f"has {len(text):,} characters, at most {MOST_CHARACTERS:,} are read")
    plain, quoted = _without_backticks(text.strip())
    try:
        tree = ast.parse(plain, mode="eval").body
        return _read(tree, quoted)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, RowConditionError):
            raise
        raise RowConditionError(f"{_short(text)} is no condition; {_EXPECTED}") from error


_LITERAL_OR_BACKTICKS = re.compile(r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`([^`\n]+)`""")


def _without_backticks(text: str) -> tuple[str, dict[str, str]]:
    """Names in backticks, which pandas takes for columns, as names that Python can read."""
    quoted: dict[str, str] = {}

    def name(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0]
        while (placeholder := f"column_{len(quoted)}") in text or placeholder in quoted:
            quoted[placeholder] = ""
        quoted[placeholder] = found[1]
        return placeholder

    return _LITERAL_OR_BACKTICKS.sub(name, text), quoted


def _read(node: ast.expr, quoted: Mapping[str, str], depth: int = 0) -> RowCondition:
    if depth > MOST_NESTED:
        raise RowConditionError(f"is nested more than {MOST_NESTED} deep")
    if isinstance(node, ast.BoolOp):
        how: Literal["and", "or"] = "and" if isinstance(node.op, ast.And) else "or"
        return Combination(how, tuple(_read(part, quoted, depth + 1) for part in node.values))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return Combination("not", (_read(node.operand, quoted, depth + 1),))
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        parts = tuple(
            _comparison(left, sign, right, quoted)
            for left, sign, right in zip(sides[:-1], node.ops, sides[1:], strict=True)
        )
        return parts[0] if len(parts) == 1 else Combination("and", parts)
    raise RowConditionError(f"{_short(ast.unparse(node))} is not read; {_EXPECTED}")


def _comparison(left: ast.expr, sign: ast.cmpop, right: ast.expr, quoted: Mapping[str, str]) -> Comparison:
    name = _OPERATORS.get(type(sign))
    if isinstance(right, ast.Name) and not isinstance(left, ast.Name) and name not in ("IN", "NOT_IN"):
        left, right, name = right, left, _MIRRORED.get(name or "", name)
    if name is None or not isinstance(left, ast.Name) or isinstance(right, ast.Name):
        raise RowConditionError(f"{_short(ast.unparse(left))} is not compared with a value; {_EXPECTED}")
    value = ast.literal_eval(right)
    if name in ("==", "!=") and isinstance(value, list | tuple):
        name = "IN" if name == "==" else "NOT_IN"  # as pandas' queries have it
    if name in ("IN", "NOT_IN"):
        if not isinstance(value, list | tuple | set):
            raise RowConditionError(f"{_short(ast.unparse(right))} is no list of values; {_EXPECTED}")
        value = sorted(value, key=repr) if isinstance(value, set) else list(value)
    return Comparison(quoted.get(left.id) or left.id, name, _checked_value(value))


def _checked_value(value: Any) -> Any:
    if isinstance(value, list):
        return [_checked_value(one) for one in value if one is not None]
    if not isinstance(value, str | int | float):
        raise RowConditionError(f"{_short(repr(value))} is no text, number or truth value")
    return value


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"
