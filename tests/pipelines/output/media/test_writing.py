"""Rows go out with their files, byte for byte, in each of three ways, and are read back by the peers' own readers."""

from __future__ import annotations

import io
import json
import tarfile
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import webdataset
from PIL import Image
from pyarrow import fs

from pipelines.output.layout import DATA, TABLES, Layout, tar_path
from pipelines.output.media import batches
from pipelines.output.media.checking import ShardCheck
from pipelines.output.media.files import FileReader
from pipelines.output.media.names import label_folders
from pipelines.output.media.weights import joined, weighed
from pipelines.output.media.writing import Media, MediaMode, open_rows
from pipelines.run_directory import RunDirectory
from pipelines.sources.fragments import SourceRequest, pack_units, take_inventory
from splitting.errors import DataError
from tests.support.files import digest, local_paths, picture, reader_of, rows_of, write_files
from tests.support.object_store import BUCKET

FILE = "image_file"
WEB = {
    "cat/one.jpg": picture(1),
    "cat/two.png": picture(2, "PNG"),
    "Cat/one.jpg": picture(3),
    "fox/deep/one.jpg": picture(4, "JPEG", (64, 48)),
}
APP = {"cat/one.jpg": picture(5), "no label.webp": picture(6, "WEBP")}


@pytest.fixture
def rows(tmp_path: Path) -> pa.Table:
    """Rows of two sources, mixed."""
    write_files(tmp_path / "web", WEB)
    write_files(tmp_path / "app", APP)
    web = rows_of(WEB, "web", ["cat", "cat", "Cat", "../fox"], ["JPEG", "PNG", "JPEG", "JPEG"])
    app = rows_of(APP, "app", ["cat", None], ["JPEG", "WEBP"])
    return pa.concat_tables([web, app]).take([4, 0, 1, 5, 2, 3])


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory.at(str(tmp_path / "RUN"))


def media_of(tmp_path: Path, mode: MediaMode, rows: pa.Table, **more: Any) -> Media:
    folders = label_folders(pl.Series(pl.from_arrow(rows.column("label"))).cast(pl.String).unique())
    files = reader_of({"web": tmp_path / "web", "app": tmp_path / "app"})
    return Media(mode, files, label="label", folders=folders, **more)


