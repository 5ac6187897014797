"""Laws of the draw: whole groups, disjoint, never above a total, exact where that is possible."""

from __future__ import annotations

import random
from collections import defaultdict
from itertools import pairwise
from typing import Literal

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from splitting import balance, cells
from splitting.draw import Draw, DrawRequest, Shortfall, draw
from splitting.rounding import controlled_rounding
from splitting.subsets import best_subsets

SCHEMA = {"u": pl.UInt64, "stratum": pl.UInt32, "rows": pl.Int64}
NAMES = ("test", "dev", "train_dev", "extra")
Groups = dict[int, dict[int, int]]


def frame(groups: Groups) -> pl.DataFrame:
    cells = [(u, stratum, rows) for u, cell in groups.items() for stratum, rows in cell.items()]
    return pl.DataFrame(cells, schema=SCHEMA, orient="row")


def sizes_frame(sizes: list[int]) -> pl.DataFrame:
    """Groups of one stratum, in the order of `u`."""
    return frame({u + 1: {0: size} for u, size in enumerate(sizes)})


def request(
    *quotas: tuple[int, ...],
    complete: bool | tuple[bool, ...] = True,
    on_shortfall: Literal["error", "fill", "allow"] = "error",
) -> DrawRequest:
    flags = (complete,) * len(quotas) if isinstance(complete, bool) else complete
    return DrawRequest(NAMES[: len(quotas[0])], quotas, flags, on_shortfall)


def members(drawn: Draw) -> dict[str, set[int]]:
    result: dict[str, set[int]] = defaultdict(set)
    for u, split in drawn.taken.iter_rows():
        result[split].add(u)
    return result


def totals(drawn: Draw) -> list[int]:
    return [sum(column) for column in zip(*drawn.rows, strict=True)]


@st.composite
def pools(draw: st.DrawFn, strata: int = 3, largest: int = 6, most: int = 14) -> Groups:
    count = draw(st.integers(1, most))
    names = draw(st.lists(st.integers(0, 2**64 - 1), min_size=count, max_size=count, unique=True))
    cell = st.dictionaries(st.integers(0, strata - 1), st.integers(1, largest), min_size=1, max_size=2)
    single = st.integers(0, strata - 1).map(lambda stratum: {stratum: 1})
    return {u: draw(st.one_of(cell, single)) for u in names}


@st.composite
def problems(draw: st.DrawFn, strata: int = 3) -> tuple[Groups, DrawRequest]:
    """A pool and controlled quotas of it: each stratum has rows enough."""
    groups = draw(pools(strata))
    available = [sum(cell.get(stratum, 0) for cell in groups.values()) for stratum in range(strata)]
    cuts = sorted(draw(st.lists(st.integers(0, sum(available)), min_size=1, max_size=3)))
    table = controlled_rounding(available, [high - low for low, high in pairwise([0, *cuts])])
    return groups, request(*map(tuple, table))


@st.composite
def rough_problems(draw: st.DrawFn) -> tuple[Groups, DrawRequest]:
    """A pool and any quotas, with any shortage."""
    width = draw(st.integers(1, 3))
    quota = st.tuples(*[st.integers(0, 9)] * width)
    quotas = draw(st.tuples(quota, quota, quota))
    complete = draw(st.tuples(*[st.booleans()] * 3))
    mode = draw(st.sampled_from(["error", "fill", "allow"]))
    return draw(pools()), DrawRequest(NAMES[:width], quotas, complete, mode)


@given(rough_problems())
@settings(max_examples=60)
def test_whole_groups_disjoint_and_never_above_a_total(problem: tuple[Groups, DrawRequest]) -> None:
    groups, asked = problem
    drawn = draw(frame(groups), asked)
    taken = dict(drawn.taken.iter_rows())
    assert drawn.taken.schema == {"u": pl.UInt64, "split": pl.String}
    assert drawn.taken["u"].to_list() == sorted(taken)
    assert set(taken) <= set(groups)
    assert set(taken.values()) <= set(asked.splits)
    rows = [[0] * len(asked.splits) for _ in asked.quotas]
    for u, split in taken.items():
        for stratum, count in groups[u].items():
            rows[stratum][asked.splits.index(split)] += count
    assert drawn.rows == tuple(map(tuple, rows))
    wanted = [sum(column) for column in zip(*asked.quotas, strict=True)]
    assert drawn.deviation == tuple(have - want for have, want in zip(totals(drawn), wanted, strict=True))
    assert max(drawn.deviation) <= 0
    assert drawn.last_u is None or drawn.last_u >= max([0, *taken])


