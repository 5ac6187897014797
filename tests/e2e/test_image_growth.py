"""Folders of images over four runs: copies of frozen and trained images, files that go, are renamed, are replaced."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from pipelines import api
from tests.support.pictures import encoded, picture, write

pytestmark = pytest.mark.e2e
SPEC = """
sources:
  web: {{path: web, format: images, label: {{from: directory}}}}
  app: {{path: app, format: images, label: {{from: directory}}}}
label: label
target: {{source: app}}
splits: {{test: {size}, dev: {size}, train_dev: 6, train: rest}}
on_shortfall: allow
output: {output}
checks: {{profile: false}}
"""
SIZES = (8, 10, 12, 14)
Place = tuple[str, str]
"""Source and path of a file."""


@dataclass
class Folders:
    """Files of two sources, and which picture each shows."""

    root: Path
    shown: dict[Place, int] = field(default_factory=dict)
    last: int = 0

    def add(self, source: str, motif: int | None = None, side: int = 96) -> Place:
        """Writes a file: a new picture, or a copy of one, resized and encoded anew."""
        self.last += 1
        place = (source, f"cat/{self.last:04}.{'png' if motif is None else 'jpg'}")
        self.replace(place, self.last if motif is None else motif, side)
        return place

    def replace(self, place: Place, motif: int, side: int = 96) -> None:
        """Writes a picture to a place."""
        image = picture(motif, 96, 96).resize((side, side), Image.Resampling.LANCZOS)
        write(self.root.joinpath(*place), encoded(image, "PNG" if place[1].endswith("png") else "JPEG"))
        self.shown[place] = motif

    def rename(self, place: Place) -> Place:
        """Gives a file another name."""
        new = (place[0], place[1].replace("cat/", "cat/renamed-"))
        self.root.joinpath(*place).rename(self.root.joinpath(*new))
        self.shown[new] = self.shown.pop(place)
        return new

    def delete(self, place: Place) -> int:
        """Deletes a file; the picture that it showed."""
        self.root.joinpath(*place).unlink()
        return self.shown.pop(place)


def placed(run: Path) -> dict[Place, str]:
    found: dict[Place, str] = {}
    for file in sorted((run / "data").glob("*.parquet")):
        rows = pl.read_parquet(file)
        splits = rows["split"] if "split" in rows.columns else [file.name.partition("-")[0]] * len(rows)
        found |= dict(zip(rows.select("source", "path").iter_rows(), splits, strict=True))
    return found


@pytest.mark.parametrize(("output", "seed"), [("data", 1), ("index", 2)])
def test_four_runs_with_copies_of_frozen_and_of_trained_images(tmp_path: Path, output: str, seed: int) -> None:
    rng, files = random.Random(seed), Folders(tmp_path)
    for source, count in (("web", 80), ("app", 60)):
        for _ in range(count):
            files.add(source)
    before: dict[Place, str] = {}
    trained: set[int] = set()
    gone: set[Place] = set()
    expected: dict[Place, str | None] = {}
    for number, size in enumerate(SIZES):
        spec = write(tmp_path / "spec.yaml", SPEC.format(size=size, output=output).encode())
        previous = tmp_path / f"RUN{number - 1}" if number else None
        assert api.run(spec, tmp_path / f"RUN{number}", previous=previous).success
        now = placed(tmp_path / f"RUN{number}")
        assert not {place for place in before.keys() & now.keys() if before[place] != now[place]}
        assert before.keys() - now.keys() <= gone, (
            "nothing goes but what was deleted, renamed, or linked to be held out"
        )
        assert {place: now.get(place) for place in expected} == expected
        splits_of = defaultdict(set)
        for place, split in now.items():
            splits_of[files.shown[place]].add(split)
        assert all(len(splits) == 1 for splits in splits_of.values()), "no picture is in two splits"
        judged = {files.shown[place] for place, split in now.items() if split != "train"}
        assert not judged & trained, "nothing that was trained on is ever judged by"
        trained |= {files.shown[place] for place, split in now.items() if split == "train"}
        before = now

        groups = {split: sorted(place for place in now if now[place] == split) for split in ("train", "dev", "test")}
        for members in groups.values():
            rng.shuffle(members)
        dev, test, train = groups["dev"], groups["test"], groups["train"]
        out, lost, moved, kept = train[:4]
        gone = {out, lost, moved, dev[0], dev[1]}
        expected = {
            files.add("web", files.shown[dev[2]], 64): None,  # a copy of a frozen image is held out
            files.add("app", files.shown[test[0]]): None,
            files.add("app", files.shown[kept], 80): "train",  # one of a trained image is trained on, or not at all
            out: None,  # linked with dev from now on
        }
        files.replace(out, files.shown[dev[2]])
        expected[files.add("app", files.delete(lost), 72)] = "train"  # its original is gone
        files.delete(dev[0])
        expected[files.rename(dev[1])] = None
        expected[files.rename(moved)] = "train"
        for _ in range(20):
            files.add(rng.choice(["app", "web"]))
    assert sum(split in {"dev", "test"} for split in before.values()) > 2 * SIZES[0] - 10
