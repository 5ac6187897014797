"""Makes columns of JSON text where parts of an ingest disagree: each part knew its own values alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.ingest.tables import text_of
from pipelines.sources.filesystems import Location, open_output

_PLAIN = frozenset({pa.int64(), pa.float64(), pa.bool_(), pa.string()})
_NUMBERS = frozenset({pa.int64(), pa.float64()})
_AT_ONCE = 8


def unify_parts(tables: Sequence[Location], known: Collection[str]) -> tuple[str, ...]:
    """Rewrites the parts in which a user's column has another kind of values than in others, as texts.

    Args:
        tables: of all parts of all sources.
        known: the columns that are measured, and others of one type in every part.

    Returns:
        The columns that became texts. Whole numbers and fractions go together, and so do nulls and all else.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        schemas = list(pool.map(_schema, tables))
    types: defaultdict[str, set[pa.DataType]] = defaultdict(set)
    for schema in schemas:
        for field in schema:
            if field.name not in known and not pa.types.is_null(field.type):
                types[field.name].add(field.type)
    mixed = {name for name, found in types.items() if len(found) > 1 and found <= _PLAIN and not found <= _NUMBERS}
    for location, schema in zip(tables, schemas, strict=True):
        changed = [f.name for f in schema if f.name in mixed and f.type not in (pa.string(), pa.null())]
        if changed:
            _rewrite(location, schema, changed)
    return tuple(sorted(mixed))


def _schema(location: Location) -> pa.Schema:
    return pq.read_schema(location.path, filesystem=location.filesystem)


def _rewrite(location: Location, schema: pa.Schema, names: Sequence[str]) -> None:
    """The same rows in the same row groups; the file is exchanged at once."""
    for name in names:
        at = schema.get_field_index(name)
        schema = schema.set(at, schema.field(at).with_type(pa.string()))
    with pq.ParquetFile(location.path, filesystem=location.filesystem) as opened:
        groups = [opened.read_row_group(i) for i in range(opened.num_row_groups)]
    with open_output(location) as sink, pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for group in groups:
            columns = [_texts(group[field.name]) if field.name in names else group[field.name] for field in schema]
            writer.write_table(pa.table(columns, schema=schema))


def _texts(values: pa.ChunkedArray) -> pa.Array:
    return pa.array([None if value is None else text_of(value) for value in values.to_pylist()], pa.string())
