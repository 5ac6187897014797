"""CSV and JSON Lines: nothing changes silently, a bad line costs one line, and messages name the column."""

from __future__ import annotations

import gzip
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.sources import csv_files, json_lines
from pipelines.sources.fragments import Inventory, SourceRequest, take_inventory
from pipelines.sources.options import CsvOptions
from pipelines.sources.reading import Chunk, read_fragment
from splitting.errors import DataError


def inventory(*paths: Path, **csv: object) -> Inventory:
    return take_inventory([SourceRequest("s", tuple(map(str, paths)), csv=CsvOptions(**csv))])  # type: ignore[arg-type]


def chunks(found: Inventory) -> list[Chunk]:
    return [chunk for fragment in found.fragments for chunk in read_fragment(fragment, found.schema)]


def read(found: Inventory) -> pa.Table:
    return pa.concat_tables([chunk.table for chunk in chunks(found)])


def json_file(folder: Path, content: str | bytes) -> Path:
    path = folder / "a.jsonl"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def csv_file(folder: Path, content: str | bytes) -> Path:
    path = folder / "a.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


# JSON Lines


def test_json_text_stays_text(tmp_path: Path) -> None:
    path = json_file(tmp_path, '{"day": "2020-01-01", "n": [{"at": "2020-01-01T10:00:00Z"}]}\n{"day": null}\n')
    assert read(inventory(path)).to_pylist() == [
        {"day": "2020-01-01", "n": [{"at": "2020-01-01T10:00:00Z"}]},
        {"day": None, "n": None},
    ]


def test_json_text_is_a_time_where_the_spec_says_so(tmp_path: Path) -> None:
    path = json_file(tmp_path, '{"at": "2020-01-01T10:00:00", "day": "2020-01-02"}\n{"at": null, "day": null}\n')
    table = read(inventory(path, column_types=(("at", "timestamp[us]"), ("day", "date32"))))
    assert table.schema.types == [pa.timestamp("us"), pa.date32()]
    assert [str(value) for value in table.to_pylist()[0].values()] == ["2020-01-01 10:00:00", "2020-01-02"]


@pytest.mark.parametrize("past_first_block", [False, True])
def test_json_whole_numbers_keep_their_digits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, past_first_block: bool
) -> None:
    if past_first_block:
        monkeypatch.setattr(json_lines, "BLOCK_BYTES", 40)
    big = 2**63 + 1
    path = json_file(
        tmp_path, f'{{"a": {big}, "b": {{"c": [{big}, 1]}}}}\n{{"a": 7, "b": null}}\n{{"a": {2**64 - 1}}}\n'
    )
    table = read(inventory(path))
    assert table.column("a").to_pylist() == [big, 7, 2**64 - 1]
    assert table.schema.field("a").type == pa.uint64()
    assert table.column("b").to_pylist() == [{"c": [big, 1]}, None, None]


@pytest.mark.parametrize(
    ("lines", "number"),
    [
        ([f'{{"a": {2**64 + 1}}}'], str(2**64 + 1)),
        ([f'{{"a": {2**63 + 1}}}', '{"a": -1}'], str(2**63 + 1)),
        ([f'{{"a": {2**53 + 1}}}', '{"a": 0.5}'], str(2**53 + 1)),
        (['{"a": 0.5}', *['{"a": 1.5}'] * 10, f'{{"a": {2**53 + 1}}}'], str(2**53 + 1)),
        (['{"a": 1}', f'{{"a": 1{"0" * 400}1}}'], None),
    ],
)
def test_json_numbers_that_no_type_holds_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[str], number: str | None
) -> None:
    monkeypatch.setattr(json_lines, "BLOCK_BYTES", 64)
    path = json_file(tmp_path, "\n".join(lines) + "\n")
    if number is None:
        (bad,) = [bad for chunk in chunks(inventory(path)) for bad in chunk.bad_rows]
        assert "past the largest number" in bad.reason
        return
    with pytest.raises(DataError, match=f"a.jsonl: column 'a' holds the whole number {number}, .*in quotes"):
        read(inventory(path))


def test_json_numbers_keep_their_digits_beside_a_column_of_floats(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [0.5]}), tmp_path / "f.parquet")
    path = json_file(tmp_path, f'{{"a": {2**53 + 1}}}\n')
    with pytest.raises(DataError, match="column 'a' holds the whole number 9007199254740993"):
        read(inventory(path, tmp_path / "f.parquet"))


