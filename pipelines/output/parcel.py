"""Evaluation rows on their way from the unit that read them to the shard that holds them."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.sources.storable import is_opaque
from splitting.hashing import hash_texts, name_whole_rows
from splitting.rules import GROUP, KEY, POOLS, SOURCE

LABEL = "_label"
_DIGEST = "_digest"
_ORDER = [GROUP, KEY, SOURCE]


@dataclass(frozen=True, eq=False)
class Parcel:
    """Some rows of one shard.

    Attributes:
        rows: as they will be written.
        about: a row each, in a table of its own, so that no name meets a user's: `_group`, `_key` and `_source` (their
            order in the shard), `_pools` and `_label` (what the checks count).
    """

    rows: pa.Table
    about: pa.Table

    @classmethod
    def of(cls, rows: pa.Table, inputs: pa.Table, parts: pl.DataFrame, label: str | None) -> Parcel:
        """Packs rows with what is known of them.

        Args:
            rows: as they will be written.
            inputs: the input rows that they were made of.
            parts: their `_group`, `_key`, `_source` and `_pools`.
            label: the label column, if there is one.

        Returns:
            The parcel.
        """
        about = {name: parts[name].to_arrow(compat_level=pl.CompatLevel.oldest()) for name in (GROUP, KEY, SOURCE)}
        return cls(
            rows, pa.table({**about, POOLS: parts[POOLS].to_arrow(), LABEL: label_texts(inputs, label).to_arrow()})
        )

    @classmethod
    def merge(cls, parcels: Iterable[Parcel]) -> Parcel:
        """Puts parcels together.

        Args:
            parcels: at least one, all of one run.

        Returns:
            Their rows, one parcel after the other.
        """
        parts = list(parcels)
        return cls(pa.concat_tables([part.rows for part in parts]), pa.concat_tables([part.about for part in parts]))

    def filter(self, chosen: pl.Series) -> Parcel:
        """The rows where `chosen`, Boolean, is true."""
        mask = chosen.to_arrow()
        return Parcel(self.rows.filter(mask), self.about.filter(mask))

    def sorted(self) -> Parcel:
        """The rows in the order of a shard, which no order of arrival changes; rows of one key by their contents."""
        order_by = self.about.select(_ORDER)
        if len(order_by.group_by(_ORDER).aggregate([])) < len(order_by):
            order_by = order_by.append_column(_DIGEST, row_digests(self.rows))
        order = pc.sort_indices(order_by, [(name, "ascending") for name in order_by.column_names])
        return Parcel(self.rows.take(order), self.about.take(order))

    def series(self, name: str) -> pl.Series:
        """A column of `about`."""
        return pl.Series(pl.from_arrow(self.about.column(name)))

    def to_bytes(self) -> bytes:
        """Packs the parcel as two Arrow streams."""
        rows, about = _stream(self.rows), _stream(self.about)
        return struct.pack("<Q", len(rows)) + rows + about

    @classmethod
    def from_bytes(cls, data: bytes) -> Parcel:
        """The parcel that `to_bytes` packed."""
        start = struct.calcsize("<Q")
        end = start + struct.unpack_from("<Q", data)[0]
        return cls(*(pa.ipc.open_stream(pa.py_buffer(part)).read_all() for part in (data[start:end], data[end:])))


def _stream(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table.combine_chunks())
    return sink.getvalue()


def row_digests(table: pa.Table) -> pa.Array:
    """A digest of each row, uint64, that does not depend on where the row was read."""
    names = sorted(table.column_names)
    columns = {f"{i:09}": _readable(table.column(name)) for i, name in enumerate(names)}
    return hash_texts(name_whole_rows(pl.DataFrame(columns), list(columns)), 0).to_arrow()


def _readable(values: pa.ChunkedArray) -> pl.Series:
    """The values, or, where polars has no such type, a text of each."""
    if is_opaque(values.type):
        return pl.Series([repr(value) for value in values.to_pylist()], dtype=pl.String)
    return pl.Series(pl.from_arrow(values))


def label_texts(table: pa.Table, label: str | None) -> pl.Series:
    """The labels of rows as String, null where there is no label column."""
    if label is None or label not in table.column_names:
        return pl.repeat(None, len(table), dtype=pl.String, eager=True)
    return pl.Series(pl.from_arrow(table.column(label))).cast(pl.String, strict=False)
