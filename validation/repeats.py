"""Rows that say the same: whole rows without key and source, by digest. Over every row, not a sample."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from splitting.frames import pack_frames, unpack_frames

DIGEST, ROWS, SPLIT = "digest", "rows", "split"
KEPT = 65_536
_SEED = 0x746172676574


def row_digests(frame: pl.DataFrame, columns: Sequence[str]) -> pl.Series | None:
    """A digest of some columns of each row; equal rows have equal digests, in every process of one run.

    Args:
        frame: the rows.
        columns: those that count.

    Returns:
        UInt64; None where there is no column that polars can digest. A version of polars may give other numbers than
        the next, so they are never kept beyond a run.
    """
    usable = [name for name in columns if _digestible(frame.schema[name])]
    if not usable:
        return None
    plain = pl.DataFrame({str(i): frame.get_column(name) for i, name in enumerate(usable)}).with_columns(
        pl.selectors.by_dtype(pl.Categorical).cast(pl.String), pl.selectors.float().fill_nan(None)
    )
    return plain.hash_rows(_SEED).alias(DIGEST)


def _digestible(kind: pl.DataType) -> bool:
    return not isinstance(kind, pl.Object | pl.Null)


@dataclass(frozen=True, eq=False)
class RowRepeats:
    """How often rows repeat. A monoid.

    Attributes:
        rows: all rows.
        smallest: `digest` (UInt64) and `rows` (Int64): the 65,536 smallest distinct digests, each with all its rows.
            Exact counts of a uniform sample of distinct rows; of all of them while there are fewer.
    """

    rows: int
    smallest: pl.DataFrame

    @classmethod
    def empty(cls) -> RowRepeats:
        """Of no rows; the neutral element of `merge`."""
        return cls(0, pl.DataFrame(schema={DIGEST: pl.UInt64, ROWS: pl.Int64}))

    @classmethod
    def of(cls, digests: pl.Series, below: int | None = None) -> RowRepeats:
        """Of rows.

        Args:
            digests: UInt64, one a row.
            below: larger ones are known not to be among the smallest of what this is merged with; None where nothing
                is known.

        Returns:
            Their repeats; merged, the same as without `below`.
        """
        low = digests.alias(DIGEST)
        low = low if below is None else low.filter(low <= below)
        size = KEPT
        while len(low) > 4 * size:  # most rows are above the cut: one pass instead of a count of all
            cut = low.bottom_k(size).max()
            lower = low.filter(low <= cut)
            if lower.n_unique() >= KEPT:
                low = lower
                break
            size *= 4
        counted = low.to_frame().group_by(DIGEST).agg(pl.len().cast(pl.Int64).alias(ROWS))
        return cls(len(digests), counted.sort(DIGEST).head(KEPT))

    @classmethod
    def merge(cls, parts: Iterable[RowRepeats]) -> RowRepeats:
        """Merges; commutative, associative and exact."""
        repeats = [cls.empty(), *parts]
        stacked = pl.concat([part.smallest for part in repeats]).group_by(DIGEST).agg(pl.col(ROWS).sum())
        return cls(sum(part.rows for part in repeats), stacked.sort(DIGEST).head(KEPT))

    def to_bytes(self) -> bytes:
        """Packs; equal values give equal bytes."""
        return pack_frames({"all": pl.DataFrame({ROWS: [self.rows]}), "smallest": self.smallest})

    @classmethod
    def from_bytes(cls, data: bytes) -> RowRepeats:
        """What `to_bytes` packed."""
        frames = unpack_frames(data)
        return cls(int(frames["all"][ROWS][0]), frames["smallest"])

    @property
    def cut(self) -> int | None:
        """Digests above it change nothing but the number of rows; None where all count."""
        return int(self.smallest[DIGEST][-1]) if len(self.smallest) >= KEPT else None

    @property
    def exact(self) -> bool:
        """Every distinct row is counted."""
        return len(self.smallest) < KEPT

    @property
    def surplus(self) -> int:
        """Rows beyond the first of their kind; estimated from the sample of distinct rows where not `exact`."""
        kept = int(self.smallest[ROWS].sum())
        beyond = kept - len(self.smallest)
        return beyond if self.exact else round(self.rows * beyond / kept)
