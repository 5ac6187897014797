"""The case that the project was made for, at full size; and a small plan that must never change."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest

from pipelines import api
from pipelines.cli.main import run_command
from tests.support.corpus import read_split

pytestmark = pytest.mark.e2e
GOLDEN = Path(__file__).parents[1] / "golden" / "small_plan.json"


@pytest.fixture(scope="module")
def founding(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200,000 images from the web, 10,000 from the app; no groups, no strata."""
    folder = tmp_path_factory.mktemp("founding")
    for name, rows in (("web", 200_000), ("app", 10_000)):
        (folder / name).mkdir()
        frame = pl.select(image_id=pl.format(name + "-{}", pl.int_range(rows)), label=pl.int_range(rows) % 7)
        frame.write_parquet(folder / name / "rows.parquet", row_group_size=20_000)
    (folder / "spec.yaml").write_text("""
name: cat-finder
salt: cat-finder-2026
sources: {web: {path: web}, app: {path: app}}
key: image_id
label: label
target: {source: app}
splits: {test: 2500, dev: 2500, train_dev: 2500, train: rest}
""")
    return folder


def test_the_founding_case(founding: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    run = founding / "RUN"
    assert run_command(["run", str(founding / "spec.yaml"), "-o", str(run)]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    lines = [line.split() for line in captured.out.split("rows by source")[0].splitlines() if line.split()]
    cells = {words[0]: words[-5:] for words in lines}
    assert cells["split"] == ["rows", "web", "app", "target", "shuffle"]
    assert cells["test"] == cells["dev"] == ["2,500", "0", "2,500", "2,500", "119"]
    assert cells["train_dev"] == ["2,500", "2,439", "61", "61", "119"]  # 5,000 app rows are left of 205,000
    assert cells["train"][-4:] == ["202,500", "197,561", "4,939", "4,939"]
    assert max(len(line) for line in captured.out.splitlines() if str(run) not in line) <= 80

    rows = {name: read_split(run, name) for name in ("train", "train_dev", "dev", "test")}
    assert {name: len(frame) for name, frame in rows.items()} == {
        "train": 205_000 - 2_500, "train_dev": 2_500, "dev": 2_500, "test": 2_500,
    }  # fmt: skip
    assert set(rows["dev"]["source"]) == set(rows["test"]["source"]) == {"app"}
    assert pl.concat(rows.values())["image_id"].n_unique() == 210_000


def small_corpus(folder: Path) -> Path:
    """A few hundred rows made of integers alone: no generator of random numbers that could change."""
    for name, rows, step in (("web", 300, 7), ("app", 160, 3)):
        number = pl.int_range(rows, eager=True).alias("number").to_frame()
        frame = number.select(
            image_id=pl.format(name + "-{}", "number"),
            user_id=pl.when(pl.col("number") % 9 == 0)
            .then(pl.format("both-{}", pl.col("number") // 18))
            .when(pl.col("number") % 13 != 0)
            .then(pl.format(name + "-user-{}", pl.col("number") // 2)),
            label=pl.when(pl.col("number") * step % 10 < 6).then(pl.lit("chat")).otherwise(pl.lit("Straße")),
            age=pl.when(pl.col("number") % 17 != 0).then(pl.col("number") * step % 90),
        )
        (folder / name).mkdir()
        frame.write_parquet(folder / name / "rows.parquet")
    (folder / "spec.yaml").write_text("""
name: small
salt: never-change
sources: {web: {path: web}, app: {path: app}}
key: image_id
group: user_id
label: label
target: {source: app, where: "age >= 5 OR age IS NULL"}
stratify: [label, {column: age, edges: [18, 40]}]
splits: {test: 20, dev: "10%", dev_old: {size: 6, from: "age >= 40"}, train_dev: 25, train: rest}
on_shortfall: fill
""")
    return folder / "spec.yaml"


def frozen(run: Path) -> dict[str, Any]:
    """What must never change: the plan but for the versions that made it, and the ledger's values."""
    plan = json.loads((run / "plan" / "plan.json").read_text())
    del plan["versions"]
    ledger = pq.read_table(run / "plan" / "ledger.parquet").to_pylist()
    return {"plan": plan, "ledger": [[row["group"], row["key"], row["split"], row["rows"]] for row in ledger]}


def test_the_small_plan_never_changes(tmp_path: Path) -> None:
    """A change here moves examples of every user: a major version, and a line under **Split-affecting**."""
    api.plan(str(small_corpus(tmp_path)), str(tmp_path / "RUN"))
    found = frozen(tmp_path / "RUN")
    if "TARGETSPLIT_WRITE_GOLDEN" in os.environ:
        GOLDEN.write_text(json.dumps(found, indent=None, ensure_ascii=False).replace("], [", "],\n[") + "\n")
    assert found == json.loads(GOLDEN.read_text())
