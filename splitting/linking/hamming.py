"""Finds every two 64-bit hashes within a Hamming distance, by bands that a pair must share (the pigeonhole principle).

Cut 64 bits into `distance + shared` bands: two hashes that differ in at most `distance` bits agree in at least `shared`
of them. So it suffices to compare hashes that agree in some choice of `shared` bands. More shared bands make a hash
meet fewer others, and appear more often; which choice is best depends on how many there are, the pairs found do not.
"""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt
import polars as pl

from splitting.errors import DataError
from splitting.linking.forest import DISTANCE, EDGE_SCHEMA, NODE, VIA, A, B, Forest
from splitting.linking.rules import NearHashes
from splitting.linking.runs import Numbers, Positions, longest_run, pairs_in_runs
from splitting.linking.values import SECOND, VALUE

BAND = "band"
LONGEST_RUN = 20_000
_BITS = 64
_MOST_SHARED = 3
_TRAVEL = 200  # to send a hash under one more mask costs about as much as to compare it with so many others


def band_masks(distance: int, hashes: int) -> tuple[int, ...]:
    """The bits in which two near hashes may agree.

    Args:
        distance: bits in which they may differ.
        hashes: about how many there are. The masks are those that cost least: hashes to compare, and to send.

    Returns:
        Masks; any two hashes within the distance are equal under one of them, at least.

    Examples:
        >>> [mask.bit_count() for mask in band_masks(4, 1_000)]
        [12, 13, 13, 13, 13]
        >>> len(band_masks(4, 10_000_000))
        15
    """
    choices = [_masks(distance + shared, shared) for shared in range(1, _MOST_SHARED + 1)]
    return min(choices, key=lambda masks: sum((hashes >> mask.bit_count()) + _TRAVEL for mask in masks))


def _masks(bands: int, shared: int) -> tuple[int, ...]:
    cuts = [_BITS * i // bands for i in range(bands + 1)]
    single = [(1 << high) - (1 << low) for low, high in pairwise(cuts)]
    return tuple(sum(chosen) for chosen in combinations(single, shared))


def near_links(rows: pl.DataFrame, rule: NearHashes, mask: int) -> Forest:
    """Links groups whose hashes are near, and agree under a mask.

    Args:
        rows: the columns of `VALUES_SCHEMA`, of one rule; each pair of hashes once; all rows that agree under the mask.
        rule: how near.
        mask: of `band_masks`.

    Returns:
        Their forest; both hashes were compared, bit by bit.

    Raises:
        DataError: too many different hashes agree under the mask: comparing all would take for ever.
    """
    values, seconds = rows[VALUE].to_numpy(), rows[SECOND].to_numpy()
    keys = values & np.uint64(mask)
    longest = longest_run(keys)
    if longest > LONGEST_RUN:
        raise DataError(
            f"{longest:,} different hashes of column {rule.column!r} agree in the same {mask.bit_count()} bits, more "
            f"than {LONGEST_RUN:,}: they tell too little apart to find near-duplicates by. Make the hashes of examples "
            "without detail null, or use another hash"
        )
    forests = [Forest.empty()]
    for first, second in pairs_in_runs(keys):
        apart = _bits_apart(values, first, second)
        near = (apart <= rule.distance) & (_bits_apart(seconds, first, second) <= rule.verify_distance)
        forests.append(Forest.of(_edges(rows, first[near], second[near], apart[near])))
    return Forest.merge(forests)


def _bits_apart(hashes: Numbers, first: Positions, second: Positions) -> npt.NDArray[np.uint8]:
    apart: npt.NDArray[np.uint8] = np.bitwise_count(hashes[first] ^ hashes[second])
    return apart


def _edges(rows: pl.DataFrame, first: Positions, second: Positions, distance: npt.NDArray[np.uint8]) -> pl.DataFrame:
    nodes, via = rows[NODE].to_numpy(), rows[VIA].to_numpy()
    columns = {A: nodes[first], B: nodes[second], VIA: via[first], DISTANCE: distance}
    return pl.DataFrame(columns, schema=EDGE_SCHEMA)
