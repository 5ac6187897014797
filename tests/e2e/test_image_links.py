"""Copies among images, re-encoded, resized, brightened: found by default, in one split, not mixed up with others."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from PIL import Image, ImageEnhance

from pipelines import api
from tests.support.pictures import encoded, picture, write

pytestmark = pytest.mark.e2e
SPEC = """
sources:
  web: {path: web, format: images, label: {from: directory}}
  app: {path: app, format: images, label: {from: directory}}
target: {source: app}
label: label
splits: {test: 12, dev: 12, train: rest}
checks: {profile: false}
"""
COPIES = {
    "quality": lambda image: encoded(image, quality=40),
    "png": lambda image: encoded(image, "PNG"),
    "half": lambda image: encoded(image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)),
    "bright": lambda image: encoded(ImageEnhance.Brightness(image).enhance(1.05)),
    "webp": lambda image: encoded(image, "WEBP", quality=80),
}


ENDINGS = ("png", "webp")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(60):
        write(tmp_path / "app" / "cat" / f"{number:03}.jpg", encoded(picture(number, 192, 128), quality=90))
        write(tmp_path / "web" / "cat" / f"{number:03}.jpg", encoded(picture(1_000 + number, 192, 128), quality=90))
    for number, (name, copy) in enumerate(COPIES.items()):
        for original in range(number * 12, number * 12 + 12):
            write(
                tmp_path / "web" / "cat" / f"{name}-{original:03}.{name if name in ENDINGS else 'jpg'}",
                copy(picture(original, 192, 128)),
            )
    for name, grey in (("white", 255), ("nearly", 254)):
        for size in (60, 90):
            write(
                tmp_path / "web" / "cat" / f"{name}-{size}.png",
                encoded(Image.new("RGB", (size, size), (grey,) * 3), "PNG"),
            )
            write(
                tmp_path / "app" / "cat" / f"{name}-{size}.png",
                encoded(Image.new("RGB", (size, size), (grey,) * 3), "PNG"),
            )
    (tmp_path / "spec.yaml").write_text(SPEC)
    return tmp_path


def test_copies_are_found_and_stay_out_of_train(folder: Path) -> None:
    found = api.duplicates(folder / "spec.yaml")
    parts = {frozenset(part.select("source", "path").iter_rows()) for _, part in found.table.group_by("cluster")}
    blank = {part for part in parts if any("white" in path or "nearly" in path for _, path in part)}
    assert {frozenset(path for _, path in part) for part in blank} == {
        frozenset([f"cat/{name}-{size}.png"]) for name in ("white", "nearly") for size in (60, 90)
    }, "blank images are linked where their pixels are equal, and with no others"
    pairs = parts - blank
    assert all(
        len(part) == 2 and len({path.split("-")[-1].split(".")[0].removeprefix("cat/") for _, path in part}) == 1
        for part in pairs
    )
    assert len(pairs) == 60, "every copy is found, and nothing else is linked"
    result = api.run(folder / "spec.yaml", folder / "RUN")
    assert result.success
    rows = {
        split: pl.concat([pl.read_parquet(p) for p in (folder / "RUN/data").glob(f"{split}-*")])
        for split in ("train", "dev", "test")
    }
    train = set(rows["train"].select("source", "path").iter_rows())
    for split in ("dev", "test"):
        for member in rows[split].select("source", "path").iter_rows():
            assert not any(member in part and part & train for part in parts)
    assert {item.reason for item in result.plan.held_out} == {"group is in dev", "group is in test"}
    assert result.plan.links is not None
    assert result.plan.links.clusters == 64


def test_links_of_images_can_be_turned_off(folder: Path) -> None:
    spec = folder / "spec.yaml"
    spec.write_text(SPEC + "linked_by: []\n")
    assert api.plan(spec, folder / "RUN").links is None
