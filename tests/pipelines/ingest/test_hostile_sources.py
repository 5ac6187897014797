"""Names, archives, tables and files that somebody made to do harm, or that are only odd: rejected, never a crash."""

from __future__ import annotations

import io
import os
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.ingest.file_tables import FileTable
from pipelines.ingest.reuse import EarlierPart
from pipelines.ingest.tables import own_of_json
from tests.support.ingesting import Ingested, elsewhere, ingest, task_of
from tests.support.pictures import encoded, picture, write

JPEG = encoded(picture(1))


def of_members(folder: Path, members: list[tuple[str, bytes]], kind: int = tarfile.PAX_FORMAT) -> Ingested:
    with tarfile.open(folder / "s.tar", "w", format=kind) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return ingest(task_of(folder, "s.tar"))


@pytest.mark.parametrize("size", [2**62, 2**40, 2**33, -512, -1_024])
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_SPARSE])
def test_sizes_that_a_header_makes_up(tmp_path: Path, kind: bytes, size: int) -> None:
    header = tarfile.TarInfo("first.jpg")
    header.type, header.size = kind, size
    (tmp_path / "s.tar").write_bytes(header.tobuf(tarfile.GNU_FORMAT) + JPEG + bytes(1_024))
    found = ingest(task_of(tmp_path, "s.tar"))
    assert not len(found.rows)
    assert all(
        why.startswith(("broken archive", "file too large", "unreadable file")) for why in found.rejected.values()
    )
    assert "s.tar" in found.rejected


def test_names_in_an_archive_that_are_not_utf8(tmp_path: Path) -> None:
    found = of_members(tmp_path, [("caf\udce9/x.jpg", JPEG), ("b.jpg", JPEG)], tarfile.GNU_FORMAT)
    assert found.rejected == {"s.tar/caf\\udce9/x.jpg": "unsafe name: is not UTF-8"}
    assert found.rows["path"].to_list() == ["s.tar/b.jpg"]


