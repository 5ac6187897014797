"""Sources of images: from folders to splits, with what is no image told and set aside."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import tarfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from pipelines import api
from pipelines.run_directory import RunDirectory
from splitting.errors import DataError, RunDirectoryError, SpecError
from tests.support.pictures import encoded, picture, write, write_pictures

pytestmark = pytest.mark.e2e
GROCERIES = Path(__file__).resolve().parents[3] / "shared/data/grocery_phone_iconic"
SPEC = """
sources:
  web: {path: photos/web, format: images, label: {from: directory}}
  app: {path: photos/app, format: images, label: {from: directory}}
label: label
target: {source: app}
stratify: [label]
splits: {test: 8, dev: 8, train_dev: 6, train: rest}
checks: {probe: false}
"""


def write_spec(folder: Path, more: str = "") -> Path:
    return write(folder / "spec.yaml", (SPEC + more).encode())


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    write_pictures(tmp_path / "photos/web", 60)
    write_pictures(tmp_path / "photos/app", 40, first=1000)
    return tmp_path


def rows_of(run: Path, part: str) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(file) for file in sorted(run.glob(f"{part}-*.parquet"))])


def files_of(run: Path, *folders: str) -> dict[str, bytes]:
    return {
        str(path.relative_to(run)): path.read_bytes()
        for folder in folders
        for path in sorted((run / folder).rglob("*"))
        if path.is_file()
    }


def job_counters(run: Path, job: str) -> dict[str, int]:
    jobs = json.loads((run / "metrics.json").read_text())["plan"]["jobs"]
    return next(one["counters"] for one in jobs if one["job"] == job)


def test_the_shortest_spec_is_a_whole_one(photos: Path) -> None:
    result = api.run(write_spec(photos), photos / "run")
    assert result.success
    data = {name: rows_of(photos / "run", f"data/{name}") for name in ("train", "train_dev", "dev", "test")}
    assert {name: len(rows) for name, rows in data.items()} == {"train": 78, "train_dev": 6, "dev": 8, "test": 8}
    for name in ("dev", "test"):
        assert set(data[name]["source"]) == {"app"}
        assert Counter(data[name]["label"]) == {"cat": 4, "dog": 4}
    whole = pl.concat(data.values())
    assert whole.select("source", "path").n_unique() == 100
    assert all(path.startswith(f"{label}/") for path, label in whole.select("path", "label").iter_rows())
    assert whole["width"].unique().to_list() == [96]
    assert whole["content_hash"].n_unique() == 100
    assert whole.schema["perceptual_hash"] == pl.UInt64
    resolved = (photos / "run/spec.yaml").read_text()
    assert "- path" in resolved


def test_the_same_path_in_two_sources_is_two_examples(tmp_path: Path) -> None:
    write_pictures(tmp_path / "photos/web", 40)
    write_pictures(tmp_path / "photos/app", 40)
    api.run(write_spec(tmp_path, "linked_by: []\n"), tmp_path / "run")
    assert sum(len(rows_of(tmp_path / "run", f"data/{name}")) for name in ("train", "train_dev", "dev", "test")) == 80


def test_what_is_no_image_is_rejected_with_its_reason(photos: Path) -> None:
    web = photos / "photos/web/cat"
    whole = encoded(picture(7))
    write(web / "cut.jpg", whole[: len(whole) // 2])
    write(web / "empty.jpg", b"")
    write(web / "text.jpg", b"this is a text, not an image")
    write(web / "really.png", whole)
    write(web / "bomb.png", encoded(picture(8, 400, 300), "PNG"))
    write(web / "notes.txt", b"left out")
    spec = write_spec(photos, "images: {max_pixels: 100000}\n")
    api.run(spec, photos / "run")
    rejected = rows_of(photos / "run", "rejected/lines")
    kinds = {row["text"]: row["reason"].partition(":")[0] for row in rejected.iter_rows(named=True)}
    assert kinds == {
        "cat/cut.jpg": "broken image",
        "cat/empty.jpg": "empty file",
        "cat/text.jpg": "not an image",
        "cat/really.png": "mislabelled image",
        "cat/bomb.png": "image too large",
    }
    plan = json.loads((photos / "run/plan/plan.json").read_text())
    assert "broken image" in json.dumps(plan)


def test_too_many_rejected_images_fail_the_plan(photos: Path) -> None:
    for i in range(6):
        write(photos / f"photos/web/cat/broken{i}.jpg", b"\xff\xd8\xff\xe0 nothing")
    spec = write_spec(photos, "images: {max_rejected: 5%}\n")
    with pytest.raises(DataError, match=r"6 of 66 images are rejected \(6 broken image\), more than max_rejected 5%"):
        api.plan(spec, photos / "run")
    api.plan(write_spec(photos, "images: {max_rejected: 6}\n"), photos / "run")


def test_an_unchanged_file_is_not_decoded_again(photos: Path) -> None:
    spec = write_spec(photos)
    api.plan(spec, photos / "one")
    assert job_counters(photos / "one", "ingest")["members_taken"] == 100
    assert job_counters(photos / "one", "ingest").get("members_reused", 0) == 0
    before = files_of(photos / "one", "ingest")
    touched, changed = photos / "photos/web/cat/000.jpg", photos / "photos/web/dog/001.jpg"
    os.utime(touched, ns=(1, 1))
    write(changed, encoded(picture(999)))
    api.plan(spec, photos / "one", overwrite=True)
    assert job_counters(photos / "one", "ingest")["members_reused"] == 99
    after = files_of(photos / "one", "ingest")
    differing = {name for name in after if before[name] != after[name]}
    assert differing == {"ingest/web/table-00000.parquet", "ingest/web/stamps-00000.parquet"}
    api.plan(spec, photos / "two")
    assert {n: b for n, b in files_of(photos / "two", "ingest").items() if "table" in n} == {
        n: b for n, b in after.items() if "table" in n
    }


def test_an_ingest_that_was_killed_is_taken_up_where_it_was(photos: Path) -> None:
    """A part that was finished is taken over; half a part, as a killed worker leaves it, is done again."""
    write_pictures(photos / "photos/web", 240, first=100)
    spec = write_spec(photos)
    api.plan(spec, photos / "whole")
    whole = files_of(photos / "whole", "ingest")
    for name in ("ingest/web/table-00000.parquet", "ingest/web/stamps-00000.parquet", "ingest/web/table-00001.parquet"):
        write(photos / "run" / name, whole[name])
    write(photos / "run/ingest/web/.table-00000.parquet.0.part", b"half")
    api.plan(spec, photos / "run")
    assert job_counters(photos / "run", "ingest")["members_reused"] == 75  # of 300, in four parts
    assert files_of(photos / "run", "ingest") == whole


def test_a_continued_run_takes_over_what_was_measured_and_moves_nothing(photos: Path) -> None:
    spec = write_spec(photos)
    api.run(spec, photos / "one")
    write_pictures(photos / "photos/app", 10, first=2000)
    api.run(spec, photos / "two", previous=photos / "one")
    counters = job_counters(photos / "two", "ingest")
    assert (counters["members_taken"], counters["members_reused"]) == (110, 100)
    for name in ("dev", "test", "train_dev"):
        old, new = (set(rows_of(photos / run, f"data/{name}")["path"]) for run in ("one", "two"))
        assert old == new


def test_plans_and_data_are_the_same_bytes_wherever_they_are_made(photos: Path) -> None:
    spec = write_spec(photos)
    write(photos / "photos/app/dog/broken.jpg", b"\xff\xd8 nothing")
    api.run(spec, photos / "one", beam_options=["--direct_num_workers=1"])
    api.run(spec, photos / "elsewhere" / "two", beam_options=["--direct_num_workers=2"])
    one, two = (files_of(photos / run, "data", "rejected") for run in ("one", "elsewhere/two"))
    assert one == two
    assert (photos / "one/plan/plan.json").read_bytes() == (photos / "elsewhere/two/plan/plan.json").read_bytes()


def test_an_index_points_to_images(photos: Path) -> None:
    api.run(write_spec(photos, "output: index\n"), photos / "run")
    dev = rows_of(photos / "run", "data/dev")
    assert {"source", "path"} <= set(dev.columns)
    assert all((photos / "photos" / row["source"] / row["path"]).exists() for row in dev.iter_rows(named=True))


def test_a_run_is_judged_and_reported_again(photos: Path) -> None:
    api.run(write_spec(photos), photos / "run")
    assert api.validate(photos / "run").success
    assert Path(api.report(photos / "run")).exists()


def test_another_run_s_folder_of_tables_is_no_stranger(photos: Path) -> None:
    write(photos / "run/other.txt", b"x")
    with pytest.raises(RunDirectoryError, match="not a run directory"):
        api.plan(write_spec(photos), photos / "run")


def test_a_label_cannot_be_called_as_a_measure(photos: Path) -> None:
    spec = write(photos / "spec.yaml", SPEC.replace("label: label", "label: width").replace("[label]", "[]").encode())
    with pytest.raises(SpecError, match="got 'width', which is a column that is measured; choose another name"):
        api.plan(spec, photos / "run")


def test_a_folder_without_images_says_so(photos: Path) -> None:
    empty = photos / "photos/none"
    empty.mkdir()
    spec = write(photos / "spec.yaml", SPEC.replace("photos/web", "photos/none").encode())
    with pytest.raises(DataError, match="source 'web': no images in photos/none; check the path"):
        api.plan(spec, photos / "run")


@pytest.mark.skipif(not GROCERIES.exists(), reason="the shared data is not here")
def test_groceries_from_phones_against_a_web_shop(tmp_path: Path) -> None:
    spec = write(
        tmp_path / "spec.yaml",
        f"""
