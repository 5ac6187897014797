"""Tails of the distributions that tests are made of. The one module that reaches scipy; all else is numpy."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from validation.profile.values import Numbers


def normal_quantile(share: float) -> float:
    """The standard normal value that this share of draws stays below."""
    return float(special.ndtri(share))


def chi2_tail(value: float, freedom: float) -> float:
    """How often chi-squared of so many degrees of freedom (any positive number) is at least this."""
    return float(special.chdtrc(freedom, max(value, 0.0)))


def chi2_quantile(tail: float, freedom: float) -> float:
    """What chi-squared reaches with this probability."""
    return float(special.chdtri(freedom, tail))


def noncentral_tail(value: float, freedom: float, noncentrality: float) -> float:
    """How often noncentral chi-squared is at least this.

    Exact for one degree of freedom. For more, the cube root is close to normal (Abdel-Aty 1954, Biometrika 41): within
    .012 for the probabilities of a power or of an interval, at any size; the exact series does not end for large ones.
    """
    if value <= 0:
        return 1.0
    if freedom == 1:
        far, near = math.sqrt(value), math.sqrt(noncentrality)
        return float(special.ndtr(near - far) + special.ndtr(-near - far))
    mean = freedom + noncentrality
    variance = 2 * (freedom + 2 * noncentrality) / (9 * mean * mean)
    return float(special.ndtr((1 - variance - (value / mean) ** (1 / 3)) / math.sqrt(variance)))


def noncentrality_of(value: float, freedom: float, tail: float) -> float:
    """The noncentrality under which `value` is reached with this probability; 0 where chance alone does it.

    Args:
        value: of the statistic.
        freedom: degrees of freedom.
        tail: the probability, between 0 and 1.

    Returns:
        It, to 12 digits, by bisection: the tail grows with the noncentrality.
    """
    if value <= 0 or noncentral_tail(value, freedom, 0.0) >= tail:
        return 0.0
    low, high = 0.0, value + 1.0
    while noncentral_tail(value, freedom, high) < tail:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        if noncentral_tail(value, freedom, middle) < tail:
            low = middle
        else:
            high = middle
        if high - low <= 1e-12 * high:
            break
    return high


def kolmogorov_tail(distance: float, effective: float) -> float:
    """How often the Kolmogorov-Smirnov distance is at least this, for continuous values without a shift.

    Args:
        distance: from 0 to 1.
        effective: rows, as of one sample: `n m / (n + m)`; taken to the nearest integer.

    Returns:
        The law of one sample of that size (Simard & L'Ecuyer 2011), as scipy's `ks_2samp(method="asymp")`.
    """
    from scipy.stats import kstwo  # noqa: PLC0415, takes half a second to load, and most runs need none of it

    return float(np.clip(kstwo.sf(distance, max(1, round(effective))), 0.0, 1.0))


def kolmogorov_quantile(tail: float, effective: float) -> float:
    """What the Kolmogorov-Smirnov distance reaches with this probability; a little too large for small samples."""
    return min(1.0, float(special.kolmogi(tail)) / math.sqrt(effective))


def two_sided_tails(sizes: Numbers) -> Numbers:
    """How often a standard normal is at least so far from 0, each way."""
    return np.asarray(special.erfc(sizes / math.sqrt(2)), dtype=np.float64)


def exact_two_by_two(hits: tuple[int, int], rows: tuple[int, int]) -> float:
    """Fisher's exact test of two shares, two-sided (Fisher 1922).

    Args:
        hits: rows of a kind, in each sample.
        rows: all rows of each.

    Returns:
        The p-value.
    """
    from scipy.stats import fisher_exact  # noqa: PLC0415, as above

    table = [[hits[0], rows[0] - hits[0]], [hits[1], rows[1] - hits[1]]]
    return float(min(1.0, fisher_exact(table).pvalue))


def log_binomial(rows: Numbers, hits: Numbers, share: float) -> Numbers:
    """The logarithm of how often so many of the rows are hits."""
    ways = special.gammaln(rows + 1) - special.gammaln(hits + 1) - special.gammaln(rows - hits + 1)
    return np.asarray(ways + hits * math.log(share) + (rows - hits) * math.log1p(-share), dtype=np.float64)
