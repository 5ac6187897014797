"""Measure `targetsplit run` against the scripts that a user would write instead; check what each one wrote.

Every contender runs in a fresh process, in turn, several times; the table has the medians. Writes
`results.json`, and `results.md` for people, beside this file; a size that is measured again replaces its
old numbers.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
from check import EVALUATION, Findings, check
from generate import SIZES, generate
from measure import Measurement, measure
from report import render
from wide_report import report_of_many_columns

HERE = Path(__file__).resolve().parent
EVALUATION_ROWS = 2500
START_UP = "0.2M"
PACKAGES = ("targetsplit", "apache-beam", "polars", "pyarrow", "duckdb", "pandas", "scikit-learn", "pyspark")

SPEC = """\
name: benchmark
salt: benchmark-2026
sources:
  web: {{path: '{data}/web'}}
  app: {{path: '{data}/app'}}
key: image_id
group: user_id
label: label
target: {{source: app}}
stratify: [label]
splits:
  test: {rows}
  dev: {rows}
  train_dev: {rows}
  train: rest
"""


@dataclass(frozen=True)
class Contender:
    """Something that splits.

    Attributes:
        name: its name in the table.
        script: its file in `peers`, or None for ours.
        split_glob: where the files of a split lie in its output.
        extra_globs: files of rows that it set aside on purpose.
        more: lines at the end of the spec, for ours.
    """

    name: str
    script: str | None
    split_glob: str
    extra_globs: tuple[str, ...] = ()
    more: str = ""

    def command(self, data: Path, out: Path) -> list[str]:
        """Names the program to run; for ours, writes the spec first."""
        if self.script:
            return [sys.executable, str(HERE / "peers" / self.script), str(data), str(out)]
        spec = out.with_suffix(".yaml")
        spec.write_text(SPEC.format(data=data, rows=EVALUATION_ROWS) + self.more)
        program = Path(sys.executable).parent / "targetsplit"
        return [str(program), "run", str(spec), "-o", str(out), "--overwrite", "--quiet"]


CONTENDERS = {
    "ours": Contender(
        "targetsplit run", None, "data/{split}-*.parquet", ("held_out/**/*.parquet", "rejected/**/*.parquet")
    ),
    "profiled": Contender(
        "targetsplit run, no models",
        None,
        "data/{split}-*.parquet",
        ("held_out/**/*.parquet", "rejected/**/*.parquet"),
        "checks: {probe: false}\n",
    ),
    "bare": Contender(
        "targetsplit run, nothing measured",
        None,
        "data/{split}-*.parquet",
        ("held_out/**/*.parquet", "rejected/**/*.parquet"),
        "checks: {profile: false}\n",
    ),
    "polars": Contender("polars script", "polars_script.py", "{split}.parquet"),
    "duckdb": Contender("DuckDB script", "duckdb_script.py", "split={split}/*.parquet"),
    "pandas": Contender("pandas + scikit-learn script", "pandas_sklearn.py", "{split}.parquet"),
    "spark": Contender("Spark script", "spark_script.py", "{split}/*.parquet"),
}


def machine() -> dict[str, Any]:
    """Describes the machine and the versions, and nothing that would name it."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "absent"
    if shutil.which("java"):
        first = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr.splitlines()[
            :1
        ]
        versions["java"] = first[0].split('"')[1] if first and '"' in first[0] else "present"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": cores,
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "versions": versions,
    }


def summarise(runs: list[Measurement], findings: list[Findings]) -> dict[str, Any]:
    """Puts one contender's runs together.

    Args:
        runs: every run, in order.
        findings: what each successful run wrote.

    Returns:
        What `results.json` holds of it.
    """
    bad = next((run for run in runs if run.status != "ok"), None)
    if bad is not None:
        said = bad.message.splitlines()[0] if bad.status == "skipped" and bad.message else ""
        return {"status": bad.status, "wall": bad.wall, "peak": bad.peak, "message": said}
    last = findings[-1]
    return {
        "status": "ok",
        "wall": statistics.median(run.wall for run in runs),
        "walls": [round(run.wall, 2) for run in runs],
        "cpu": statistics.median(run.cpu for run in runs),
        "peak": statistics.median(run.peak for run in runs),
        "findings": asdict(last) | {"digest": ""},
        "exact": all(last.rows[split] == EVALUATION_ROWS for split in EVALUATION),
        "same": len({found.digest for found in findings}) == 1 if len(findings) > 1 else None,
    }


