"""The demo's photos: the same every time, with the copies that its list names, from an installed package alone."""

from __future__ import annotations

import csv
import importlib.util
import json
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl
import pytest
from PIL import Image

from pipelines import api
from tests.support.pictures import write

ROOT = Path(__file__).parents[2]
FEWER = {"WEB": 500, "APP": 100, "COPIES": 30, "SCREENSHOTS": 20}
"""A quarter of the photos of the demo, and half of those from the app."""
SMALLER = {
    "test: 80": "test: 40",
    "dev: 80": "dev: 40",
    "train_dev: 300": "train_dev: 75",
    "min_rows: 50": "min_rows: 30",
}


@pytest.fixture(scope="module")
def prepare() -> ModuleType:
    spec = importlib.util.spec_from_file_location("prepare_images", ROOT / "examples/images/prepare.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    assert (module.WEB, module.APP, module.COPIES, module.SCREENSHOTS) == (2_000, 200, 60, 40)
    for name, count in FEWER.items():
        setattr(module, name, count)
    return module


def test_one_subject_is_written_the_same_twice(prepare: ModuleType, tmp_path: Path) -> None:
    photographs = prepare.read_photographs()
    assert len(photographs) == 10
    planted = prepare.write_subject("cat", photographs["cat"], tmp_path / "one")
    assert prepare.write_subject("cat", photographs["cat"], tmp_path / "two") == planted
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.jpg"))
    assert Counter(path.parts[0] for path in files) == {"web": 50, "app": 10}
    for path in files:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()
    assert Counter(copy.split("/")[0] for copy, _, _ in planted) == {"web": 3, "app": 2}
    assert len({original for _, original, _ in planted}) == len(planted)


def test_app_photos_are_darker_and_less_sharp(prepare: ModuleType, tmp_path: Path) -> None:
    prepare.write_subject("coffee", prepare.read_photographs()["coffee"], tmp_path)
    looks: dict[str, list[tuple[float, float]]] = {"web": [], "app": []}
    for source, found in looks.items():
        for path in sorted((tmp_path / source / "coffee").iterdir())[:16]:
            with Image.open(path) as image:
                grey = np.asarray(image.convert("L"), dtype=np.float64)
            found.append((grey.mean(), float(np.abs(np.diff(grey, axis=1)).mean())))
    (web_light, web_edges), (app_light, app_edges) = (np.mean(looks[source], axis=0) for source in ("web", "app"))
    assert app_light < 0.8 * web_light
    assert app_edges < 0.8 * web_edges


@pytest.fixture(scope="module")
def demo(prepare: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make demo-images` does, in a folder of its own, with fewer photos."""
    folder = tmp_path_factory.mktemp("demo")
    spec = (ROOT / "examples/images/images.yaml").read_text()
    for told, wanted in SMALLER.items():
        assert told in spec
        spec = spec.replace(told, wanted)
    write(folder / "images/images.yaml", spec.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["prepare.py", "--out", str(folder / "images/data")])
        prepare.main()
    assert api.run(str(folder / "images/images.yaml"), str(folder / "RUN")).success
    return folder


@pytest.mark.e2e
def test_the_program_writes_all_photos_and_lists_the_copies(demo: Path) -> None:
    data = demo / "images/data"
    files = {str(path.relative_to(data)) for path in data.rglob("*.jpg")}
    assert Counter(name.split("/")[0] for name in files) == {"web": FEWER["WEB"], "app": FEWER["APP"]}
    pairs = planted(demo)
    assert {name for pair in pairs for name in pair} <= files
    assert sum(copy.startswith("app/") for copy, _ in pairs) == FEWER["SCREENSHOTS"]


def planted(folder: Path) -> list[tuple[str, str]]:
    with (folder / "images/data/planted.csv").open() as file:
        return [(row["copy"], row["original"]) for row in csv.DictReader(file)]


def places(folder: Path) -> dict[str, str]:
    """The split of every photo, or that it is held out."""
    parts = [
        pl.read_parquet(path).select(pl.format("{}/{}", "source", "path").alias("photo"), where=pl.lit(where))
        for where in ("train", "train_dev", "dev", "test")
        for path in (folder / "RUN/tables").glob(f"{where}-[0-9]*.parquet")
    ]
    parts += [
        pl.read_parquet(path).select(pl.format("{}/{}", "source", "path").alias("photo"), where=pl.lit("held_out"))
        for path in (folder / "RUN/held_out").glob("rows-*.parquet")
    ]
    return dict(pl.concat(parts).iter_rows())


@pytest.mark.e2e
def test_every_planted_copy_is_found(demo: Path) -> None:
    where, pairs = places(demo), planted(demo)
    assert len(where) == FEWER["WEB"] + FEWER["APP"]
    assert len(pairs) == FEWER["COPIES"] + FEWER["SCREENSHOTS"]
    apart = [pair for pair in pairs if where[pair[0]] != where[pair[1]] and "held_out" not in map(where.get, pair)]
    assert apart == []
    assert sum(where[copy] in {"dev", "test"} and where[original] == "held_out" for copy, original in pairs) > 10


@pytest.mark.e2e
def test_the_report_names_sharpness_and_brightness(demo: Path) -> None:
    document = json.loads((demo / "RUN/validation.json").read_text())
    told = " ".join(finding["sentence"] for finding in document["findings"])
    assert "`sharpness`" in told
    assert "`brightness`" in told
    page = (demo / "RUN/report.html").read_text()
    assert len(page) < 500_000
    assert "Extremes of <bdi>sharpness</bdi>" in page
    assert "Extremes of <bdi>brightness</bdi>" in page


@pytest.mark.e2e
def test_the_files_of_the_demo_are_the_photos(demo: Path) -> None:
    rows = pl.read_parquet(demo / "RUN/tables/dev-*.parquet")
    assert len(rows) == 40
    for source, path, place in rows.select("source", "path", "image_file").iter_rows():
        assert (demo / "RUN" / place).read_bytes() == (demo / "images/data" / source / path).read_bytes()
