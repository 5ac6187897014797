"""Reads statistics off a profile: value types for comparisons, plain values for people."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from validation.profile import vectors
from validation.profile.buckets import COUNT, quantile, step_histogram
from validation.profile.distinct import HASH, KEPT, estimate
from validation.profile.moments import BucketSums
from validation.profile.scalars import bound_shown, greatest_of, least_of
from validation.profile.texts import CAP, VALUE, shown_texts, sketch_error, sketched_counts
from validation.profile.values import Categories, ColumnKind, ColumnProfile, Histogram, Moments, VectorSummary

if TYPE_CHECKING:
    from validation.profile.profile import Profile

_CATEGORY_SHARE = 0.5
_FEW = 50
_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
_MOST_TOLD = 20


Place = tuple[str, str, str]


@dataclass(frozen=True, eq=False)
class ProfileIndex:
    """The parts of a profile by split, source and column.

    Attributes:
        scalars: a row each.
        frames: by kind of frame, its rows of each place.
    """

    scalars: Mapping[Place, dict[str, Any]]
    frames: Mapping[str, Mapping[Place, pl.DataFrame]]

    @classmethod
    def of(cls, frames: Mapping[str, pl.DataFrame]) -> ProfileIndex:
        """The index of a profile's frames, by name."""
        scalars = {(row["split"], row["source"], row["column"]): row for row in frames["columns"].iter_rows(named=True)}
        parts = {name: _parted(frame) for name, frame in frames.items() if name != "columns"}
        return cls(scalars, parts)

    @cached_property
    def _places(self) -> dict[str, list[Place]]:
        found: dict[str, list[Place]] = {}
        for place in self.scalars:
            found.setdefault(place[2], []).append(place)
        return found

    def places(self, column: str) -> list[Place]:
        """Where a column was measured."""
        return self._places.get(column, [])

    def rows(self, name: str, places: Iterable[Place]) -> list[pl.DataFrame]:
        """The rows of a frame at some places."""
        parts = self.frames[name]
        return [parts[place] for place in places if place in parts]


def _parted(frame: pl.DataFrame) -> dict[Place, pl.DataFrame]:
    parts = frame.partition_by("split", "source", "column", as_dict=True, include_key=False)
    return {(str(split), str(source), str(column)): part for (split, source, column), part in parts.items()}


def column_profile(
    index: ProfileIndex, name: str, places: Sequence[Place], candidates: pl.Series | None
) -> ColumnProfile:
    """What is known of a column.

    Args:
        index: of a profile.
        name: of the column.
        places: the splits and sources that are taken together.
        candidates: String, values that may be frequent, where they are sketched.

    Returns:
        Its statistics; of no rows where there are none.
    """
    if not places:
        return ColumnProfile(name, "other", 0, 0)
    scalars = [index.scalars[place] for place in places]
    family = next((row["family"] for row in scalars if row["family"]), "other")
    rows, nulls = (sum(row[count] for row in scalars) for count in ("rows", "nulls"))
    hashes = pl.concat([part[HASH] for part in index.rows("distinct", places)] or [pl.Series(HASH, [], pl.UInt64)])
    distinct, exact = estimate(hashes.unique().sort().head(KEPT))
    distinct = min(distinct, rows - nulls)
    buckets = BucketSums.of(index.rows("buckets", places)) if family in ("number", "time") else None
    categories = _categories(index, places, candidates, rows - nulls) if family == "text" else None
    sketched = bool(index.rows("sketches", places)) or (categories is not None and not categories.exact)
    histogram = step_histogram(index.rows("steps", places)) if family == "number" else None
    if buckets is not None and family == "time":
        histogram = buckets.day_histogram(whole=all("T" not in str(row["least"]) for row in scalars))
    return ColumnProfile(
        name=name,
        kind=_kind(family, rows - nulls, distinct, sketched=sketched),
        rows=rows,
        nulls=nulls,
        nans=sum(row["nans"] for row in scalars),
        infinite=sum(row["infinite"] for row in scalars),
        distinct=distinct,
        distinct_exact=exact,
        histogram=histogram,
        categories=categories,
        moments=_moments(family, scalars, buckets, histogram),
        vector=_vector(index, places, scalars) if family == "vector" else None,
    )


def _kind(family: str, values: int, distinct: int, *, sketched: bool) -> ColumnKind:
    if family == "text":
        return "category" if not sketched and (distinct <= _FEW or distinct <= _CATEGORY_SHARE * values) else "text"
    kinds: dict[str, ColumnKind] = {"number": "number", "time": "time", "vector": "vector"}
    return kinds.get(family, "other")


def _moments(
    family: str, scalars: Sequence[dict[str, Any]], buckets: BucketSums | None, histogram: Histogram | None
) -> Moments | None:
    if buckets is None:
        return None
    least = bound_shown(least_of([row["least"] for row in scalars]))
    greatest = bound_shown(greatest_of([row["greatest"] for row in scalars]))
    if family == "number":
        held = [row for row in scalars if row["least"] is not None]
        known = None
        if held and all(row["total"] is not None for row in held):  # decimals, all of them
            known = sum(Fraction(row["total"]) for row in held), sum(Fraction(row["squares"]) for row in held)
        mean, sd = buckets.mean_and_sd(known)
        return Moments(int(buckets.counts.sum()), mean, sd, least, greatest)
    if histogram is None:
        return Moments(0, None, None, least, greatest)
    count = histogram.rows
    mean = float((histogram.lower * histogram.counts).sum() / count)
    squares = float(((histogram.lower - mean) ** 2 * histogram.counts).sum())
    return Moments(count, mean, float(np.sqrt(squares / (count - 1))) if count > 1 else None, least, greatest)


