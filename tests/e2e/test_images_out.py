"""A run of images from files to files: every byte arrives, in each way of writing, whatever is killed or run again."""

from __future__ import annotations

import hashlib
import json
import random
import re
import shutil
import signal
import time
import wave
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import datasets
import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
import webdataset
from PIL import Image, ImageFilter

from pipelines import api
from pipelines.cli.main import run_command
from splitting.errors import DataError, SpecError
from tests.support.browser import LAPTOP, PHONE, WIDE, barriers, chromium, needs_browser, opened
from tests.support.command import files, start
from tests.support.object_store import BUCKET, objects, upload

pytestmark = pytest.mark.e2e

SPEC = """
name: photos
salt: photos-1
sources:
  web: {{path: web, format: images, label: {{from: directory}}}}
  app: {{path: app, format: images, label: {{from: directory}}}}
label: label
target: {{source: app}}
stratify: [label]
splits: {{test: {test}, dev: {dev}, train_dev: {train_dev}, train: rest}}
output: {output}
checks: {{profile: false}}
{more}
"""
MODES = ("data", "index", "webdataset", "folder")
SPLITS = ("train", "train_dev", "dev", "test")
WEB, APP = 150, 90
FEW = {"test": 3, "dev": 3, "train_dev": 3}


def write_photos(folder: Path, web: int = WEB, app: int = APP, size: int = 24) -> None:
    """Photos of noise, none like another: sharp and bright from the web, blurred and dark from the app."""
    for source, count in (("web", web), ("app", app)):
        for number in range(count):
            values = np.random.default_rng([source == "app", number]).integers(0, 256, (size, size, 3), np.uint8)
            image = Image.fromarray(values).resize((size * 2, size), Image.Resampling.NEAREST)
            if source == "app":
                image = image.filter(ImageFilter.GaussianBlur(1)).point(lambda value: value // 2)
            path = (
                folder / source / ("cat", "Dog", "red fox")[number % 3] / f"{number}.{'png' if number % 7 else 'jpg'}"
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            image.save(path)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    write_photos(folder)
    return folder


def write_spec(
    folder: Path, output: str, more: str = "", name: str = "", *, test: int = 20, dev: int = 24, train_dev: int = 30
) -> Path:
    path = folder / f"{name or output}.yaml"
    path.write_text(SPEC.format(output=output, more=more, test=test, dev=dev, train_dev=train_dev))
    return path


@pytest.fixture(scope="module")
def runs(photos: Path) -> Mapping[str, Path]:
    """A run in each way of writing."""
    for mode in MODES:
        assert api.run(str(write_spec(photos, mode)), str(photos / "runs" / mode), shard_bytes=60_000).success
    return {mode: photos / "runs" / mode for mode in MODES}


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def inputs(folder: Path) -> dict[tuple[str, str], str]:
    """The hash of every file, by source and path."""
    found = {}
    for source in ("web", "app"):
        for path in (folder / source).rglob("*.*"):
            found[source, str(path.relative_to(folder / source))] = digest(path.read_bytes())
    return found


def tables(run: Path, split: str) -> pl.DataFrame:
    """The rows of a split, without files."""
    folder = "tables" if (run / "tables").exists() else "data"
    return pl.read_parquet(sorted((run / folder).glob(f"{split}-[0-9]*.parquet")))


def written(run: Path, mode: str, split: str) -> list[tuple[tuple[str, str], str]]:
    """The hash of every file of a split as its readers find it, by source and path."""
    if mode == "data":
        rows = tables(run, split)
        images = rows["image"].struct.field("bytes")
        return list(zip(rows.select("source", "path").rows(), map(digest, images), strict=True))
    if mode == "webdataset":
        shards = [str(path) for path in sorted((run / "data").glob(f"{split}-[0-9]*.tar"))]
        samples = list(webdataset.WebDataset(shards, shardshuffle=False, empty_check=False))
        told = [json.loads(sample["json"]) for sample in samples]
        return [
            ((row["source"], row["path"]), digest(sample.get("jpg") or sample["png"]))
            for row, sample in zip(told, samples, strict=True)
        ]
    rows = tables(run, split)
    places = [digest((run / place).read_bytes()) for place in rows["image_file"]]
    return list(zip(rows.select("source", "path").rows(), places, strict=True))


@pytest.mark.parametrize("mode", ["data", "webdataset", "folder"])
def test_every_file_arrives_once_byte_for_byte(photos: Path, runs: Mapping[str, Path], mode: str) -> None:
    found = [item for split in SPLITS for item in written(runs[mode], mode, split)]
    held_out = [one for path in (runs[mode] / "held_out").glob("*") for one in pl.read_parquet(path).rows(named=True)]
    aside = [((row["source"], row["path"]), row["content_hash"]) for row in held_out]
    assert Counter([*found, *aside]) == Counter(inputs(photos).items())
    assert Counter(source for (source, _), _ in written(runs[mode], mode, "dev")) == {"app": 24}


@pytest.mark.parametrize("mode", MODES)
def test_the_way_of_writing_decides_no_split(runs: Mapping[str, Path], mode: str) -> None:
    for split in SPLITS:
        names = tables(runs[mode], split).select("source", "path").sort("source", "path")
        assert names.equals(tables(runs["data"], split).select("source", "path").sort("source", "path"))


def test_an_index_says_where_the_files_are_and_copies_nothing(photos: Path, runs: Mapping[str, Path]) -> None:
    rows = tables(runs["index"], "dev")
    assert {"label", "image_uri", "image_offset", "image_row", "perceptual_hash", "split"} < set(rows.columns)
    for row in rows.rows(named=True):
        data = (photos / row["source"] / row["image_uri"]).read_bytes()
        assert (len(data), digest(data)) == (row["image_size"], row["content_hash"])
    assert {path.suffix for path in (runs["index"] / "data").iterdir()} == {".parquet"}


@pytest.mark.parametrize("mode", ["data", "folder"])
def test_hugging_face_opens_the_run(
    runs: Mapping[str, Path], mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    opened = datasets.load_dataset(str(runs[mode]), cache_dir=str(tmp_path / "cache"))
    assert {name: part.num_rows for name, part in opened.items()} == {
        split: len(tables(runs[mode], split)) for split in SPLITS
    }
    assert isinstance(opened["dev"].features["image"], datasets.Image)
    assert {image.size for image in opened["dev"]["image"]} == {(48, 24)}
    if mode == "folder":
        assert opened["dev"].features["label"].names == sorted(["cat", "Dog", "red fox"])


def test_folders_are_those_that_image_folder_reads(runs: Mapping[str, Path]) -> None:
    for split in SPLITS:
        root = runs["folder"] / "data" / split
        assert sorted(path.name for path in root.iterdir()) == ["Dog", "cat", "red fox"]
        assert all(path.is_file() and path.suffix in {".jpg", ".png"} for path in root.glob("*/*"))
        assert not list(root.rglob(".*"))
        by_label = Counter(path.parent.name for path in root.glob("*/*"))
        assert by_label == Counter(tables(runs["folder"], split)["label"])


def test_hard_links_take_no_room(photos: Path, runs: Mapping[str, Path]) -> None:
    spec = write_spec(photos, "folder", "folder: {link: hard}", name="linked")
    assert api.run(str(spec), str(photos / "runs" / "linked"), shard_bytes=60_000).success
    linked, copied = photos / "runs" / "linked", runs["folder"]
    assert files(linked / "data") == files(copied / "data")
    inodes = {path.stat().st_ino for source in ("web", "app") for path in (photos / source).rglob("*.*")}
    assert {path.stat().st_ino for path in (linked / "data").rglob("*.*") if path.is_file()} <= inodes
    assert not {path.stat().st_ino for path in (copied / "data").rglob("*.*") if path.is_file()} & inodes


@pytest.mark.parametrize("mode", MODES)
def test_a_run_done_again_is_the_same_bytes(photos: Path, runs: Mapping[str, Path], mode: str) -> None:
    before = files(runs[mode])
    again = photos / "runs" / f"{mode}-again"
    assert api.run(str(photos / f"{mode}.yaml"), str(again), shard_bytes=60_000).success
    after = files(again)
    for name in ("plan/inputs.json", *(name for name in after if name.startswith("ingest/"))):  # these name the run
        before.pop(name)
        after.pop(name)
    assert after == before


@pytest.mark.parametrize("mode", ["webdataset", "folder"])
def test_a_killed_run_is_finished_by_the_same_command(photos: Path, runs: Mapping[str, Path], mode: str) -> None:
    run, draw = photos / "runs" / f"{mode}-killed", random.Random(mode)
    arguments = ["apply", str(run), "--quiet", "--shard-size", "60000"]
    api.plan(str(photos / f"{mode}.yaml"), str(run))
    begun = time.monotonic()
    for _ in range(3):
        process = start(arguments)
        time.sleep(draw.uniform(2, 6))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert time.monotonic() > begun
    assert run_command(["apply", str(run), "--quiet", "--shard-size", "60000", "--overwrite"]) == 0
    assert {name: data for name, data in files(run).items() if name.startswith(("data/", "tables/"))} == {
        name: data for name, data in files(runs[mode]).items() if name.startswith(("data/", "tables/"))
    }


@pytest.mark.parametrize("mode", ["webdataset", "folder"])
def test_a_run_that_grows_moves_nothing(runs: Mapping[str, Path], mode: str, tmp_path: Path) -> None:
    write_photos(tmp_path, WEB + 60, APP + 30)
    spec = write_spec(tmp_path, mode, dev=30)
    assert api.run(str(spec), str(tmp_path / "RUN"), previous=str(runs[mode])).success
    old, new = ({split: set(written(run, mode, split)) for split in SPLITS} for run in (runs[mode], tmp_path / "RUN"))
    assert old["dev"] < new["dev"]
    assert old["test"] == new["test"]
    assert not old["train"] & (new["dev"] | new["test"] | new["train_dev"])
    assert run_command(["diff", str(runs[mode]), str(tmp_path / "RUN")]) == 0


@pytest.mark.parametrize("mode", ["data", "webdataset", "folder"])
def test_a_file_that_changed_after_planning_fails_the_run(tmp_path: Path, mode: str) -> None:
    write_photos(tmp_path)
    api.plan(str(write_spec(tmp_path, mode)), str(tmp_path / "RUN"))
    path = tmp_path / "app" / "cat" / "3.png"
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(DataError, match=r"cat/3\.png: the bytes are not those that were measured"):
        api.apply(str(tmp_path / "RUN"))
    assert not (tmp_path / "RUN" / "_SUCCESS").exists()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("output: webdataset", "output: webdataset writes files, and this source is a table"),
        ("output: folder", "output: folder writes files, and this source is a table"),
        ("folder: {link: hard}", "says how output: folder puts files there"),
        ("output: tar", "data, index, webdataset or folder"),
    ],
)
def test_what_cannot_be_written_is_told_of_the_spec(tmp_path: Path, text: str, place: str) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(
        "name: a\nsalt: b\nsources: {app: {path: app.csv}}\nkey: id\ntarget: {source: app}\nsplits: {dev: 1}\n" + text
    )
    with pytest.raises(SpecError, match=re.escape(place)):
        api.plan(str(path), str(tmp_path / "RUN"))


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As many as a store takes and gives in seconds, and a spec for each way of writing."""
    folder = tmp_path_factory.mktemp("few")
    write_photos(folder, 15, 12)
    for mode in MODES:
        write_spec(folder, mode, **FEW)
    return folder


@pytest.fixture(scope="module")
def stored(few: Path, store: int) -> int:
    """The port of an S3 server that holds them."""
    upload(store, few, "photos")
    return store


@pytest.mark.parametrize("mode", MODES)
def test_sources_and_run_on_object_storage_give_the_same_bytes(
    few: Path, stored: int, mode: str, tmp_path: Path
) -> None:
    assert api.run(str(few / f"{mode}.yaml"), str(tmp_path / mode), shard_bytes=20_000).success
    assert api.run(f"s3://{BUCKET}/photos/{mode}.yaml", f"s3://{BUCKET}/runs/{mode}", shard_bytes=20_000).success
    on_disk, found = (
        {name: data for name, data in all_of_it.items() if name.split("/")[0] in {"data", "tables"}}
        for all_of_it in (files(tmp_path / mode), objects(stored, f"runs/{mode}"))
    )
    assert len(on_disk) >= 4
    assert found == on_disk


@pytest.mark.usefixtures("stored")
def test_files_of_an_object_store_cannot_be_linked(few: Path, tmp_path: Path) -> None:
    text = write_spec(tmp_path, "folder", "folder: {link: hard}", **FEW).read_text()
    away = text.replace("path: web", f"path: s3://{BUCKET}/photos/web").replace(
        "path: app", f"path: s3://{BUCKET}/photos/app"
    )
    (tmp_path / "away.yaml").write_text(away)
    with pytest.raises(DataError, match=r"is no file of its own on a local disk.*folder: \{link: copy\}"):
        api.run(str(tmp_path / "away.yaml"), str(tmp_path / "RUN"))
    (few / "home.yaml").write_text(text)
    with pytest.raises(DataError, match=r"is on no local disk.*folder: \{link: copy\}"):
        api.run(str(few / "home.yaml"), f"s3://{BUCKET}/runs/linked")


def test_sounds_go_out_as_images_do(tmp_path: Path) -> None:
    """Tones of WAV, written by the standard library."""
    tones = {}
    for source, count in (("studio", 40), ("phone", 30)):
        for number in range(count):
            path = tmp_path / source / str(number % 2) / f"{number}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            wave_of = np.sin(np.arange(800) * (0.02 + 0.001 * number + (source == "phone")))
            with wave.open(str(path), "wb") as sink:
                sink.setparams((1, 2, 8000, 0, "NONE", ""))
                sink.writeframes((wave_of * 20_000).astype("<i2").tobytes())
            tones[source, str(path.relative_to(tmp_path / source))] = digest(path.read_bytes())
    spec = SPEC.replace("web", "studio").replace("app", "phone").replace("images", "audio")
    for mode, kind in (("data", "parquet"), ("webdataset", "tar"), ("folder", "wav")):
        (tmp_path / f"{mode}.yaml").write_text(spec.format(output=mode, more="", test=8, dev=8, train_dev=30))
        run = tmp_path / f"RUN-{mode}"
        assert api.run(str(tmp_path / f"{mode}.yaml"), str(run)).success
        assert {path.suffix for path in (run / "data").rglob("*") if path.is_file()} == {f".{kind}"}
    rows = pl.concat([tables(tmp_path / "RUN-data", split) for split in SPLITS])
    sounds = map(digest, rows["audio"].struct.field("bytes"))
    assert dict(zip(rows.select("source", "path").rows(), sounds, strict=True)) == tones
    rows = pl.concat([tables(tmp_path / "RUN-folder", split) for split in SPLITS])
    sounds = (digest((tmp_path / "RUN-folder" / place).read_bytes()) for place in rows["audio_file"])
    assert dict(zip(rows.select("source", "path").rows(), sounds, strict=True)) == tones
    metadata = json.loads(
        pq.read_schema(tmp_path / "RUN-data/data/dev-00000-of-00001.parquet").metadata[b"huggingface"]
    )
    assert metadata["info"]["features"]["audio"] == {"_type": "Audio"}


# Thumbnails


@pytest.fixture(scope="module")
def shown(photos: Path) -> Path:
    """A measured run."""
    path = write_spec(photos, "index", name="shown")
    path.write_text(path.read_text().replace("{profile: false}", "{min_rows: 20, probe: false}"))
    assert api.run(str(path), str(photos / "runs" / "shown")).success
    return photos / "runs" / "shown"


def test_the_report_shows_typical_and_extreme_images(shown: Path) -> None:
    page = (shown / "report.html").read_text()
    assert len(page) < 500_000
    pictures = re.findall(r'<img src="data:image/jpeg;base64,[^"]+" width="48" height="24" alt="([^"]+)"', page)
    assert len(pictures) > 30
    for split in SPLITS:
        assert any(text.endswith(f"typical of {split}") for text in pictures)
    assert any("brightness" in text and "lowest of dev" in text for text in pictures)
    assert any(text.startswith("app: ") for text in pictures)
    before = (shown / "report.html").read_bytes()
    api.report(str(shown))
    assert (shown / "report.html").read_bytes() == before


def test_the_report_shows_none_where_the_spec_says_so(photos: Path, shown: Path) -> None:
    text = (photos / "shown.yaml").read_text() + "report: {thumbnails: off}\n"
    (photos / "hidden.yaml").write_text(text)
    assert api.run(str(photos / "hidden.yaml"), str(photos / "runs" / "hidden")).success
    assert "data:image" not in (photos / "runs" / "hidden" / "report.html").read_text()
    assert not (photos / "runs" / "hidden" / "profile" / "thumbnails.parquet").exists()


def test_the_report_needs_no_image_any_more(shown: Path, tmp_path: Path) -> None:
    shutil.copytree(shown, tmp_path / "moved")
    page = (shown / "report.html").read_bytes()
    api.report(str(tmp_path / "moved"))
    assert (tmp_path / "moved" / "report.html").read_bytes() == page


@needs_browser
@pytest.mark.parametrize("width", [LAPTOP, PHONE])
def test_a_browser_shows_every_picture(shown: Path, width: int) -> None:
    with chromium() as browser, opened(browser, shown / "report.html", width) as page:
        assert page.evaluate("document.images.length") > 30
        assert page.evaluate("[...document.images].every(one => one.complete && one.naturalWidth > 0 && one.alt)")
        assert page.evaluate(WIDE) <= width
        assert barriers(page) == []
