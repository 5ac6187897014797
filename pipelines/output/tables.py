"""The tables that are written: a row of the input with its source, or an index row that points to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl
import pyarrow as pa

from pipelines.output.located import Located
from pipelines.sources.reading import Chunk
from pipelines.sources.storable import is_opaque
from splitting.columns import from_arrow
from splitting.errors import DataError
from splitting.hashing import hash_texts, name_whole_rows
from validation.tables import ValueKind

Output = Literal["data", "index", "webdataset", "folder"]
REASON = "reason"
_ROWS_A_CUT = 1_000
INDEX_COLUMNS = ("file", "row", "split")
WHOLE_ROW = "row_key"

LINE_SCHEMA = pa.schema(
    [("source", pa.string()), ("file", pa.string()), ("text", pa.string()), ("reason", pa.string())]
)


@dataclass(frozen=True)
class OutputTables:
    """How output rows look.

    Attributes:
        schema: of the unified input.
        source_column: the name of the column with the source.
        key: names of the key columns; empty for whole rows.
        mode: `index` writes key, source, file, row and split; all others copy every column.
        kept: columns of the input that an index holds as well.
    """

    schema: pa.Schema
    source_column: str
    key: tuple[str, ...]
    mode: Output = "data"
    kept: tuple[str, ...] = ()

    @property
    def copies(self) -> bool:
        """Whether rows are copied, column by column."""
        return self.mode != "index"

    def split_schema(self) -> pa.Schema:
        """The schema of the files in `data/`.

        Raises:
            DataError: an index column has the name of a key column.
        """
        source = pa.field(self.source_column, pa.string())
        if self.copies:
            large = any(pa.types.is_large_string(field.type) for field in self.schema)
            return self.schema.append(source.with_type(pa.large_string()) if large else source)
        keys = [self.schema.field(name) for name in self._pointing()]
        if not self.key:
            keys = [pa.field(WHOLE_ROW, pa.string()), *keys]
        fields = [*keys, source, pa.field("file", pa.string()), pa.field("row", pa.int64())]
        taken = [name for name in self._pointing() if name in INDEX_COLUMNS]
        if taken:
            what = "the key has" if taken[0] in self.key else "the index is to hold"
            raise DataError(
                f"`output: index` writes columns named {', '.join(INDEX_COLUMNS)}, and {what} a column named "
                f"{taken[0]!r}; rename that column, or use `output: data`"
            )
        return pa.schema([*fields, pa.field("split", pa.string())])

    def _pointing(self) -> list[str]:
        """The input columns of an index: the key, then those that it holds as well, each once."""
        return [name for name in dict.fromkeys([*self.key, *self.kept]) if name != self.source_column]

    def measured_columns(self) -> list[str]:
        """The input columns that are measured: all that polars can read."""
        return [field.name for field in self.schema if not is_opaque(field.type)]

    def columns_of_suites(self) -> dict[str, ValueKind]:
        """The columns that suites see, with what they hold: those that are measured, and the source."""
        names = [name for name in self.measured_columns() if name != self.source_column]
        return {**{name: _held(self.schema.field(name).type) for name in names}, self.source_column: "text"}

    def aside_schema(self) -> pa.Schema:
        """The schema of held-out and rejected rows: the same, with the reason in the place of the split."""
        schema = self.split_schema()
        if not self.copies:
            schema = schema.remove(schema.get_field_index("split"))
        name = REASON if REASON not in schema.names else f"_{REASON}"
        return schema.append(pa.field(name, pa.string()))

    def split_table(self, rows: Located, split: str) -> pa.Table:
        """Output rows of a split.

        Args:
            rows: input rows.
            split: where they go.

        Returns:
            A table in `split_schema`.
        """
        if self.copies:
            return self._with_source(rows)
        index = self._index_columns(rows)
        return pa.table([*index, _constant(split, len(rows))], schema=self.split_schema())

    def split_frame(self, chunk: Chunk, chosen: pl.Series | None, sources: pl.Enum) -> pl.DataFrame:
        """Output rows of a split, as polars has them; not for an index.

        Args:
            chunk: input rows.
            chosen: Boolean, which of them; None for all.
            sources: the type of the source column.

        Returns:
            A frame of the columns of `split_schema`.
        """
        source = pl.lit(chunk.fragment.source, dtype=sources).alias(self.source_column)
        rows = chunk.frame(self.schema.names)
        return (rows if chosen is None else _chosen(rows, chosen)).with_columns(source)

    def aside_table(self, rows: Located, reasons: pl.Series) -> pa.Table:
        """Held-out or rejected rows with their reasons.

        Args:
            rows: input rows.
            reasons: String, a row's reason.

        Returns:
            A table in `aside_schema`.
        """
        why = reasons.to_arrow().cast(pa.string())
        columns = self._with_source(rows).columns if self.copies else self._index_columns(rows)
        return pa.table([*columns, why], schema=self.aside_schema())

    def _with_source(self, rows: Located) -> pa.Table:
        schema = self.split_schema()
        source = rows.sources().cast(schema.field(self.source_column).type)
        return pa.table([*rows.table.columns, source], schema=schema)

    def _index_columns(self, rows: Located) -> list[pa.ChunkedArray | pa.Array]:
        table = rows.table
        keys = [table.column(name) for name in self._pointing()]
        if not self.key:
            digests = hash_texts(name_whole_rows(from_arrow(table), table.column_names), 0)
            keys = [pa.array([f"{digest:016x}" for digest in digests], pa.string()), *keys]
        return [*keys, rows.sources(), rows.files(), rows.numbers]


def _held(kind: pa.DataType) -> ValueKind:
    types = pa.types
    if types.is_dictionary(kind):
        return _held(kind.value_type)
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return "text"
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return "number"
    if types.is_boolean(kind):
        return "boolean"
    if types.is_date(kind) or types.is_timestamp(kind):
        return "time"
    return "nested" if types.is_nested(kind) else "unknown"


def _constant(value: str, size: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.string()), size)


def _chosen(rows: pl.DataFrame, chosen: pl.Series) -> pl.DataFrame:
    """Some rows, in order; where they are nearly all, the runs between the others, which share the memory of all."""
    others = (~chosen).arg_true()
    if _ROWS_A_CUT * len(others) > len(rows):
        return rows.filter(chosen)
    ends = [*others, len(rows)]
    starts = [0, *(other + 1 for other in others)]
    return pl.concat([rows.slice(start, end - start) for start, end in zip(starts, ends, strict=True)], rechunk=False)
