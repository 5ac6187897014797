"""A grid that is as fine as a bounded number of steps allows: two values are told apart wherever they lie.

A step is a float64 without so many of its last bits. All values are kept to the last bit while at most `MOST` are
distinct; then as many bits are dropped as bring the steps down to that, for all values alike. How many those are is a
function of the distinct values alone, and never less for more of them: so parts that are merged, each on a grid that
is at least as fine as that of the whole, give the whole's grid, in any order.

A grid of fixed relative width, as of 3 % of the value, cannot see years, latitudes or temperatures in Kelvin move.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Steps = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]

MOST = 1_024
COARSEST = 47
"""Bits that are dropped at most: 5 of the mantissa stay, so that a step is at most 1/32 of its values wide."""
ROUNDED = 7
"""Values that differ in so many of their last bits alone are taken for one."""
_LARGEST = float(np.finfo(np.float64).max)
_WITHOUT_SIGN = np.int64(2**63 - 1)


def steps_of(values: Numbers, dropped: int = 0) -> Steps:
    """The steps of finite values, in the order of the values; a coarser step is a finer one, shifted to the right."""
    bits = (values + 0.0).view(np.int64)  # -0.0 becomes 0.0
    return np.asarray(((bits & _WITHOUT_SIGN) >> dropped) ^ (bits >> 63))


def needed(steps: Steps, dropped: int) -> int:
    """How many bits have to be dropped for at most `MOST` steps.

    Args:
        steps: sorted.
        dropped: bits that they have lost already.

    Returns:
        At least `dropped`, at most `COARSEST`.
    """

    def fits(bits: int) -> bool:
        return int(np.count_nonzero(np.diff(steps >> (bits - dropped)))) < MOST

    low, high = dropped, max(dropped, COARSEST)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle + 1, high)
    return low


def first_guess(values: Numbers) -> int:
    """Bits that surely have to be dropped: those that some of the values need."""
    some = values if len(values) <= 2 * MOST else values[:: len(values) // (2 * MOST)]
    return needed(np.sort(steps_of(some)), 0)


def edges(steps: Steps, dropped: int) -> tuple[Numbers, Numbers]:
    """The lower and upper edges of steps; equal where so few bits were dropped that a step is a value."""
    position = np.where(steps >= 0, steps, ~steps)
    inner = (position << dropped).view(np.float64)
    if dropped <= ROUNDED:
        outer = inner
    else:
        last = np.int64(2047 << 52) >> dropped
        outer = np.where(position + 1 < last, ((position + 1) << dropped).view(np.float64), _LARGEST)
    return np.where(steps >= 0, inner, -outer), np.where(steps >= 0, outer, -inner)


def steps_between(lower: Numbers, upper: Numbers, dropped: int) -> Steps:
    """The steps that hold what lies from `lower` to `upper`, both in one step."""
    return steps_of(np.where(lower < 0, upper, lower), dropped) ^ np.where((lower < 0) & (upper == 0), -1, 0)
