"""Golden vectors of everything that names an example. A change here moves examples: a major version."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from splitting.hashing import canonical_text, hash_texts, name_rows, name_whole_rows, seed

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "hashing.json").read_text())

TEXTS = [
    (pl.Series([12, -3, None]), ["12", "-3", None]),
    (pl.Series([2**64 - 1], dtype=pl.UInt64), ["18446744073709551615"]),
    (pl.Series([1.0, -0.0, float("nan"), None]), ["1", "0", None, None]),
    (pl.Series([1.5]), ["float:4609434218613702656"]),
    (pl.Series([1.5], dtype=pl.Float32), ["float:4609434218613702656"]),
    (pl.Series([2.0**53, float("inf")]), ["float:4845873199050653696", "float:9218868437227405312"]),
    (pl.Series(["1", "1.0", "01", "", None]), ["1", "1.0", "01", "", None]),
    (pl.Series(["e\u0301", "\u00e9"]), ["\u00e9", "\u00e9"]),
    (pl.Series(["a"]).cast(pl.Categorical), ["a"]),
    (pl.Series([True, False, None]), ["true", "false", None]),
    (pl.Series([Decimal("1.50"), Decimal(100), Decimal("0.00")]), ["1.5", "100", "0"]),
    (pl.Series([dt.date(2026, 1, 31)]), ["2026-01-31"]),
    (pl.Series([1_000_000]).cast(pl.Datetime("us")), ["@1000000"]),
    (pl.Series([1_000]).cast(pl.Datetime("ms", "UTC")), ["@1000000"]),
    (pl.Series([1001, -1]).cast(pl.Datetime("ns")), ["@1.1", "@-1.999"]),
    (pl.Series([dt.time(0, 0, 1)]), ["time:1000000000"]),
    (pl.Series([dt.timedelta(seconds=1)]), ["duration:1000000000"]),
    (pl.Series([b"\x00a", None]), ["binary:0061", None]),
    (pl.Series([None, None]), [None, None]),
    (pl.Series([["a", None], [], None]), ["[1:a~]", "[]", None]),
    (pl.Series([[1.5, 2.0]]), ["[25:float:46094342186137026561:2]"]),
    (pl.Series([[1, 2]], dtype=pl.Array(pl.Int8, 2)), ["[1:11:2]"]),
    (pl.Series([{"b": "x", "a": 1}, None]), ["{1:a1:11:b1:x}", None]),
]


@pytest.mark.parametrize(("values", "expected"), TEXTS, ids=[str(values.dtype) for values, _ in TEXTS])
def test_canonical_texts_never_change(values: pl.Series, expected: list[str | None]) -> None:
    assert canonical_text(values).to_list() == expected


def test_hashes_never_change() -> None:
    for case in GOLDEN["hashes"]:
        texts = pl.Series([case["text"]])
        assert str(hash_texts(texts, seed(case["salt"], case["purpose"]))[0]) == case["hash"], case


def test_seeds_never_change() -> None:
    for case in GOLDEN["seeds"]:
        assert str(seed(case["salt"], case["purpose"])) == case["seed"]
        expected = xxhash.xxh3_64_intdigest(f"targetsplit\0{case['purpose']}\0{case['salt']}".encode())
        assert str(expected) == case["seed"]


@given(st.lists(st.text(max_size=300), min_size=1, max_size=20), st.integers(0, 2**64 - 1))
def test_hash_is_the_xxhash_packages(texts: list[str], seed_value: int) -> None:
    got = hash_texts(pl.Series(texts, dtype=pl.String), seed_value).to_list()
    assert got == [xxhash.xxh3_64_intdigest(text.encode(), seed=seed_value) for text in texts]


def test_null_has_no_hash() -> None:
    assert hash_texts(pl.Series([None], dtype=pl.String), 1).to_list() == [None]


@given(st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), min_size=1, max_size=30))
def test_composite_names_are_injective(rows: list[tuple[str, str]]) -> None:
    import unicodedata

    frame = pl.DataFrame(rows, schema={"a": pl.String, "b": pl.String}, orient="row")
    names = name_rows(frame, ["a", "b"]).to_list()
    normal = [tuple(unicodedata.normalize("NFC", part) for part in row) for row in rows]
    assert len(set(names)) == len(set(normal))


def test_a_name_with_a_null_part_is_null() -> None:
    frame = pl.DataFrame({"a": ["x", None, "z"], "b": [1, 2, None]})
    assert name_rows(frame, ["a", "b"]).to_list() == ["1:x1:1", None, None]


def test_whole_rows_have_names_whatever_the_column_order() -> None:
    frame = pl.DataFrame({"a": ["x", None], "b": [1.5, 2.0], "c": [["p"], None]})
    names = name_whole_rows(frame, ["a", "b", "c"])
    assert names.null_count() == 0
    assert names.to_list() == name_whole_rows(frame.select("c", "a", "b"), ["b", "c", "a"]).to_list()


@pytest.mark.parametrize("other", [pl.Series(["1"]), pl.Series([1.0]), pl.Series([1], dtype=pl.UInt8)])
def test_one_is_one_in_every_type(other: pl.Series) -> None:
    assert canonical_text(other).to_list() == canonical_text(pl.Series([1])).to_list()


def test_types_without_a_text_are_refused() -> None:
    with pytest.raises(TypeError, match="no canonical text"):
        canonical_text(pl.Series([object()], dtype=pl.Object))
