"""The check of links: it finds what a plain comparison of all pairs finds, and shares nothing with what links."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitting.linking.rules import EqualValues, NearHashes
from tests.support.laws import check_monoid
from validation.leaks import EvaluationNames
from validation.links import LinkNames

RULES = ((0, EqualValues("user")), (3, NearHashes("h", 3, "v", 2)))
CENTRES = (0x00FF00FF00FF00FF, 0x0F0F0F0F0F0F0F0F, 0xFFFF0000FFFF0000)
FLIPS = st.lists(st.integers(0, 63), max_size=5).map(lambda bits: sum({1 << bit for bit in bits}))
HASHES = st.one_of(
    st.none(), st.sampled_from([0, 1, 2**64 - 1]), st.tuples(st.sampled_from(CENTRES), FLIPS).map(lambda x: x[0] ^ x[1])
)
ROWS = st.lists(
    st.tuples(st.one_of(st.none(), st.integers(0, 5)), HASHES, st.sampled_from([0, 1, 7, None])), max_size=12
)
Row = tuple[int | None, int | None, int | None]


def table(rows: list[Row]) -> pl.LazyFrame:
    return pl.LazyFrame(rows, schema={"user": pl.Int64, "h": pl.UInt64, "v": pl.UInt64}, orient="row")


def names(splits: dict[str, list[Row]]) -> LinkNames:
    return LinkNames.merge(LinkNames.of(split, table(rows), RULES) for split, rows in splits.items())


def near(one: Row, other: Row) -> bool:
    hashes = [row[1:] for row in (one, other)]
    if any(h is None or v is None or not 8 <= h.bit_count() <= 56 for h, v in hashes):
        return False
    (g, u), (h, v) = hashes
    return (g ^ h).bit_count() <= 3 and (u ^ v).bit_count() <= 2  # type: ignore[operator]


def leaks_of(train: list[Row], splits: dict[str, list[Row]]) -> dict[tuple[str, str], int]:
    wanted = {}
    for split, rows in splits.items():
        users = {row[0] for row in rows} - {None}
        wanted["link 0", split] = sum(row[0] in users for row in train)
        wanted["link 3", split] = sum(any(near(row, other) for other in rows) for row in train)
    return {place: count for place, count in wanted.items() if count}


@given(ROWS, ROWS, ROWS)
def test_rows_that_are_linked_with_an_evaluation_split_are_counted(
    train: list[Row], dev: list[Row], test: list[Row]
) -> None:
    splits = {"dev": dev, "test": test}
    found = names(splits).leaks("train", table(train), RULES).leaks
    assert {(what, other): rows for what, _, other, rows in found.iter_rows()} == leaks_of(train, splits)
    assert set(found["split"]) <= {"train"}


@given(ROWS, ROWS)
def test_links_between_evaluation_splits_are_found(dev: list[Row], test: list[Row]) -> None:
    found = names({"dev": dev, "test": test}).leaks_between(RULES).leaks
    wanted = leaks_of(dev, {"test": test})
    assert {(what, other) for what, _, other, _ in found.iter_rows()} == wanted.keys()
    assert set(found["split"]) <= {"dev"}


@given(ROWS, ROWS)
def test_names_are_a_monoid_that_survives_being_packed(dev: list[Row], test: list[Row]) -> None:
    parts = [EvaluationNames.of_links(names({split: rows})) for split, rows in (("dev", dev), ("test", test))]
    check_monoid(parts, EvaluationNames.empty())


@pytest.mark.parametrize(
    ("kind", "hashes"),
    [
        (pl.UInt64, [CENTRES[0], CENTRES[0] ^ 1]),
        (pl.Int64, [CENTRES[0], CENTRES[0] ^ 1]),
        (pl.String, [f"{CENTRES[0]:016x}", f"{CENTRES[0] ^ 1:016X}"]),
    ],
    ids=str,
)
def test_hashes_of_any_kind_are_read(kind: type[pl.DataType], hashes: list[object]) -> None:
    rule = ((0, NearHashes("h", 1)),)
    known = LinkNames.of("dev", pl.LazyFrame({"h": hashes[:1]}, schema={"h": kind}), rule)
    found = known.leaks("train", pl.LazyFrame({"h": [*hashes, None]}, schema={"h": kind}), rule).leaks
    assert found.rows() == [("link 0", "train", "dev", 2)]


def test_values_that_no_text_can_show_are_compared() -> None:
    rule = ((0, EqualValues("b")), (1, EqualValues("f")))
    rows = pl.LazyFrame({"b": [b"\xff", b"\x00", None], "f": [float("nan"), 0.5, None]})
    known = LinkNames.of("dev", rows.head(1), rule)
    assert known.leaks("train", rows, rule).leaks.rows() == [("link 0", "train", "dev", 1)]
