"""Every file name is known before the first row is read; evaluation splits are cut at groups."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipelines.output.layout import make_layout
from splitting.plan import LEDGER_SCHEMA

LEDGERS = st.lists(
    st.tuples(st.integers(0, 2**64 - 1), st.integers(1, 9)), min_size=1, max_size=40, unique_by=lambda x: x[0]
)


def ledger(groups: list[tuple[int, int]]) -> pl.DataFrame:
    rows = [(group, number, "dev", 1) for group, size in sorted(groups) for number in range(size)]
    return pl.DataFrame(rows, schema=LEDGER_SCHEMA, orient="row")


@given(LEDGERS, st.integers(1, 100), st.integers(1, 1000), st.integers(1, 5))
def test_shards_take_every_group_once_and_in_order(
    groups: list[tuple[int, int]], row_bytes: int, shard_bytes: int, units: int
) -> None:
    layout = make_layout(ledger(groups), ("dev", "test"), units, row_bytes, shard_bytes)
    names = pl.Series([group for group, _ in sorted(groups)], dtype=pl.UInt64)
    shards = layout.shard_of("dev", names).to_list()
    assert shards == sorted(shards)
    assert set(shards) <= set(range(layout.shards("dev")))
    assert layout.shards("test") == 1
    assert len(set(layout.data_paths())) == units + layout.shards("dev") + 1
    rows = dict.fromkeys(range(layout.shards("dev")), 0)
    for shard, (_, size) in zip(shards, sorted(groups), strict=True):
        rows[shard] += size
    largest = max(size for _, size in groups)
    wanted = max(1, -(-sum(rows.values()) * row_bytes // shard_bytes))
    assert all(count <= -(-sum(rows.values()) // wanted) + largest for count in rows.values())


def test_names_are_those_that_readers_expect() -> None:
    layout = make_layout(ledger([(5, 2)]), ("dev",), 2, 1, 100)
    assert layout.data_paths() == [
        "data/dev-00000-of-00001.parquet",
        "data/train-00000-of-00002.parquet",
        "data/train-00001-of-00002.parquet",
    ]
