"""Two distributions of one column, brought onto the same bins or categories, to be drawn one over the other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np

from pipelines.report.charts import Bins, PairedShare
from pipelines.report.words import number, short
from validation.profile.buckets import quantile
from validation.profile.values import Categories, ColumnProfile, Histogram, Numbers

BINS = 32
MOST_CATEGORIES = 6
_SHORT = 22
_TAIL = 0.005
_LARGEST_WHOLE = 2**40
_EPOCH = date(1970, 1, 1)


def binned(reference: ColumnProfile, observed: ColumnProfile) -> Bins | None:
    """Numbers or times of two splits over the same bins.

    The axis runs over the middle 99 % of both; what lies beyond is counted in the outermost bins. Rows of a bucket are
    spread evenly over it.

    Args:
        reference: of one split.
        observed: of the other.

    Returns:
        The bins; None where one side has no values.
    """
    first, second = reference.histogram, observed.histogram
    if first is None or second is None:
        return None
    whole = all(_is_whole(one) for one in (reference, observed))
    if whole:
        first, second = _around_whole(first), _around_whole(second)
    edges = _edges(first, second, whole=whole)
    if edges is None:
        return None
    shares = [_in_bins(one, edges) for one in (first, second)]
    shift = 0.5 if whole else 0.0
    ends = [_end(value, reference.kind == "time") for value in (float(edges[0]) + shift, float(edges[-1]) - shift)]
    return Bins(tuple(shares[0].tolist()), tuple(shares[1].tolist()), ends[0], ends[1])


def _edges(first: Histogram, second: Histogram, *, whole: bool) -> Numbers | None:
    """The bins' edges over the middle 99 % of both; of whole numbers, halfway between them."""
    low = min(quantile(one, _TAIL) for one in (first, second))
    high = max(quantile(one, 1 - _TAIL) for one in (first, second))
    if not np.isfinite([low, high]).all():
        return None
    if whole:
        low, high = float(np.floor(low + 0.5)) - 0.5, float(np.ceil(high - 0.5)) + 0.5
        width = max(1.0, float(np.ceil((high - low) / BINS)))
        count = max(1, int(np.ceil((high - low) / width)))
        edges: Numbers = np.asarray(low + width * np.arange(count + 1), dtype=np.float64)
    else:
        if high <= low:
            half = max(abs(low), 1.0) / 2
            low, high = low - half, high + half
        edges = np.linspace(low, high, BINS + 1, dtype=np.float64)
    return edges if np.isfinite(edges).all() and (np.diff(edges) > 0).all() else None


def _is_whole(column: ColumnProfile) -> bool:
    moments = column.moments
    if column.kind != "number" or moments is None:
        return False
    return all(isinstance(end, int) and abs(end) < _LARGEST_WHOLE for end in (moments.minimum, moments.maximum))


def _around_whole(histogram: Histogram) -> Histogram:
    """Buckets of whole numbers, spread from half below their least to half above their greatest."""
    below = histogram.lower < 0
    lower = np.where(below, np.floor(histogram.lower) + 0.5, np.ceil(histogram.lower) - 0.5)
    upper = np.where(below, np.floor(histogram.upper) + 0.5, np.ceil(histogram.upper) - 0.5)
    return Histogram(lower, np.maximum(upper, lower + 1), histogram.counts)


def _end(value: float, is_time: bool) -> str:
    if not is_time:
        return number(value)
    try:
        return (_EPOCH + timedelta(days=int(value))).isoformat()
    except OverflowError:
        return number(value)


def _in_bins(histogram: Histogram, edges: Numbers) -> Numbers:
    """The share of rows in each bin."""
    total = histogram.rows
    after = np.cumsum(histogram.counts)
    ends = np.column_stack([after - histogram.counts, after]).ravel().astype(np.float64)
    grid = np.column_stack([histogram.lower, histogram.upper]).ravel()
    known = np.interp(edges[1:-1], grid, ends, left=0.0, right=float(total))
    cumulative = np.concatenate([[0.0], known, [float(total)]])
    shares: Numbers = np.diff(cumulative) / total
    return shares


def paired(reference: ColumnProfile, observed: ColumnProfile) -> tuple[PairedShare, ...] | None:
    """The categories whose shares differ most, and the rest together.

    Args:
        reference: of one split.
        observed: of the other.

    Returns:
        As `paired_shares`; None where not every category is known, or there are none.
    """
    first, second = reference.categories, observed.categories
    if first is None or second is None or not (first.exact and second.exact) or not (first.rows and second.rows):
        return None
    return paired_shares(_shares(first), _shares(second))


def paired_shares(ours: Mapping[str, float], theirs: Mapping[str, float]) -> tuple[PairedShare, ...]:
    """The names whose shares differ most.

    Args:
        ours: shares of the reference by name, which add up to 1.
        theirs: of the observed.

    Returns:
        The shares, the largest difference first and the rest together last.
    """
    differing = {name: abs(ours.get(name, 0.0) - theirs.get(name, 0.0)) for name in {**ours, **theirs}}
    names = sorted(differing, key=lambda name: (-differing[name], -ours.get(name, 0.0), name))
    kept = names[:MOST_CATEGORIES]
    rows = [PairedShare(short(name, _SHORT), ours.get(name, 0.0), theirs.get(name, 0.0)) for name in kept]
    rest = len(names) - len(kept)
    if rest:
        left = [max(0.0, 1 - sum(part)) for part in zip(*((row.reference, row.observed) for row in rows), strict=True)]
        rows.append(PairedShare(f"{rest:,} other{'s' * (rest != 1)}", left[0], left[1]))
    return tuple(rows)


def _shares(categories: Categories) -> dict[str, float]:
    return dict(zip(categories.values, (categories.counts / categories.rows).tolist(), strict=True))
