"""Reading: every format, every way to cut it, and what cannot be read."""

from __future__ import annotations

import datetime as dt
import gzip
import itertools
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import feather, orc

from pipelines.sources.fragments import Fragment, Inventory, SourceRequest, pack_units, take_inventory
from pipelines.sources.listing import glob_pattern
from pipelines.sources.reading import read_fragment, read_frame
from pipelines.sources.schemas import FileSchema, check_key, merge_types, unify
from splitting.errors import DataError

TABLE = pa.table(
    {
        "id": pa.array(range(1000), pa.int64()),
        "text": pa.array([None if i % 7 == 0 else f"téxt {i}" for i in range(1000)]),
        "number": pa.array([None if i % 5 == 0 else i / 8 for i in range(1000)]),
        "flag": pa.array([i % 3 == 0 for i in range(1000)]),
        "day": pa.array([dt.date(2026, 1, 1 + i % 28) for i in range(1000)]),
    }
)


def inventory(*paths: object, **options: object) -> Inventory:
    return take_inventory([SourceRequest("s", tuple(str(path) for path in paths), **options)])  # type: ignore[arg-type]


def read_all(found: Inventory) -> pa.Table:
    return pa.concat_tables([c.table for f in found.fragments for c in read_fragment(f, found.schema)])


def write(folder: Path, kind: str, table: pa.Table = TABLE) -> Path:
    path = folder / f"rows.{kind}"
    if kind == "parquet":
        pq.write_table(table, path, row_group_size=150)
    elif kind in ("csv", "csv.gz"):
        data = pl.DataFrame(table).write_csv().encode()
        path.write_bytes(gzip.compress(data) if kind == "csv.gz" else data)
    elif kind == "jsonl":
        pl.DataFrame(table).write_ndjson(path)
    elif kind == "feather":
        feather.write_feather(table, path)
    elif kind == "arrow":
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table, max_chunksize=100)
    else:
        orc.write_table(table, path)
    return path


@pytest.mark.parametrize("kind", ["parquet", "csv", "csv.gz", "jsonl", "feather", "arrow", "orc"])
def test_every_format_reads_back(tmp_path: Path, kind: str) -> None:
    found = inventory(write(tmp_path, kind))
    expected = (
        TABLE if kind != "jsonl" else TABLE.set_column(4, "day", TABLE["day"].cast(found.schema.field("day").type))
    )
    assert read_all(found).cast(expected.schema).equals(expected)


@pytest.mark.parametrize("size", [1, 7, 150, 999, 1000])
def test_fragments_tile_the_rows(tmp_path: Path, size: int) -> None:
    pq.write_table(TABLE, tmp_path / "a.parquet", row_group_size=size)
    found = take_inventory([SourceRequest("s", (str(tmp_path),))], fragment_bytes=3_000)
    numbers = [c.row_numbers().to_pylist() for f in found.fragments for c in read_fragment(f, found.schema)]
    assert list(itertools.chain(*numbers)) == list(range(1000))
    assert read_all(found).equals(TABLE)
    units = pack_units(found.fragments, 2_000)
    assert tuple(itertools.chain(*units)) == found.fragments


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=60), st.integers(1, 3000))
def test_units_are_even(sizes: list[int], unit_bytes: int) -> None:
    fragments = [Fragment("s", "a", "a", "parquet", (i, i + 1), i, 1, size) for i, size in enumerate(sizes)]
    units = pack_units(fragments, unit_bytes)
    assert list(itertools.chain(*units)) == fragments
    even = sum(sizes) / max(1, -(-sum(sizes) // unit_bytes))
    for unit in units:
        assert sum(fragment.bytes for fragment in unit) <= even + max(sizes)


def test_rich_types_read_back_with_their_metadata(tmp_path: Path) -> None:
    uuid = pa.array([bytes(range(16)), None], pa.binary(16))
    table = pa.table(
        {
            "decimal": pa.array([Decimal("1.50"), None]),
            "zoned": pa.array([1, None], pa.timestamp("us", "Europe/Stockholm")),
            "nanos": pa.array([1, None], pa.timestamp("ns")),
            "dictionary": pa.array(["x", None]).dictionary_encode(),
            "map": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())),
            "fixed": pa.array([[1.0, 2.0], [3.0, 4.0]], pa.list_(pa.float32(), 2)),
            "nested": pa.array([{"a": [1, None]}, None]),
            "binary": pa.array([b"\0\xff", None]),
            "large": pa.array(["x", None], pa.large_string()),
            "time": pa.array([1, None], pa.time64("us")),
            "uuid": pa.ExtensionArray.from_storage(pa.uuid(), uuid),
            "needed": pa.array([1, 2], pa.int8()),
        }
    )
    schema = table.schema.set(11, pa.field("needed", pa.int8(), nullable=False, metadata={"unit": "m"}))
    table = table.cast(schema).replace_schema_metadata({"owner": "us"})
    pq.write_table(table, tmp_path / "a.parquet")
    found = inventory(tmp_path)
    assert read_all(found).to_pylist() == table.to_pylist()
    stored = pq.read_schema(tmp_path / "a.parquet").remove_metadata()
    assert found.schema.remove_metadata().equals(stored)
    assert found.schema.metadata == {b"owner": b"us"}


