"""The profile: statistics of every column, by split and source. A monoid: any order of merging gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import polars as pl

from splitting.frames import pack_frames, unpack_frames
from validation.profile import vectors
from validation.profile.buckets import BUCKET, COUNT, DROPPED, ONE, STEP, SUMS, carried, merge_steps
from validation.profile.distinct import HASH, KEPT
from validation.profile.reading import ProfileIndex, column_profile, profile_document
from validation.profile.scalars import SCALARS, merge_scalars
from validation.profile.texts import CAP, CELL, VALUE, sketch_rows, text_hashes
from validation.profile.values import ColumnKind, ColumnProfile

FORMAT = 2
SPLIT, SOURCE, COLUMN = "split", "source", "column"
PLACE = (SPLIT, SOURCE, COLUMN)
_NAMES = {SPLIT: pl.String(), SOURCE: pl.String(), COLUMN: pl.String()}
_INT = pl.Int64()
_SCHEMAS: dict[str, dict[str, pl.DataType]] = {
    "columns": {**_NAMES, **SCALARS},
    "buckets": {**_NAMES, BUCKET: _INT, COUNT: _INT, **dict.fromkeys(SUMS, _INT)},
    "steps": {**_NAMES, DROPPED: _INT, STEP: _INT, COUNT: _INT, ONE: _INT},
    "categories": {**_NAMES, VALUE: pl.String(), COUNT: _INT},
    "sketches": {**_NAMES, CELL: _INT, COUNT: _INT},
    "distinct": {**_NAMES, HASH: pl.UInt64()},
    "vectors": {**_NAMES, **dict.fromkeys((vectors.LENGTH, *vectors.KEYS, vectors.UPPER, vectors.LOWER), _INT)},
}


@dataclass(frozen=True)
class ProfileOptions:
    """What is measured of which column.

    Attributes:
        skip: columns of which only rows and nulls are counted.
        label: the label, if there is one; its values are categories.
        categorical: columns whose values are categories, whatever their type.
        names: the key columns: only rows and nulls are counted.
    """

    skip: tuple[str, ...] = ()
    label: str | None = None
    categorical: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def is_categorical(self, name: str) -> bool:
        """Whether a column's values are categories, whatever their type."""
        return name == self.label or name in self.categorical

    def only_counted(self, name: str) -> bool:
        """Whether only rows and nulls are counted."""
        return name in self.names or name in self.skip


