"""Values that are counted: sorted first, since numpy sorts numbers faster than any table of hashes counts them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from validation.profile.values import Counts

Indices = npt.NDArray[np.intp]


def starts_of_runs(ordered: npt.NDArray[Any]) -> Indices:
    """Where each run of equal values begins.

    Args:
        ordered: equal values stand together; NaN equals nothing.

    Returns:
        Positions, increasing, the first of them 0; none of no values.
    """
    if not len(ordered):
        return np.zeros(0, dtype=np.intp)
    changes = np.flatnonzero(ordered[1:] != ordered[:-1])
    starts = np.empty(len(changes) + 1, dtype=np.intp)
    starts[0] = 0
    np.add(changes, 1, out=starts[1:])
    return starts


def run_lengths(starts: Indices, length: int) -> Counts:
    """How many values each run has.

    Args:
        starts: of `starts_of_runs`.
        length: of all runs.
    """
    return np.diff(starts, append=length).astype(np.int64, copy=False)


def count_values(values: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], Counts]:
    """Distinct values, and the rows of each.

    Args:
        values: numbers of any type, in any order; 0.0 and -0.0 are one value.

    Returns:
        The values, of the same type, sorted, NaN last, each NaN by itself; and their rows.
    """
    ordered = np.sort(values)
    starts = starts_of_runs(ordered)
    if len(starts) == len(ordered):
        return ordered, np.ones(len(ordered), dtype=np.int64)
    return ordered[starts], run_lengths(starts, len(ordered))
