"""A first suite of stock expectations: what holds of the rows that were measured, for a person to widen or to prune."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from splitting.errors import DataError
from validation.measures import measured_split
from validation.profile.families import length_of
from validation.profile.profile import Profile
from validation.profile.values import ColumnProfile
from validation.tables import ON_SOURCES, holds

MOST_CATEGORIES = 50
"""A column of more values gets no list of them."""

ColumnType = Literal["text", "number", "other"]
"""What stock expectations can say of a column: its values or lengths, its range, or neither."""


def starter_suite(
    profile: Profile, table: str, columns: Mapping[str, ColumnType], source_column: str
) -> dict[str, Any]:
    """A suite that holds on the rows that it is made from.

    Args:
        profile: of a run.
        table: what it is to be judged on, as in `splits.dev`.
        columns: that were measured, in the order of the data, each with its type.
        source_column: that tells a row's source.

    Returns:
        The suite as Great Expectations' JSON has it. Expectations of columns are warnings.

    Raises:
        DataError: the table holds no row.
    """
    parts = [part for part in profile.splits() for source in profile.sources(part) if _in(table, part, source)]
    splits = tuple(dict.fromkeys(parts))
    source = table.removeprefix(ON_SOURCES) if table.startswith(ON_SOURCES) else None
    rows = profile.rows(splits, source)
    if not rows:
        raise DataError(f"{table} holds no row; make the suite from another split or source")
    expectations = [
        _expectation("table_columns_to_match_set", "critical", column_set=[*columns, source_column], exact_match=True),
        _expectation("table_row_count_to_be_between", "warning", min_value=rows // 2, max_value=2 * rows),
    ]
    for name, kind in columns.items():
        if not name:
            continue  # no expectation can name it
        values = profile.column(name, splits, source)
        lengths = profile.column(length_of(name), splits, source) if kind == "text" else None
        expectations += _of_column(values, kind, lengths)
    return {"name": table.replace(".", "_"), "expectations": expectations}


def _in(table: str, part: str, source: str) -> bool:
    return holds(table, measured_split(part), source)


def _of_column(values: ColumnProfile, kind: ColumnType, lengths: ColumnProfile | None) -> Iterator[dict[str, Any]]:
    present = values.rows - values.nulls - values.nans
    share = math.floor(100 * present / values.rows) / 100
    if share:
        mostly = {} if present == values.rows else {"mostly": share}
        yield _expectation("column_values_to_not_be_null", "warning", column=values.name, **mostly)
    known = values.categories
    if kind == "text" and known is not None and known.exact and 0 < len(known.values) <= MOST_CATEGORIES:
        yield _expectation("column_values_to_be_in_set", "warning", column=values.name, value_set=list(known.values))
    elif lengths is not None and (span := _span(lengths)):
        yield _expectation("column_value_lengths_to_be_between", "warning", column=values.name, **span)
    elif kind == "number" and not values.infinite and (span := _span(values)):
        yield _expectation("column_values_to_be_between", "warning", column=values.name, **span)


def _span(values: ColumnProfile) -> dict[str, Any] | None:
    found = values.moments
    if found is None or not isinstance(found.minimum, int | float) or not isinstance(found.maximum, int | float):
        return None
    return {"min_value": found.minimum, "max_value": found.maximum}


def _expectation(kind: str, severity: str, **kwargs: Any) -> dict[str, Any]:
    return {"type": f"expect_{kind}", "kwargs": kwargs, "severity": severity}