@given(rough_problems(), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_order_of_rows_is_irrelevant(problem: tuple[Groups, DrawRequest], rng: random.Random) -> None:
    groups, asked = problem
    cells = frame(groups).rows()
    rng.shuffle(cells)
    first, second = draw(frame(groups), asked), draw(pl.DataFrame(cells, schema=SCHEMA, orient="row"), asked)
    assert first.taken.equals(second.taken)
    assert (first.rows, first.shortfalls, first.last_u) == (second.rows, second.shortfalls, second.last_u)


@given(problems(), st.permutations(range(3)))
@settings(max_examples=60)
def test_numbers_of_strata_are_irrelevant(problem: tuple[Groups, DrawRequest], order: list[int]) -> None:
    groups, asked = problem
    renamed = {u: {order[stratum]: rows for stratum, rows in cell.items()} for u, cell in groups.items()}
    quotas = [asked.quotas[order.index(stratum)] for stratum in range(3)]
    first, second = draw(frame(groups), asked), draw(frame(renamed), request(*quotas))
    assert first.taken.equals(second.taken)


@given(rough_problems())
@settings(max_examples=60)
def test_only_the_order_of_u_matters(problem: tuple[Groups, DrawRequest]) -> None:
    groups, asked = problem
    rank = {u: position * 3 + 1 for position, u in enumerate(sorted(groups))}
    ranked = draw(frame({rank[u]: cell for u, cell in groups.items()}), asked)
    assert {rank[u]: s for u, s in draw(frame(groups), asked).taken.iter_rows()} == dict(ranked.taken.iter_rows())


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2)), unique_by=lambda p: p[0]), st.data())
def test_single_rows_are_each_stratums_smallest(pairs: list[tuple[int, int]], data: st.DataObject) -> None:
    by_stratum = [sorted(u for u, s in pairs if s == stratum) for stratum in range(3)]
    quotas = []
    for names in by_stratum:
        first = data.draw(st.integers(0, len(names)))
        quotas.append((first, data.draw(st.integers(0, len(names) - first))))
    drawn = draw(frame({u: {stratum: 1} for u, stratum in pairs}), request(*quotas))
    expected = {u for names, quota in zip(by_stratum, quotas, strict=True) for u in names[: sum(quota)]}
    assert set(drawn.taken["u"]) == expected
    assert drawn.rows == tuple(quotas)
    assert not drawn.needs_deeper
    assert drawn.last_u == max(expected, default=None)


@given(problems())
@settings(max_examples=60)
def test_a_longer_list_gives_the_same_draw_once_cells_are_full(problem: tuple[Groups, DrawRequest]) -> None:
    groups, asked = problem
    whole = draw(frame(groups), asked)
    assume(whole.rows == asked.quotas and whole.last_u is not None)
    some = {u: cell for u, cell in groups.items() if u <= whole.last_u}
    if whole.last_u < max(groups):
        short = draw(frame(some), DrawRequest(asked.splits, asked.quotas, (False,) * 3))
        assert short.taken.equals(whole.taken)
        assert not short.needs_deeper


def least_lack(sizes: list[int], wanted: list[int]) -> int:
    """By trying everything: how far totals must stay below what is wanted."""
    states = {tuple(wanted)}
    for size in sizes:
        states |= {
            (*state[:split], left - size, *state[split + 1 :])
            for state in states
            for split, left in enumerate(state)
            if left >= size
        }
    return min(map(sum, states))


@given(problems())
@settings(max_examples=150)
def test_totals_are_as_exact_as_whole_groups_allow(problem: tuple[Groups, DrawRequest]) -> None:
    groups, asked = problem
    wanted = [sum(column) for column in zip(*asked.quotas, strict=True)]
    drawn = draw(frame(groups), asked)
    assert -sum(drawn.deviation) == least_lack([sum(cell.values()) for cell in groups.values()], wanted)


