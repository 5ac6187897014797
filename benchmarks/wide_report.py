"""The report of a run of many columns: how large the page is, and how long making it again takes."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from measure import measure

COLUMNS = 50
WEB_ROWS, APP_ROWS = 80_000, 20_000
EVALUATION_ROWS = 2_500
SEED = 2026
SPEC = """\
name: wide
salt: wide-2026
sources: {{web: {{path: '{data}/web.parquet'}}, app: {{path: '{data}/app.parquet'}}}}
key: id
label: label
target: {{source: app}}
splits: {{test: {rows}, dev: {rows}, train_dev: {rows}, train: rest}}
checks: {{probe: false}}
"""


def wide_rows(prefix: str, rows: int, shift: float) -> pl.DataFrame:
    """Numbers and categories in turn, every second pair of which differs between the sources."""
    rng = np.random.default_rng([SEED, rows])
    made: dict[str, Any] = {"id": [f"{prefix}{i}" for i in range(rows)], "label": rng.choice(["cat", "dog"], rows)}
    for number in range(COLUMNS):
        moved = shift if number % 4 < 2 else 0.0
        values = rng.normal(moved, 1, rows)
        made[f"column_{number}"] = values if number % 2 else np.floor(values * 2).astype(np.int64).astype(str)
    return pl.DataFrame(made)


def report_of_many_columns(base: Path, repeats: int, timeout: float) -> dict[str, Any]:
    """Splits 50 columns once, then makes the report again several times.

    Args:
        base: where data and runs go.
        repeats: how often.
        timeout: seconds a command may take.

    Returns:
        Rows, columns, bytes of the page, and the median of seconds and of peak bytes of `targetsplit report`.
    """
    folder = base / "wide"
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows, shift in (("web", WEB_ROWS, 0.0), ("app", APP_ROWS, 0.5)):
        wide_rows(name, rows, shift).write_parquet(folder / f"{name}.parquet")
    spec, run = folder / "wide.yaml", folder / "RUN"
    spec.write_text(SPEC.format(data=folder, rows=EVALUATION_ROWS))
    program = str(Path(sys.executable).parent / "targetsplit")
    made = measure([program, "run", str(spec), "-o", str(run), "--overwrite", "--quiet"], base / "wide.log", timeout)
    if made.status != "ok":
        return {"status": made.status, "message": made.message}
    again = [measure([program, "report", str(run)], base / "wide.log", timeout) for _ in range(repeats)]
    return {
        "status": next((one.status for one in again if one.status != "ok"), "ok"),
        "rows": WEB_ROWS + APP_ROWS,
        "columns": COLUMNS,
        "bytes": (run / "report.html").stat().st_size,
        "wall": statistics.median(one.wall for one in again),
        "peak": statistics.median(one.peak for one in again),
    }
