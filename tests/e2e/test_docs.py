"""The specs that stand in the documents run, on data of the kind that they speak of."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from pipelines import api
from pipelines.cli.main import run_command
from pipelines.sources.formats import EXTENSIONS
from splitting.conditions import ARGUMENTS, TYPES
from tests.support.corpus import read_split

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]


def specs(document: str) -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", (ROOT / document).read_text(), re.DOTALL)


def photos(prefix: str, rows: int) -> pl.DataFrame:
    number = pl.int_range(rows, eager=True)
    hashed = [ord(prefix) * 10**6 + i for i in range(rows)]
    return pl.DataFrame({"n": number}).select(
        image_id=pl.format(prefix + "{}", "n"),
        user_id=pl.format(prefix + "u{}", pl.col("n") // 2),
        device=pl.when(pl.col("n") % 3 > 0).then(pl.lit("phone")).otherwise(pl.lit("tablet")),
        label=pl.when(pl.col("n") % 4 > 0).then(pl.lit("cat")).otherwise(pl.lit("other")),
        captured_at=pl.format("2026-0{}-15", pl.col("n") % 9 + 1).str.to_date(),
        country=pl.when(pl.col("n") % 5 > 0).then(pl.lit("SE")).otherwise(pl.lit("NO")),
        age=pl.col("n") % 90,
        hour=pl.col("n") % 24,
        zip=pl.format("0{}", pl.col("n") % 9000),
        product_id=pl.when(pl.col("n") % 50 == 0).then(pl.format(prefix + "p{}", pl.col("n") // 100)),
        perceptual_hash=pl.Series([f"{i * 0x9E3779B97F4A7C15 % 2**64:016x}" for i in hashed]),
        difference_hash=pl.Series([f"{i * 0xBF58476D1CE4E5B9 % 2**64:016x}" for i in hashed]),
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    for name in ("data/web", "data/app", "more"):
        (folder / name).mkdir(parents=True)
    web, app = photos("w", 30_000), photos("a", 30_000)
    web.write_parquet(folder / "data/web/part.parquet")
    app[:20_000].write_csv(folder / "data/app/part.csv", separator=";")
    app[20_000:].write_csv(folder / "more/app.csv", separator=";")
    (folder / "app.csv").write_text("id\n" + "\n".join(f"a{i}" for i in range(1_000)))
    (folder / "web.csv").write_text("id\n" + "\n".join(f"w{i}" for i in range(5_000)))
    return folder


@pytest.mark.parametrize("number", range(len(specs("docs/spec.md"))))
def test_the_specs_of_the_reference_run(data: Path, number: int) -> None:
    text = specs("docs/spec.md")[number]
    (data / "spec.yaml").write_text(text)
    result = api.run(str(data / "spec.yaml"), str(data / "RUN"), overwrite=True)
    assert result.success
    assert all(split.rows == split.asked for split in result.plan.splits)
    if "dev_night" in text:
        assert set(read_split(data / "RUN", "dev_night")["hour"]) <= {20, 21, 22, 23}
        assert set(read_split(data / "RUN", "dev_web")["source"]) == {"web"}
        assert read_split(data / "RUN", "dev")["zip"].dtype == pl.String
        assert set(read_split(data / "RUN", "test")["country"]) == {"SE"}


def test_the_spec_of_the_readme_runs(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "app_only").mkdir()
    photos("a", 10_000).write_csv(data / "app_only" / "part.csv")
    text = specs("README.md")[0].replace("data/app", "app_only")
    (data / "spec.yaml").write_text(text)
    assert run_command(["run", str(data / "spec.yaml"), "-o", str(data / "README"), "--quiet"]) == 0
    assert run_command(["show", str(data / "README")]) == 0
    assert "cat-finder: 40,000 rows" in capsys.readouterr().out


def test_every_function_type_and_ending_is_in_the_reference() -> None:
    reference = (ROOT / "docs/spec.md").read_text()
    assert [name for name in (*ARGUMENTS, *TYPES) if f"`{name}`" not in reference] == []
    endings = {ending.removesuffix(".gz") for ending in EXTENSIONS}
    assert [ending for ending in endings if ending not in reference] == []
