"""Columns of JSON whose values differ in kind between the parts of an ingest."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.ingest.unifying import unify_parts
from pipelines.sources.filesystems import Location, locate


def write_part(folder: Path, number: int, rows: dict[str, list[object]], row_group: int = 2) -> Location:
    path = folder / f"table-{number:05d}.parquet"
    pq.write_table(pa.table({"path": ["x"] * len(next(iter(rows.values()))), **rows}), path, row_group_size=row_group)
    return locate(str(path))


def test_parts_that_disagree_are_made_texts(tmp_path: Path) -> None:
    numbers = write_part(tmp_path, 0, {"price": [1, None, 3], "size": [1, 2, 3], "on": [True, False, None]})
    texts = write_part(tmp_path, 1, {"price": ["free", "2"], "size": [0.5, 2.0], "on": [1.0, 0.25]})
    nothing = write_part(tmp_path, 2, {"price": [None], "size": [None], "on": [None]})
    before = Path(nothing.path).read_bytes()
    assert unify_parts([numbers, texts, nothing], {"path"}) == ("on", "price")
    assert pq.read_table(numbers.path).to_pydict() == {
        "path": ["x"] * 3,
        "price": ["1", None, "3"],
        "size": [1, 2, 3],
        "on": ["true", "false", None],
    }
    assert pq.read_table(texts.path)["on"].to_pylist() == ["1", "0.25"]
    assert pq.read_metadata(numbers.path).num_row_groups == 2
    assert Path(nothing.path).read_bytes() == before


def test_parts_that_agree_and_types_that_are_no_json_stay_as_they_are(tmp_path: Path) -> None:
    parts = [
        write_part(tmp_path, 0, {"n": [1], "list": [[1]], "measured": [1]}),
        write_part(tmp_path, 1, {"n": [0.5], "list": ["a"], "measured": ["a"]}),
    ]
    before = [Path(part.path).read_bytes() for part in parts]
    assert unify_parts(parts, {"path", "measured"}) == ()
    assert [Path(part.path).read_bytes() for part in parts] == before
