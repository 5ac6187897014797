"""Where images come from: folders, globs, lists, archives, Parquet; and the exact bytes of each found again."""

from __future__ import annotations

import io
import json
import re
import tarfile
from dataclasses import replace
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.ingest.file_tables import FileTable
from pipelines.ingest.labels import LabelRule
from pipelines.ingest.listing import check_apart
from pipelines.ingest.locations import Place, local_file, read_files, read_places, resolve
from pipelines.ingest.members import Member, member_table, parts_of
from pipelines.ingest.part import IngestTask
from pipelines.ingest.tables import own_of_json
from splitting.errors import DataError
from tests.support.ingesting import Ingested, ingest, task_of
from tests.support.pictures import encoded, picture, write, write_pictures


def jpeg(seed: int) -> bytes:
    return encoded(picture(seed))


def bytes_of(found: Ingested, task: IngestTask) -> dict[str, bytes]:
    return dict(zip(found.rows["path"], read_files(found.rows.to_arrow(), task.base), strict=True))


def write_tar(path: Path, members: list[tuple[str, bytes]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def test_a_folder_is_listed_in_one_order_with_labels_from_folders(tmp_path: Path) -> None:
    for name in (
        "b/2.jpg",
        "a/x/1.jpg",
        "a/2.jpg",
        "top.jpg",
        "a-b/1.jpg",
        ".hidden/1.jpg",
        "_private.jpg",
        "a/.x.jpg",
    ):
        write(tmp_path / "photos" / name, jpeg(len(name)))
    write(tmp_path / "photos/README.md", b"text")
    write(tmp_path / "photos/labels.csv", b"file,label\n")
    task = task_of(tmp_path, "photos", label=LabelRule("label"))
    found = ingest(task)
    assert found.rows.select("path", "label").rows() == [
        ("a/2.jpg", "a"),
        ("a/x/1.jpg", "x"),
        ("a-b/1.jpg", "a-b"),
        ("b/2.jpg", "b"),
        ("top.jpg", None),
    ]
    assert not found.rejected
    assert bytes_of(found, task)["a/x/1.jpg"] == (tmp_path / "photos/a/x/1.jpg").read_bytes()


def test_the_level_of_a_label_s_folder_can_be_chosen() -> None:
    paths = ["train/cat/day/1.jpg", "x/1.jpg"]
    assert LabelRule("label", level=0).of(paths, [None] * 2) == ["train", "x"]
    assert LabelRule("label", level=1).of(paths, [None] * 2) == ["cat", None]
    assert LabelRule("label", level=-2).of(paths, [None] * 2) == ["cat", None]


def test_a_glob_and_a_single_file_have_the_folder_that_they_begin_in_as_base(tmp_path: Path) -> None:
    write_pictures(tmp_path / "photos", 4)
    write(tmp_path / "photos/cat/a[1].png", encoded(picture(5), "PNG"))
    found = ingest(task_of(tmp_path, "photos/*/*.jpg"))
    assert found.rows["path"].to_list() == ["cat/000.jpg", "cat/002.jpg", "dog/001.jpg", "dog/003.jpg"]
    assert ingest(task_of(tmp_path, "photos/cat/a[1].png")).rows["path"].to_list() == ["a[1].png"]


def test_several_paths_are_relative_to_the_spec_s_folder(tmp_path: Path) -> None:
    write_pictures(tmp_path / "one", 2)
    write_pictures(tmp_path / "two", 2)
    found = ingest(task_of(tmp_path, "one", "two/dog"))
    assert found.rows["path"].to_list() == ["one/cat/000.jpg", "one/dog/001.jpg", "two/dog/001.jpg"]
    (tmp_path / "inner").mkdir()
    with pytest.raises(DataError, match=r"does not lie in .*inner, the folder that several paths of files must lie in"):
        ingest(task_of(tmp_path, "../one", "../two", root=str(tmp_path / "inner")))


@pytest.mark.parametrize(
    ("one", "other"),
    [("photos", "photos/app"), ("photos", "linked"), ("photos", "photos/app/*.jpg"), ("photos", "photos/app/a.jpg")],
)
def test_no_folder_is_read_twice(tmp_path: Path, one: str, other: str) -> None:
    write_pictures(tmp_path / "photos/app", 2)
    write_pictures(tmp_path / "photos/_kept", 2)
    write(tmp_path / "photos/app/a.jpg", encoded(picture(5)))
    write_pictures(tmp_path / "photos 2", 1)
    (tmp_path / "linked").symlink_to("photos/app")
    for paths in ([("first", one), ("second", other)], [("second", other), ("first", one)]):
        told = rf"{re.escape(other)} \(source 'second'\) lies in photos \(source 'first'\)"
        with pytest.raises(DataError, match=told):
            check_apart(paths, str(tmp_path))
    check_apart([("first", "photos"), ("second", "photos/_kept"), ("third", "photos 2")], str(tmp_path))
    check_apart([("first", "photos/*/cat"), ("second", "photos/*/dog")], str(tmp_path))


def test_links_are_followed_to_files_and_not_to_folders(tmp_path: Path) -> None:
    write_pictures(tmp_path / "photos", 1)
    (tmp_path / "photos/loop").symlink_to(tmp_path / "photos")
    (tmp_path / "photos/linked.jpg").symlink_to(tmp_path / "photos/cat/000.jpg")
    assert ingest(task_of(tmp_path, "photos")).rows["path"].to_list() == ["cat/000.jpg", "linked.jpg"]


def test_a_file_of_no_known_ending_is_a_member_by_what_it_holds(tmp_path: Path) -> None:
    write(tmp_path / "photos/plain", jpeg(1))
    write(tmp_path / "photos/film.mp4", b"\0\0\0\x20ftypisom and so on")
    found = ingest(task_of(tmp_path, "photos"))
    assert found.rows["path"].to_list() == ["plain"]
    assert list(found.rejected) == ["film.mp4"]


def test_archives_of_webdataset_give_labels_and_columns(tmp_path: Path) -> None:
    members = [
        ("./a/0001.jpg", jpeg(1)),
        ("./a/0001.json", json.dumps({"caption": "ä cat", "width": 3, "n": 1, "tags": ["x"]}).encode()),
        ("./a/0001.cls", b"7"),
        ("0002.json", json.dumps({"caption": "a dog", "n": 2.5}).encode()),
        ("0002.png", encoded(picture(2), "PNG")),
        ("0003.cls", b"9"),
        ("0004.txt", b"no image"),
        ("0005.jpg", b""),
        ("0006.seg.png", encoded(picture(3), "PNG")),
    ]
    write_tar(tmp_path / "shards/s-000.tar", members)
    write_tar(tmp_path / "shards/s-001.tar", [("0001.jpg", jpeg(4))])
    task = task_of(tmp_path, "shards/*.tar", label=LabelRule("label", "cls"))
    found = ingest(task)
    assert found.rows.select("path", "label", "caption", "n", "width_given", "tags", "width").rows() == [
        ("s-000.tar/a/0001.jpg", "7", "ä cat", 1.0, 3, '["x"]', 96),
        ("s-000.tar/0002.png", None, "a dog", 2.5, None, None, 96),
        ("s-000.tar/0006.seg.png", None, None, None, None, None, 96),
        ("s-001.tar/0001.jpg", None, None, None, None, None, 96),
    ]
    assert found.rejected == {"s-000.tar/0005.jpg": "empty file: 0 bytes"}
    assert bytes_of(found, task)["s-000.tar/a/0001.jpg"] == jpeg(1)
    assert found.rows["image_uri"].to_list() == ["s-000.tar"] * 3 + ["s-001.tar"]


def test_keys_of_json_give_columns_by_what_they_hold() -> None:
    texts = [
        '{"a": 1, "b": true, "c": null, "d": "x", "e": 1}',
        None,
        '{"a": 2, "d": 5, "e": 0.5, "f": 99999999999999999999}',
    ]
    table = own_of_json(texts)
    assert table is not None
    assert table.to_pydict() == {
        "a": [1, None, 2],
        "b": [True, None, None],
        "c": [None, None, None],
        "d": ["x", None, "5"],
        "e": [1.0, None, 0.5],
        "f": [None, None, 99999999999999999999.0],
    }
    assert pa.types.is_null(table.schema.field("c").type)
    assert own_of_json([None, "{}"]) is None


def test_an_archive_that_breaks_off_gives_what_it_holds_and_says_so(tmp_path: Path) -> None:
    whole = write_tar(tmp_path / "whole.tar", [(f"{i}.jpg", jpeg(i)) for i in range(4)]).read_bytes()
    with tarfile.open(tmp_path / "whole.tar") as archive:
        third = archive.getmembers()[2].offset_data
    write(tmp_path / "shards/cut.tar", whole[: third + 100])
    found = ingest(task_of(tmp_path, "shards"))
    assert found.rows["path"].to_list() == ["cut.tar/0.jpg", "cut.tar/1.jpg"]
    assert set(found.rejected) == {"cut.tar", "cut.tar/2.jpg"}
    assert found.rejected["cut.tar"].startswith("broken archive: cannot be read further")


def test_names_that_lead_out_of_an_archive_are_rejected(tmp_path: Path) -> None:
    write_tar(tmp_path / "shards/s.tar", [("../../etc/1.jpg", jpeg(1)), ("/2.jpg", jpeg(2)), ("ok.jpg", jpeg(3))])
    found = ingest(task_of(tmp_path, "shards"))
    assert found.rows["path"].to_list() == ["s.tar/2.jpg", "s.tar/ok.jpg"]
    assert list(found.rejected.values()) == ["unsafe name: leads out of its folder"]


def test_a_compressed_archive_is_refused_with_what_to_do(tmp_path: Path) -> None:
    write(tmp_path / "shards/s.tar.gz", b"x")
    with pytest.raises(DataError, match=r"s\.tar\.gz is a compressed archive.*unpack it to \.tar"):
        ingest(task_of(tmp_path, "shards"))


def test_parquet_as_hugging_face_writes_it(tmp_path: Path) -> None:
    images = [
        {"bytes": jpeg(0), "path": "zero.jpg"},
        {"bytes": jpeg(1), "path": None},
        {"bytes": None, "path": "gone.jpg"},
        {"bytes": b"no image", "path": "three.jpg"},
        {"bytes": jpeg(4), "path": "four.jpg"},
    ]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table({"image": pa.array(images, kind), "label": [0, 1, 0, 1, 0], "width": list("abcde")})
    (tmp_path / "data").mkdir()
    pq.write_table(table, tmp_path / "data/train-00000.parquet", row_group_size=2)
    task = task_of(tmp_path, "data/*.parquet")
    found = ingest(task)
    assert found.rows.select("path", "label", "width_given", "image_row").rows() == [
        ("zero.jpg", 0, "a", 0),
        ("train-00000.parquet#1", 1, "b", 1),
        ("four.jpg", 0, "e", 4),
    ]
    assert found.parts == 3
    assert found.rejected["gone.jpg"] == "missing file: the row holds no bytes"
    assert list(found.rejected) == ["gone.jpg", "three.jpg"]
    assert list(bytes_of(found, task).values()) == [jpeg(0), jpeg(1), jpeg(4)]


def test_parquet_that_datasets_writes(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    files = write_pictures(tmp_path / "photos", 3)
    images = [{"bytes": file.read_bytes(), "path": file.name} for file in files]
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])})
    data = datasets.Dataset.from_dict({"image": images, "label": [0, 1, 0]}, features=features)
    (tmp_path / "data").mkdir()
    data.to_parquet(str(tmp_path / "data/train.parquet"))
    task = task_of(tmp_path, "data")
    found = ingest(task)
    assert list(bytes_of(found, task).values()) == [file.read_bytes() for file in files]


