"""Exchanges of groups: what is found is right, and small exchanges are not overlooked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations_with_replacement

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from splitting.cells import Vector, settle_cells
from splitting.exchange import Exchange, find_exchange, find_steps

Integers = npt.NDArray[np.int64]


@st.composite
def parts(draw: st.DrawFn) -> tuple[Integers, Integers, Integers]:
    """Kinds of groups, how many of each can be given, and taken."""
    strata = draw(st.integers(1, 3))
    row = st.lists(st.integers(0, 3), min_size=strata, max_size=strata).filter(any)
    rows = draw(st.lists(row, min_size=1, max_size=5, unique_by=tuple))
    counts = st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows))
    return tuple(np.array(x, dtype=np.int64) for x in (rows, draw(counts), draw(counts)))  # type: ignore[return-value]


def change(rows: Integers, exchange: Exchange) -> Integers:
    give, take = exchange
    return np.asarray(rows[take].sum(axis=0) - rows[give].sum(axis=0), dtype=np.int64)


def is_possible(exchange: Exchange, given_: Integers, taken: Integers) -> bool:
    return all(
        number <= limit[kind]
        for kinds, limit in zip(exchange, (given_, taken), strict=True)
        for kind, number in Counter(kinds).items()
    )


def small_exchanges(rows: Integers, given_: Integers, taken: Integers, most: int) -> Iterator[Exchange]:
    """Every possible exchange of up to some groups, by brute force."""
    moves = [(kind, way) for way in (0, 1) for kind in range(len(rows))]
    for count in range(1, most + 1):
        for chosen in combinations_with_replacement(moves, count):
            exchange = tuple([kind for kind, way in chosen if way == side] for side in (0, 1))
            if is_possible(exchange, given_, taken):  # type: ignore[arg-type]
                yield exchange  # type: ignore[misc]


@settings(max_examples=60, deadline=None)
@given(parts(), st.data())
def test_an_exchange_of_up_to_four_groups_is_found_and_is_the_smallest(
    part: tuple[Integers, Integers, Integers], data: st.DataObject
) -> None:
    rows, given_, taken = part
    wanted = np.array(
        data.draw(st.lists(st.integers(-4, 4), min_size=rows.shape[1], max_size=rows.shape[1]).filter(any))
    )
    fewest = next(
        (len(e[0]) + len(e[1]) for e in small_exchanges(rows, given_, taken, 4) if (change(rows, e) == wanted).all()),
        None,
    )
    found = find_exchange(rows, given_, taken, wanted)
    if found is None:
        assert fewest is None
        return
    assert is_possible(found, given_, taken)
    assert (change(rows, found) == wanted).all()
    if fewest is not None:
        assert len(found[0]) + len(found[1]) == fewest


@settings(max_examples=60, deadline=None)
@given(parts(), st.data())
def test_steps_bring_cells_nearer_and_can_be_made_together(
    part: tuple[Integers, Integers, Integers], data: st.DataObject
) -> None:
    rows, given_, taken = part
    wanted = np.array(data.draw(st.lists(st.integers(-4, 4), min_size=rows.shape[1], max_size=rows.shape[1])))
    steps = find_steps(rows, given_, taken, wanted)
    together = (sorted(k for give, _ in steps for k in give), sorted(k for _, take in steps for k in take))
    assert is_possible(together, given_, taken)
    gained = change(rows, together)
    assert gained.sum() == 0
    if steps:
        assert ((wanted - gained) ** 2).sum() < (wanted**2).sum()
    else:
        assert not gained.any()


@settings(max_examples=60, deadline=None)
@given(parts(), st.integers(1, 3), st.data())
def test_settling_keeps_groups_and_totals_and_makes_nothing_worse(
    part: tuple[Integers, Integers, Integers], splits: int, data: st.DataObject
) -> None:
    rows, _, _ = part
    kinds, strata = rows.shape
    cell = st.integers(0, 3)
    counts = data.draw(
        st.lists(st.lists(cell, min_size=splits + 1, max_size=splits + 1), min_size=kinds, max_size=kinds)
    )
    held = rows.T @ np.array(counts, dtype=np.int64)[:, :-1]
    goals = held.copy()
    for column in range(splits):  # the same totals, spread otherwise
        order = data.draw(st.permutations(range(strata)))
        goals[:, column] = held[order, column]
    vectors: list[Vector] = [tuple((s, int(n)) for s, n in enumerate(row) if n) for row in rows]
    settled = np.array(settle_cells(vectors, counts, goals.tolist()), dtype=np.int64)
    assert (settled >= 0).all()
    assert (settled.sum(axis=1) == np.array(counts).sum(axis=1)).all()
    after = rows.T @ settled[:, :-1]
    assert (after.sum(axis=0) == held.sum(axis=0)).all()
    assert ((after - goals) ** 2).sum() <= ((held - goals) ** 2).sum()
    assert settle_cells(vectors, counts, goals.tolist()) == settled.tolist()
