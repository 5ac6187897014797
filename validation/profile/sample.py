"""The keyed sample: by split and source, the rows with the smallest hash of their key. The same rows everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from splitting.columns import column
from splitting.frames import pack_frames, unpack_frames

SPLIT, SOURCE, KEY, GROUP = "split", "source", "key", "group"
_ABOUT = {SPLIT: pl.String(), SOURCE: pl.String(), KEY: pl.UInt64(), GROUP: pl.UInt64()}
_NUMBER, _DIGEST = "number", "digest"
_LONGEST_TEXT = 2_000
_MOST_VALUES = 4_096
_SEED = 0x73616D706C65


@dataclass(frozen=True, eq=False)
class Sample:
    """Some rows of every split and source. A monoid.

    Attributes:
        size: rows of each split and source at most; 0 of an empty sample.
        about: a row each: `split`, `source`, `key` (UInt64, orders the rows) and `group` (UInt64). Sorted by the first
            three.
        rows: the rows themselves, in the same order. Texts are cut at 2,000 characters, binary values are left out, and
            so are lists of more than 4,096 values.
    """

    size: int
    about: pl.DataFrame
    rows: pl.DataFrame

    @classmethod
    def empty(cls) -> Sample:
        """Of no rows; the neutral element of `merge`."""
        return cls(0, pl.DataFrame(schema=_ABOUT), pl.DataFrame())

    @classmethod
    def of(cls, split: str, source: str, rows: pl.DataFrame, keys: pl.Series, groups: pl.Series, size: int) -> Sample:
        """Samples a batch.

        Args:
            split: of its rows.
            source: of its rows.
            rows: columns of any names and types.
            keys: UInt64, the hash of each row's key.
            groups: UInt64, the hash of each row's group.
            size: how many rows to keep.

        Returns:
            Its rows of the smallest keys; of equal keys, those of the smallest digest of their contents.
        """
        about = pl.DataFrame({KEY: keys, GROUP: groups}).select(
            pl.lit(split).alias(SPLIT), pl.lit(source).alias(SOURCE), pl.col(KEY).cast(pl.UInt64), GROUP
        )
        return cls.merge([cls(size, about, _bounded(rows))])

    @classmethod
    def merge(cls, parts: Iterable[Sample]) -> Sample:
        """Merges samples; commutative, associative and exact.

        Args:
            parts: of one size, empty ones aside.

        Returns:
            The sample of all their rows.
        """
        samples = [part for part in parts if len(part.about)]
        if not samples:
            return cls.empty()
        size = max(part.size for part in samples)
        about = pl.concat([part.about for part in samples])
        rows = pl.concat([part.rows for part in samples], how="diagonal_relaxed")
        names = sorted(rows.columns)
        order = about.with_columns(_digests(rows, names).alias(_DIGEST)).with_row_index(_NUMBER)
        order = order.sort(SPLIT, SOURCE, KEY, GROUP, _DIGEST, maintain_order=True)
        kept = order.filter(pl.int_range(pl.len()).over(SPLIT, SOURCE) < size)[_NUMBER]
        return cls(size, about[kept], rows[kept])

    def select(self, splits: str | Sequence[str], source: str | None = None) -> Sample:
        """The rows of some splits, of one source or of all."""
        wanted = [splits] if isinstance(splits, str) else list(splits)
        chosen = pl.col(SPLIT).is_in(wanted)
        if source is not None:
            chosen &= pl.col(SOURCE) == source
        mask = self.about.select(chosen).to_series()
        return Sample(self.size, self.about.filter(mask), self.rows.filter(mask) if self.rows.columns else self.rows)

    def to_bytes(self) -> bytes:
        """Packs the sample; equal samples give equal bytes."""
        return pack_frames({"size": pl.DataFrame({"size": [self.size]}), "about": self.about, "rows": self.rows})

    @classmethod
    def from_bytes(cls, data: bytes) -> Sample:
        """The sample that `to_bytes` packed.

        Raises:
            ValueError: it is none.
        """
        try:
            frames = unpack_frames(data)
            return cls(int(frames["size"]["size"][0]), frames["about"], frames["rows"])
        except Exception as error:  # whatever broken bytes make of it
            raise ValueError(f"this is no sample ({type(error).__name__})") from error


def _bounded(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows without what makes a sample large."""
    kept = {
        name: bounded for name in rows.columns if (bounded := _bound(rows.get_column(name).alias("value"))) is not None
    }
    return pl.DataFrame(kept) if kept else pl.DataFrame(height=len(rows))


def _bound(values: pl.Series) -> pl.Series | None:
    kind = values.dtype
    if isinstance(kind, pl.Binary | pl.Object | pl.Struct) or kind == pl.Null:
        return None
    if isinstance(kind, pl.String | pl.Categorical | pl.Enum):
        return values.cast(pl.String).str.slice(0, _LONGEST_TEXT)
    if isinstance(kind, pl.List | pl.Array):
        if not kind.inner.is_numeric():
            return None
        lists = values.cast(pl.List(kind.inner)) if isinstance(kind, pl.Array) else values
        return None if (lists.list.len() > _MOST_VALUES).any() else lists
    return values


def _digests(rows: pl.DataFrame, names: Sequence[str]) -> pl.Series:
    """A digest of each row, which tells rows of one key apart; 0 where nothing does."""
    plain = [name for name in names if not rows.schema[name].is_nested() and rows.schema[name] != pl.Null]
    if not plain:
        return pl.repeat(0, len(rows), dtype=pl.UInt64, eager=True)
    if not len(rows):
        return pl.Series(dtype=pl.UInt64)
    return rows.select(column(name).alias(str(i)) for i, name in enumerate(plain)).hash_rows(_SEED)