def test_parquet_without_images_says_what_it_has(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1], "b": ["x"]}), tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"t\.parquet has no column of files, expected struct<.*its columns are a, b"):
        ingest(task_of(tmp_path, "t.parquet"))


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_table_lists_files_with_columns_of_their_own(tmp_path: Path, ending: str) -> None:
    write_pictures(tmp_path / "photos", 4)
    names = ["dog/001.jpg", "./cat/002.jpg", "cat/none.jpg", "../spec.yaml", "/etc/passwd", None]
    frame = pl.DataFrame({"file_name": names, "label": list("abcdef"), "price": [1.5, 2.0, 3.0, 4.0, 5.0, 6.0]})
    frame = frame.with_columns(bytes=pl.lit(7))
    path = tmp_path / f"labels.{ending}"
    {"csv": frame.write_csv, "jsonl": frame.write_ndjson, "parquet": frame.write_parquet}[ending](path)
    task = task_of(tmp_path, "photos", table=FileTable(f"labels.{ending}"))
    found = ingest(task)
    assert found.rows.select("path", "label", "price", "bytes_given").rows() == [
        ("dog/001.jpg", "a", 1.5, 7),
        ("cat/002.jpg", "b", 2.0, 7),
    ]
    assert found.rejected == {
        "cat/none.jpg": "missing file: is not there",
        "../spec.yaml": "unsafe name: does not lie in the source's folder",
        "/etc/passwd": "unsafe name: does not lie in the source's folder",
        "row 5 of the list": "missing file: no file is named",
    }
    narrow = task_of(tmp_path, "photos", table=FileTable(f"labels.{ending}", "file_name", ("label",)))
    assert not {"price", "bytes_given"} & set(ingest(narrow).rows.columns)


