"""What was written is counted exactly, in whatever parts it comes."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from validation.leaks import EvaluationNames
from validation.tally import Tally

NAMES = st.sampled_from(["a", "b", "ä", ""])
PARTS = st.one_of(
    st.builds(
        lambda split, labels: Tally.of_split(split, pl.Series(["web"] * len(labels)), pl.Series(labels), None),
        NAMES,
        st.lists(st.one_of(st.none(), NAMES), min_size=1, max_size=5),
    ),
    st.builds(Tally.of_counts, NAMES, NAMES, st.dictionaries(st.one_of(st.none(), NAMES), st.integers(0, 9))),
    st.builds(
        lambda folder, reasons: Tally.of_aside(folder, "web", pl.Series(reasons, dtype=pl.String)),
        NAMES,
        st.lists(NAMES),
    ),
    st.builds(Tally.of_read, NAMES, st.integers(0, 9), st.integers(0, 2**70), st.integers(0, 2**70)),
)


@given(st.lists(PARTS, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_a_tally_is_a_monoid(parts: list[Tally], random: object) -> None:
    whole = Tally.merge(parts).to_bytes()
    mixed = list(parts)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert Tally.merge(mixed).to_bytes() == whole
    assert Tally.merge([Tally.merge(parts[:1]), Tally.empty(), *parts[1:]]).to_bytes() == whole
    assert Tally.from_bytes(whole).to_bytes() == whole


def test_rows_labels_and_strangers_are_counted() -> None:
    tally = Tally.of_split(
        "dev",
        pl.Series(["web", "app", "app"]),
        pl.Series([1, 1, None]),
        pl.Series([True, False, False]),
    )
    assert sorted(tally.rows.rows(), key=str) == [
        ("dev", "app", "1", 1, 0),
        ("dev", "app", None, 1, 0),
        ("dev", "web", "1", 1, 1),
    ]
    aside = Tally.of_aside("held_out", "web", pl.Series(["x", "y", "x"]))
    assert aside.aside.rows() == [("held_out", "web", "x", 2), ("held_out", "web", "y", 1)]
    assert Tally.merge([tally, aside]).rows_written() == 6


def test_sums_wrap_as_those_of_the_census_do() -> None:
    tally = Tally.merge([Tally.of_read("web", 1, 2**64 - 1, 2**64 + 5), Tally.of_read("web", 2, 3, 1)])
    assert tally.read.rows() == [("web", 3, 2, 6)]


def names(split: str, keys: list[object], groups: list[object]) -> EvaluationNames:
    return EvaluationNames.of(split, pl.LazyFrame({"id": keys, "user": groups}), ["id"], ["user"])


def test_leaks_are_found_row_by_row() -> None:
    known = EvaluationNames.merge([names("dev", ["a", "b"], ["u", None]), names("test", ["c"], ["w"])])
    train = pl.LazyFrame({"id": ["a", "x", "y", "c"], "user": ["q", "u", "u", None]})
    leaks = known.leaks("train", train, ["id"], ["user"]).leaks
    assert leaks.rows() == [
        ("group", "train", "dev", 2),
        ("key", "train", "dev", 1),
        ("key", "train", "test", 1),
    ]


def test_a_null_group_is_in_no_other_split() -> None:
    known = EvaluationNames.merge([names("dev", ["a"], [None]), names("test", ["c"], [None])])
    assert not len(known.leaks_between().leaks)
    assert not len(known.leaks("train", pl.LazyFrame({"id": ["x"], "user": [None]}), ["id"], ["user"]).leaks)


def test_leaks_between_evaluation_splits_are_found() -> None:
    known = EvaluationNames.merge([names("dev", ["a", "b"], ["u", "v"]), names("test", ["a", "c"], ["v", "v"])])
    assert known.leaks_between().leaks.rows() == [("group", "dev", "test", 1), ("key", "dev", "test", 1)]


def test_every_part_of_a_name_must_meet() -> None:
    def of(split: str, rows: list[tuple[int, int]]) -> EvaluationNames:
        table = pl.LazyFrame(rows, schema=["shop", "id"], orient="row")
        return EvaluationNames.of(split, table, ["shop", "id"], [])

    known = EvaluationNames.merge([of("dev", [(1, 2), (2, 3)]), of("test", [(1, 3), (2, 2)])])
    assert not len(known.leaks_between().leaks)
    train = pl.LazyFrame({"shop": [1, 2, 1], "id": [3, 3, 4]})
    found = known.leaks("train", train, ["shop", "id"], []).leaks
    assert found.rows() == [("key", "train", "dev", 1), ("key", "train", "test", 1)]