def test_links_in_an_archive_are_told(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "s.tar", "w") as archive:
        for name, kind in (("hard.jpg", tarfile.LNKTYPE), ("soft.jpg", tarfile.SYMTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    found = ingest(task_of(tmp_path, "s.tar"))
    assert list(found.rejected) == ["s.tar/hard.jpg", "s.tar/soft.jpg"]
    assert all(why.startswith("unreadable file: is a link") for why in found.rejected.values())


@pytest.mark.parametrize(
    "document",
    [
        b'{"a": "\\ud800"}',
        b'{"\\ud800": 1}',
        b'{"a": 1' + b"0" * 9_000 + b"}",
        b'{"a": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b"{" + b",".join(b'"k%d": 1' % i for i in range(1_001)) + b"}",
    ],
)
def test_json_that_gives_no_columns(tmp_path: Path, document: bytes) -> None:
    found = of_members(tmp_path, [("x.jpg", JPEG), ("x.json", document)])
    assert len(found.rows) == 1
    assert not {"a", "k1"} & set(found.rows.columns)


def test_numbers_that_no_float_holds_are_texts() -> None:
    table = own_of_json(['{"a": 1' + "0" * 400 + "}", '{"a": 1.5}', '{"b": NaN}', '{"b": 2}'])
    assert table is not None
    assert table["a"].to_pylist()[:2] == ["1" + "0" * 400, "1.5"]
    assert table["b"].type == pa.float64()


def test_a_table_names_what_is_no_file(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    write(folder / "x.jpg", JPEG)
    (folder / "sub").mkdir()
    os.mkfifo(folder / "pipe.jpg")
    names = ["x.jpg", "a\0b.jpg", "a" * 5_000, "/etc/passwd", "../y.jpg", "s3://b/x.jpg", "sub", "pipe.jpg", "gone.jpg"]
    (tmp_path / "list.csv").write_text("\n".join(["file", *names]) + "\n")
    found = ingest(task_of(tmp_path, "photos", table=FileTable("list.csv")))
    assert found.rows["path"].to_list() == ["x.jpg"]
    kinds = {name: why.partition(":")[0] for name, why in found.rejected.items()}
    assert kinds == {
        "a\0b.jpg": "unsafe name",
        "a" * 5_000: "unreadable file",
        "/etc/passwd": "unsafe name",
        "../y.jpg": "unsafe name",
        "s3://b/x.jpg": "unsafe name",
        "sub": "unreadable file",
        "pipe.jpg": "unreadable file",
        "gone.jpg": "missing file",
    }


def test_links_that_lead_nowhere_or_in_a_circle(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    write(folder / "x.jpg", JPEG)
    (folder / "circle.jpg").symlink_to("circle.jpg")
    (folder / "fetched_later.jpg").symlink_to(tmp_path / "store/1")
    (folder / "notes.txt").symlink_to(tmp_path / "store/2")
    (folder / "up").symlink_to(folder)
    os.mkfifo(folder / "pipe.jpg")
    found = ingest(task_of(tmp_path, "photos"))
    assert found.rows["path"].to_list() == ["x.jpg"]
    assert found.rejected == dict.fromkeys(["circle.jpg", "fetched_later.jpg"], "missing file: a link to nothing")


def test_a_name_on_a_disk_that_is_not_utf8_is_a_rejected_row(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    try:
        for name in (b"caf\xe9/1.jpg", b"na\xefve.jpg", b"x.jpg"):
            write(folder / os.fsdecode(name), JPEG)
    except OSError:
        pytest.skip("this file system takes no such name")
    found = ingest(task_of(tmp_path, "photos"))
    assert found.rows["path"].to_list() == ["x.jpg"]
    assert sorted(found.rejected) == ["caf\\udce9", "na\\udcefve.jpg"]


def test_a_parquet_table_beside_images_is_left_out_as_a_csv_is(tmp_path: Path) -> None:
    write(tmp_path / "photos/x.jpg", JPEG)
    pq.write_table(pa.table({"file": ["x.jpg"]}), tmp_path / "photos/labels.parquet")
    assert ingest(task_of(tmp_path, "photos")).rows["path"].to_list() == ["x.jpg"]


@pytest.mark.parametrize(
    "images",
    [
        [],
        [{"bytes": JPEG, "path": "../../etc/x.jpg"}, {"bytes": None, "path": "/etc/passwd"}, None],
        [{"bytes": JPEG, "path": "../../etc/x.jpg"}, {"bytes": b"", "path": None}],
    ],
)
def test_rows_without_bytes_and_with_paths_that_lead_out(tmp_path: Path, images: list[Any]) -> None:
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    pq.write_table(pa.table({"image": pa.array(images, kind)}), tmp_path / "a.parquet")
    found = ingest(task_of(tmp_path, "a.parquet"))
    assert len(found.rows) == len([one for one in images if one and one["bytes"]])
    assert len(found.rows) + len(found.rejected) == len(images)


@pytest.mark.parametrize("same_size", [True, False])
def test_two_members_of_one_name_are_not_taken_for_each_other_later(tmp_path: Path, *, same_size: bool) -> None:
    other = encoded(picture(2))
    pair = (JPEG + bytes(max(0, len(other) - len(JPEG))), other + bytes(max(0, len(JPEG) - len(other))))
    first = of_members(tmp_path, [("x.jpg", data) for data in (pair if same_size else (JPEG, other))])
    task = task_of(tmp_path, "s.tar")
    known = EarlierPart(f"{task.folder}/table-00000.parquet", f"{task.folder}/stamps-00000.parquet", "", "~")
    again = ingest(replace(elsewhere(task, tmp_path / "again"), earlier=(known,)))
    assert again.counts.total("s", "reused") == 2
    assert again.rows["content_hash"].to_list() == first.rows["content_hash"].to_list()
    assert again.rows["content_hash"].n_unique() == 2
