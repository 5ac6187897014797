"""Whole jobs on the embedded runner: what a run writes, and that nothing but data and spec decide it."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from pipelines import api
from pipelines.cli.main import run_command
from splitting.errors import ShortfallError
from tests.support.corpus import (
    EVALUATION,
    FULL_SPEC,
    SPEC,
    read_split,
    web_and_app,
    write_parquet,
    write_spec,
)

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the plain corpus: base/RUN."""
    folder = tmp_path_factory.mktemp("base")
    write_parquet(folder, web_and_app())
    assert api.run(str(write_spec(folder, FULL_SPEC)), str(folder / "RUN")).success
    return folder


def test_a_run_is_whole_exact_and_from_the_target(base: Path) -> None:
    run = base / "RUN"
    assert {path.name for path in run.iterdir()} == {
        "spec.yaml", "plan", "data", "held_out", "validation.json", "README.md", "profile", "data_docs", "gx",
        "report.html", "run.json", "metrics.json", "_SUCCESS",
    }  # fmt: skip
    parts = {name: read_split(run, name) for name in ("train", *EVALUATION)}
    assert {name: len(parts[name]) for name in EVALUATION} == {"train_dev": 70, "dev": 50, "test": 60}
    assert set(parts["dev"]["source"]) | set(parts["test"]["source"]) == {"app"}
    held = pl.read_parquet(run / "held_out" / "*.parquet")
    everything = pl.concat([*(part["image_id"] for part in parts.values()), held["image_id"]])
    assert sorted(everything) == sorted(pl.concat([frame["image_id"] for frame in web_and_app().values()]))
    users = pl.concat([part.select("user_id", pl.lit(name).alias("split")) for name, part in parts.items()])
    assert users.drop_nulls().group_by("user_id").agg(pl.col("split").n_unique())["split"].max() == 1
    assert held["reason"].str.contains("group is in (dev|test)").all()


def test_rows_come_out_as_they_went_in(base: Path) -> None:
    out = pl.concat([read_split(base / "RUN", name) for name in ("train", *EVALUATION)])
    held = pl.read_parquet(base / "RUN" / "held_out" / "*.parquet").drop("reason")
    written = pl.concat([out, held]).sort("image_id")
    read = pl.concat([f.with_columns(source=pl.lit(s)) for s, f in web_and_app().items()]).sort("image_id")
    assert written.equals(read)


def test_validation_names_every_promise(base: Path) -> None:
    document = json.loads((base / "RUN" / "validation.json").read_text())
    names = {result["check"] for result in document["results"]}
    assert document["success"]
    assert {"rows in = rows out", "size of dev", "dev is from target", "no key in both train and dev"} <= names
    assert {"no group in both train and test", "labels of dev are in train"} <= names


def test_an_index_points_to_the_rows(base: Path, tmp_path: Path) -> None:
    write_parquet(tmp_path, web_and_app(), row_group_size=300)
    api.run(str(write_spec(tmp_path, SPEC + "output: index\n")), str(tmp_path / "RUN"))
    tables = web_and_app()
    for name in EVALUATION:
        index, copy = read_split(tmp_path / "RUN", name), read_split(base / "RUN", name)
        assert index.columns == ["image_id", "source", "file", "row", "split"]
        assert index["image_id"].equals(copy["image_id"])
        assert all(tables[s]["image_id"][r] == key for key, s, _, r, _ in index.iter_rows())


def test_a_shortfall_is_told_or_filled(base: Path, tmp_path: Path) -> None:
    write_parquet(tmp_path, web_and_app())
    with pytest.raises(ShortfallError, match=r"pool 'target': asked 500 \(test\) \+ 400 \(dev\) rows; it has 600"):
        api.plan(str(write_spec(tmp_path, test=500, dev=400)), str(tmp_path / "RUN"))


@pytest.mark.parametrize(
    ("spec", "code", "message"),
    [
        ("name: x\n", 2, "salt"),
        (SPEC.replace("group:", "grop:"), 2, 'unknown key "grop"; did you mean "group"?'),
        (
            SPEC.replace("key: image_id", "key: imageid"),
            2,
            "line 7: there is no column 'imageid'; did you mean 'image_id'? @ key",
        ),
        (
            SPEC.replace("{{profile: false}}", "\n  times: [captured]\n  skip: [widht, image_id]"),
            2,
            "line 15: there is no column 'widht'; did you mean 'width'? @ checks.skip[0]",
        ),
        (
            SPEC.replace("{{source: app}}", '{{where: "labl = 3"}}'),
            2,
            "there is no column 'labl'; did you mean 'label'?",
        ),
        (SPEC.replace("{web}", "nowhere/*.parquet"), 1, "no file at nowhere/*.parquet"),
    ],
)
def test_mistakes_get_one_message(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], spec: str, code: int, message: str
) -> None:
    path = write_spec(tmp_path, spec, web=base / "web", app=base / "app")
    assert run_command(["run", str(path), "-o", str(tmp_path / "RUN")]) == code
    captured = capsys.readouterr()
    assert message in captured.err
    assert "Traceback" not in captured.err
    assert not (tmp_path / "RUN" / "_SUCCESS").exists()


def test_own_pools_conditions_and_percentages(tmp_path: Path) -> None:
    write_parquet(tmp_path, web_and_app())
    spec = """
name: pools
salt: pools
sources: {{web: {{path: web}}, app: {{path: app}}}}
key: image_id
target: {{source: app, where: "width > 100"}}
stratify: [{{column: score, edges: [3, 6.5]}}]
splits:
  test: "10%"
  dev: 40
  dev_dogs: {{size: 12, from: "label = 'dog'"}}
  web_dev: {{size: 30, from: {{source: web}}}}
  train_dev: "2.5%"
"""
    result = api.run(str(write_spec(tmp_path, spec)), str(tmp_path / "RUN"))
    assert result.success
    target = web_and_app()["app"].filter(pl.col("width") > 100).height
    assert result.plan.rows_of("test") == target // 10
    assert set(read_split(tmp_path / "RUN", "dev_dogs")["label"]) == {"dog"}
    assert read_split(tmp_path / "RUN", "dev_dogs")["width"].min() > 100
    assert set(read_split(tmp_path / "RUN", "web_dev")["source"]) == {"web"}
    assert {quota.stratum for quota in result.plan.quotas if quota.split == "dev"} == {("<3",), ("3..6.5",), (">=6.5",)}
