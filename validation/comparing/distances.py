"""How far apart two distributions are: functions of counts, and of nothing else."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt

from validation.profile.values import Numbers

PSI_FLOOR = 1e-4
"""The least share of a cell, in the population stability index: it has no value where a share is 0."""

PsiBand = Literal["small", "moderate", "large"]


def shares(counts: npt.NDArray[np.generic]) -> Numbers:
    """Counts as shares of their sum, along the last axis; zeros where that is 0.

    Examples:
        >>> shares(np.array([1, 3])).tolist()
        [0.25, 0.75]
    """
    numbers = np.asarray(counts, dtype=np.float64)
    total = numbers.sum(axis=-1, keepdims=True)
    return np.asarray(np.divide(numbers, total, out=np.zeros_like(numbers), where=total > 0))


def jensen_shannon(p: Numbers, q: Numbers) -> float:
    """The Jensen-Shannon distance, base 2: from 0 (equal) to 1 (no category in common).

    Args:
        p: shares.
        q: shares of the same cells.

    Returns:
        The root of the divergence of Lin (1991), IEEE Trans. Inf. Theory 37; a metric (Endres & Schindelin 2003).

    Examples:
        >>> jensen_shannon(np.array([1.0, 0.0]), np.array([0.0, 1.0]))
        1.0
    """
    middle = (p + q) / 2
    divergence = (_entropy_to(p, middle) + _entropy_to(q, middle)) / 2
    return math.sqrt(min(1.0, max(0.0, divergence)))


def _entropy_to(p: Numbers, base: Numbers) -> float:
    """The Kullback-Leibler divergence in bits; `base` is above 0 where `p` is."""
    held = p > 0
    return float((p[held] * np.log2(p[held] / base[held])).sum())


def l_infinity(p: Numbers, q: Numbers) -> float:
    """The largest difference of a share."""
    return float(np.abs(p - q).max(initial=0.0))


def population_stability(p: Numbers, q: Numbers) -> float:
    """The population stability index: Jeffreys' divergence, in nats.

    Shares are raised to `PSI_FLOOR`, so that a category of one sample alone has a number at all: with such
    categories, and with small samples, the index tells of the floor and of chance. It gates nothing here.

    Args:
        p: shares.
        q: shares of the same cells.

    Returns:
        0 where they are equal.
    """
    low, high = np.maximum(p, PSI_FLOOR), np.maximum(q, PSI_FLOOR)
    held = (p > 0) | (q > 0)
    return float(((high - low) * np.log(high / low))[held].sum())


def psi_band(value: float) -> PsiBand:
    """The customary word for a population stability index: small below .1, large above .25."""
    return "small" if value < 0.1 else "moderate" if value <= 0.25 else "large"


def kolmogorov_smirnov(p: Numbers, q: Numbers) -> float:
    """The Kolmogorov-Smirnov distance of two ordered distributions: the largest difference of the cumulated shares.

    Within a bucket nothing is known: of values that were put into buckets, it is at most the distance of the values.
    """
    return float(min(1.0, np.abs(np.cumsum(p - q)).max(initial=0.0)))


def wasserstein(p: Numbers, q: Numbers, positions: Numbers) -> float:
    """The Wasserstein-1 distance (earth mover's): the mean way that the rows of one have to go to become the other.

    Args:
        p: shares, by position.
        q: shares of the same positions.
        positions: increasing; of any unit.

    Returns:
        In the unit of the positions.

    Examples:
        >>> wasserstein(np.array([1.0, 0.0]), np.array([0.0, 1.0]), np.array([0.0, 3.0]))
        3.0
    """
    return float((np.abs(np.cumsum(p - q))[:-1] * np.diff(positions)).sum())