def test_a_list_s_own_column_that_is_called_as_the_source_s_is_renamed(tmp_path: Path) -> None:
    write_pictures(tmp_path / "photos", 1)
    write(tmp_path / "labels.csv", b"file,source,url\ncat/000.jpg,crawl,x\n")
    task = task_of(tmp_path, "photos", table=FileTable("labels.csv"))
    assert ingest(task).rows.columns[:3] == ["path", "source_given", "url"]
    assert ingest(replace(task, source_column="url")).rows.columns[:3] == ["path", "source", "url_given"]


@pytest.mark.parametrize("lines", ["", "\n,a\n,b\n"])
def test_a_list_that_names_no_file(tmp_path: Path, lines: str) -> None:
    write_pictures(tmp_path / "photos", 1)
    write(tmp_path / "labels.csv", f"file,label{lines}".encode())
    found = ingest(task_of(tmp_path, "photos", table=FileTable("labels.csv")))
    assert list(found.rejected.values()) == ["missing file: no file is named"] * lines.count(",")


def test_a_table_without_a_column_of_files_says_what_it_has(tmp_path: Path) -> None:
    write_pictures(tmp_path / "photos", 1)
    write(tmp_path / "labels.csv", b"photo,label\na.jpg,x\n")
    with pytest.raises(DataError, match=r"labels\.csv has no column file_name or .*columns are photo, label"):
        ingest(task_of(tmp_path, "photos", table=FileTable("labels.csv")))


