"""Profiles of columns, made the plain way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from validation.profile.values import Categories, ColumnProfile, Histogram, Moments

MANTISSA = 5
SHIFT = 52 - MANTISSA


def histogram(values: npt.NDArray[np.float64]) -> Histogram:
    """Buckets by sign, exponent and the first five bits of the mantissa."""
    size = np.abs(values) + 0.0
    step = (size.view(np.int64) >> SHIFT).astype(np.int64)
    buckets, counts = np.unique(np.where(values < 0, -step - 1, step), return_counts=True)
    size_step = np.where(buckets < 0, -buckets - 1, buckets)
    near = (size_step << SHIFT).view(np.float64)
    far = ((size_step + 1) << SHIFT).view(np.float64)
    far = np.where(size_step == 0, near, far)
    lower, upper = np.where(buckets < 0, -far, near), np.where(buckets < 0, -near, far)
    return Histogram(lower, upper, counts.astype(np.int64))


def number(values: Sequence[float] | npt.NDArray[np.float64], name: str = "x", *, nulls: int = 0) -> ColumnProfile:
    x = np.asarray(values, dtype=np.float64)
    finite = x[np.isfinite(x)]
    sd = float(finite.std(ddof=1)) if len(finite) > 1 else None
    ends = (float(finite.min()), float(finite.max())) if len(finite) else (None, None)
    moments = Moments(len(finite), float(finite.mean()) if len(finite) else None, sd, *ends)
    return ColumnProfile(
        name,
        "number",
        len(x) + nulls,
        nulls,
        nans=int(np.isnan(x).sum()),
        infinite=int(np.isinf(x).sum()),
        histogram=histogram(finite),
        moments=moments,
    )


def category(counts: Mapping[str, int], name: str = "c", *, nulls: int = 0) -> ColumnProfile:
    held = sorted(value for value, rows in counts.items() if rows)
    values = Categories(tuple(held), np.array([counts[value] for value in held], dtype=np.int64))
    return ColumnProfile(name, "category", sum(counts.values()) + nulls, nulls, distinct=len(held), categories=values)


def numbered(counts: npt.NDArray[np.int64], name: str = "c") -> ColumnProfile:
    """Categories that are called by their place."""
    held = np.flatnonzero(counts)
    values = Categories(tuple(f"{place:06d}" for place in held.tolist()), counts[held])
    return ColumnProfile(name, "category", int(counts.sum()), 0, distinct=len(held), categories=values)
