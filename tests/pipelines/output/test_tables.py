"""Output rows are the chosen input rows, however they are cut out."""

from __future__ import annotations

import polars as pl
import pyarrow as pa
import pytest

from pipelines.output.tables import OutputTables
from pipelines.sources.fragments import Fragment
from pipelines.sources.reading import Chunk

SCHEMA = pa.schema([("id", pa.int64()), ("text", pa.string())])
ROWS = pl.DataFrame({"id": range(5_000)}).with_columns(text=pl.format("t{}", "id"))


@pytest.mark.parametrize(
    "left_out",
    [[], [0], [4_999], [2_500], [0, 1, 2], [4_997, 4_998, 4_999], [7, 8, 4_000], list(range(100)), list(range(5_000))],
)
def test_rows_that_are_left_out_are_out_and_all_others_in_order(left_out: list[int]) -> None:
    fragment = Fragment("web", "file:///a.parquet", "a.parquet", "parquet", (0, 1), 0, 5_000, 1)
    tables = OutputTables(SCHEMA, "source", ("id",))
    chosen = ~pl.Series(range(5_000)).is_in(left_out)
    frame = tables.split_frame(Chunk(ROWS, fragment, SCHEMA, 0), chosen, pl.Enum(["app", "web"]))
    assert frame["id"].to_list() == [i for i in range(5_000) if i not in set(left_out)]
    assert frame["text"].to_list() == [f"t{i}" for i in range(5_000) if i not in set(left_out)]
    assert frame["source"].cast(pl.String).to_list() == ["web"] * len(frame)