def test_large_doubles_that_are_exact_are_read(tmp_path: Path) -> None:
    path = json_file(tmp_path, '{"a": 1e300}\n{"a": -1e20}\n{"a": 9007199254740994}\n{"a": NaN}\n')
    assert read(inventory(path))["a"].to_pylist()[:3] == [1e300, -1e20, 9007199254740994.0]


BAD_LINES = [
    (b'{"a": "caf\xe9"}', "byte 11 is not UTF-8"),
    (b'{"a": "x", "a": "y"}', "key 'a' stands more than once"),
    (b'{"a": {"b": 1, "b": 2}}', "key 'b' stands more than once"),
    (b'{"a": "\\ud800"}', "half of a surrogate pair"),
    (b'{"a": 1e999}', "past the largest number"),
    (b'{"a": "x"} {"a": "y"}', "Extra data"),
    (b'{"a": "x"', "Expecting"),
    (b"[1]", "expected an object"),
]


@pytest.mark.parametrize(("line", "reason"), BAD_LINES)
@pytest.mark.parametrize("position", [0, 2])
def test_a_bad_json_line_costs_one_line(tmp_path: Path, line: bytes, reason: str, position: int) -> None:
    lines = [b'{"a": "1"}', b'{"a": "2"}']
    lines.insert(position, line)
    found = chunks(inventory(json_file(tmp_path, b"\n".join(lines) + b"\n")))
    assert [row["a"] for chunk in found for row in chunk.table.to_pylist()] == ["1", "2"]
    (bad,) = [bad for chunk in found for bad in chunk.bad_rows]
    assert reason in bad.reason
    assert bad.text == line.decode("utf8", "replace")


@pytest.mark.parametrize(
    "content",
    [
        '{"a": 1}\n\n\r\n  \n{"a": 2}',
        '\ufeff{"a": 1}\r\n{"a": 2}\r\n',
        '\n\n{"a": 1}\n{"a": 2}\n\n',
        '{"a":1}\n{"a":2}',
    ],
)
def test_blank_lines_are_nothing(tmp_path: Path, content: str) -> None:
    found = chunks(inventory(json_file(tmp_path, content)))
    assert [row["a"] for chunk in found for row in chunk.table.to_pylist()] == [1, 2]
    assert not [bad for chunk in found for bad in chunk.bad_rows]


