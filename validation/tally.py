"""Counts what was written, from the written tables themselves. A monoid; knows nothing of how splits are made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from splitting.frames import pack_frames, unpack_frames

_ROWS = {"split": pl.String(), "source": pl.String(), "label": pl.String(), "rows": pl.Int64(), "outside": pl.Int64()}
_ASIDE = {"folder": pl.String(), "source": pl.String(), "reason": pl.String(), "rows": pl.Int64()}
_LEAKS = {"what": pl.String(), "split": pl.String(), "other": pl.String(), "rows": pl.Int64()}
_READ = {"source": pl.String(), "rows": pl.Int64(), "high": pl.UInt64(), "low": pl.UInt64()}
_WRAP = 2**64
_SCHEMAS = {"rows": _ROWS, "aside": _ASIDE, "leaks": _LEAKS, "read": _READ}


@dataclass(frozen=True, eq=False)
class Tally:
    """Counts of written rows.

    Attributes:
        rows: by `split`, `source` and `label`: `rows`, and `outside`, those that are not in the split's pool.
        aside: by `folder` (`held_out`, `rejected`), `source` and `reason`: `rows`.
        leaks: by `what` (`key`, `group`), `split` and `other`: rows of `split` whose key or group is in `other`.
        read: by `source`: `rows` read, and the `high` and `low` sums of the checksum of their names.
    """

    rows: pl.DataFrame
    aside: pl.DataFrame
    leaks: pl.DataFrame
    read: pl.DataFrame

    @classmethod
    def empty(cls) -> Tally:
        """The tally of nothing; the neutral element of `merge`."""
        return cls.of_frames()

    @classmethod
    def of_frames(cls, **frames: pl.DataFrame) -> Tally:
        """A tally of some of its frames, named as its attributes; merged and sorted, the others empty."""
        return cls.merge([cls(**{name: frames.get(name, pl.DataFrame(schema=s)) for name, s in _SCHEMAS.items()})])

    @classmethod
    def of_split(cls, split: str, sources: pl.Series, labels: pl.Series | None, outside: pl.Series | None) -> Tally:
        """Counts rows of a split.

        Args:
            split: its name.
            sources: String, a row's source.
            labels: a row's label, of any type; None without a label column.
            outside: Boolean, rows that are not in the split's pool; None where the split may hold any row.

        Returns:
            Their tally.
        """
        label = labels.cast(pl.String, strict=False) if labels is not None else None
        frame = pl.DataFrame(
            {
                "split": pl.repeat(split, len(sources), dtype=pl.String, eager=True),
                "source": sources,
                "label": label if label is not None else pl.repeat(None, len(sources), dtype=pl.String, eager=True),
                "outside": outside if outside is not None else pl.repeat(value=False, n=len(sources), eager=True),
            }
        )
        counted = frame.group_by("split", "source", "label").agg(
            pl.len().cast(pl.Int64).alias("rows"), pl.col("outside").sum().cast(pl.Int64)
        )
        return cls.of_frames(rows=counted)

    @classmethod
    def of_counts(cls, split: str, source: str, labels: Mapping[str | None, int]) -> Tally:
        """Takes counts that were made elsewhere.

        Args:
            split: its name.
            source: of the rows.
            labels: rows by label; None for rows without one. All rows are where they may be.

        Returns:
            Their tally.
        """
        columns = {
            "split": [split] * len(labels),
            "source": [source] * len(labels),
            "label": list(labels),
            "rows": list(labels.values()),
            "outside": [0] * len(labels),
        }
        counted = pl.DataFrame(columns, schema=_ROWS)
        return cls.of_frames(rows=counted)

    @classmethod
    def of_aside(cls, folder: str, source: str, reasons: pl.Series) -> Tally:
        """Counts rows that are in no split.

        Args:
            folder: `held_out` or `rejected`.
            source: their source.
            reasons: String, a row's reason.

        Returns:
            Their tally.
        """
        counted = reasons.alias("reason").to_frame().group_by("reason").agg(pl.len().cast(pl.Int64).alias("rows"))
        named = counted.select(pl.lit(folder).alias("folder"), pl.lit(source).alias("source"), "reason", "rows")
        return cls.of_frames(aside=named)

    @classmethod
    def of_read(cls, source: str, rows: int, high: int, low: int) -> Tally:
        """Counts rows that were read.

        Args:
            source: their source.
            rows: how many, unreadable ones included.
            high: a sum of the checksum of their names, modulo 2^64.
            low: the other.

        Returns:
            Their tally.
        """
        return cls.of_frames(read=pl.DataFrame([[source, rows, high % _WRAP, low % _WRAP]], schema=_READ, orient="row"))

    @classmethod
    def merge(cls, parts: Iterable[Tally]) -> Tally:
        """Merges tallies; commutative, associative and exact."""
        tallies = list(parts)
        merged = []
        for name, schema in _SCHEMAS.items():
            counts = [c for c, dtype in schema.items() if dtype.is_integer()]
            keys = [c for c in schema if c not in counts]
            stacked = pl.concat([getattr(tally, name).select(list(schema)) for tally in tallies])
            merged.append(stacked.group_by(keys).agg(pl.col(counts).sum()).select(list(schema)).sort(keys))
        return cls(*merged)

    def to_bytes(self) -> bytes:
        """Packs the tally; equal tallies give equal bytes."""
        return pack_frames({name: getattr(self, name) for name in _SCHEMAS})

    @classmethod
    def from_bytes(cls, data: bytes) -> Tally:
        """The tally that `to_bytes` packed."""
        return cls(**unpack_frames(data))

    def rows_written(self) -> int:
        """All rows: of splits, held out and rejected."""
        return int(self.rows["rows"].sum()) + int(self.aside["rows"].sum())
