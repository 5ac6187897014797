"""Checks a spec against the columns that there are, before any data is read."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

import polars as pl
import pyarrow as pa
import pyarrow.types as pt

from pipelines.sources.storable import is_opaque
from pipelines.spec.comparisons import check_comparisons
from pipelines.spec.models import Pool, Spec
from pipelines.spec.values import shorten
from splitting.columns import from_arrow
from splitting.conditions import Condition, ConditionError, columns_of, evaluate, first_words, read
from splitting.errors import Problem, SpecError
from splitting.linking.rules import EqualValues, NearHashes, NearTexts, link_columns
from splitting.request import TARGET_POOL, TRAIN

_SHOWN = 30


def polars_schema(schema: pa.Schema, source_column: str) -> dict[str, pl.DataType]:
    """The columns that a condition can read, the source column among them."""
    readable = pa.schema([field for field in schema if not is_opaque(field.type)])
    return {**from_arrow(readable.empty_table()).schema, source_column: pl.String()}


def compile_condition(sql: str, columns: Mapping[str, pl.DataType], path: str) -> Condition:
    """Checks a condition.

    Args:
        sql: the condition.
        columns: those that it can read, with their types.
        path: where it stands in the spec.

    Returns:
        The condition.

    Raises:
        SpecError: it is not one; says why.
    """
    try:
        condition = Condition(sql, columns_of(sql, columns))
        check_comparisons(read(sql), columns)
    except ConditionError as error:
        raise SpecError([Problem(path, f"{shorten(sql, 200)}: {error}")]) from error
    empty = pl.DataFrame(schema={name: columns[name] for name in condition.columns})
    try:
        result = evaluate(sql, empty if condition.columns else pl.DataFrame({"_": [0]}))
    except pl.exceptions.PolarsError as error:
        words = first_words(error)
        if words.startswith("'is_in' cannot check for"):
            words = (
                "in (…) holds values of another kind than what is before it; write values of its kind, or compare by ="
            )
        if "cannot compare 'date/datetime/time'" in words or "appropriate format to parse" in words:
            words = "a column of dates or times is compared with a text that is none; write it as in '2026-01-31'"
        told = f"{shorten(sql, 200)} is not a condition over these columns: {words}"
        raise SpecError([Problem(path, told)]) from error
    if result.dtype not in (pl.Boolean, pl.Null):
        told = f"{shorten(sql, 200)} gives {result.dtype}, expected a condition (true or false)"
        raise SpecError([Problem(path, told)])
    return condition


def check_columns(spec: Spec, schema: pa.Schema) -> None:
    """Checks that every column that a spec names is there and can be used so; and every condition.

    Args:
        spec: the spec.
        schema: of the unified table, without the source column.

    Raises:
        SpecError: lists every problem.
    """
    problems = list(_problems(spec, schema))
    if problems:
        raise SpecError(problems)


def _problems(spec: Spec, schema: pa.Schema) -> Iterator[Problem]:
    names = [*schema.names, spec.source_column]
    opaque = [field for field in schema if is_opaque(field.type)]
    if spec.key_is_row and opaque:
        told = f"column {opaque[0].name!r} is {opaque[0].type}, of which no key can be made; name key columns, not row"
        yield Problem("key", told)
    yield from _role_problems(spec, names, schema)
    yield from _link_problems(spec, schema)
    for i, stratum in enumerate(spec.stratify):
        path = f"stratify[{i}]"
        found = list(_usable(stratum.column, path, names, schema))
        yield from found
        if stratum.edges and not found and not _is_number(schema, stratum.column):
            got = _type(schema, stratum.column)
            yield Problem(path, f"edges need a numeric column, and {stratum.column!r} is {got}")
    for role, columns in (("checks.skip", spec.checks.skip), ("checks.times", spec.checks.times)):
        for i, column in enumerate(columns):
            yield from _there(column, f"{role}[{i}]" if len(columns) > 1 else role, names)
    types = polars_schema(schema, spec.source_column)
    for path, sql in _conditions(spec):
        try:
            compile_condition(sql, types, path)
        except SpecError as error:
            yield from error.problems


def _role_problems(spec: Spec, names: list[str], schema: pa.Schema) -> Iterator[Problem]:
    for role, columns in (
        ("key", spec.key_columns),
        ("group", spec.group or ()),
        ("linked_by", link_columns(spec.links)),
        ("label", (spec.label,) if spec.label else ()),
    ):
        for i, column in enumerate(columns):
            path = f"{role}[{i}]" if len(columns) > 1 and role != "linked_by" else role
            yield from _usable(column, path, names, schema)
            if role == "label" and column in schema.names and _is_bytes(schema.field(column).type):
                yield Problem(path, f"column {column!r} is {_type(schema, column)}; expected labels that can be shown")


def _link_problems(spec: Spec, schema: pa.Schema) -> Iterator[Problem]:
    """Hashes of 64 bits are whole numbers of that size, or their hexadecimal digits; texts are texts."""
    for rule in spec.links:
        for column in rule.columns if not isinstance(rule, EqualValues) else ():
            if column not in schema.names:
                continue
            kind = schema.field(column).type
            text = pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind) or pt.is_null(kind)
            if isinstance(rule, NearHashes) and not (text or pt.is_uint64(kind) or pt.is_int64(kind)):
                told = (
                    f"{rule.name}: column {column!r} is {kind}; expected a 64-bit hash: uint64, int64, or 16 hex digits"
                )
                yield Problem("linked_by", told)
            if isinstance(rule, NearTexts) and not (text or pt.is_dictionary(kind)):
                yield Problem("linked_by", f"{rule.name}: column {column!r} is {kind}; expected a text")


def _there(column: str, path: str, names: list[str]) -> Iterator[Problem]:
    if column not in names:
        near = difflib.get_close_matches(column, names, 1)
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        hint = f"did you mean {near[0]!r}?" if near else f"the columns are {', '.join(names[:_SHOWN])}{more}"
        yield Problem(path, f"there is no column {column!r}; {hint}")


def _usable(column: str, path: str, names: list[str], schema: pa.Schema) -> Iterator[Problem]:
    yield from _there(column, path, names)
    if column in schema.names and (is_opaque(schema.field(column).type) or pt.is_nested(schema.field(column).type)):
        kind = _type(schema, column)
        yield Problem(path, f"column {column!r} is {kind}; expected a plain value (text, number, date, …)")


def _type(schema: pa.Schema, column: str) -> str:
    return str(schema.field(column).type) if column in schema.names else "string"


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(
        pt.is_binary(kind) or pt.is_large_binary(kind) or pt.is_binary_view(kind) or pt.is_fixed_size_binary(kind)
    )


def _is_number(schema: pa.Schema, column: str) -> bool:
    if column not in schema.names:
        return False
    kind = schema.field(column).type
    return bool(pt.is_integer(kind) or pt.is_floating(kind) or pt.is_decimal(kind) or pt.is_null(kind))


def _conditions(spec: Spec) -> Iterator[tuple[str, str]]:
    if spec.target.where:
        yield "target.where", spec.target.where
    for name, split in spec.evaluation_splits().items():
        if isinstance(split.from_, Pool):
            if split.from_.where:
                yield f"splits.{name}.from.where", split.from_.where
        elif split.from_ not in (TARGET_POOL, TRAIN, None):
            yield f"splits.{name}.from", str(split.from_)
