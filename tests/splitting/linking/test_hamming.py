"""Bands find every two hashes within the distance, and nothing else; skew is bounded."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitting.errors import DataError
from splitting.linking import hamming
from splitting.linking.forest import NODE, ROOT, Forest
from splitting.linking.hamming import band_masks, near_links
from splitting.linking.rules import MAX_DISTANCE, NearHashes
from splitting.linking.runs import longest_run, pairs_in_runs
from splitting.linking.values import SECOND, VALUE, VALUES_SCHEMA, as_hashes, link_values
from tests.support.graphs import partition

ONE = 0x0123456789ABCDEF
FEW, MANY = 1_000, 10_000_000


def rows(hashes: list[tuple[int, int]]) -> pl.DataFrame:
    table = [(0, value, second, node) for node, (value, second) in enumerate(hashes)]
    return pl.DataFrame(table, schema=VALUES_SCHEMA, orient="row")


def linked(hashes: list[tuple[int, int]], rule: NearHashes, size: int) -> set[frozenset[int]]:
    distinct = rows(hashes).unique([VALUE, SECOND], keep="first", maintain_order=True)
    forest = Forest.merge(near_links(distinct, rule, mask) for mask in band_masks(rule.distance, size))
    return {frozenset(part[NODE]) for _, part in forest.components().group_by(ROOT)}


@st.composite
def near_hashes(draw) -> list[tuple[int, int]]:  # type: ignore[no-untyped-def]
    """Hashes some bits away from a few, with second hashes that agree or do not."""
    centres = draw(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=3))
    flips = st.lists(st.integers(0, 63), max_size=6).map(lambda bits: sum({1 << bit for bit in bits}))
    one = st.tuples(st.sampled_from(centres), flips, st.sampled_from([0, 1, 0xFF])).map(lambda x: (x[0] ^ x[1], x[2]))
    found = draw(st.lists(one, min_size=2, max_size=25))
    return list(dict.fromkeys(found))


@given(near_hashes(), st.integers(0, MAX_DISTANCE), st.integers(0, 8), st.sampled_from([FEW, MANY]))
def test_every_pair_within_the_distance_is_linked_and_no_other(
    hashes: list[tuple[int, int]], distance: int, second: int, size: int
) -> None:
    near = [
        (i, j)
        for i, (g, v) in enumerate(hashes)
        for j, (h, w) in enumerate(hashes)
        if i < j and (g ^ h).bit_count() <= distance and (v ^ w).bit_count() <= second
    ]
    assert linked(hashes, NearHashes("h", distance, "v", second), size) == partition(near)


@given(st.integers(0, 2**64 - 1), st.sets(st.integers(0, 63), max_size=MAX_DISTANCE), st.sampled_from([FEW, MANY]))
def test_two_near_hashes_agree_under_some_mask(value: int, bits: set[int], size: int) -> None:
    other = value ^ sum(1 << bit for bit in bits)
    assert any(value & mask == other & mask for mask in band_masks(len(bits), size))


@pytest.mark.parametrize("distance", range(MAX_DISTANCE + 1))
def test_bands_cover_all_bits_evenly(distance: int) -> None:
    for size in (FEW, MANY):
        masks = band_masks(distance, size)
        assert max(mask.bit_count() for mask in masks) - min(mask.bit_count() for mask in masks) <= 3
        assert np.bitwise_or.reduce(np.array(masks, dtype=np.uint64)) == np.uint64(2**64 - 1)


@given(st.lists(st.integers(0, 5), max_size=30))
def test_pairs_in_runs_are_all_pairs_once(keys: list[int]) -> None:
    numbers = np.array(keys, dtype=np.uint64)
    found = [
        tuple(sorted(pair)) for a, b in pairs_in_runs(numbers) for pair in zip(a.tolist(), b.tolist(), strict=True)
    ]
    assert sorted(found) == [(i, j) for i in range(len(keys)) for j in range(i + 1, len(keys)) if keys[i] == keys[j]]
    assert longest_run(numbers) == max((keys.count(key) for key in keys), default=0)


def test_hashes_that_tell_nothing_apart_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hamming, "LONGEST_RUN", 50)
    with pytest.raises(DataError, match=r"60 different hashes of column 'h' agree in the same 12 bits"):
        near_links(rows([(ONE ^ (i << 40), 0) for i in range(60)]), NearHashes("h", 4), band_masks(4, FEW)[0])


def test_hashes_without_detail_link_nothing_and_are_counted() -> None:
    plain = [0, 2**64 - 1, 0b1111111, None, 0xFF]
    frame = pl.DataFrame({"h": plain * 2}, schema={"h": pl.UInt64})
    values, unlinked = link_values((NearHashes("h", 4),), frame, pl.Series(range(10), dtype=pl.UInt64), "s")
    assert values[VALUE].to_list() == [0xFF, 0xFF]
    assert unlinked.unlinked.rows() == [(0, "no detail", 6), (0, "null", 2)]


def test_hashes_are_read_from_numbers_and_hexadecimal_digits() -> None:
    numbers = pl.Series([ONE, 2**64 - 1, None], dtype=pl.UInt64)
    assert as_hashes(pl.Series(["0123456789abcdef", "FFFFFFFFFFFFFFFF", None])).to_list() == numbers.to_list()
    assert as_hashes(pl.Series([ONE, -1, None], dtype=pl.Int64)).to_list() == numbers.to_list()
    for wrong in ("12", "0123456789abcdeg", "", "0x23456789abcdef"):
        with pytest.raises(DataError, match="16 hexadecimal digits"):
            as_hashes(pl.Series("h", [wrong]))