def test_json_values_of_several_kinds_are_told_by_column(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a.jsonl: column 'a' holds values of several kinds \(number and string\)"):
        inventory(json_file(tmp_path, '{"a": 1}\n{"a": "x"}\n'))


def test_json_goes_with_types_that_it_has_not(tmp_path: Path) -> None:
    other = pa.table(
        {
            "list": pa.array([[1.5]], pa.large_list(pa.float64())),
            "fixed": pa.array([[1, 2]], pa.list_(pa.int64(), 2)),
            "name": pa.array(["x"]).dictionary_encode(),
            "map": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
            "at": pa.array([1], pa.timestamp("us", "UTC")),
            "took": pa.array([1], pa.duration("s")),
            "price": pa.array([Decimal("1.50")]),
        }
    )
    pq.write_table(other, tmp_path / "z.parquet")
    line = '{"list": [1], "fixed": [3], "name": "y", "map": null, "at": null, "took": null, "price": 2}\n'
    rows = read(inventory(json_file(tmp_path, line), tmp_path / "z.parquet")).to_pylist()
    assert rows[0] == {
        "list": [1.0], "fixed": [3], "name": "y", "map": None, "at": None, "took": None, "price": Decimal(2),
    }  # fmt: skip
    assert rows[1] == other.to_pylist()[0]


# CSV


def test_csv_in_another_encoding_is_told_and_read_as_told(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "id,name\n1,x\n2,café\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"column 'name' holds bytes .* \(line 3 .*encoding: latin-1"):
        inventory(path)
    assert read(inventory(path, encoding="latin-1"))["name"].to_pylist() == ["x", "café"]
    kept = read(inventory(path, column_types=(("name", "binary"),)))
    assert kept["name"].to_pylist() == [b"x", b"caf\xe9"]
    with pytest.raises(DataError, match="column 'name' holds bytes"):
        inventory(path, column_types=(("name", "string"),))


def test_csv_with_another_encoding_past_the_first_block_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_files, "BLOCK_BYTES", 64)
    path = csv_file(tmp_path, b"id,name\n" + b"1,plain text\n" * 20 + b"2,caf\xe9\n")
    with pytest.raises(DataError, match=r"column 'name' holds bytes .* \(line 22 "):
        read(inventory(path))


def test_csv_header_in_another_encoding_is_told(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "id,prénom\n1,x\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"the header holds bytes .* \(line 1 "):
        inventory(path)
    assert inventory(path, encoding="latin-1").schema.names == ["id", "prénom"]


@pytest.mark.parametrize("encoding", ["utf-16", "ascii"])
def test_csv_in_not_the_encoding_of_the_spec_is_told(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(DataError, match=f"is not encoded in {encoding}"):
        inventory(csv_file(tmp_path, "id,name\n1,café\n"), encoding=encoding)


@pytest.mark.parametrize("content", ["id,name", "id,name\n", "\ufeffid,name", 'id,"name"'])
@pytest.mark.parametrize("packed", [False, True])
def test_a_csv_header_alone_is_an_empty_table(tmp_path: Path, content: str, packed: bool) -> None:
    path = csv_file(tmp_path, content)
    if packed:
        path = tmp_path / "b.csv.gz"
        path.write_bytes(gzip.compress(content.encode()))
    found = inventory(path)
    assert found.schema.names == ["id", "name"]
    assert sum(len(chunk.table) for chunk in chunks(found)) == 0


def test_csv_with_line_breaks_alone_has_no_rows(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "x.parquet")
    assert read(inventory(csv_file(tmp_path, "\n\r\n"), tmp_path / "x.parquet"))["a"].to_pylist() == [1]


def test_csv_conversion_errors_name_the_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_files, "BLOCK_BYTES", 64)
    path = csv_file(tmp_path, "id,age\n" + "1,2\n" * 40 + "1,old\n")
    found = inventory(path)
    with pytest.raises(DataError, match=r"a.csv: column 'age': .*'old'.*column_types: \{age: string\}"):
        read(found)
    with pytest.raises(DataError, match="column 'age'"):
        read(Inventory(pa.schema([found.schema.field("age")]), found.files, found.fragments))
    with pytest.raises(DataError, match="column 'id'"):
        inventory(csv_file(tmp_path, "id,age\nx,2\n"), column_types=(("id", "int64"),))


def test_csv_whole_numbers_keep_their_digits(tmp_path: Path) -> None:
    path = csv_file(tmp_path, f"u,t,f\n{2**63 + 1},{2**64 + 1},1e30\n7,-5,{2**60}\n,,0.5\n")
    table = read(inventory(path))
    assert table["u"].to_pylist() == [2**63 + 1, 7, None]
    assert table["t"].to_pylist() == [str(2**64 + 1), "-5", None]
    assert table["f"].to_pylist() == [1e30, float(2**60), 0.5]


def test_csv_goes_with_types_that_it_has_not(tmp_path: Path) -> None:
    other = pa.table(
        {
            "map": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
            "name": pa.DictionaryArray.from_arrays(pa.array([0], pa.int8()), ["x"]),
            "price": pa.array([Decimal("1.50")], pa.decimal256(50, 2)),
        }
    )
    pq.write_table(other, tmp_path / "z.parquet")
    rows = read(inventory(csv_file(tmp_path, "map,name,price\n,y,2\n"), tmp_path / "z.parquet")).to_pylist()
    assert rows == [{"map": None, "name": "y", "price": Decimal(2)}, other.to_pylist()[0]]


@pytest.mark.parametrize("line", ['a99,1,"x', 'a99,"1,x'])
def test_a_quote_that_is_never_closed_loses_no_line_in_silence(tmp_path: Path, line: str) -> None:
    rows = "".join(f"a{i},1,t{i}\n" for i in range(60))
    path = csv_file(tmp_path, f"id,v,t\n{rows}{line}\n{rows}".encode())
    with pytest.raises(DataError, match="opened and never closed"):
        read(inventory(path))


def test_a_last_value_of_two_lines_is_read(tmp_path: Path) -> None:
    path = csv_file(tmp_path, b'id,t\n1,x\n2,"y\nz"\n')
    assert read(inventory(path))["t"].to_pylist() == ["x", "y\nz"]


def test_a_bad_line_in_another_encoding_gets_the_advice_that_helps(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "id,name\n1,café\n2,éé,3\n3,x\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"line 2 of the file .*encoding: latin-1"):
        read(inventory(path))