def test_the_fast_way_reads_what_the_slow_way_reads(tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "a.parquet", row_group_size=90)
    found = inventory(tmp_path)
    frames = [c.frame for f in found.fragments for c in read_frame(f, found.schema, ["text", "id"])]
    assert pl.concat(frames).equals(pl.DataFrame(TABLE.select(["text", "id"])))


def test_sources_with_other_columns_are_unified(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": pa.array([1], pa.int32()), "b": ["x"]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"a": pa.array([2], pa.int64()), "c": [1.5]}), tmp_path / "2.parquet")
    read = read_all(inventory(tmp_path))
    assert read.to_pylist() == [{"a": 1, "b": "x", "c": None}, {"a": 2, "b": None, "c": 1.5}]
    assert read.schema.field("a").type == pa.int64()


def test_conflicts_list_columns_types_and_files() -> None:
    schemas = [FileSchema("s", f"{i}.parquet", pa.schema([("a", pa.int64())]), "parquet") for i in range(7)]
    text = pa.schema([("a", pa.string())])
    with pytest.raises(DataError) as told:
        unify([*schemas, FileSchema("t", "odd.csv", text, "csv")])
    assert "a: int64 in 0.parquet, 1.parquet, 2.parquet, 3.parquet, 4.parquet and 2 more files" in str(told.value)
    assert "string in odd.csv" in str(told.value)
    assert str(told.value).endswith("Write the files with one type, or set csv.column_types.")
    with pytest.raises(DataError, match=r"Write the files with one type\.$"):
        unify([*schemas, FileSchema("t", "odd.parquet", text, "parquet")])


def test_files_without_a_key_are_told_unless_more_of_them_may_come() -> None:
    both, one = pa.schema([("id", pa.int64()), ("v", pa.int64())]), pa.schema([("v", pa.int64())])
    schemas = [FileSchema("s", "a.csv", both, "csv"), FileSchema("s", "b.jsonl", one, "jsonl", complete=False)]
    check_key([*schemas, FileSchema("s", "empty.jsonl", pa.schema([]), "jsonl")], ["id"])
    lacking = [FileSchema("s", f"{i}.csv", one, "csv") for i in range(7)]
    with pytest.raises(DataError, match=r"0\.csv \(source 's'\), .* and 2 more files have no column 'id'"):
        check_key([*schemas, *lacking], ["v", "id"])


def test_a_header_with_a_name_twice_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,v,v\n1,2,x\n")
    with pytest.raises(DataError, match=r"a\.csv: column 'v' stands more than once; rename one of them"):
        inventory(tmp_path)


@pytest.mark.parametrize(
    ("a", "b", "merged"),
    [
        (pa.int8(), pa.int32(), pa.int32()),
        (pa.uint8(), pa.int8(), pa.int16()),
        (pa.uint64(), pa.int8(), None),
        (pa.int64(), pa.float32(), pa.float64()),
        (pa.null(), pa.string(), pa.string()),
        (pa.timestamp("ms"), pa.timestamp("us"), pa.timestamp("us")),
        (pa.timestamp("ms"), pa.timestamp("ms", "UTC"), None),
        (pa.date32(), pa.string(), None),
        (pa.decimal128(5, 2), pa.decimal128(5, 3), pa.decimal128(6, 3)),
    ],
)
def test_types_widen_whatever_their_order(a: pa.DataType, b: pa.DataType, merged: pa.DataType | None) -> None:
    assert merge_types(a, b) == merge_types(b, a) == merged


def test_numbers_that_would_change_are_told(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [2**53 + 1]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"a": [0.5]}), tmp_path / "2.parquet")
    with pytest.raises(DataError, match="column 'a' cannot be read as double"):
        read_all(inventory(tmp_path))


