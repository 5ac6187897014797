"""Laws of apportionment and controlled rounding."""

from __future__ import annotations

from itertools import product
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.extmath import _approximate_mode

from splitting.rounding import apportion, controlled_rounding

weights_lists = st.lists(st.integers(0, 60), min_size=1, max_size=9)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    rows = draw(st.lists(st.integers(0, 12), min_size=1, max_size=9))
    cuts = sorted(draw(st.lists(st.integers(0, sum(rows)), min_size=1, max_size=5)))
    return rows, [high - low for low, high in zip([0, *cuts], cuts, strict=False)]


def assert_controlled(rows: list[int], sizes: list[int]) -> list[list[int]]:
    table = controlled_rounding(rows, sizes)
    pool = sum(rows)
    assert [sum(column) for column in zip(*table, strict=True)] == sizes
    for count, row in zip(rows, table, strict=True):
        for cell, size in zip([*row, count - sum(row)], [*sizes, pool - sum(sizes)], strict=True):
            assert pool * (cell - 1) < count * size < pool * (cell + 1) or pool * cell == count * size
    return table


@given(st.integers(0, 500), weights_lists.filter(any))
def test_apportion_meets_quota(total: int, weights: list[int]) -> None:
    shares = apportion(total, weights)
    mass = sum(weights)
    assert sum(shares) == total
    for share, weight in zip(shares, weights, strict=True):
        assert total * weight // mass <= share <= -(-total * weight // mass)


@given(st.integers(0, 500), weights_lists.filter(any))
def test_apportion_gives_remainders_to_the_largest_then_the_first(total: int, weights: list[int]) -> None:
    mass = sum(weights)
    shares = apportion(total, weights)
    order = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % mass), i))
    up = [shares[i] - total * weights[i] // mass for i in order]
    assert up == sorted(up, reverse=True)


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 30)), min_size=1, max_size=8), st.data())
def test_apportion_obeys_caps_and_shares_the_excess(pairs: list[tuple[int, int]], data: st.DataObject) -> None:
    weights, caps = [w for w, _ in pairs], [c for _, c in pairs]
    total = data.draw(st.integers(0, sum(caps)))
    shares = apportion(total, weights, caps)
    assert sum(shares) == total
    assert all(share <= cap for share, cap in zip(shares, caps, strict=True))
    # Who is below the cap has a fair share (within one row) next to everyone else.
    for share, weight, cap in zip(shares, weights, caps, strict=True):
        for other, other_weight in zip(shares, weights, strict=True):
            if share < cap:
                assert (other - 1) * weight < (share + 1) * other_weight


def test_apportion_without_binding_caps_is_plain() -> None:
    assert apportion(11, [6, 6, 2], [11, 11, 11]) == apportion(11, [6, 6, 2]) == [5, 5, 1]


@pytest.mark.parametrize(
    ("total", "weights", "caps"),
    [
        (5, [1, 1], [2, 2]),
        (1, [0, 0], None),
        (3, [1, 0], [2, 9]),
        (-1, [1], None),
        (1, [-1, 2], None),
        (1, [1], [1, 1]),
    ],
)
def test_apportion_refuses_what_cannot_be(total: int, weights: list[int], caps: list[int] | None) -> None:
    with pytest.raises(ValueError, match=r"cannot share|must be whole"):
        apportion(total, weights, caps)


@pytest.mark.parametrize("seed", range(40))
def test_apportion_agrees_with_approximate_mode(seed: int) -> None:
    """scikit-learn's stratified counts, but for ties, which it breaks by chance."""
    rng = np.random.RandomState(seed)
    counts = rng.randint(1, 60, size=rng.randint(2, 35))
    total = int(rng.randint(1, counts.sum()))
    theirs = _approximate_mode(counts, total, np.random.RandomState(seed))
    mass = int(counts.sum())

    def rounded_up(shares: list[int]) -> list[int]:
        pairs = zip(shares, counts.tolist(), strict=True)
        return sorted(total * count % mass for share, count in pairs if share > total * count // mass)

    assert rounded_up(theirs.tolist()) == rounded_up(apportion(total, counts.tolist()))


def test_known_floating_traps_are_exact() -> None:
    assert apportion(100, [7, 93]) == [7, 93]
    assert apportion(100, [29, 71]) == [29, 71]
    assert sum(apportion(22, [31, 7, 11, 6])) == 22
    assert apportion(10, [6, 6, 2]) == [4, 4, 2]


@given(tables())
def test_controlled_rounding_cells_and_margins(table: tuple[list[int], list[int]]) -> None:
    assert_controlled(*table)


def test_controlled_rounding_needs_a_path_of_several_columns() -> None:
    """All small tables; the largest fraction alone gets many of them wrong."""
    for rows in product(range(4), repeat=3):
        for sizes in product(range(4), repeat=3):
            if sum(sizes) <= sum(rows):
                assert_controlled(list(rows), list(sizes))


@pytest.mark.parametrize(
    ("rows", "sizes"),
    [
        ([1, 8, 8, 6, 12, 1, 3, 3, 12, 1, 1], [7, 38, 3]),
        ([12, 2, 3, 4, 4, 12, 4, 4, 3], [22, 4, 13]),
        ([12, 1, 1, 4, 12, 3, 4, 8, 3], [9, 4, 1]),
    ],
)
def test_controlled_rounding_leaves_whole_quotas_alone(rows: list[int], sizes: list[int]) -> None:
    """Where rows must move between columns, a cell whose quota is whole takes none."""
    assert_controlled(rows, sizes)


def test_controlled_rounding_of_many_equal_strata_is_exact() -> None:
    """Every stratum's largest fraction is the same column, so nearly every row must move."""
    assert_controlled([1] * 30_000, [4_000, 5_000, 1, 900, 2_500, 0])
    assert_controlled([7, 3, 11, 2, 5] * 6_000, [23_000, 24_001, 1, 900, 2_500, 17])


def test_controlled_rounding_beyond_64_bits() -> None:
    rows, sizes = [10**15 + 7, 3 * 10**14, 12], [4 * 10**14 + 1, 10**14 + 3]
    assert prod([rows[0], sizes[0]]) > 2**64
    assert_controlled(rows, sizes)


def test_controlled_rounding_edges() -> None:
    assert controlled_rounding([], []) == []
    assert controlled_rounding([3, 4], []) == [[], []]
    assert controlled_rounding([0, 0], [0]) == [[0], [0]]
    assert controlled_rounding([2, 3], [5]) == [[2], [3]]
    with pytest.raises(ValueError, match="ask for 6 of 5"):
        controlled_rounding([2, 3], [3, 3])


def test_controlled_rounding_golden() -> None:
    """Changing these moves examples: a major version."""
    assert controlled_rounding([5, 5, 2], [3, 3]) == [[1, 2], [1, 1], [1, 0]]
    assert controlled_rounding([98, 2], [25]) == [[24], [1]]
    assert controlled_rounding([10, 20, 30, 40], [7, 13]) == [[1, 1], [1, 3], [2, 4], [3, 5]]
