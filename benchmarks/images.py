"""Measure the ingest of images against Pillow alone: what does it cost beyond opening and decoding the same files?

Makes JPEG files of a few sizes, then, in turn and in fresh processes: Pillow opens each file and decodes it at the
reduced scale that the ingest asks for, on all cores by threads or by processes; the ingest alone makes its tables; and
`targetsplit plan` makes a whole plan of them, with links and census.
Prints the medians of wall time, and of processor time, which says more on a machine that others use.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).resolve().parent
SIZES = ((800, 600), (1_280, 960), (2_048, 1_536))
DISTINCT = 600
WARM = 100
SPEC = """
sources:
  web: {{path: '{data}/web', format: images, label: {{from: directory}}}}
  app: {{path: '{data}/app', format: images, label: {{from: directory}}}}
label: label
target: {{source: app}}
splits: {{dev: {rows}, train: rest}}
"""
PILLOW = """
import io, sys, time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from PIL import Image

def decode(paths):
    pixels = 0
    for path in paths:
        image = Image.open(io.BytesIO(Path(path).read_bytes()))
        scale = 256 / max(image.size)
        image.draft(None, (int(image.width * scale), int(image.height * scale)))
        image.load()
        pixels += image.width * image.height
    return pixels

if __name__ == "__main__":
    pool = {"threads": ThreadPoolExecutor, "processes": ProcessPoolExecutor}[sys.argv[2]](int(sys.argv[3]))
    began = time.perf_counter()
    paths = sorted(map(str, Path(sys.argv[1]).rglob("*.jpg")))
    with pool:
        total = sum(pool.map(decode, [paths[i : i + 256] for i in range(0, len(paths), 256)]))
    print(time.perf_counter() - began)
"""
INGEST = """
import json, sys
from pipelines.ingesting import ingest_sources
from pipelines.jobs.options import job_options, runner_of
from pipelines.metrics import JobLog
from pipelines.run_directory import RunDirectory
from pipelines.spec.loading import load_spec

if __name__ == "__main__":
    spec = load_spec(sys.argv[1])
    run, options = RunDirectory.at(sys.argv[2]), job_options(())
    log = JobLog("plan", runner_of(options))
    ingest_sources(spec, None, run, None, options, lambda *_: None, log)
    log.write(run)
"""
Took = tuple[float, float]
"""Seconds by the clock, and of processors."""


def picture(seed: int, width: int, height: int) -> Image.Image:
    """Shapes of several sizes, with the grain of a photograph."""
    rng = np.random.default_rng(seed)
    values = np.zeros((height, width, 3))
    for cells in (6, 24, 96):
        coarse = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
        values += np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float64) * (6 / cells)
    values = (values - values.min()) / np.ptp(values) * 255 + rng.normal(0, 5, values.shape)
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def make(folder: Path, files: int) -> None:
    """Makes the files; of more than 600, the rest are hard links to them."""
    if folder.exists() and sum(1 for _ in folder.rglob("*.jpg")) == files:
        return
    shutil.rmtree(folder, ignore_errors=True)
    first: list[Path] = []
    for number in range(files):
        path = folder / ("app" if number % 20 == 0 else "web") / f"label{number % 7}" / f"{number:07d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        if number < DISTINCT:
            picture(number, *SIZES[number % len(SIZES)]).save(path, quality=87)
            first.append(path)
        else:
            os.link(first[number % DISTINCT], path)


def processor_seconds() -> float:
    """Of all children so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def environment() -> dict[str, str]:
    """Python keeps what it compiled, as of any installed package."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": str(HERE.parent)}


def ours(data: Path, work: Path, files: int, *, alone: bool) -> Took:
    """What the ingest takes, of its job by the clock; of processors all, with imports. Alone, or as a whole plan."""
    spec, run, script = work / "spec.yaml", work / "run", work / "ingest_alone.py"
    shutil.rmtree(run, ignore_errors=True)
    spec.write_text(SPEC.format(data=data, rows=max(1, files // 200)))
    script.write_text(INGEST)
    plan = [str(Path(sys.executable).with_name("targetsplit")), "plan", str(spec), "-o", str(run)]
    command = [sys.executable, str(script), str(spec), str(run)] if alone else plan
    before = processor_seconds()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment())
    jobs = json.loads((run / "metrics.json").read_text())["plan"]["jobs"]
    return float(next(job["seconds"] for job in jobs if job["job"] == "ingest")), processor_seconds() - before


def pillow(data: Path, work: Path, how: str, cores: int) -> Took:
    """What Pillow alone takes."""
    script = work / "pillow_alone.py"
    script.write_text(PILLOW)
    command = [sys.executable, str(script), str(data), how, str(cores)]
    before = processor_seconds()
    wall = float(subprocess.run(command, check=True, capture_output=True, text=True, env=environment()).stdout)
    return wall, processor_seconds() - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--alone", action="store_true", help="leave out the whole plan")
    arguments = parser.parse_args()
    data, work = HERE / "data" / f"images-{arguments.files}", HERE / "out" / "images"
    work.mkdir(parents=True, exist_ok=True)
    make(data, arguments.files)
    cores = len(os.sched_getaffinity(0))
    warm = HERE / "data" / f"images-{WARM}"
    make(warm, WARM)
    ours(warm, work, WARM, alone=arguments.alone)  # compiles what is imported
    took: dict[str, list[Took]] = {}
    for _ in range(arguments.repeats):
        for how in ("threads", "processes"):
            took.setdefault(f"Pillow alone, {how}", []).append(pillow(data, work, how, cores))
        took.setdefault("the ingest alone", []).append(ours(data, work, arguments.files, alone=True))
        if not arguments.alone:
            took.setdefault("a whole plan, with links", []).append(ours(data, work, arguments.files, alone=False))
    middles = {
        name: tuple(statistics.median(values) for values in zip(*found, strict=True)) for name, found in took.items()
    }
    least = [min(middle[i] for name, middle in middles.items() if name.startswith("Pillow")) for i in range(2)]
    size = sum(path.stat().st_size for path in data.rglob("*.jpg")) / arguments.files / 1_000
    print(f"{arguments.files:,} files of {size:.0f} kB on {cores} cores, medians of {arguments.repeats}")
    print(f"load average of the last 15 minutes, with this: {os.getloadavg()[2]:.1f}")
    for name, (wall, processor) in middles.items():
        print(
            f"{name}: {wall:.1f} s, {arguments.files / wall:,.0f} files/s, ratio {wall / least[0]:.2f}; "
            f"{processor:.1f} s of processors, ratio {processor / least[1]:.2f}"
        )


if __name__ == "__main__":
    main()
