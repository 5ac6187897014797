"""The table that an ingest writes: a row a member; and the user's own columns in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence, Set
from typing import Any

import pyarrow as pa

from pipelines.ingest.kinds import Kind
from pipelines.ingest.names import PATH, location_columns
from splitting.errors import DataError

_EXACT = 2**53
GIVEN = "_given"
"""What is put behind the name of a user's column that has the name of a measured one."""


def ingested_table(
    kind: Kind,
    members: pa.Table,
    measured: Sequence[Mapping[str, Any]],
    label: tuple[str, Sequence[str | None]] | None,
    own: pa.Table | None,
    reserved: Set[str] = frozenset(),
) -> pa.Table:
    """Puts a table together.

    Args:
        kind: what is measured.
        members: of `MEMBER_SCHEMA`; those that are rows.
        measured: of each, a value a column.
        label: the name of the label column and its values; None for none.
        own: the user's columns, a row a member; None for none.
        reserved: names that those cannot have either.

    Returns:
        Path, label, the user's columns, what was measured, the location.
    """
    columns: list[tuple[pa.Field, pa.Array | pa.ChunkedArray]] = []

    def add(name: str, values: pa.Array | pa.ChunkedArray, *, nullable: bool = True) -> None:
        columns.append((pa.field(name, values.type, nullable), values))

    add(PATH, members["_path"], nullable=False)
    if label is not None:
        add(label[0], pa.array(label[1], pa.string()))
    taken = {PATH, *kind.schema.names, *location_columns(kind.name), *reserved, *([label[0]] if label else ())}
    if own is not None:
        for name, values in zip(renamed(own.column_names, taken), own.columns, strict=True):
            add(name, values)
    for field in kind.schema:
        add(field.name, pa.array([row[field.name] for row in measured], field.type))
    sizes = pa.array([row["bytes"] for row in measured], pa.int64())
    located = (members["_uri"], members["_offset"], sizes, members["_row"])
    for name, values in zip(location_columns(kind.name), located, strict=True):
        add(name, values)
    return pa.table([values for _, values in columns], schema=pa.schema([field for field, _ in columns]))


def renamed(names: Sequence[str], taken: set[str]) -> list[str]:
    """The names of the user's columns: those that are taken have `_given` behind them.

    Raises:
        DataError: that is taken, too.
    """
    given = [f"{name}{GIVEN}" if name in taken else name for name in names]
    twice = next((name for name in given if given.count(name) > 1 or name in taken), None)
    if twice is not None:
        raise DataError(f"column {twice!r} stands more than once beside the files; rename one of them")
    return given


def own_of_json(texts: Sequence[str | None]) -> pa.Table | None:
    """The user's columns that lie beside members as JSON objects.

    Args:
        texts: an object each; null where there is none.

    Returns:
        A column a key, in the order of the alphabet: booleans, whole numbers, numbers and texts as they are; of mixed
        kinds, and of anything else, the JSON text. None where no member has any.
    """
    rows = [json.loads(text) if text is not None else {} for text in texts]
    names = sorted({name for row in rows for name in row})
    if not names:
        return None
    return pa.table({name: _column([row.get(name) for row in rows]) for name in names})


def _column(values: list[Any]) -> pa.Array:
    kinds = {type(value) for value in values if value is not None}
    if not kinds:
        return pa.nulls(len(values))  # goes with whatever other parts hold
    if kinds <= {int} and all(value is None or -(2**63) <= value < 2**63 for value in values):
        return pa.array(values, pa.int64())
    if kinds <= {int, float} and all(map(_is_a_float, values)):
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    return pa.array([None if value is None else text_of(value) for value in values], pa.string())


def text_of(value: Any) -> str:
    """A value of JSON as text; a text as it is, a whole number without a fraction, however it was written.

    Examples:
        >>> [text_of(value) for value in ("a", 2, 2.0, 2.5, True, ["a"])]
        ['a', '2', '2', '2.5', 'true', '["a"]']
    """
    if isinstance(value, str):
        return value
    whole = isinstance(value, float) and value.is_integer() and abs(value) < _EXACT
    return json.dumps(int(value) if whole else value, ensure_ascii=False)


def _is_a_float(value: float | None) -> bool:
    try:
        float(value or 0)
    except OverflowError:  # a whole number of hundreds of digits
        return False
    return True