@dataclass(frozen=True, eq=False)
class Profile:
    """Statistics by `split`, `source` and `column`.

    Attributes:
        columns: a row each: family, place among the columns, rows, nulls, NaN, infinite numbers, least and greatest.
        buckets: rows by bucket of numbers, with the sums of their moments, or by day.
        steps: rows by number, as fine as a bounded number of steps allows (`grid`).
        categories: rows by value, where all values are listed.
        sketches: of columns with more than 10,000 distinct values.
        distinct: the smallest hashes of the values.
        vectors: sums of vectors of one length.
    """

    columns: pl.DataFrame
    buckets: pl.DataFrame
    steps: pl.DataFrame
    categories: pl.DataFrame
    sketches: pl.DataFrame
    distinct: pl.DataFrame
    vectors: pl.DataFrame

    @classmethod
    def empty(cls) -> Profile:
        """Of no rows; the neutral element of `merge`."""
        return cls.of_frames()

    @classmethod
    def of_frames(cls, **frames: pl.DataFrame) -> Profile:
        """A profile of some of its frames; the others empty. In no order: `merge` brings it into one form."""
        typed = {name: _typed(frames.get(name), schema) for name, schema in _SCHEMAS.items()}
        return cls(
            typed["columns"],
            typed["buckets"],
            typed["steps"],
            typed["categories"],
            typed["sketches"],
            typed["distinct"],
            typed["vectors"],
        )

    @classmethod
    def of(cls, split: str, source: str, frame: pl.DataFrame, options: ProfileOptions) -> Profile:
        """Measures a batch.

        Args:
            split: of its rows.
            source: of its rows.
            frame: columns of any names and types.
            options: what is measured of which column.

        Returns:
            Its profile.
        """
        from validation.profile.taking import Known, measure  # noqa: PLC0415, which needs this module

        return cls.merge([measure(split, source, frame, options, Known())])

    @classmethod
    def merge(cls, parts: Iterable[Profile]) -> Profile:
        """Merges profiles; commutative, associative and exact."""
        profiles = [cls.empty(), *parts]
        stacked = {name: pl.concat([getattr(part, name) for part in profiles]) for name in _SCHEMAS}
        columns = merge_scalars(stacked["columns"])
        buckets = stacked["buckets"].group_by(*PLACE, BUCKET).agg(pl.col(COUNT, *SUMS).sum()).with_columns(carried())
        categories, sketches = _merge_categories(stacked["categories"], stacked["sketches"])
        distinct = stacked["distinct"].group_by(PLACE).agg(pl.col(HASH).unique().bottom_k(KEPT)).explode(HASH)
        return cls(
            columns=columns.sort(PLACE),
            buckets=buckets.sort(*PLACE, BUCKET),
            steps=merge_steps(stacked["steps"], PLACE).sort(*PLACE, STEP),
            categories=categories.sort(*PLACE, VALUE),
            sketches=sketches.sort(*PLACE, CELL),
            distinct=distinct.sort(*PLACE, HASH),
            vectors=_merge_vectors(stacked["vectors"], columns),
        )

    def to_bytes(self) -> bytes:
        """Packs the profile; equal profiles give equal bytes."""
        version = pl.DataFrame({"format": [FORMAT]})
        return pack_frames({"version": version, **{name: getattr(self, name) for name in _SCHEMAS}})

    @classmethod
    def from_bytes(cls, data: bytes) -> Profile:
        """The profile that `to_bytes` packed.

        Raises:
            ValueError: it is none, or that of another version.
        """
        try:
            frames = unpack_frames(data)
            version = int(frames.pop("version")["format"][0])
        except Exception as error:  # whatever broken bytes make of it
            raise ValueError(f"this is no profile ({type(error).__name__})") from error
        if version != FORMAT:
            raise ValueError(f"this profile is of format {version}, and this version reads {FORMAT}")
        return cls.of_frames(**frames)

    def splits(self) -> tuple[str, ...]:
        """The splits, sorted."""
        return tuple(self.columns[SPLIT].unique().sort())

    def sources(self, split: str) -> tuple[str, ...]:
        """The sources of a split, sorted."""
        return tuple(self.columns.filter(pl.col(SPLIT) == split)[SOURCE].unique().sort())

    def names(self) -> tuple[str, ...]:
        """The columns, derived ones among them, in the order of the data."""
        return self._names

    @cached_property
    def _names(self) -> tuple[str, ...]:
        found = self.columns.group_by(COLUMN).agg(pl.col("place").min()).sort("place", COLUMN)
        return tuple(found[COLUMN])

    def rows(self, split: str | Sequence[str], source: str | None = None) -> int:
        """Rows of a split, or of several together; of one source, or of all."""
        return sum(count for name, count in self._counts(split).items() if source in (None, name))

    def source_counts(self, split: str | Sequence[str]) -> dict[str, int]:
        """Rows by source, of a split, or of several together."""
        return self._counts(split)

    def _counts(self, split: str | Sequence[str]) -> dict[str, int]:
        wanted = [split] if isinstance(split, str) else list(split)
        rows = self.columns.filter(pl.col(SPLIT).is_in(wanted)).group_by(SPLIT, SOURCE).agg(pl.col("rows").max())
        return dict(rows.group_by(SOURCE).agg(pl.col("rows").sum()).sort(SOURCE).iter_rows())

    def column(
        self,
        name: str,
        split: str | Sequence[str],
        source: str | None = None,
        candidates: pl.Series | None = None,
    ) -> ColumnProfile:
        """What is known of a column of some rows.

        Args:
            name: of the column, or of a derived one.
            split: of the rows; several are taken together.
            source: of the rows; None for all.
            candidates: String, values that may be frequent, for columns that are sketched: those of a sample.

        Returns:
            Its statistics. The kind is that of the column over all rows of the profile.
        """
        splits = (split,) if isinstance(split, str) else tuple(split)
        chosen = [place for place in self._index.places(name) if place[0] in splits and source in (None, place[1])]
        return replace(column_profile(self._index, name, chosen, candidates), kind=self.kind(name))

    def kind(self, name: str) -> ColumnKind:
        """The kind of a column, over all rows of the profile."""
        if name not in self._kinds:
            self._kinds[name] = column_profile(self._index, name, self._index.places(name), None).kind
        return self._kinds[name]

    @cached_property
    def _index(self) -> ProfileIndex:
        return ProfileIndex.of({name: getattr(self, name) for name in _SCHEMAS})

    @cached_property
    def _kinds(self) -> dict[str, ColumnKind]:
        return {}

    def to_document(self) -> dict[str, Any]:
        """The statistics as plain values for JSON: by split and source, by column."""
        return profile_document(self)


def _typed(frame: pl.DataFrame | None, schema: dict[str, pl.DataType]) -> pl.DataFrame:
    return pl.DataFrame(schema=schema) if frame is None else frame.select(pl.col(n).cast(t) for n, t in schema.items())


def _merge_categories(categories: pl.DataFrame, sketches: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Values listed in full where there are at most 10,000 of them in all parts; else all of them sketched."""
    counted = categories.group_by(*PLACE, VALUE).agg(pl.col(COUNT).sum())
    many = counted.group_by(PLACE).len().filter(pl.col("len") > CAP).select(PLACE)
    over = pl.concat([many, sketches.select(PLACE).unique()]).unique().sort(PLACE)
    kept = counted.join(over, on=PLACE, how="anti")
    parts = [sketches]
    spilled = counted.join(over, on=PLACE, how="semi")
    for place, rows in spilled.group_by(PLACE, maintain_order=True) if len(spilled) else ():
        cells = sketch_rows(text_hashes(rows[VALUE]), rows[COUNT])
        named = [pl.lit(text).alias(name) for name, text in zip(PLACE, place, strict=True)]
        parts.append(cells.select(*named, CELL, COUNT))
    return kept, pl.concat(parts).group_by(*PLACE, CELL).agg(pl.col(COUNT).sum())


def _merge_vectors(stacked: pl.DataFrame, columns: pl.DataFrame) -> pl.DataFrame:
    """Sums of vectors, where all of a column are of one length."""
    ragged = columns.filter(pl.col("shortest") != pl.col("longest")).select(PLACE)
    summed = (
        stacked.join(ragged, on=PLACE, how="anti")
        .group_by(*PLACE, vectors.LENGTH, *vectors.KEYS)
        .agg(pl.col(vectors.UPPER, vectors.LOWER).sum())
        .with_columns(vectors.carried())
    )
    return summed.sort(*PLACE, vectors.LENGTH, *vectors.KEYS)
