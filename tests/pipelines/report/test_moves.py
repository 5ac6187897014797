"""What became of examples between two runs, counted from ledgers and from places, against a count by hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.report.moves import (
    PLACE,
    evaluation_keys,
    incomparable,
    moves_in_files,
    moves_in_ledgers,
    places,
)
from splitting.plan import LEDGER_SCHEMA, Plan, SplitPlan

IDENTITY = {"salt": "s", "hash": "h", "key": ["id"], "group": ["user"]}
KEPT = ("train", "dev", "test")


def plan(ledger: dict[int, str], splits: tuple[str, ...] = ("dev", "test"), **identity: object) -> Plan:
    """A plan with a ledger of keys; one more group of it was examined and is in `train`."""
    rows = [(key, key, split, 1) for key, split in ledger.items()] + [(10_000, None, "train", 0)]
    frame = pl.DataFrame(rows, schema=LEDGER_SCHEMA, orient="row")
    planned = tuple(SplitPlan(name, "target", 1, 1, 1, 1, 0, 0) for name in splits)
    return Plan("n", {**IDENTITY, **identity}, (), "", "", (), planned, (), (), (), (), (), None, (), frame)


def placed(where: dict[int, str]) -> pl.DataFrame:
    return pl.DataFrame(list(where.items()), schema={"_key": pl.UInt64, PLACE: pl.String}, orient="row")


PLACES = st.dictionaries(st.integers(0, 12), st.sampled_from([*KEPT, "held_out"]))


@given(PLACES, PLACES, st.dictionaries(st.integers(0, 12), st.sampled_from(["dev", "test"])))
def test_files_are_counted_as_by_hand(before: dict[int, str], after: dict[int, str], known: dict[int, str]) -> None:
    evaluation = {"dev", "test"}
    old_ledger = known | {key: split for key, split in before.items() if split in evaluation}
    new_ledger = {key: split for key, split in after.items() if split in evaluation}
    old, new = plan(old_ledger), plan(new_ledger)
    keys = evaluation_keys(old, new).to_list()
    assert keys == sorted({*old_ledger, *new_ledger})
    inside = [{key: place for key, place in part.items() if key in keys} for part in (before, after)]
    moves = moves_in_files(old, placed(inside[0]), new, placed(inside[1]))

    moved: Counter[tuple[str, str]] = Counter()
    for key in keys:
        was = before[key] if before.get(key) in KEPT else old_ledger.get(key)
        if was is not None and after.get(key) in KEPT and after[key] != was:
            moved[was, after[key]] += 1
    assert moves.moved == moved.total()
    assert moves.to_train == sum(count for (_, there), count in moved.items() if there == "train")
    assert moves.from_train == sum(count for (was, _), count in moved.items() if was == "train")
    for row in moves.splits:
        here = {key for key in keys if before.get(key) == row.split}
        there = {key for key in keys if after.get(key) == row.split}
        assert (row.before, row.after, row.stayed) == (len(here), len(there), len(here & there))
        assert row.left == sum(key not in after for key in here)
        assert row.held_out == sum(after.get(key) == "held_out" for key in here)
        assert row.came + row.moved_in + row.stayed == row.after
        assert row.moved_in == sum(count for (_, name), count in moved.items() if name == row.split)
        assert row.moved_out == sum(count for (name, _), count in moved.items() if name == row.split)


def test_an_example_that_was_deleted_comes_back_to_its_split_or_has_moved() -> None:
    old, new = plan({1: "dev", 2: "dev"}), plan({1: "dev", 2: "test"})
    moves = moves_in_files(old, placed({}), new, placed({1: "dev", 2: "test"}))
    assert (moves.moved, moves.between) == (1, 1)
    assert [(row.split, row.came, row.moved_in) for row in moves.splits] == [("dev", 1, 0), ("test", 0, 1)]


def test_ledgers_tell_of_evaluation_splits_alone() -> None:
    old, new = plan({1: "dev", 2: "dev", 3: "test"}), plan({1: "dev", 2: "test", 4: "test"})
    moves = moves_in_ledgers(old, new, "Not read.")
    assert (moves.basis, moves.why, moves.moved, moves.between) == ("ledgers", "Not read.", 1, 1)
    assert (moves.to_train, moves.from_train) == (None, None)
    assert {(row.left, row.held_out) for row in moves.splits} == {(None, None)}


def test_a_split_that_is_no_longer_asked_for_holds_no_example() -> None:
    old = plan({1: "extra"}, ("dev", "extra"))
    moves = moves_in_ledgers(old, plan({1: "extra"}, ("dev",)), "")
    assert [(row.split, row.before, row.after) for row in moves.splits] == [("dev", 0, 0), ("extra", 1, 0)]
    assert moves.moved == 0


@pytest.mark.parametrize(("name", "value"), [("salt", "t"), ("hash", "i"), ("key", ["other"])])
def test_other_names_are_told_and_not_counted(name: str, value: object) -> None:
    told = incomparable(plan({}), plan({}, **{name: value}))
    assert f"the {name} was" in told
    assert not incomparable(plan({}), plan({}, group=["site"])), "groups name no examples"


def test_places_are_named_by_their_codes() -> None:
    keys = pl.Series([1, 2, 3], dtype=pl.UInt64)
    assert places(keys, [2, 0, 1], ["held_out", "dev"]).rows() == [(1, "dev"), (3, "held_out")]
    assert evaluation_keys(replace(plan({}), name="x")).to_list() == []
