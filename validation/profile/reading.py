"""Reads statistics off a profile: value types for comparisons, plain values for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from validation.profile import vectors
from validation.profile.buckets import COUNT, day_histogram, mean_and_sd, number_histogram, quantile
from validation.profile.distinct import HASH, estimate
from validation.profile.scalars import bound_shown
from validation.profile.texts import VALUE, shown_texts, sketch_error, sketched_counts
from validation.profile.values import Categories, ColumnKind, ColumnProfile, Histogram, Moments

if TYPE_CHECKING:
    from validation.profile.profile import Profile

_CATEGORY_SHARE = 0.5
_FEW = 50
_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
_MOST_TOLD = 20


def column_profile(part: Profile, name: str, candidates: pl.Series | None) -> ColumnProfile:
    """What is known of a column.

    Args:
        part: a profile of one column, split and source, or of none.
        name: of the column.
        candidates: String, values that may be frequent, where they are sketched.

    Returns:
        Its statistics; of no rows where there are none.
    """
    if not len(part.columns):
        return ColumnProfile(name, "other", 0, 0)
    row = part.columns.row(0, named=True)
    family, rows, nulls = row["family"], row["rows"], row["nulls"]
    distinct, exact = estimate(part.distinct[HASH])
    histogram = _histogram(part, family)
    return ColumnProfile(
        name=name,
        kind=_kind(part, family, rows - nulls, distinct),
        rows=rows,
        nulls=nulls,
        nans=row["nans"],
        infinite=row["infinite"],
        distinct=distinct,
        distinct_exact=exact,
        histogram=histogram,
        categories=_categories(part, candidates, rows - nulls) if family == "text" else None,
        moments=_moments(part, family, row, histogram),
        vector=_vector(part) if family == "vector" else None,
    )


def _kind(part: Profile, family: str, values: int, distinct: int) -> ColumnKind:
    if family == "text":
        few = not len(part.sketches) and (distinct <= _FEW or distinct <= _CATEGORY_SHARE * values)
        return "category" if few else "text"
    kinds: dict[str, ColumnKind] = {"number": "number", "time": "time", "vector": "vector"}
    return kinds.get(family, "other")


def _histogram(part: Profile, family: str) -> Histogram | None:
    if family == "number":
        return number_histogram(part.buckets)
    return day_histogram(part.buckets) if family == "time" else None


def _moments(part: Profile, family: str, row: dict[str, Any], histogram: Histogram | None) -> Moments | None:
    if family not in ("number", "time"):
        return None
    least, greatest = bound_shown(row["least"]), bound_shown(row["greatest"])
    if family == "number":
        mean, sd = mean_and_sd(part.buckets)
        return Moments(int(part.buckets[COUNT].sum()), mean, sd, least, greatest)
    if histogram is None:
        return Moments(0, None, None, least, greatest)
    count = histogram.rows
    mean = float((histogram.lower * histogram.counts).sum() / count)
    squares = float(((histogram.lower - mean) ** 2 * histogram.counts).sum())
    sd = float(np.sqrt(squares / (count - 1))) if count > 1 else None
    return Moments(count, mean, sd, least, greatest)


def _categories(part: Profile, candidates: pl.Series | None, values: int) -> Categories | None:
    if not len(part.sketches):
        ordered = part.categories.sort(VALUE)
        return Categories(tuple(ordered[VALUE]), ordered[COUNT].to_numpy())
    error = sketch_error(values)
    if candidates is None:
        return Categories((), np.zeros(0, dtype=np.int64), exact=False, error=error, other=values)
    texts = shown_texts(candidates.drop_nulls().unique()).unique().sort()
    counts = sketched_counts(part.sketches, texts)
    frequent = counts > 2 * error
    kept = counts[frequent]
    other = max(0, values - int(kept.sum()))
    return Categories(tuple(texts.filter(pl.Series(frequent))), kept, exact=False, error=error, other=other)


def _vector(part: Profile) -> Any:
    lengths = part.vectors[vectors.LENGTH].unique()
    if len(lengths) != 1:
        return None
    return vectors.summary(part.vectors.select(vectors.CELL, vectors.UPPER, vectors.LOWER), int(lengths[0]))


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
        told |= {"mean": _plain(moments.mean), "sd": _plain(moments.sd)}
    if column.histogram is not None:
        told["quantiles"] = {f"{share:g}": _plain(quantile(column.histogram, share)) for share in _SHARES}
    if column.categories is not None and column.kind == "category":
        largest = sorted(zip(column.categories.values, column.categories.counts.tolist(), strict=True), key=_by_count)
        told["largest"] = [list(pair) for pair in largest[:_MOST_TOLD]]
    if column.vector is not None:
        told |= {"length": column.vector.length, "mean": [_plain(x) for x in column.vector.mean.tolist()]}
    return told


def _by_count(pair: tuple[str, int]) -> tuple[int, str]:
    return -pair[1], pair[0]


def _plain(value: int | float | str | None) -> int | float | str | None:
    """A value that JSON has; floats to 12 significant digits."""
    if not isinstance(value, float):
        return value
    return float(f"{value:.12g}") if np.isfinite(value) else None
