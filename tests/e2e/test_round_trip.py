"""Rows come out of a whole run as they went in: Arrow's types, nulls, nested columns, metadata, any column name."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from pipelines import api
from pipelines.output.shards import streams
from pipelines.sources.filesystems import locate
from pipelines.sources.storable import storable
from splitting.errors import DataError

pytestmark = pytest.mark.e2e

ROWS = 400
SPEC = """
name: types
salt: types
sources: {{web: {{path: "web.{kind}"}}, app: {{path: "app.{kind}"}}}}
key: id
label: label
target: {{source: app}}
splits: {{test: 20, dev: 20, train_dev: 20, train: rest}}
{more}
"""

DAY = dt.date(2026, 2, 28)
TIME = dt.datetime(2026, 2, 28, 23, 59, 59, 123456)
FLAT = {
    "large_text": pa.array(["é\u0000x", "", None, "日本"], pa.large_string()),
    "large_bytes": pa.array([b"\xff\x00", b"", None, b"x"], pa.large_binary()),
    "small_text": pa.array(["a", "", None, "ü"]),
    "small_bytes": pa.array([b"\xff", b"", None, b"x"]),
    "int8": pa.array([-128, 127, None, 0], pa.int8()),
    "uint64": pa.array([2**64 - 1, 0, None, 2**63], pa.uint64()),
    "int64": pa.array([-(2**63), 2**63 - 1, None, 0], pa.int64()),
    "float32": pa.array([float("inf"), -0.0, None, 1e-45], pa.float32()),
    "float64": pa.array([0.1, -float("inf"), None, 5e-324], pa.float64()),
    "bool": pa.array([True, False, None, True]),
    "date32": pa.array([DAY, dt.date(1, 1, 1), None, dt.date(9999, 12, 31)], pa.date32()),
    "ms": pa.array([0, -1, None, 10**12], pa.timestamp("ms")),
    "us": pa.array([TIME, None, None, TIME], pa.timestamp("us")),
    "ns": pa.array([2**62, -(2**62), None, 1], pa.timestamp("ns")),
    "zoned": pa.array([TIME, None, None, TIME], pa.timestamp("us", "Europe/Stockholm")),
    "utc": pa.array([TIME, None, None, TIME], pa.timestamp("ms", "UTC")),
    "offset": pa.array([TIME, None, None, TIME], pa.timestamp("us", "+02:00")),
}
PARQUET = {
    "text": pa.array(["a", "", None, "ü"]),
    "bytes": pa.array([b"\xff", b"", None, b"x"]),
    "fixed": pa.array([b"abc", b"\x00\x00\x00", None, b"def"], pa.binary(3)),
    "float16": pa.array([0.5, -2.0, None, 65504.0], pa.float16()),
    "decimal": pa.array([Decimal("1.50"), Decimal("-9999.99"), None, Decimal(0)], pa.decimal128(7, 2)),
    "wide_decimal": pa.array([Decimal(10) ** 49, None, None, Decimal(-1)], pa.decimal256(60, 0)),
    "second": pa.array([0, -1, None, 5], pa.timestamp("s")),
    "date64": pa.array([DAY, DAY, None, DAY], pa.date64()),
    "time32": pa.array([dt.time(1, 2, 3), None, None, dt.time()], pa.time32("s")),
    "time64": pa.array([dt.time(1, 2, 3, 4), None, None, dt.time()], pa.time64("ns")),
    "duration": pa.array([1, -1, None, 0], pa.duration("ms")),
    "dictionary": pa.array(["cat", "dog", None, "cat"]).dictionary_encode(),
    "ordered": pa.DictionaryArray.from_arrays(pa.array([0, 1, None, 1], pa.int8()), ["low", "high"], ordered=True),
    "list": pa.array([[1, None], [], None, [3]], pa.list_(pa.int32())),
    "large_list": pa.array([["a"], [], None, [None]], pa.large_list(pa.string())),
    "vector": pa.array([[1.0, 2.0], [3.0, 4.0], [0.0, 0.0], [5.0, 6.0]], pa.list_(pa.float32(), 2)),
    "struct": pa.array([{"x": 1, "y": [True]}, {"x": None, "y": []}, None, {"x": 2, "y": None}]),
    "map": pa.array([[("k", 1)], [], None, [("a", None), ("b", 2)]], pa.map_(pa.string(), pa.int64())),
    "deep": pa.array([[{"m": [("k", [1])]}], [], None, [None]],
                     pa.list_(pa.struct([("m", pa.map_(pa.string(), pa.list_(pa.int8())))]))),
    "null": pa.nulls(4),
    "uuid": pa.array([b"0" * 16, b"\xff" * 16, None, b"a" * 16], pa.uuid()),
    "json": pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"a": 1}', "[]", None, "1"])),
}  # fmt: skip
ARROW = {
    "text_view": pa.array(["a", "longer than twelve bytes", None, ""], pa.string_view()),
    "binary_view": pa.array([b"\xff", b"longer than twelve bytes", None, b""], pa.binary_view()),
    "fixed_list": pa.array([[1, 2], None, [None, 3], [4, 5]], pa.list_(pa.int16(), 2)),
    "views": pa.array([["a"], [], None, [None, "longer than twelve"]], pa.list_(pa.string_view())),
    "list_view": pa.array([[1], [], None, [2, 3]], pa.list_view(pa.int64())),
    "interval": pa.array([(1, 2, 3), None, (0, 0, 0), (-1, -2, -3)], pa.month_day_nano_interval()),
    "runs": pa.RunEndEncodedArray.from_arrays(pa.array([2, 3, 4], pa.int32()), pa.array(["x", None, "y"])),
    "dense": pa.UnionArray.from_dense(
        pa.array([0, 1, 0, 1], pa.int8()), pa.array([0, 0, 1, 1], pa.int32()), [pa.array([1, 2]), pa.array(["a", "b"])]
    ),
}


def table(columns: dict[str, pa.Array], prefix: str, rows: int = ROWS) -> pa.Table:
    """Rows that go through the four values of each column, with keys, labels, metadata and a field without nulls."""
    turns = pa.array([i % 4 for i in range(rows)])
    keys = pa.array([f"{prefix}{i:04}" for i in range(rows)], pa.large_string())
    labels = pa.array(["cat" if i % 3 else "dog" for i in range(rows)], pa.large_string())
    fields = [
        pa.field("id", keys.type, nullable=False, metadata={"unit": "none"}),
        pa.field("label", labels.type),
        *(pa.field(name, values.type, metadata={b"of": name.encode()}) for name, values in columns.items()),
    ]
    arrays = [keys, labels, *(_turned(values, turns) for values in columns.values())]
    return pa.table(arrays, schema=pa.schema(fields, metadata={"origin": prefix and "the same", "huggingface": "{}"}))


def _turned(values: pa.Array, turns: pa.Array) -> pa.Array:
    try:
        return values.take(turns)
    except (pa.ArrowNotImplementedError, pa.ArrowTypeError):
        return pa.concat_arrays([values.slice(turn, 1) for turn in turns.to_pylist()])


def write(one: pa.Table, path: Path) -> None:
    if path.suffix == ".parquet":
        pq.write_table(one, path, row_group_size=150)
    else:
        feather.write_feather(one, path, compression="uncompressed")


def rows_of(run: Path) -> list[pa.Table]:
    """Every file of data of a run, without what the run itself adds."""
    return [pq.read_table(path, partitioning=None) for path in sorted((run / "data").glob("*.parquet"))]


def check(folder: Path, web: pa.Table, app: pa.Table, kind: str, more: str = "") -> Path:
    """Runs, and compares what was written with what was read, exactly."""
    write(web, folder / f"web.{kind}")
    write(app, folder / f"app.{kind}")
    (folder / "spec.yaml").write_text(SPEC.format(kind=kind, more=more))
    assert api.run(str(folder / "spec.yaml"), str(folder / "RUN")).success
    written = rows_of(folder / "RUN")
    expected = _through_parquet(web).schema
    source = written[0].schema.names[-1]
    for part in written:
        # The very same schema, but for the source at the end.
        assert part.schema.remove(part.schema.get_field_index(source)).equals(expected, check_metadata=True)
    read = {row["id"]: (name, _shown(row)) for name, t in (("web", web), ("app", app)) for row in t.to_pylist()}
    for part in written:
        for row in part.to_pylist():
            name = row.pop(source)
            assert read.pop(row["id"]) == (name, _shown(row))
    assert not read
    return folder / "RUN"


def _through_parquet(one: pa.Table) -> pa.Table:
    """What Parquet itself keeps: it makes seconds to milliseconds, for one; views become the plain types."""
    plain = pa.schema([f.with_type(storable(f.type)) for f in one.schema], metadata=one.schema.metadata)
    columns = [
        values if values.type == field.type else pa.array(values.to_pylist(), field.type)
        for values, field in zip(one.columns, plain, strict=True)
    ]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns, schema=plain), sink)
    return pq.read_table(pa.BufferReader(sink.getvalue()))


def _shown(row: dict[str, object]) -> str:
    """A row as text: tells -0.0 from 0.0, and NaN is itself."""
    return repr(row)


def test_types_that_stream_from_read_to_write(tmp_path: Path) -> None:
    one = table(FLAT, "w")
    plain = pa.schema([pa.field(field.name, field.type) for field in one.schema])
    assert streams(locate(str(tmp_path)), plain)
    check(tmp_path, table(FLAT, "w").cast(plain), table(FLAT, "a").cast(plain), "parquet")


def test_rows_of_which_no_row_group_can_hold_many(tmp_path: Path) -> None:
    """Found out in the middle of a shard, which is then written in another way; nothing is counted or written twice."""
    body = [bytes([i % 251]) * 100_000 for i in range(800)]
    narrow = {"id": [f"w{i}" for i in range(2_000)], "label": ["a", "b"] * 1_000, "body": pa.nulls(2_000, pa.binary())}
    wide = {"id": [f"a{i}" for i in range(800)], "label": ["a", "b"] * 400, "body": pa.array(body, pa.binary())}
    run = check(tmp_path, pa.table(narrow), pa.table(wide), "parquet")
    (shard,) = (run / "data").glob("train-*.parquet")
    meta = pq.read_metadata(shard)
    assert meta.num_row_groups > 1
    assert json.loads((run / "metrics.json").read_text())["apply"]["jobs"][0]["counters"]["rows_read"] == 2_800


def test_types_metadata_and_fields_without_nulls(tmp_path: Path) -> None:
    check(tmp_path, table(FLAT, "w"), table(FLAT, "a"), "parquet")


def test_types_of_parquet(tmp_path: Path) -> None:
    check(tmp_path, table(PARQUET, "w"), table(PARQUET, "a"), "parquet")


def test_types_of_arrow_files(tmp_path: Path) -> None:
    columns = {name: ARROW[name] for name in ("text_view", "binary_view", "list_view", "views", "runs")}
    columns |= {name: PARQUET[name] for name in ("map", "dictionary", "uuid", "vector")}
    check(tmp_path, table(columns, "w"), table(columns, "a"), "arrow")


def test_types_that_change_are_those_that_the_guarantees_name(tmp_path: Path) -> None:
    names = {"second": PARQUET, "time32": PARQUET, "date64": PARQUET, "list": PARQUET, "text_view": ARROW}
    given = {name: columns[name] for name, columns in names.items()}
    run = check(tmp_path, table(given, "w"), table(given, "a"), "arrow")
    kinds = [pa.timestamp("ms"), pa.time32("ms"), pa.date32(), "list<element: int32>", pa.large_string()]
    for written in rows_of(run):
        assert [str(written.schema.field(name).type) for name in given] == list(map(str, kinds))


def test_types_that_parquet_has_not_are_refused_before_any_work(tmp_path: Path) -> None:
    columns = {name: ARROW[name] for name in ("interval", "dense")}
    with pytest.raises(DataError, match=r"no type for interval \(month.*\), dense \(dense_union.*index"):
        check(tmp_path, table(columns, "w"), table(columns, "a"), "arrow")
    assert not (tmp_path / "RUN" / "plan").exists()


def test_an_index_goes_with_any_type(tmp_path: Path) -> None:
    columns = {name: ARROW[name] for name in ("interval", "dense", "fixed_list")}
    for name in ("web", "app"):
        write(table(columns, name[0]), tmp_path / f"{name}.arrow")
    (tmp_path / "spec.yaml").write_text(SPEC.format(kind="arrow", more="output: index"))
    assert api.run(str(tmp_path / "spec.yaml"), str(tmp_path / "RUN")).success
    written = pa.concat_tables(rows_of(tmp_path / "RUN"))
    assert written.schema.field("id").type == pa.large_string()
    assert sorted(written["id"].to_pylist()) == sorted(f"{p}{i:04}" for p in "wa" for i in range(ROWS))


def test_fixed_lists_that_would_not_be_read_again_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"column 'fixed_list' has fixed-size lists that are null"):
        check(tmp_path, table({"fixed_list": ARROW["fixed_list"]}, "w"), table({}, "a"), "arrow")
    assert not (tmp_path / "RUN" / "_SUCCESS").exists()


def test_columns_of_any_name(tmp_path: Path) -> None:
    """Names that the program itself gives to columns on their way, and such as a query language might take apart."""
    names = [
        "_group", "_key", "_source", "_digest", "_pools", "_label", "_rows", "_u", "split", "file", "row", "reason",
        "key", "group", "len", "count", "", "*", "^x.*$", "a b", 'a"b', "a`b", "a.b", "ключ", "text", "rows", "row_key",
    ]  # fmt: skip
    for kind, values in (("parquet", FLAT["large_text"]), ("arrow", PARQUET["text"])):
        columns = dict.fromkeys(names, values)
        (tmp_path / kind).mkdir()
        check(tmp_path / kind, table(columns, "w"), table(columns, "a"), kind)


@pytest.mark.parametrize("name", ["_group", "^x.*$", "*", "a b", "split", "ключ"])
def test_columns_of_any_name_decide(tmp_path: Path, name: str) -> None:
    """The same names as key, group, label and stratum."""
    numbers = [f"{prefix}{i:04}" for prefix in "wa" for i in range(ROWS)]
    whole = pa.table({f"{name}1": numbers, f"{name}2": [f"{k[:-1]}" for k in numbers], name: [k[-1] for k in numbers]})
    pq.write_table(whole.slice(0, ROWS), tmp_path / "web.parquet")
    pq.write_table(whole.slice(ROWS), tmp_path / "app.parquet")
    condition = f"\"{name}\" <> '7'"
    spec = (
        "name: x\nsalt: x\nsources: {web: {path: web.parquet}, app: {path: app.parquet}}\n"
        f"key: {json.dumps(f'{name}1')}\ngroup: {json.dumps(f'{name}2')}\nlabel: {json.dumps(name)}\n"
        f"target: {{source: app, where: {json.dumps(condition)}}}\nstratify: [{json.dumps(name)}]\n"
        "splits: {test: 20, dev: 20, train_dev: 20}\n"
    )
    (tmp_path / "spec.yaml").write_text(spec)
    assert api.run(str(tmp_path / "spec.yaml"), str(tmp_path / "RUN")).success
    out = [pq.read_table(path) for path in (tmp_path / "RUN").glob("*/*-*.parquet")]
    assert sorted(value for part in out for value in part[f"{name}1"].to_pylist()) == sorted(numbers)
    assert "7" not in pq.read_table(tmp_path / "RUN" / "data" / "test-00000-of-00001.parquet")[name].to_pylist()