def write(run: RunDirectory, media: Media, rows: pa.Table, split: str = "dev", parts: int = 2) -> ShardCheck:
    """Writes rows as one shard, in some calls, and checks it."""
    layout = Layout(1, {"dev": (0,)}, DATA if media.mode == "data" else TABLES)
    with open_rows(run, layout, split, 0, rows.schema, media) as writer:
        step = -(-len(rows) // parts)
        for start in range(0, len(rows), step):
            writer.write(rows.slice(start, step))
    check = ShardCheck(run, layout, split, 0, media)
    check.check()
    return check


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def written(rows: pa.Table) -> list[bytes]:
    """The bytes that each row stands for."""
    both = {"web": WEB, "app": APP}
    pairs = zip(rows.column("source").to_pylist(), rows.column("path").to_pylist(), strict=True)
    return [both[source][path] for source, path in pairs]


def test_hugging_face_opens_embedded_files_as_images(
    tmp_path: Path, run: RunDirectory, rows: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(run, media_of(tmp_path, "data", rows), rows)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    opened = datasets.load_dataset("parquet", data_files=f"{run.uri}/data/*.parquet", cache_dir=str(tmp_path / "cache"))
    part = opened["train"]
    assert isinstance(part.features["image"], datasets.Image)
    assert [image.format for image in part["image"]] == ["JPEG", "JPEG", "PNG", "WEBP", "JPEG", "JPEG"]
    assert part[5]["image"].size == (64, 48)
    raw = part.cast_column("image", datasets.Image(decode=False))["image"]
    assert [one["bytes"] for one in raw] == written(rows)
    assert [one["path"] for one in raw] == rows.column("path").to_pylist()
    assert part["brightness"][:] == rows.column("brightness").to_pylist()


def test_features_that_the_rows_told_of_are_kept(tmp_path: Path, run: RunDirectory, rows: pa.Table) -> None:
    told = {"info": {"features": {"label": {"_type": "Value", "dtype": "string"}}}}
    rows = rows.replace_schema_metadata({"huggingface": json.dumps(told), "mine": "kept"})
    write(run, media_of(tmp_path, "data", rows), rows)
    metadata = pq.read_schema(f"{run.uri}/data/dev-00000-of-00001.parquet").metadata
    assert metadata[b"mine"] == b"kept"
    features = json.loads(metadata[b"huggingface"])["info"]["features"]
    assert features == {"label": {"_type": "Value", "dtype": "string"}, "image": {"_type": "Image"}}


def test_webdataset_reads_tar_shards(tmp_path: Path, run: RunDirectory, rows: pa.Table) -> None:
    write(run, media_of(tmp_path, "webdataset", rows), rows)
    shard = f"{run.uri}/data/dev-000000.tar"
    samples = list(webdataset.WebDataset(shard, shardshuffle=False))
    assert len(samples) == len(rows)
    found = [next(sample[kind] for kind in ("jpg", "png", "webp") if kind in sample) for sample in samples]
    assert found == written(rows)
    told = [json.loads(sample["json"]) for sample in samples]
    assert [row["path"] for row in told] == rows.column("path").to_pylist()
    assert [row["label"] for row in told] == rows.column("label").to_pylist()
    assert [row["source"] for row in told] == rows.column("source").to_pylist()
    assert not {name for row in told for name in row if name.startswith("image_")}
    decoded = webdataset.WebDataset(shard, shardshuffle=False).decode("pil")
    assert [sample["jpg"].size for sample in decoded if "jpg" in sample] == [(24, 16), (24, 16), (24, 16), (64, 48)]
    table = pq.read_table(f"{run.uri}/tables/dev-00000-of-00001.parquet")
    assert table.drop_columns([FILE]).equals(rows)
    assert table.column(FILE).to_pylist()[2] == "data/dev-000000.tar/dev-000000-00000002.png"


def test_hugging_face_opens_tar_shards_of_one_format(
    tmp_path: Path, run: RunDirectory, rows: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = rows.filter(pc.equal(rows.column("format"), "JPEG"))
    write(run, media_of(tmp_path, "webdataset", rows), rows)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    opened = datasets.load_dataset("webdataset", data_files=f"{run.uri}/data/*.tar", cache_dir=str(tmp_path / "cache"))
    part = opened["train"]
    assert [image.size for image in part["jpg"]] == [(24, 16), (24, 16), (24, 16), (64, 48)]
    assert [row["path"] for row in part["json"]] == rows.column("path").to_pylist()


def test_whole_number_labels_are_classes_of_webdataset(tmp_path: Path, run: RunDirectory, rows: pa.Table) -> None:
    numbers = pa.array([3, 1, None, 2, 2, 2**40], pa.int64())
    rows = rows.set_column(rows.schema.get_field_index("label"), "label", numbers)
    write(run, media_of(tmp_path, "webdataset", rows), rows)
    opened = webdataset.WebDataset(f"{run.uri}/data/dev-000000.tar", shardshuffle=False).decode()
    assert [sample.get("cls") for sample in opened] == [3, 1, None, 2, 2, 2**40]


def test_headers_of_tar_files_tell_no_time_and_no_owner(tmp_path: Path, run: RunDirectory, rows: pa.Table) -> None:
    write(run, media_of(tmp_path, "webdataset", rows), rows)
    with tarfile.open(f"{run.uri}/data/dev-000000.tar") as tar:
        told = {(one.mtime, one.uid, one.gid, one.uname, one.gname, one.mode, one.isreg()) for one in tar}
    assert told == {(0, 0, 0, "", "", 0o644, True)}


def test_a_tar_file_of_no_rows_is_read_as_one(tmp_path: Path, run: RunDirectory, rows: pa.Table) -> None:
    layout, media = Layout(1, {"dev": (0,)}, TABLES), media_of(tmp_path, "webdataset", rows)
    with open_rows(run, layout, "dev", 0, rows.schema, media):
        pass
    ShardCheck(run, layout, "dev", 0, media).check()
    assert list(webdataset.WebDataset(f"{run.uri}/data/dev-000000.tar", shardshuffle=False, empty_check=False)) == []


def image_folder(root: Path) -> tuple[dict[str, int], list[tuple[Path, int]]]:
    """What torchvision's ImageFolder documents: classes are the sorted folders, samples the files below them."""
    classes = {path.name: number for number, path in enumerate(sorted(root.iterdir())) if path.is_dir()}
    return classes, [(path, at) for name, at in classes.items() for path in sorted((root / name).rglob("*"))]


def test_folders_hold_a_folder_a_label(tmp_path: Path, run: RunDirectory, rows: pa.Table) -> None:
    write(run, media_of(tmp_path, "folder", rows), rows)
    classes, samples = image_folder(Path(run.uri) / "data" / "dev")
    assert len(classes) == 4
    assert {"_.._fox", "_no_label"} < set(classes)
    assert sorted(name[:4].casefold() for name in classes if name[:3].casefold() == "cat") == ["cat-", "cat-"]
    assert sorted(digest(path.read_bytes()) for path, _ in samples) == sorted(map(digest, written(rows)))
    assert all(Image.open(io.BytesIO(path.read_bytes())).size for path, _ in samples)
    table = pq.read_table(f"{run.uri}/tables/dev-00000-of-00001.parquet")
    assert table.drop_columns([FILE]).equals(rows)
    assert [(Path(run.uri) / place).read_bytes() for place in table.column(FILE).to_pylist()] == written(rows)


def test_without_labels_files_lie_in_the_folder_of_the_split(tmp_path: Path, run: RunDirectory, rows: pa.Table) -> None:
    write(run, replace(media_of(tmp_path, "folder", rows), label=None), rows)
    assert {path.parent.name for path in (Path(run.uri) / "data").rglob("*") if path.is_file()} == {"dev"}


def test_hard_links_copy_nothing_and_can_be_made_twice(tmp_path: Path, run: RunDirectory, rows: pa.Table) -> None:
    media = media_of(tmp_path, "folder", rows, link=local_paths)
    write(run, media, rows)
    before = files_below(Path(run.uri))
    write(run, media, rows)
    assert files_below(Path(run.uri)) == before
    linked = {path.stat().st_ino for path in (Path(run.uri) / "data").rglob("*") if path.is_file()}
    assert linked == {path.stat().st_ino for name in ("web", "app") for path in (tmp_path / name).rglob("*.*")}
    one = tmp_path / "app" / "cat" / "one.jpg"
    data = one.read_bytes()
    one.unlink()
    one.write_bytes(data)
    write(run, media, rows)
    assert one.stat().st_nlink == 2
    assert not list((Path(run.uri) / "data").rglob(".*"))


@pytest.mark.parametrize("relative", [True, False])
def test_a_symbolic_link_gives_its_file_a_second_name(
    tmp_path: Path, run: RunDirectory, rows: pa.Table, *, relative: bool
) -> None:
    one, stored = tmp_path / "app/cat/one.jpg", tmp_path / "store/one.jpg"
    stored.parent.mkdir()
    one.rename(stored)
    one.symlink_to("../../store/one.jpg" if relative else stored)
    write(run, media_of(tmp_path, "folder", rows, link=local_paths), rows)
    linked = [path for path in (Path(run.uri) / "data").rglob("*") if path.is_file()]
    assert len(linked) == len(rows)
    assert not any(path.is_symlink() for path in linked)
    assert stored.stat().st_nlink == 2


def test_a_link_to_another_file_system_is_refused_with_the_cure(
    tmp_path: Path, run: RunDirectory, rows: pa.Table
) -> None:
    shm = Path("/dev/shm")
    if not shm.is_dir() or shm.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("one file system")
    (other := tmp_path / "other").symlink_to("/proc/version")

    def elsewhere(part: pa.Table, _base: str) -> list[str]:
        return [str(other.resolve())] * len(part)

    with pytest.raises(DataError, match=r"cannot be hard-linked to .* folder: \{link: copy\}"):
        write(run, media_of(tmp_path, "folder", rows, link=elsewhere), rows)


@pytest.mark.parametrize("mode", ["data", "webdataset", "folder"])
def test_the_size_of_batches_and_calls_changes_no_byte(
    tmp_path: Path, rows: pa.Table, mode: MediaMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = media_of(tmp_path, mode, rows)
    write(RunDirectory.at(str(tmp_path / "ONE")), media, rows, parts=1)
    monkeypatch.setattr(batches, "BATCH_ROWS", 1)
    write(RunDirectory.at(str(tmp_path / "TWO")), media, rows, parts=6)
    assert files_below(tmp_path / "ONE") == files_below(tmp_path / "TWO")


@pytest.mark.parametrize(
    ("mode", "link"), [("data", None), ("webdataset", None), ("folder", None), ("folder", local_paths)]
)
def test_a_file_that_changed_since_it_was_measured_is_told(
    tmp_path: Path, run: RunDirectory, rows: pa.Table, mode: MediaMode, link: Any
) -> None:
    one = tmp_path / "web" / "cat" / "one.jpg"
    one.write_bytes(one.read_bytes()[:-2] + b"\0\0")
    with pytest.raises(DataError, match=r"cat/one.jpg: the bytes are not those that were measured.* plan again"):
        write(run, media_of(tmp_path, mode, rows, link=link), rows)
    assert not [path for path in files_below(tmp_path / "RUN") if path.endswith((".parquet", ".tar"))]


def spoil(path: Path, old: bytes, new: bytes) -> None:
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))


@pytest.mark.parametrize("planted", ["bytes", "row", "no row", "more", "fewer", "no tar"])
def test_reading_back_finds_what_is_wrong_with_a_tar_file(
    tmp_path: Path, run: RunDirectory, rows: pa.Table, planted: str
) -> None:
    check = write(run, media_of(tmp_path, "webdataset", rows), rows)
    path = Path(run.uri) / tar_path("dev", 0)
    with tarfile.open(path) as tar:
        members = [(one, (tar.extractfile(one) or io.BytesIO()).read()) for one in tar]
    if planted == "bytes":
        spoil(path, WEB["cat/one.jpg"], WEB["cat/one.jpg"][:-1] + b"?")
    elif planted == "row":
        spoil(path, b'"cat/two.png"', b'"cat/tow.png"')
    elif planted == "no row":
        spoil(path, b'{"path":"cat/two.png"', b'["path","cat/two.png"')
    elif planted == "no tar":
        path.write_bytes(b"nothing of that kind" * 100)
    else:
        kept = members[:-2] if planted == "fewer" else [*members, (tarfile.TarInfo("dev-000000-00000006.jpg"), b"")]
        with tarfile.open(path, "w") as tar:
            for header, data in kept:
                header.size = len(data)
                tar.addfile(header, io.BytesIO(data))
    with pytest.raises(DataError, match=r"pply the plan again"):
        check.check()


@pytest.mark.parametrize("mode", ["data", "folder"])
def test_reading_back_finds_other_bytes(tmp_path: Path, run: RunDirectory, rows: pa.Table, mode: MediaMode) -> None:
    check = write(run, media_of(tmp_path, mode, rows), rows)
    if mode == "folder":
        next((Path(run.uri) / "data" / "dev").rglob("no label-*.webp")).write_bytes(b"else")
    else:
        path = Path(run.uri) / "data" / "dev-00000-of-00001.parquet"
        table = pq.read_table(path)
        field = table.schema.field("image")
        others = pa.array([{"bytes": b"else", "path": ""}] * len(table), field.type)
        pq.write_table(table.set_column(table.schema.get_field_index("image"), field, others), path)
    with pytest.raises(DataError, match="this run is not to be used"):
        check.check()


@pytest.mark.parametrize(("mode", "name"), [("data", "image"), ("webdataset", FILE), ("folder", FILE)])
def test_a_column_in_the_place_of_files_is_told(
    tmp_path: Path, run: RunDirectory, rows: pa.Table, mode: MediaMode, name: str
) -> None:
    rows = rows.append_column(name, pa.array([1] * len(rows)))
    with pytest.raises(DataError, match=f"have a column '{name}'"):
        write(run, media_of(tmp_path, mode, rows), rows)


def test_batches_are_bounded_by_the_bytes_of_files() -> None:
    sizes = [5, 5, 1, 30, 2, 2, 2, 2, 2, 20]
    rows = pa.table({"bytes": pa.array(sizes, pa.int64())})
    found = [batch.column("bytes").to_pylist() for batch in batches.bounded(rows, rows.column("bytes"), 10)]
    assert found == [[5, 5], [1], [30], [2, 2, 2, 2, 2], [20]]


@pytest.mark.parametrize("mode", ["data", "webdataset", "folder"])
@pytest.mark.usefixtures("store")
def test_an_object_store_gets_the_same_bytes(tmp_path: Path, rows: pa.Table, mode: MediaMode) -> None:
    media = media_of(tmp_path, mode, rows)
    write(RunDirectory.at(str(tmp_path / "RUN")), media, rows)
    there = RunDirectory.at(f"s3://{BUCKET}/{mode}")
    write(there, media, rows)
    on_disk = files_below(tmp_path / "RUN")
    assert {name: there.read(name) for name in on_disk} == on_disk
    selector = fs.FileSelector(there.path("").path, recursive=True)
    listed = there.path("").filesystem.get_file_info(selector)
    assert len([one for one in listed if one.type == fs.FileType.File]) == len(on_disk)


def test_memory_stays_flat_however_many_files_there_are(tmp_path: Path, run: RunDirectory) -> None:
    """2,000 files of 256 KiB: half a gigabyte goes through batches of 16 MiB."""
    size, count = 2**18, 2_000
    files = {f"{i}.jpg": b"" for i in range(count)}
    rows = rows_of(files, "web", ["cat"] * count, ["JPEG"] * count)
    big = pa.array([size] * count, pa.int64())
    rows = rows.set_column(rows.schema.get_field_index("bytes"), "bytes", big)
    digests = pa.array([digest(bytes(size))] * count)
    rows = rows.set_column(rows.schema.get_field_index("content_hash"), "content_hash", digests)
    read = [0]

    def zeros(part: pa.Table, _base: str) -> list[bytes]:
        read[0] = max(read[0], len(part) * size)
        return [bytes(size) for _ in range(len(part))]

    media = Media("webdataset", FileReader({"web": ""}, zeros, digest, "source"), "label")
    tracemalloc.start()
    try:
        write(run, media, rows, parts=1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert read[0] <= batches.BATCH_BYTES
    assert Path(run.uri, tar_path("dev", 0)).stat().st_size > count * size
    assert peak < 3 * batches.BATCH_BYTES


def test_units_weigh_what_the_files_of_their_rows_weigh(tmp_path: Path) -> None:
    sizes = [10, 20, 30, 40, 50, 60, 70]
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"bytes": pa.array(sizes, pa.int64())}), path, row_group_size=2)
    source = SourceRequest("web", (str(path),))
    fragments = take_inventory([source], None).fragments
    assert len(fragments) == 1
    rejects = replace(fragments[0], format="csv", row_groups=None, bytes=5)
    found = weighed([*fragments, rejects])
    assert [(one.row_groups, one.first_row, one.rows, one.bytes) for one in found] == [
        ((0, 1), 0, 2, 30),
        ((1, 2), 2, 2, 70),
        ((2, 3), 4, 2, 110),
        ((3, 4), 6, 1, 70),
        (None, 0, 7, 5),
    ]
    units = pack_units(found, 200)
    assert [[(one.row_groups, one.rows, one.bytes) for one in joined(part)] for part in units] == [
        [((0, 2), 4, 100)],
        [((2, 4), 3, 180), (None, 7, 5)],
    ]
    assert [one.bytes for one in joined(units[0])] == [100]


@pytest.fixture(autouse=True)
def no_left_overs(tmp_path: Path) -> Iterator[None]:
    """No attempt leaves a temporary file behind."""
    yield
    assert not list(tmp_path.rglob("*.part"))