@given(st.lists(st.integers(2, 40), max_size=40), st.integers(1, 3), st.data())
def test_exact_when_single_rows_can_fill_the_rest(sizes: list[int], width: int, data: st.DataObject) -> None:
    """Promise 2, with no exhaustive search: it must not be needed."""
    singles = width * (max(sizes, default=1) - 1) + data.draw(st.integers(0, 5))
    pool = data.draw(st.permutations(sizes + [1] * singles))
    cuts = sorted(data.draw(st.lists(st.integers(0, sum(pool)), min_size=width, max_size=width)))
    quota = tuple(high - low for low, high in pairwise([0, *cuts]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(balance, "SUBSET_BITS", 0)
        patch.setattr(cells, "SEARCH_WORK", 0)
        patch.setattr(cells, "EXACT_SEARCHES", 0)
        drawn = draw(sizes_frame(pool), request(quota)) if pool else None
    assert drawn is None or drawn.rows == (quota,)


@given(st.lists(st.integers(2, 30), min_size=1, max_size=40), st.integers(1, 3), st.data())
def test_otherwise_within_the_largest_group(sizes: list[int], width: int, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, sum(sizes)), min_size=width, max_size=width)))
    with pytest.MonkeyPatch.context() as patch:
        if data.draw(st.booleans()):
            patch.setattr(balance, "SUBSET_BITS", 0)
        drawn = draw(sizes_frame(sizes), request(tuple(high - low for low, high in pairwise([0, *cuts]))))
    assert min(drawn.deviation) > -max(sizes)


@pytest.mark.parametrize(
    ("sizes", "quota"),
    [
        ([1] * 9 + [10], (10,)),  # the singles come first and leave no room
        ([1] * 3 + [10] + [1] * 6, (10,)),
        ([1] * 9 + [10] + [10], (10, 10)),
        ([4, 6], (6,)),  # a swap a -> b
        ([5, 4, 3, 2], (7,)),
        ([7, 5, 5, 3, 3], (10, 6)),  # only a search over both splits
        ([9, 8, 8, 6, 6, 6], (16, 18)),
        ([2] * 50 + [51], (51,)),
    ],
)
def test_traps_of_the_order_of_u(sizes: list[int], quota: tuple[int, ...]) -> None:
    drawn = draw(sizes_frame(sizes), request(quota))
    assert drawn.rows == (quota,)
    assert drawn.deviation == (0,) * len(quota)


def test_totals_come_before_cells_but_cells_count() -> None:
    groups = {1: {0: 3}, 2: {0: 3}, 3: {1: 1}, 4: {1: 1}, 5: {1: 1}, 6: {1: 3}}
    drawn = draw(frame(groups), request((2,), (4,)))
    assert drawn.deviation == (0,)
    assert drawn.rows in {((3,), (3,)), ((0,), (6,))}
    assert drawn.rows == ((3,), (3,))
    assert drawn.shortfalls == ()


def test_an_oversize_group_is_left_alone() -> None:
    drawn = draw(sizes_frame([50, 1, 1, 1, 1]), request((2, 1)))
    assert 1 not in drawn.taken["u"]
    assert drawn.deviation == (0, 0)


def test_shortfall_is_named_and_not_filled() -> None:
    groups = {u: {0: 1} for u in range(1, 4)} | {u: {1: 1} for u in range(10, 30)}
    for mode in ("error", "allow"):
        drawn = draw(frame(groups), request((4, 2), (3, 3), on_shortfall=mode))
        assert drawn.shortfalls == (Shortfall("test", 0, 4, 2), Shortfall("dev", 0, 2, 1))
        assert drawn.rows == ((2, 1), (3, 3))
        assert drawn.deviation == (-2, -1)
        assert not drawn.needs_deeper


def test_fill_takes_the_missing_rows_from_other_strata() -> None:
    groups = {u: {0: 1} for u in range(1, 4)} | {u: {1 + u % 2: 1} for u in range(10, 30)}
    drawn = draw(frame(groups), request((4, 2), (3, 3), (2, 2), on_shortfall="fill"))
    assert drawn.deviation == (0, 0)
    assert drawn.rows[0] == (2, 1)
    # Spare rows: 4 of stratum 1, 6 of stratum 2; three are missing: 1 and 2.
    assert [sum(row) for row in drawn.rows] == [3, 7, 6]
    odd = [u for u in range(10, 30) if u % 2 == 0]
    assert set(odd[:7]) <= set(drawn.taken["u"])
    assert {(s.split, s.stratum) for s in drawn.shortfalls} == {("test", 0), ("dev", 0)}


def test_fill_takes_what_there_is() -> None:
    drawn = draw(sizes_frame([1] * 5), request((4, 4), on_shortfall="fill"))
    assert sum(totals(drawn)) == 5
    assert sum(drawn.deviation) == -3


def test_scarce_strata_do_not_starve_the_later_split() -> None:
    groups = {stratum + 1: {stratum: 1} for stratum in range(20)}
    drawn = draw(frame(groups), request(*[(1, 1)] * 20, on_shortfall="allow"))
    assert totals(drawn) == [10, 10]


