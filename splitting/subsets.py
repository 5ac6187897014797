"""The best totals of whole groups: a subset-sum table in bits, for all splits at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, reduce
from math import prod
from operator import or_

import numpy as np


def best_subsets(sizes: Sequence[int], home: Sequence[int], totals: Sequence[int], spare: int) -> list[int]:
    """Shares groups over splits so that totals are met: a subset-sum table in bits, for all splits at once.

    Args:
        sizes: rows of each group.
        home: the part that each group is in now; a part is the index of a split, or their number for none.
        totals: the most rows that each split can hold.
        spare: rows that something else can fill. What the totals lack need not be less than that.

    Returns:
        The part of each group: totals lack as much as possible up to `spare`, or else as little as possible.
        The last groups stay at home first.

    Examples:
        >>> best_subsets([4, 3, 3, 2], [2, 0, 2, 2], [6, 4], 0)
        [1, 0, 0, 2]
    """
    none = len(totals)
    strides = [prod(total + 1 for total in totals[:split]) for split in range(none)]
    states = prod(total + 1 for total in totals)

    @cache
    def fitting(split: int, size: int) -> int:
        """A bit for each state in which the split has room for the size."""
        period = strides[split] * (totals[split] + 1)
        bits = (1 << (strides[split] * max(0, totals[split] + 1 - size))) - 1
        while period < states:
            bits |= bits << period
            period *= 2
        return bits & ((1 << states) - 1)

    reached = [1]
    for size in sizes:
        now = reached[-1]
        shifted = ((now & fitting(split, size)) << (size * strides[split]) for split in range(none))
        reached.append(reduce(or_, shifted, now))
    state = _best_state(reached[-1], totals, spare)
    parts: list[int] = []
    for size, part, before in zip(reversed(sizes), reversed(home), reversed(reached[:-1]), strict=True):
        for option in (part, none, *range(none)):
            used = 0 if option == none else size
            stride = 0 if option == none else strides[option]
            if (option == none or state // stride % (totals[option] + 1) >= used) and (
                before >> (state - used * stride) & 1
            ):
                state -= used * stride
                parts.append(option)
                break
    return parts[::-1]


def _best_state(reached: int, totals: Sequence[int], spare: int) -> int:
    states = prod(total + 1 for total in totals)
    raw = np.frombuffer(reached.to_bytes(states // 8 + 1, "little"), dtype=np.uint8)
    numbers = np.flatnonzero(np.unpackbits(raw, bitorder="little"))
    lacks = np.full(len(numbers), sum(totals), dtype=np.int64)
    rest = numbers.copy()
    for total in totals:
        lacks -= rest % (total + 1)
        rest //= total + 1
    enough = lacks <= spare
    score = np.where(enough, -lacks, lacks + (sum(totals) if enough.any() else 0))
    return int(numbers[np.argmin(score)])
