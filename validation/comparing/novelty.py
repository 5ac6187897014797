"""Values that one sample has and the other lacks: more of them than chance gives?

Where a column has many rare values, as names and cities do, every new sample brings some that were never seen: as many
rows of them as the share of values that were seen once (Good 1953, Biometrika 40). So it is no news that there are any,
but that there are more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from validation.profile.values import Categories, Numbers

_STEPS = 200


@dataclass(frozen=True)
class Novelty:
    """New values of a sample, beside what chance gives.

    Attributes:
        expected: rows with a value that the reference lacks, if both samples were of the same rows.
        p: how often chance gives at least as many such rows: an upper bound.
    """

    expected: float
    p: float


def novelty(ours: Categories, others: Categories, designs: tuple[float, float] = (1.0, 1.0)) -> Novelty:
    """Judges the rows of a sample whose values the other sample lacks.

    The rows of both samples are put together and dealt out again: a value of `c` rows is new where all of them fall to
    ours, which happens with probability `h^c`, `h` being our share of the rows. That is the estimate of Good and
    Turing, made exact for samples of any two sizes. The rows of all values are negatively associated, so that
    Chernoff's bound of their sum holds as if each fell for itself.

    Args:
        ours: every value of the sample, exactly counted.
        others: of the reference, likewise.
        designs: design effects of both: so many rows come together.

    Returns:
        What is expected, and how sure it is that there are more.
    """
    sizes = ours.rows, others.rows
    if not min(sizes):
        return Novelty(0.0, 1.0)
    known = dict(zip(others.values, others.counts.tolist(), strict=True))
    new = sum(rows for value, rows in zip(ours.values, ours.counts.tolist(), strict=True) if value not in known)
    for value, rows in zip(ours.values, ours.counts.tolist(), strict=True):
        known[value] = known.get(value, 0) + rows
    counts, repeats = np.unique(np.fromiter(known.values(), dtype=np.float64), return_counts=True)
    alone = np.maximum(1.0, counts / max(designs)) * math.log(sizes[0] / sum(sizes))
    expected = float((repeats * counts * np.exp(alone)).sum())
    return Novelty(expected, _tail(float(new), expected, counts, repeats.astype(np.float64), alone))


def _tail(found: float, expected: float, counts: Numbers, repeats: Numbers, alone: Numbers) -> float:
    """Chernoff's bound: the least over `t` of `E exp(t S) / exp(t s)`, by golden section: its logarithm is convex."""
    if found <= expected:
        return 1.0
    staying = np.log1p(-np.exp(alone))

    def bound(t: float) -> float:
        return float((repeats * np.logaddexp(staying, alone + t * counts)).sum()) - t * found

    low, high = 0.0, 50.0
    golden = (math.sqrt(5) - 1) / 2
    for _ in range(_STEPS):
        first, second = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, second) if bound(first) < bound(second) else (first, high)
    return math.exp(min(0.0, bound(low)))
