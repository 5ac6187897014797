"""What the checks say of real data whose mismatch is known."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipelines import api
from pipelines.api import RunResult

pytestmark = pytest.mark.e2e
DATA = Path(__file__).parents[3] / "shared" / "data"


def run(folder: Path, name: str, keep: list[str] | None = None, **lines: str) -> tuple[RunResult, pl.DataFrame]:
    """A run over a real table, one folder a source."""
    if not (DATA / name).exists():
        pytest.skip(f"the real data are not here: {DATA / name}")
    table = pl.read_csv(DATA / name, infer_schema_length=None)
    table = table.filter(pl.col("source").is_in(keep)) if keep else table
    for (source,), part in table.group_by("source", maintain_order=True):
        (folder / str(source)).mkdir()
        part.drop("source").write_csv(folder / str(source) / "rows.csv")
    sources = ", ".join(f"{source}: {{path: {source}}}" for source in table["source"].unique().sort())
    told = {"name": folder.name.replace("_", "-"), "salt": "real", "sources": f"{{{sources}}}", **lines}
    (folder / "spec.yaml").write_text("\n".join(f"{key}: {value}" for key, value in told.items()))
    return api.run(str(folder / "spec.yaml"), str(folder / "RUN")), table


def sentences(result: RunResult) -> str:
    return "\n".join(finding.sentence for finding in result.judgement.findings)


@pytest.mark.parametrize(
    ("target", "sizes", "grade"), [("hungarian", (144, 150), "no cost seen"), ("va", (100, 100), "costs")]
)
def test_told_apart_is_not_harmed(tmp_path: Path, target: str, sizes: tuple[int, int], grade: str) -> None:
    result, _ = run(
        tmp_path,
        "heart_4hospitals/heart.csv",
        ["cleveland", target],
        key="row_id",
        label="label",
        target=f"{{source: {target}}}",
        splits=f"{{test: {sizes[0]}, dev: {sizes[1]}, train_dev: 100}}",
        checks="{skip: num, min_rows: 50}",
    )
    assert result.judgement.mismatch is not None
    models = result.judgement.mismatch["models"]
    assert models["domain"]["auc"] > 0.95
    assert models["cost"]["grade"] == grade
    assert ("No cost of the mismatch was seen" if grade == "no cost seen" else "The mismatch costs") in sentences(
        result
    )


def test_copies_are_found_and_kept_together(tmp_path: Path) -> None:
    columns = pl.read_csv(DATA / "wine_red_white/wine.csv", n_rows=1).columns if DATA.exists() else ["row_id", "source"]
    features = [name for name in columns if name not in ("row_id", "source")]
    result, table = run(
        tmp_path,
        "wine_red_white/wine.csv",
        key="row_id",
        group=f"[{', '.join(features)}]",
        label="good",
        target="{source: red}",
        splits="{test: 200, dev: 200, train_dev: 300}",
        checks="{probe: false}",
    )
    copies = len(table) - table.select(features).n_unique()
    assert copies == 1_179  # 1,177 within a source, and two across
    held = sum(part.rows for part in result.plan.held_out)  # the white copies of red rows that are judged on
    assert held <= 2
    assert f"{copies - held:,} of {len(table) - held:,} rows say the same as another row" in sentences(result)
    shared = [v for v in result.judgement.verdicts if v.check.name.startswith("no row in both")]
    assert shared
    assert all(verdict.success for verdict in shared)


def test_columns_that_give_the_label_away_are_named(tmp_path: Path) -> None:
    result, _ = run(
        tmp_path,
        "nycflights_3airports/flights.csv",
        key="row_id",
        group="tailnum",
        label="late",
        target="{source: LGA}",
        splits="{test: 500, dev: 500, train_dev: 500}",
    )
    assert "`arr_delay` alone predicts the label" in sentences(result)
    assert "`carrier` alone" not in sentences(result)


def test_repeated_texts_are_found(tmp_path: Path) -> None:
    result, table = run(
        tmp_path,
        "sentences_3sites/sentences.csv",
        key="row_id",
        label="label",
        target="{source: yelp}",
        splits="{test: 200, dev: 200, train_dev: 200}",
        checks="{probe: false}",
    )
    repeats = len(table) - table.select("label", "text").n_unique()
    assert repeats > 0
    assert f"{repeats} of 3,000 rows say the same as another row" in sentences(result)
