"""Shards hold what went in, whichever library writes them, and are there whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.output.shards import ROW_GROUP, LargeRowsError, open_shard, stream_shard, streams
from pipelines.sources.filesystems import Location, locate
from splitting.columns import from_arrow
from splitting.errors import DataError

SCHEMA = pa.schema(
    [
        pa.field("id", pa.large_string(), nullable=False, metadata={"note": "é"}),
        pa.field("day", pa.date32()),
        pa.field("at", pa.timestamp("us", "Europe/Stockholm")),
        pa.field("n", pa.uint64()),
        pa.field("x", pa.float32()),
        pa.field("*", pa.large_binary()),
        pa.field("name", pa.string()),
        pa.field("bytes", pa.binary(), nullable=False, metadata={"PARQUET:field_id": "7"}),
        pa.field("source", pa.string()),
    ],
    metadata={"owner": "team"},
)
SOURCES = pl.Enum(["app", "web"])


def rows(start: int, count: int) -> pa.Table:
    numbers = range(start, start + count)
    columns = [
        [f"id{i}" for i in numbers],
        [None if i % 7 == 0 else i for i in numbers],
        [i * 10**9 for i in numbers],
        [2**64 - 1 - i for i in numbers],
        [float("nan") if i % 5 == 0 else i / 3 for i in numbers],
        [bytes([i % 256]) for i in numbers],
        [None if i % 11 == 0 else "ä" * (i % 20) for i in numbers],
        [bytes([i % 256]) * (i % 30) for i in numbers],
        ["web" if i % 3 else "app" for i in numbers],
    ]
    return pa.table([pa.array(v, f.type) for v, f in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)


def place(path: Path) -> Location:
    return locate(str(path))


def frame(table: pa.Table) -> pl.DataFrame:
    return from_arrow(table).with_columns(pl.col("source").cast(SOURCES))


def stream(location: Location, frames: Iterator[pl.DataFrame]) -> None:
    stream_shard(location, SCHEMA, frames, {"source": SOURCES})


def test_both_writers_write_the_same_values_and_the_same_schema(tmp_path: Path) -> None:
    tables = [rows(0, 10), rows(10, ROW_GROUP), rows(ROW_GROUP + 10, 1)]
    assert streams(place(tmp_path / "a.parquet"), SCHEMA)
    stream(place(tmp_path / "a.parquet"), map(frame, tables))
    with open_shard(place(tmp_path / "b.parquet"), SCHEMA) as shard:
        for table in tables:
            shard.write(table)
    one, two = (pq.read_table(tmp_path / name) for name in ("a.parquet", "b.parquet"))
    assert one.schema.equals(SCHEMA, check_metadata=True)
    assert two.schema.equals(SCHEMA, check_metadata=True)
    whole = pa.concat_tables(tables)
    for table in (one, two):
        assert table.drop_columns(["x"]).equals(whole.drop_columns(["x"]))
        assert (
            table.column("x")
            .combine_chunks()
            .view(pa.uint32())
            .equals(whole.column("x").combine_chunks().view(pa.uint32()))
        )


@pytest.mark.parametrize("write", ["stream", "open"])
def test_a_shard_without_rows_keeps_its_schema(tmp_path: Path, write: str) -> None:
    path = tmp_path / "a.parquet"
    if write == "stream":
        stream(place(path), iter(()))
    else:
        with open_shard(place(path), SCHEMA):
            pass
    assert pq.read_schema(path).equals(SCHEMA, check_metadata=True)
    assert pq.read_metadata(path).num_rows == 0


def _breaking() -> Iterator[pl.DataFrame]:
    yield frame(rows(0, 10))
    raise DataError("the input is cut off")


def _write_breaking(location: Location) -> None:
    with open_shard(location, SCHEMA) as shard:
        for part in _breaking():
            shard.write(part.to_arrow().cast(SCHEMA))


def test_a_shard_whose_rows_end_early_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the input is cut off"):
        stream(place(tmp_path / "a.parquet"), _breaking())
    with pytest.raises(DataError, match="the input is cut off"):
        _write_breaking(place(tmp_path / "b.parquet"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "kind",
    [pa.dictionary(pa.int8(), pa.string()), pa.decimal128(5, 2), pa.timestamp("s"), pa.list_(pa.int8())],
)
def test_types_that_polars_would_change_are_left_to_pyarrow(tmp_path: Path, kind: pa.DataType) -> None:
    assert not streams(place(tmp_path / "a.parquet"), pa.schema([("a", kind)]))


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="write"):
        stream(place(tmp_path / "file" / "a.parquet"), iter(()))


def test_row_groups_of_files_are_bounded_by_bytes_and_have_no_dictionary(tmp_path: Path) -> None:
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    files = [{"bytes": bytes([i]) * 3_000_000, "path": str(i)} for i in range(14)]
    schema = pa.schema([("label", pa.string()), ("image", kind)])
    with open_shard(place(tmp_path / "a.parquet"), schema, bounded=True) as shard:
        for start in (0, 2, 4, 7, 12):
            part = files[start : {0: 2, 2: 4, 4: 7, 7: 12, 12: 14}[start]]
            shard.write(pa.table([["cat"] * len(part), pa.array(part, kind)], schema=schema))
    meta = pq.read_metadata(tmp_path / "a.parquet")
    groups = [meta.row_group(i) for i in range(meta.num_row_groups)]
    assert [group.num_rows for group in groups] == [4, 3, 5, 2]
    assert "RLE_DICTIONARY" in groups[0].column(0).encodings
    assert all("RLE_DICTIONARY" not in group.column(1).encodings for group in groups)
    assert pq.read_table(tmp_path / "a.parquet")["image"].to_pylist() == files


def test_both_writers_tell_readers_the_same_in_the_footer(tmp_path: Path) -> None:
    stream(place(tmp_path / "a.parquet"), iter([frame(rows(0, 10))]))
    with open_shard(place(tmp_path / "b.parquet"), SCHEMA) as shard:
        shard.write(rows(0, 10))
    one, two = (pq.ParquetFile(tmp_path / name) for name in ("a.parquet", "b.parquet"))
    assert one.metadata.metadata[b"owner"] == two.metadata.metadata[b"owner"] == b"team"
    assert (tmp_path / "a.parquet").read_bytes().count(b"ARROW:schema") == 1
    for mine, theirs in zip(_leaves(one), _leaves(two), strict=True):
        assert mine == theirs
    assert pl.read_parquet(tmp_path / "a.parquet").schema["source"] == pl.String


def _leaves(opened: pq.ParquetFile) -> list[tuple[str, str, str, int]]:
    columns = [opened.schema.column(i) for i in range(len(opened.schema.names))]
    return [(c.name, c.physical_type, str(c.logical_type), c.max_definition_level) for c in columns]


BODIES = pa.schema([("id", pa.int64()), ("body", pa.binary())])


def bodies(rows: int, size: int, byte: bytes = b"x") -> pl.DataFrame:
    return pl.DataFrame({"id": range(rows), "body": [byte * size] * rows}, schema={"id": pl.Int64, "body": pl.Binary})


def groups_of(path: Path) -> list[int]:
    meta = pq.read_metadata(path)
    return [meta.row_group(i).num_rows for i in range(meta.num_row_groups)]


def test_larger_rows_make_smaller_row_groups(tmp_path: Path) -> None:
    stream_shard(place(tmp_path / "a.parquet"), BODIES, iter([bodies(25_000, 1_500)] * 2), {})
    first, *more = groups_of(tmp_path / "a.parquet")
    assert 2**14 <= first < 25_000
    assert sum((first, *more)) == 50_000


def test_large_rows_at_the_start_do_not_make_small_row_groups_of_all(tmp_path: Path) -> None:
    frames = [bodies(100, 300_000), *[bodies(20_000, 3)] * 5]
    stream_shard(place(tmp_path / "a.parquet"), BODIES, iter(frames), {})
    assert groups_of(tmp_path / "a.parquet") == [2**14] * 6 + [100_100 - 6 * 2**14]


@pytest.mark.parametrize(
    "frames",
    [
        [bodies(70, 1_000_000)],
        [bodies(1_000, 3), bodies(70, 1_000_000)],
        [bodies(20_000, 3), *[bodies(100, 100_000)] * 7],
        [bodies(0, 3), bodies(100_000, 700), bodies(20_000, 900)],
    ],
)
def test_rows_that_no_row_group_can_hold_are_refused(tmp_path: Path, frames: list[pl.DataFrame]) -> None:
    with pytest.raises(LargeRowsError):
        stream_shard(place(tmp_path / "a.parquet"), BODIES, iter(frames), {})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value", [b"\xff", "\U0010ffff".encode()])
def test_long_values_do_not_stand_in_the_footer(tmp_path: Path, value: bytes) -> None:
    schema = BODIES if value == b"\xff" else BODIES.set(1, pa.field("body", pa.string()))
    frame = bodies(20, 200_000, value).cast({"body": pl.String} if schema is not BODIES else {"body": pl.Binary})
    stream_shard(place(tmp_path / "a.parquet"), schema, iter([frame]), {})
    assert (tmp_path / "a.parquet").stat().st_size < 20_000
    assert pq.read_metadata(tmp_path / "a.parquet").row_group(0).column(1).statistics.null_count == 0


def test_numbers_keep_their_least_and_largest_in_the_footer(tmp_path: Path) -> None:
    schema = pa.schema([("n", pa.int64()), ("source", pa.string())])
    frame = pl.DataFrame({"n": [3, 1, 2], "source": ["web", "app", "web"]}).cast({"source": SOURCES})
    stream_shard(place(tmp_path / "a.parquet"), schema, iter([frame]), {"source": SOURCES})
    told = [pq.read_metadata(tmp_path / "a.parquet").row_group(0).column(i).statistics for i in range(2)]
    assert [(of.min, of.max) for of in told] == [(1, 3), ("app", "web")]