def test_a_column_with_a_name_of_ours_is_refused(tmp_path: Path) -> None:
    write_pictures(tmp_path / "photos", 1)
    write(tmp_path / "labels.csv", b"file,_row\ncat/000.jpg,1\n")
    with pytest.raises(DataError, match=r"labels\.csv: column '_row' has a name that is used for files; rename it"):
        ingest(task_of(tmp_path, "photos", table=FileTable("labels.csv")))


def test_where_a_file_lies_cannot_lead_out_of_its_source(tmp_path: Path) -> None:
    assert local_file("a/b.jpg", str(tmp_path)) == str(tmp_path / "a/b.jpg")
    for uri in ("../b.jpg", "/b.jpg", "a//b.jpg", "s3://x/b.jpg", "a/./b.jpg", ""):
        with pytest.raises(DataError, match="plan again"):
            resolve(uri, str(tmp_path))


def test_a_file_that_is_gone_or_another_now_is_told(tmp_path: Path) -> None:
    files = write_pictures(tmp_path / "photos", 2)
    task = task_of(tmp_path, "photos")
    rows = ingest(task).rows.to_arrow()
    files[0].write_bytes(files[0].read_bytes() + b"more")
    with pytest.raises(DataError, match=r"000\.jpg: [0-9,]+ bytes were measured, [0-9,]+ are there now; plan again"):
        read_files(rows, task.base)
    files[0].unlink()
    with pytest.raises(DataError, match=r"cannot read .*000\.jpg: there is no such file; bring it back, or plan again"):
        read_files(rows, task.base)