def test_needs_deeper_only_when_a_longer_list_can_help() -> None:
    short = sizes_frame([1, 1, 1])
    assert draw(short, request((5,), complete=False)).needs_deeper
    assert draw(short, request((5,), complete=False)).shortfalls == ()
    assert not draw(short, request((5,), complete=True)).needs_deeper
    assert not draw(short, request((3,), complete=False)).needs_deeper
    assert draw(sizes_frame([2, 2, 2]), request((3,), complete=False)).needs_deeper
    assert not draw(sizes_frame([2, 2, 2]), request((3,), complete=True)).needs_deeper
    assert not draw(sizes_frame([2, 2, 2]), request((4,), complete=False)).needs_deeper
    # A cell of single rows is short and its stratum is incomplete.
    two = frame({1: {0: 1}, 2: {1: 1}, 3: {1: 1}, 4: {1: 2}})
    assert draw(two, request((2,), (2,), complete=(False, True))).needs_deeper


def test_empty_requests() -> None:
    nothing = draw(frame({}), request((0, 0)))
    assert len(nothing.taken) == 0
    assert nothing.last_u is None
    assert draw(sizes_frame([1, 2]), request((0,))).last_u is None
    assert draw(frame({}), request((2,), complete=False)).needs_deeper
    assert draw(frame({}), request((2,))).shortfalls == (Shortfall("test", 0, 2, 0),)


def test_our_bugs_are_errors() -> None:
    with pytest.raises(ValueError, match="quota for each"):
        draw(sizes_frame([1]), DrawRequest(("test",), ((1, 2),), (True,)))
    with pytest.raises(ValueError, match="positive rows"):
        draw(sizes_frame([0]), request((1,)))
    with pytest.raises(ValueError, match="positive rows"):
        draw(frame({1: {4: 1}}), request((1,)))


@given(
    st.lists(st.integers(1, 7), max_size=7),
    st.lists(st.integers(0, 9), min_size=1, max_size=3),
    st.integers(0, 4),
)
def test_best_subsets_is_best(sizes: list[int], wanted: list[int], spare: int) -> None:
    parts = best_subsets(sizes, [len(wanted)] * len(sizes), wanted, spare)
    held = [sum(s for s, part in zip(sizes, parts, strict=True) if part == c) for c in range(len(wanted))]
    assert all(have <= want for have, want in zip(held, wanted, strict=True))
    lack, least = sum(wanted) - sum(held), least_lack(sizes, wanted)
    assert lack <= spare if least <= spare else lack == least


def test_cells_of_grouped_strata_come_near_their_quotas() -> None:
    """Groups over two strata: nine of ten cells within a row of the quota, totals exact."""
    rng = np.random.RandomState(5)
    groups = {
        int(u): {int(a): int(rng.randint(1, 9)), int(a + 1): int(rng.randint(1, 9))}
        for u, a in zip(rng.permutation(400), rng.randint(0, 3, 400), strict=True)
    }
    available = [sum(cell.get(s, 0) for cell in groups.values()) for s in range(4)]
    table = controlled_rounding(available, [sum(available) // 8] * 4)
    drawn = draw(frame(groups), request(*map(tuple, table)))
    assert drawn.deviation == (0, 0, 0, 0)
    assert np.abs(np.array(drawn.rows) - np.array(table)).max() <= 1


def test_many_single_rows_are_drawn_exactly() -> None:
    rng = np.random.RandomState(0)
    count, strata = 200_000, 50
    cells = pl.DataFrame(
        {
            "u": rng.permutation(count),
            "stratum": rng.randint(0, strata, count),
            "rows": np.ones(count, dtype=np.int64),
        }
    )
    rows = np.bincount(cells["stratum"].to_numpy(), minlength=strata).tolist()
    quotas = tuple(map(tuple, controlled_rounding(rows, [count // 5] * 3)))
    drawn = draw(cells, DrawRequest(NAMES[:3], quotas, (True,) * strata))
    assert drawn.rows == quotas


def test_golden() -> None:
    """Changing this moves examples: a major version."""
    groups = {7: {0: 1}, 3: {0: 2, 1: 1}, 5: {1: 1}, 11: {0: 4}, 2: {1: 3}, 13: {0: 1}, 17: {1: 1}, 1: {0: 3}}
    drawn = draw(frame(groups), request((4, 2), (2, 1)))
    assert members(drawn) == {"test": {1, 7, 5, 17}, "dev": {3}}
    assert drawn.last_u == 17