def test_csv_keeps_leading_zeros_and_quoted_blanks(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('zip,note,n\n00701,"",1\n10115,,2\n99999,"two\nlines",\n')
    read = read_all(inventory(tmp_path))
    assert read["zip"].to_pylist() == ["00701", "10115", "99999"]
    assert read["note"].to_pylist() == ["", None, "two\nlines"]
    assert read["n"].to_pylist() == [1, 2, None]


def test_bad_lines_are_kept_aside(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n3\n4,5,6\n7,8\n")
    (tmp_path / "b.jsonl").write_text('{"a": 1, "b": 2}\nnot json\n[1]\n{"a": 3, "b": 4}\n')
    found = inventory(tmp_path)
    chunks = [chunk for fragment in found.fragments for chunk in read_fragment(fragment, found.schema)]
    assert pa.concat_tables([c.table for c in chunks])["a"].to_pylist() == [1, 7, 1, 3]
    assert [bad.text for c in chunks for bad in c.bad_rows] == ["3", "4,5,6", "not json", "[1]"]


@pytest.mark.parametrize("name", ["a b.parquet", "ä[1].parquet", "%41*.parquet", "-x.parquet", "q'\"uote.parquet"])
def test_odd_file_names(tmp_path: Path, name: str) -> None:
    pq.write_table(TABLE, tmp_path / name)
    assert read_all(inventory(tmp_path)).equals(TABLE)
    assert read_all(inventory(tmp_path / name)).equals(TABLE)


def test_listing_leaves_out_hidden_files_and_documents(tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "a.parquet")
    for name in ("_SUCCESS", ".hidden.parquet", "README.md", "LICENSE"):
        (tmp_path / name).write_text("x")
    assert [file.file for file in inventory(tmp_path).files] == [str(tmp_path / "a.parquet")]
    assert len(inventory(tmp_path, tmp_path / "a.parquet").files) == 1


def test_what_cannot_be_read_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "cut.parquet").write_bytes(write(tmp_path, "parquet").read_bytes()[:500])
    (tmp_path / "empty.parquet").write_bytes(b"")
    with pytest.raises(DataError, match=r"2 of 3 files cannot be read") as told:
        inventory(tmp_path)
    assert "cut.parquet is not a readable parquet file" in str(told.value)
    assert "empty.parquet is empty (0 bytes)" in str(told.value)
    with pytest.raises(DataError, match="no file at"):
        inventory(tmp_path / "nowhere")
    (tmp_path / "odd.xyz").write_text("x")
    with pytest.raises(DataError, match="the ending tells no format"):
        inventory(tmp_path / "odd.xyz")


ODD = {b"a": b"x", b"b\xfe": b"y"}


@pytest.mark.parametrize("kind", ["parquet", "arrow", "feather"])
@pytest.mark.parametrize(
    ("schema", "where"),
    [
        (pa.schema([("id", pa.int64())], metadata={b"a": b"\xff"}), r"of the schema .* under the key 'a'"),
        (pa.schema([("id", pa.int64())], metadata=ODD), r"of the schema .* under the key 'b\\xfe'"),
        (pa.schema([pa.field("id", pa.int64(), metadata={b"a": b"\xff"})]), r"of column 'id' .* under the key 'a'"),
        (
            pa.schema([("s", pa.struct([pa.field("in", pa.int64(), metadata={b"a": b"\xff"})]))]),
            r"of column 's\.in' .* under the key 'a'",
        ),
    ],
)
def test_metadata_that_is_no_text_is_told(tmp_path: Path, kind: str, schema: pa.Schema, where: str) -> None:
    path = write(tmp_path, kind, schema.empty_table())
    with pytest.raises(DataError, match=rf"rows\.{kind}: the metadata {where}; write the file without that key"):
        inventory(path)


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("a/*.csv", "a/b.csv", True),
        ("a/*.csv", "a/b/c.csv", False),
        ("a/**/*.csv", "a/b/c.csv", True),
        ("a/**/*.csv", "a/c.csv", True),
        ("a/?.csv", "a/bb.csv", False),
        ("a/[bc].csv", "a/c.csv", True),
        ("a/[!bc].csv", "a/c.csv", False),
    ],
)
def test_globs(pattern: str, path: str, matches: bool) -> None:
    assert bool(glob_pattern(pattern).fullmatch(path)) == matches
