"""Profiles of columns, made the plain way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from validation.profile.values import Categories, ColumnProfile, Histogram, Moments

MOST = 1_024


def histogram(values: npt.NDArray[np.float64]) -> Histogram:
    """Buckets by the first bits of the float, as many as leave at most 1,024 buckets; at least 5 of the mantissa."""
    ordered = np.sort(values) + 0.0
    dropped = 0
    while True:
        steps = np.where(ordered < 0, -1, 1) * ((np.abs(ordered).view(np.int64) >> dropped) + 1)
        first = np.flatnonzero(np.diff(steps, prepend=0))
        if len(first) <= MOST or dropped == 47:
            break
        dropped += 1
    counts = np.diff(np.append(first, len(ordered)))
    near = ((np.abs(steps[first]) - 1) << dropped).view(np.float64)
    far = (np.abs(steps[first]) << dropped).view(np.float64)
    lower, upper = np.where(steps[first] < 0, -far, near), np.where(steps[first] < 0, -near, far)
    least, greatest = ordered[first], ordered[first + counts - 1]
    one = least == greatest
    return Histogram(np.where(one, least, lower), np.where(one, least, upper), counts.astype(np.int64), dropped)


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