name: groceries
salt: g1
sources:
  shop: {{path: {GROCERIES}/iconic, format: images, label: {{from: directory}}}}
  phone: {{path: {GROCERIES}/phone, format: images, label: {{from: directory}}}}
label: label
target: {{source: phone}}
stratify: [label]
splits: {{test: 50, dev: 50, train_dev: 40, train: rest}}
checks: {{min_rows: 30}}
""".encode(),
    )
    result = api.run(spec, tmp_path / "run")
    assert result.success
    with (GROCERIES / "manifest.csv").open() as file:
        manifest = {row["file"]: row for row in csv.DictReader(file)}
    splits = ("train", "train_dev", "dev", "test")
    rows = pl.concat([rows_of(tmp_path / "run", f"data/{name}") for name in splits], how="vertical")
    assert len(rows) == len(manifest) == 287
    folders = {"shop": "iconic", "phone": "phone"}
    distances = []
    for row in rows.iter_rows(named=True):
        known = manifest[f"{folders[row['source']]}/{row['path']}"]
        assert row["content_hash"] == known["sha256"]
        assert (row["width"], row["height"], row["bytes"]) == tuple(int(known[n]) for n in ("width", "height", "bytes"))
        assert row["label"] == known["label"]
        distances.append((row["perceptual_hash"] ^ int(known["phash"], 16)).bit_count())
    assert sorted(distances)[int(0.9 * len(distances))] == 0
    assert max(distances) <= 4
    # The manifest names no group of near-duplicates, and its own hashes are 6 bits apart and more: none is found.
    assert {row["neardup_group"] for row in manifest.values()} == {""}
    hashes = [int(row["phash"], 16) for row in manifest.values()]
    assert min((one ^ other).bit_count() for i, one in enumerate(hashes) for other in hashes[:i]) == 6
    assert result.plan.links is None or result.plan.links.clusters == 0
    assert RunDirectory.at(str(tmp_path / "run")).finished


def write_shard(path: Path, count: int, first: int, price: Callable[[int], object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for number in range(first, first + count):
            for name, data in (
                (f"{number}.jpg", encoded(picture(number))),
                (f"{number}.json", json.dumps({"price": price(number)}).encode()),
            ):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))


def test_archives_whose_json_disagrees_and_a_run_that_is_moved_before_it_is_applied(tmp_path: Path) -> None:
    write_shard(tmp_path / "photos/web/0.tar", 30, 0, lambda number: number)
    write_shard(tmp_path / "photos/app/0.tar", 30, 1_000, lambda number: "free" if number % 2 else 1.5)
    spec = (
        SPEC.replace(", label: {from: directory}", "").replace("label: label\n", "").replace("stratify: [label]\n", "")
    )
    planned = api.plan(write(tmp_path / "spec.yaml", spec.encode()), tmp_path / "first")
    assert str(tmp_path) not in (tmp_path / "first/plan/inputs.json").read_text()
    shutil.move(tmp_path / "first", tmp_path / "elsewhere")
    result = api.apply(tmp_path / "elsewhere")
    assert planned is not None
    assert result.success
    whole = pl.concat(
        [rows_of(tmp_path / "elsewhere", f"data/{name}") for name in ("train", "train_dev", "dev", "test")]
    )
    assert set(whole["price"]) == {*map(str, range(30)), "free", "1.5"}
