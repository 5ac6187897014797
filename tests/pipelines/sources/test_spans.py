"""A text file is read in parts: wherever it is cut, every line is read once, and in order."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.sources.filesystems import locate
from pipelines.sources.fragments import Inventory, SourceRequest, take_inventory
from pipelines.sources.options import CsvOptions
from pipelines.sources.reading import read_fragment
from pipelines.sources.text import BadRow, open_text

MANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
OPTIONS = CsvOptions(newlines_in_values=False)


def inventory(path: Path, size: int, options: CsvOptions = OPTIONS, *, numbered: bool = False) -> Inventory:
    return take_inventory([SourceRequest("s", (str(path),), csv=options)], None, size, numbered=numbered)


def read(found: Inventory) -> tuple[pa.Table, list[BadRow]]:
    chunks = [chunk for fragment in found.fragments for chunk in read_fragment(fragment, found.schema)]
    return pa.concat_tables([chunk.table for chunk in chunks]), [row for chunk in chunks for row in chunk.bad_rows]


@MANY
@given(st.binary(max_size=40), st.integers(1, 12))
def test_spans_hold_every_byte_once_and_begin_at_lines(tmp_path: Path, content: bytes, size: int) -> None:
    content = content.replace(b"\x01", b"\n").replace(b"\x00", b"\n")
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    parts = []
    for start in range(0, len(content), size):
        with open_text(locate(str(path)), (start, min(start + size, len(content)))) as stream:
            parts.append(stream.read())
    assert b"".join(parts) == content
    assert all(part.endswith(b"\n") for part in parts[:-1] if part and part is not [p for p in parts if p][-1])
    for start, part in zip(range(0, len(content), size), parts, strict=True):
        begin = sum(map(len, parts[: parts.index(part)])) if part else None
        assert begin is None or begin >= start


ROWS = st.lists(
    st.tuples(st.integers(-5, 5), st.text(st.characters(codec="utf8", exclude_characters='\r\n"\x00'), max_size=6)),
    min_size=1,
    max_size=30,
)


@MANY
@given(ROWS, st.integers(1, 60), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans())
def test_csv_in_parts_is_the_whole(
    tmp_path: Path, rows: list[tuple[int, str]], size: int, end: str, closed: bool, marked: bool
) -> None:
    lines = ["n,text", *(f'{n},"{text}"' for n, text in rows)]
    lines.insert(2, "")
    lines.insert(len(lines) // 2 + 1, "1,2,3")
    path = tmp_path / "a.csv"
    text = end.join(lines) + (end if closed else "")
    path.write_bytes((("\ufeff" if marked else "") + text).encode())
    options = CsvOptions(newlines_in_values=False, column_types=(("text", "string"), ("n", "int64")))
    found = inventory(path, size, options)
    assert len(found.fragments) == -(-path.stat().st_size // size)
    table, bad = read(found)
    whole, whole_bad = read(inventory(path, 2**30, options))
    assert table.equals(whole)
    assert [(row["n"], row["text"]) for row in table.to_pylist()] == rows
    assert bad == whole_bad
    assert len(bad) == 1


@MANY
@given(ROWS, st.integers(1, 60), st.booleans())
def test_json_lines_in_parts_are_the_whole(
    tmp_path: Path, rows: list[tuple[int, str]], size: int, closed: bool
) -> None:
    lines = [json.dumps({"n": n, "text": text}, ensure_ascii=n > 0) for n, text in rows]
    lines.insert(len(lines) // 2, "[1]")
    path = tmp_path / "a.jsonl"
    path.write_text("\ufeff" + "\n".join(lines) + ("\n" if closed else ""))
    table, bad = read(inventory(path, size))
    assert [(row["n"], row["text"]) for row in table.to_pylist()] == rows
    assert [row.text for row in bad] == ["[1]"]


def test_a_file_whose_rows_cannot_be_told_from_its_middle_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("n,text\n" + '1,"a\nb"\n' * 50)
    assert len(inventory(path, 20, CsvOptions()).fragments) == 1
    assert len(inventory(path, 20, numbered=True).fragments) == 1, "an index needs row numbers"
    assert len(inventory(path, 20).fragments) > 1
    path.write_text("n,text\n" + "1,a\n" * 50, encoding="utf-16")
    assert len(inventory(path, 20, CsvOptions(newlines_in_values=False, encoding="utf-16")).fragments) == 1


@pytest.mark.parametrize("size", [7, 50])
def test_a_broken_value_in_any_part_is_told_with_its_column(tmp_path: Path, size: int) -> None:
    from splitting.errors import DataError

    path = tmp_path / "a.csv"
    path.write_text("n,text\n" + "1,a\n" * 30 + "x,b\n")
    with pytest.raises(DataError, match="column 'n'"):
        read(inventory(path, size, CsvOptions(newlines_in_values=False, column_types=(("n", "int64"),))))