def _categories(index: ProfileIndex, places: Sequence[Place], candidates: pl.Series | None, values: int) -> Categories:
    """Every value with its rows; where they are sketched, or too many together, those candidates that are frequent."""
    listed = index.rows("categories", places)
    sketches = index.rows("sketches", places)
    counted = pl.concat(listed).group_by(VALUE).agg(pl.col(COUNT).sum()).sort(VALUE) if listed else None
    if not sketches and (counted is None or len(counted) <= CAP):
        if counted is None:
            return Categories((), np.zeros(0, dtype=np.int64))
        return Categories(tuple(counted[VALUE]), counted[COUNT].to_numpy())
    error = sketch_error(values)
    if candidates is None:
        return Categories((), np.zeros(0, dtype=np.int64), exact=False, error=error, other=values)
    texts = shown_texts(candidates.drop_nulls().unique()).unique().sort()
    counts = sum((sketched_counts(part, texts) for part in sketches), np.zeros(len(texts), dtype=np.int64))
    if counted is not None:
        exact = texts.alias(VALUE).to_frame().join(counted, on=VALUE, how="left", maintain_order="left")[COUNT]
        counts = counts + exact.fill_null(0).to_numpy()
    frequent = counts > 2 * error
    kept = counts[frequent]
    other = max(0, values - int(kept.sum()))
    return Categories(tuple(texts.filter(pl.Series(frequent))), kept, exact=False, error=error, other=other)


def _vector(index: ProfileIndex, places: Sequence[Place], scalars: Sequence[dict[str, Any]]) -> VectorSummary | None:
    lengths = {row[end] for row in scalars for end in ("shortest", "longest") if row[end] is not None}
    parts = index.rows("vectors", places)
    if len(lengths) != 1 or not parts:
        return None
    cells = pl.concat(parts).group_by(*vectors.KEYS).agg(pl.col(vectors.UPPER, vectors.LOWER).sum())
    return vectors.summary(cells, int(lengths.pop()))


def profile_document(profile: Profile) -> dict[str, Any]:
    """The profile as plain values: by split, source and column, in the order of the data."""
    return {
        split: {
            source: {name: _told(profile.column(name, split, source)) for name in profile.names()}
            for source in profile.sources(split)
        }
        for split in profile.splits()
    }


def _told(column: ColumnProfile) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": column.kind, "rows": column.rows, "nulls": column.nulls}
    told |= {name: count for name, count in (("nan", column.nans), ("infinite", column.infinite)) if count}
    if column.distinct:
        told |= {"distinct": column.distinct, "distinct_is_exact": column.distinct_exact}
    if column.moments is not None:
        moments = column.moments
        told |= {"min": _plain(moments.minimum), "max": _plain(moments.maximum)}
        mean = _day(moments.mean) if column.kind == "time" else _within(moments.mean, told)
        told |= {"mean": mean, "sd": _plain(moments.sd)}
    if column.histogram is not None:
        quantiles = {share: quantile(column.histogram, share) for share in _SHARES}
        if column.kind == "time":
            last = float(column.histogram.lower[-1])
            told["quantiles"] = {f"{share:g}": _day(min(value, last)) for share, value in quantiles.items()}
        else:
            told["quantiles"] = {f"{share:g}": _within(value, told) for share, value in quantiles.items()}
    if column.categories is not None and column.kind == "category":
        largest = sorted(zip(column.categories.values, column.categories.counts.tolist(), strict=True), key=_by_count)
        told["largest"] = [list(pair) for pair in largest[:_MOST_TOLD]]
    if column.vector is not None:
        told |= {"length": column.vector.length, "mean": [_plain(x) for x in column.vector.mean.tolist()]}
    return told


def _day(value: float | None) -> str | None:
    """The day, ISO 8601, of days since 1970-01-01; of years that the calendar lacks, the number of days."""
    if value is None:
        return None
    try:
        return (date(1970, 1, 1) + timedelta(days=math.floor(value))).isoformat()
    except OverflowError:
        return f"{math.floor(value)} days"


def _within(value: float | None, told: Mapping[str, Any]) -> int | float | str | None:
    """A mean or quantile: all its digits, where 12 are beyond all values; a bound, where its step reaches beyond."""
    plain = _plain(value)
    if value is None or plain is None:
        return None
    least, greatest = Decimal(told["min"]), Decimal(told["max"])
    if value <= least or value >= greatest:
        bound: int | float | str | None = told["min" if value <= least else "max"]
        return bound
    return plain if least <= Decimal(plain) <= greatest else value


def _by_count(pair: tuple[str, int]) -> tuple[int, str]:
    return -pair[1], pair[0]


def _plain(value: int | float | str | None) -> int | float | str | None:
    """A value that JSON has; floats to 12 significant digits."""
    if not isinstance(value, float):
        return value
    return float(f"{value:.12g}") if np.isfinite(value) else None
