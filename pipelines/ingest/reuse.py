"""What earlier ingests measured: rows are taken over where a file is unchanged, so that it is not decoded again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.ingest.folders import STAMPS, TABLE, folder_of
from pipelines.ingest.kinds import Kind
from pipelines.ingest.names import location_columns
from pipelines.run_directory import RunDirectory
from pipelines.sources.filesystems import Location, locate
from splitting.columns import from_arrow

STAMP_SCHEMA = pa.schema(
    [
        pa.field("path", pa.string(), nullable=False),
        pa.field("size", pa.int64()),
        pa.field("stamp", pa.int64()),
        pa.field("content_hash", pa.string(), nullable=False),
    ]
)
_MEASURED_BY = b"measured_by"


def stamp_table(columns: Sequence[pa.ChunkedArray], fingerprint: str) -> pa.Table:
    """A table of stamps.

    Args:
        columns: those of `STAMP_SCHEMA`.
        fingerprint: of what measured the files.
    """
    return pa.table(columns, schema=STAMP_SCHEMA.with_metadata({_MEASURED_BY: fingerprint.encode()}))


@dataclass(frozen=True)
class EarlierPart:
    """A part of an earlier ingest.

    Attributes:
        table: URI of its table.
        stamps: URI of its stamps.
        first: the least path in it.
        last: the greatest.
    """

    table: str
    stamps: str
    first: str
    last: str


_Place = tuple[str, int | None, int | None, int | None, int]
"""Path, offset and row (two members of an archive can have one name), size and stamp."""


@dataclass(frozen=True)
class Earlier:
    """What is known of some paths."""

    _unchanged: dict[_Place, dict[str, Any]] = field(default_factory=dict)
    _contents: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, parts: Sequence[EarlierPart], paths: Sequence[str], kind: Kind) -> Earlier:
        """Looks paths up.

        Args:
            parts: to look in; of two that know a file, the first counts.
            paths: looked up.
            kind: what was measured.
        """
        found = cls()
        if not parts or not paths:
            return found
        wanted, low, high = pl.Series("path", paths).unique(), min(paths), max(paths)
        _, offset, _, number = location_columns(kind.name)
        for part in parts:
            if part.first <= high and part.last >= low:
                for row in _rows(part, wanted, [offset, number, *kind.schema.names]):
                    path, place = row.pop("path"), (row.pop(offset), row.pop(number))
                    size, stamp = row.pop("_size"), row.pop("_stamp")
                    if stamp is not None:
                        found._unchanged.setdefault((path, *place, size, stamp), row)
                    found._contents.setdefault((path, row["content_hash"]), row)
        return found

    def __bool__(self) -> bool:
        return bool(self._contents)

    def unchanged(self, member: Mapping[str, Any]) -> dict[str, Any] | None:
        """What was measured of a member that has its place, size and stamp of then; None where it has not, or no stamp.

        Args:
            member: a row of `MEMBER_SCHEMA`.
        """
        return self._unchanged.get(tuple(member[name] for name in ("_path", "_offset", "_row", "_size", "_stamp")))

    def same_content(self, path: str, content: str) -> dict[str, Any] | None:
        """What was measured of a file with these contents under this path."""
        return self._contents.get((path, content))


def _rows(part: EarlierPart, wanted: pl.Series, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The rows of paths in a part. A table and stamps that are not of one ingest give none."""
    try:
        table = _read(locate(part.table), ["path", *columns])
        stamps = _read(locate(part.stamps), STAMP_SCHEMA.names).rename({"size": "_size", "stamp": "_stamp"})
    except (OSError, pa.ArrowException, pl.exceptions.PolarsError, KeyError):
        return
    if table.columns != ["path", *columns]:
        return
    found = table.filter(pl.col("path").is_in(wanted.implode()))
    yield from found.join(stamps, on=["path", "content_hash"], how="inner").iter_rows(named=True)


def _read(location: Location, columns: Sequence[str]) -> pl.DataFrame:
    return from_arrow(
        pq.read_table(location.path, filesystem=location.filesystem, columns=list(columns), partitioning=None)
    )


def earlier_parts(run: RunDirectory, source: str, fingerprint: str) -> Iterator[EarlierPart]:
    """The parts of an earlier ingest of a source that measured as it is measured now.

    Args:
        run: in which it lies; finished, or broken off.
        source: its name.
        fingerprint: of what measures now.

    Yields:
        Parts that can be read.
    """
    folder = folder_of(source)
    for name in run.names_in(folder):
        if not name.startswith(f"{STAMPS}-"):
            continue
        stamps, table = run.path(f"{folder}/{name}"), run.path(f"{folder}/{name.replace(STAMPS, TABLE, 1)}")
        try:
            bounds = _bounds(stamps, fingerprint)
        except (OSError, pa.ArrowException):
            continue
        if bounds is not None:
            yield EarlierPart(table.uri, stamps.uri, *bounds)


def _bounds(stamps: Location, fingerprint: str) -> tuple[str, str] | None:
    """The least and the greatest path in a part, from its footer; None where it was measured otherwise."""
    with pq.ParquetFile(stamps.path, filesystem=stamps.filesystem) as opened:
        meta = opened.metadata
        if (opened.schema_arrow.metadata or {}).get(_MEASURED_BY) != fingerprint.encode():
            return None
        found = [meta.row_group(i).column(0).statistics for i in range(meta.num_row_groups)]
    known = [one for one in found if one is not None and one.has_min_max]
    return (min(one.min for one in known), max(one.max for one in known)) if known else None
