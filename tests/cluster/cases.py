"""What is split on the clusters, and what the embedded runner made of it: the bytes that every runner must give."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
from PIL import Image

from tests.support.command import ROOT, files, start
from tests.support.pictures import encoded, write, write_pictures

SHARD = "512K"
SECONDS = 600
"""The limit of one run."""

_FOUNDING = """
name: cat-finder
salt: cat-finder-2026
sources: {web: {path: web}, app: {path: app}}
key: image_id
label: label
target: {source: app}
splits: {test: 2500, dev: 2500, train_dev: 2500, train: rest}
"""


@dataclass
class Case:
    """A spec, and how it is run.

    Attributes:
        folder: where its runs go.
        spec: path of the spec.
        more: arguments of `targetsplit run`.
    """

    folder: Path
    spec: Path
    more: tuple[str, ...] = ()
    _expected: dict[str, bytes] = field(default_factory=dict)

    def expected(self) -> dict[str, bytes]:
        """Every file that the embedded runner writes; run once."""
        if not self._expected:
            self.run("embedded")
            self._expected |= files(self.folder / "embedded")
        return self._expected

    def start(self, name: str, options: Sequence[str] = ()) -> subprocess.Popen[str]:
        """Starts a run; `name` is the name of its folder."""
        out = self.folder / name
        return start(["run", str(self.spec), "-o", str(out), "--overwrite", "-q", *self.more, "--", *options])

    def run(self, name: str, options: Sequence[str] = ()) -> Path:
        """Runs to the end, which must be a good one, within the limit."""
        process = self.start(name, options)
        finish(process)
        return self.folder / name

    def check(self, name: str, but: Sequence[str] = ()) -> None:
        """A run is, file by file and byte by byte, what the embedded runner writes; nothing lies beside it.

        Args:
            name: of its folder.
            but: files whose bytes may differ.
        """
        found, wanted = files(self.folder / name), self.expected()
        assert sorted(found) == sorted(wanted)
        differing = [path for path in wanted if found[path] != wanted[path] and path not in but]
        assert not differing, f"{name}: other bytes in {differing}"


def finish(process: subprocess.Popen[str], seconds: float = SECONDS) -> None:
    """Waits for a run to end well; one that takes too long is ended."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    assert process.returncode == 0, f"exit code {process.returncode}:\n{out[-2000:]}\n{err[-4000:]}"


def timed(act: Callable[[], object]) -> float:
    """Seconds that something takes."""
    began = time.monotonic()
    act()
    return time.monotonic() - began


def side_by_side(case: Case, runner: str, options: Sequence[str]) -> str:
    """Runs a case here and there, one after the other, so that the times compare; the bytes must be the same.

    Args:
        case: not run before.
        runner: its name, which is that of the folder too.
        options: Beam's, of the runner.

    Returns:
        What it took.
    """
    here = timed(case.expected)
    there = timed(lambda: case.run(runner, options))
    case.check(runner)
    return f"\n{case.folder.name}: embedded {here:.0f} s, {runner} {there:.0f} s"


def founding_case(folder: Path) -> Case:
    """200,000 rows from the web, 10,000 from the app."""
    for name, rows in (("web", 200_000), ("app", 10_000)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        frame = pl.select(image_id=pl.format(name + "-{}", pl.int_range(rows)), label=pl.int_range(rows) % 7)
        frame.write_parquet(folder / name / "rows.parquet", row_group_size=20_000)
    (folder / "spec.yaml").write_text(_FOUNDING)
    return Case(folder, folder / "spec.yaml")


def wide_case(folder: Path, times: int = 1, more: str = "checks: {profile: false}\n") -> Case:
    """Rows of 512 letters that say nothing, so that the files are as large as the rows; small evaluation splits.

    Args:
        folder: for data and runs.
        times: how often 66,000 rows.
        more: what the spec says beside.
    """
    for name, rows in (("web", 60_000 * times), ("app", 6_000 * times)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        texts = [hashlib.shake_128(f"{name}{number}".encode()).hexdigest(256) for number in range(rows)]
        frame = pl.DataFrame({"image_id": [f"{name}-{number}" for number in range(rows)], "text": texts})
        frame.with_columns(label=pl.int_range(rows) % 7).write_parquet(folder / name / "rows.parquet")
    (folder / "spec.yaml").write_text(_FOUNDING.replace("2500", "200") + more)
    return Case(folder, folder / "spec.yaml")


_IMAGES = """
sources:
  web: {path: photos/web, format: images, label: {from: directory}}
  app: {path: photos/app, format: images, label: {from: directory}}
label: label
target: {source: app}
stratify: [label]
splits: {test: 20, dev: 20, train_dev: 20, train: rest}
checks: {probe: false}
output: webdataset
"""


def images_case(folder: Path) -> Case:
    """Pictures from the web and from the app, among them copies of the app's; measured, linked, written as archives."""
    web, app = folder / "photos" / "web", folder / "photos" / "app"
    write_pictures(web, 400)
    originals = write_pictures(app, 120, first=1000)
    for original in originals[:40]:
        with Image.open(original) as picture:
            smaller = picture.resize((72, 48))
        write(web / "cat" / f"copy-{original.name}", encoded(smaller, quality=70))
    write(web / "cat" / "cut.jpg", originals[0].read_bytes()[:900])
    spec = write(folder / "spec.yaml", _IMAGES.encode())
    return Case(folder, spec, ("--shard-size", SHARD))


def demo_case(folder: Path) -> Case:
    """The project's demo, 336,776 real flights, in small shards so that there are many units of work to kill."""
    folder.mkdir(parents=True, exist_ok=True)
    example = ROOT / "examples" / "flights"
    prepare = [sys.executable, example / "prepare.py", "--out", folder / "whole"]
    subprocess.run(prepare, check=True, capture_output=True, timeout=SECONDS)
    for origin in ("LGA", "JFK", "EWR"):
        (folder / "data" / origin).mkdir(parents=True, exist_ok=True)
        rows = pl.read_parquet(folder / "whole" / origin / "flights.parquet")
        for number, part in enumerate(rows.iter_slices(15_000)):
            part.write_parquet(folder / "data" / origin / f"part-{number:03d}.parquet")
    shutil.copy(example / "flights.yaml", folder / "flights.yaml")
    return Case(folder, folder / "flights.yaml", ("--shard-size", SHARD))