def sizes(files: int) -> list[int]:
    parts = list(parts_of(Member(f"{i:06d}.jpg", f"{i}.jpg", size=1) for i in range(files)))
    assert [part.number for part in parts] == list(range(len(parts)))
    paths = [path for part in parts for path in part.members["_path"].to_pylist()]
    assert paths == [f"{i:06d}.jpg" for i in range(files)]
    return [part.members.num_rows for part in parts]


def test_parts_grow_and_do_not_depend_on_who_does_them() -> None:
    assert sizes(24 * 256) == [256] * 24
    assert sizes(30_000) == [256] * 48 + [512] * 24 + [226] * 24
    assert max(sizes(300_000)) == 4_096


@pytest.mark.parametrize("files", [0, 1, 127, 128, 200, 1_536, 1_537, 19_000])
def test_parts_of_a_round_are_of_one_size_and_as_many_as_cores_divide(files: int) -> None:
    found = sizes(files)
    last = found[len(found) // 24 * 24 :] or found[-24:]
    assert max(last, default=0) - min(last, default=0) <= 1
    assert len(last) in (0, 1, 2, 4, 8, 12, 24)
    assert len(last) == 1 or min(last, default=64) >= 64


@pytest.mark.parametrize("cores", [2, 3, 4, 8, 12])
def test_cores_that_take_turns_get_as_many_files(cores: int) -> None:
    found = sizes(19_000)
    shares = [sum(found[core::cores]) for core in range(cores)]
    assert max(shares) - min(shares) <= 24


def test_a_table_of_members_is_a_part_of_its_own() -> None:
    table = member_table([Member("b.parquet#0", "b.parquet", row=0)])
    parts = list(parts_of([Member("a.jpg", "a.jpg"), table, table, *[Member(f"{i}", f"{i}") for i in range(257)]]))
    assert [part.members.num_rows for part in parts] == [1, 1, 1, 64, 64, 64, 65]
    assert [part.number for part in parts] == list(range(7))


def test_row_groups_are_bounded_by_bytes(tmp_path: Path) -> None:
    from pipelines.ingest.members import BYTES_AT_ONCE, batches_of

    third = BYTES_AT_ONCE // 3
    members = member_table([Member(f"{i}", f"{i}", size=size) for i, size in enumerate([third] * 7 + [9 * third, 1])])
    assert [batch.num_rows for batch in batches_of(members)] == [3, 3, 1, 1, 1]


def test_rows_of_parquet_in_any_order(tmp_path: Path) -> None:
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    files = [{"bytes": b"%d" % i, "path": None} if i % 9 else None for i in range(100)]
    pq.write_table(pa.table({"image": pa.array(files, kind)}), tmp_path / "a.parquet", row_group_size=40)
    wanted = [3, 3, 2, 39, 40, 99, 0, 41, 9, 100, 1]
    found = list(read_places([Place("a.parquet", row=row) for row in wanted], str(tmp_path)))
    known = [None if isinstance(one, OSError) else one for one in found]
    assert known == [b"3", b"3", b"2", b"39", b"40", None, None, b"41", None, None, b"1"]
