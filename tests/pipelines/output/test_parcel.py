"""Evaluation rows come to one order, whatever the order in which they arrive."""

from __future__ import annotations

import polars as pl
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipelines.output.parcel import LABEL, Parcel

ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from(["web", "app"]), st.text(max_size=3)),
    min_size=1,
    max_size=12,
)


def parcel(rows: list[tuple[int, int, str, str]]) -> Parcel:
    schema = {"_group": pl.UInt64, "_key": pl.UInt64, "_source": pl.String}
    parts = pl.DataFrame([row[:3] for row in rows], schema=schema, orient="row")
    parts = parts.with_columns(pl.lit(1, dtype=pl.UInt32).alias("_pools"))
    table = pa.table({"text": pa.array([row[3] for row in rows]), "_key": pa.array([row[0] for row in rows])})
    return Parcel.of(table, table, parts, "text")


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_arrival_decides_nothing(rows: list[tuple[int, int, str, str]], random: object) -> None:
    mixed = list(rows)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    cut = random.randint(1, len(mixed))  # type: ignore[attr-defined]
    parts = [parcel(part) for part in (mixed[:cut], mixed[cut:]) if part]
    arrived = Parcel.merge(Parcel.from_bytes(part.to_bytes()) for part in parts).sorted()
    expected = parcel(rows).sorted()
    assert arrived.rows.equals(expected.rows)
    assert arrived.series("_group").is_sorted()
    assert arrived.series(LABEL).to_list() == arrived.rows["text"].to_pylist()


def test_a_user_column_of_any_name_is_left_alone() -> None:
    rows = parcel([(1, 2, "web", "b"), (0, 1, "web", "a")]).sorted().rows
    assert rows.column_names == ["text", "_key"]
    assert rows.to_pylist() == [{"text": "a", "_key": 0}, {"text": "b", "_key": 1}]
