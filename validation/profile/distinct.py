"""Distinct values by their smallest hashes (Bar-Yossef and others 2002): exact while they are few, and mergeable."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

KEPT = 1_024
HASH = "hash"
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def mixed(bits: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """A bijection of 64-bit integers that looks random (the finalizer of SplitMix64)."""
    with np.errstate(over="ignore"):
        found = bits >> np.uint64(30)
        found ^= bits
        found *= _MIX[0]
        found ^= found >> np.uint64(27)
        found *= _MIX[1]
        found ^= found >> np.uint64(31)
    return found


def smallest(hashes: npt.NDArray[np.uint64], below: int | None = None) -> pl.Series:
    """The smallest distinct hashes.

    Args:
        hashes: of the values.
        below: larger ones are known not to be among the smallest; None where nothing is known.

    Returns:
        UInt64, at most 1,024, sorted.
    """
    low = hashes if below is None else hashes[hashes <= np.uint64(below)]
    size = 4 * KEPT
    while len(low) > 2 * size:
        cut = np.partition(low, size)[size]
        lower = np.unique(low[low <= cut])
        if len(lower) >= KEPT:
            return pl.Series(HASH, lower[:KEPT], dtype=pl.UInt64)
        size *= 4
    return pl.Series(HASH, np.unique(low)[:KEPT], dtype=pl.UInt64)


def estimate(hashes: pl.Series) -> tuple[int, bool]:
    """How many distinct values there are.

    Args:
        hashes: the smallest, as `smallest` gives them.

    Returns:
        The number, and whether it is exact; else it is off by about 3 %.
    """
    if len(hashes) < KEPT:
        return len(hashes), True
    largest = int(hashes.max())  # type: ignore[arg-type]
    return round((KEPT - 1) * 2**64 / largest), False
