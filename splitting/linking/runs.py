"""Pairs of rows that share a number: every two rows of each run of equal numbers, a bounded block at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.uint64]
Positions = npt.NDArray[np.int64]
_BLOCK = 2**22


def longest_run(keys: Numbers) -> int:
    """How many rows share the number that most rows share.

    Args:
        keys: a number a row, in any order.

    Returns:
        The count; 0 where there are no rows.
    """
    return int(np.unique(keys, return_counts=True)[1].max(initial=0))


def pairs_in_runs(keys: Numbers) -> Iterator[tuple[Positions, Positions]]:
    """Every two rows that share a number.

    Args:
        keys: a number a row, in any order.

    Yields:
        Positions of first and second rows; each pair once, in blocks of at most 4 million or so.
    """
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    active = np.flatnonzero(ordered[1:] == ordered[:-1]) if len(ordered) > 1 else np.empty(0, dtype=np.int64)
    step = 1
    while len(active):
        for start in range(0, len(active), _BLOCK):
            part = active[start : start + _BLOCK]
            yield order[part], order[part + step]
        step += 1
        active = active[active + step < len(ordered)]
        active = active[ordered[active + step] == ordered[active]]