def compete(names: list[str], data: Path, base: Path, repeats: int, timeout: float) -> dict[str, Any]:
    """Runs every contender `repeats` times, in turn, and checks every output.

    Args:
        names: which contenders.
        data: the input.
        base: where outputs go; each is removed once it was checked.
        repeats: how many rounds.
        timeout: seconds a run may take.

    Returns:
        A summary of each contender, by name.
    """
    runs: dict[str, list[Measurement]] = {name: [] for name in names}
    findings: dict[str, list[Findings]] = {name: [] for name in names}
    for turn in range(repeats):
        for name in names:
            if runs[name] and runs[name][-1].status != "ok":
                continue  # what failed once is not run again
            contender, out = CONTENDERS[name], base / name
            shutil.rmtree(out, ignore_errors=True)
            run = measure(contender.command(data, out), base / f"{name}.log", timeout)
            runs[name].append(run)
            note = f"{run.wall:7.1f} s {run.peak / 2**20:7,.0f} MiB"
            print(f"  {turn + 1}/{repeats} {contender.name:30} {run.status:8} {note} {run.message}", flush=True)
            if run.status == "ok":
                findings[name].append(check(out, contender.split_glob, contender.extra_globs, data, base / "spill"))
            shutil.rmtree(out, ignore_errors=True)
    return {name: summarise(runs[name], findings[name]) for name in names}


def start_up(base: Path, repeats: int, timeout: float) -> dict[str, Any]:
    """Measures ours on the small founding case: start-up, mostly."""
    data = generate(base / "data" / START_UP, *SIZES[START_UP])
    print(f"{sum(SIZES[START_UP]):,} rows", flush=True)
    return {"rows": sum(SIZES[START_UP])} | compete(["ours"], data, base / "out", repeats, timeout)["ours"]


def at_size(rows: str, names: list[str], base: Path, repeats: int, timeout: float) -> dict[str, Any]:
    """Measures everybody on data of one size.

    Args:
        rows: a name in `SIZES`.
        names: which contenders.
        base: where data and outputs go.
        repeats: how many rounds.
        timeout: seconds a run may take.

    Returns:
        What `results.json` holds of this size.
    """
    web_rows, app_rows = SIZES[rows]
    data = generate(base / "data" / rows, web_rows, app_rows)
    size = sum(file.stat().st_size for file in data.rglob("*.parquet"))
    print(f"{web_rows + app_rows:,} rows, {size / 1e6:,.0f} MB", flush=True)
    return {
        "web_rows": web_rows,
        "app_rows": app_rows,
        "bytes": size,
        "repeats": repeats,
        "machine": machine(),
        "contenders": compete(names, data, base / "out", repeats, timeout),
    }


def main() -> None:
    """Generates the data, runs everybody, writes the tables."""
    parser = argparse.ArgumentParser(description="Measure targetsplit against the scripts that a user would write.")
    parser.add_argument("--rows", default="8.5M,50M", help="sizes of the data, with commas (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="rounds; the table has medians (default: %(default)s)")
    parser.add_argument("--only", default=",".join(CONTENDERS), help="contenders, with commas (default: %(default)s)")
    parser.add_argument("--timeout", type=float, default=3600, help="seconds a run may take (default: %(default)s)")
    arguments = parser.parse_args()
    names = arguments.only.split(",")
    if unknown := [name for name in names if name not in CONTENDERS]:
        parser.error(f"no contender {unknown[0]!r}; there are: {', '.join(CONTENDERS)}")

    sizes = arguments.rows.split(",")
    if unknown := [size for size in sizes if size not in SIZES]:
        parser.error(f"no size {unknown[0]!r}; there are: {', '.join(SIZES)}")

    base = Path(os.environ.get("TARGETSPLIT_BENCH_DIR", HERE)).resolve()
    out = base / "out"
    out.mkdir(parents=True, exist_ok=True)
    results_file = HERE / "results.json"
    results = json.loads(results_file.read_text()) if results_file.exists() else {}
    for size in sizes:
        results[size] = at_size(size, names, base, arguments.repeats, arguments.timeout)
        if "ours" in names and size == sizes[0]:  # of no size
            results[size]["start_up"] = start_up(base, arguments.repeats, arguments.timeout)
            results[size]["report"] = report_of_many_columns(out, arguments.repeats, arguments.timeout)
        results_file.write_text(json.dumps(results, indent=1) + "\n")
        (HERE / "results.md").write_text(render(results, {name: c.name for name, c in CONTENDERS.items()}))
    shutil.rmtree(out, ignore_errors=True)
    print(f"\n{(HERE / 'results.md').read_text()}")


if __name__ == "__main__":
    main()
