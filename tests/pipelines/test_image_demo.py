"""The demo's photos: the same every time, with the copies that its list names, from an installed package alone."""

from __future__ import annotations

import csv
import importlib.util
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def prepare() -> ModuleType:
    spec = importlib.util.spec_from_file_location("prepare_images", ROOT / "examples/images/prepare.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_one_subject_is_written_the_same_twice(prepare: ModuleType, tmp_path: Path) -> None:
    photographs = prepare.read_photographs()
    assert len(photographs) == 10
    planted = prepare.write_subject("cat", photographs["cat"], tmp_path / "one")
    assert prepare.write_subject("cat", photographs["cat"], tmp_path / "two") == planted
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.jpg"))
    assert Counter(path.parts[0] for path in files) == {"web": 200, "app": 20}
    for path in files:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()
    assert Counter(copy.split("/")[0] for copy, _, _ in planted) == {"web": 6, "app": 4}
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


@pytest.mark.e2e
def test_the_program_writes_all_photos_and_lists_the_copies(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "examples/images/prepare.py"), "--out", str(tmp_path / "data")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "2,000 web and 200 app photos" in done.stdout
    files = {str(path.relative_to(tmp_path / "data")) for path in (tmp_path / "data").rglob("*.jpg")}
    assert len(files) == 2_200
    with (tmp_path / "data" / "planted.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {name for row in rows for name in (row["copy"], row["original"])} <= files
    assert sum(row["copy"].startswith("app/") for row in rows) == 40
