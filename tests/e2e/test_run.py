"""Whole jobs on the embedded runner: what a run writes, and that nothing but data and spec decide it."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from pipelines import api
from pipelines.cli.main import run_command
from splitting.errors import RunDirectoryError, ShortfallError, TargetsplitError
from tests.support.corpus import (
    EVALUATION,
    SPEC,
    decision,
    evaluation_bytes,
    read_split,
    train_rows,
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
    assert api.run(str(write_spec(folder)), str(folder / "RUN")).success
    return folder


def test_a_run_is_whole_exact_and_from_the_target(base: Path) -> None:
    run = base / "RUN"
    assert {path.name for path in run.iterdir()} == {
        "spec.yaml", "plan", "data", "held_out", "validation.json", "README.md", "_SUCCESS",
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


def shuffled(folder: Path) -> None:
    tables = {name: frame.sample(fraction=1, shuffle=True, seed=7) for name, frame in web_and_app().items()}
    for name, frame in tables.items():
        (folder / name / "deep").mkdir(parents=True)
        frame[:500].write_parquet(folder / name / "z.parquet", row_group_size=100)
        frame[500:].write_parquet(folder / name / "deep" / "a.parquet")


def tiny_row_groups(folder: Path) -> None:
    write_parquet(folder, web_and_app(), row_group_size=40)


def as_csv(folder: Path) -> None:
    for name, frame in web_and_app().items():
        (folder / name).mkdir(parents=True)
        frame.write_csv(folder / name / "rows.csv")


def as_json_lines(folder: Path) -> None:
    for name, frame in web_and_app().items():
        (folder / name).mkdir(parents=True)
        frame.write_ndjson(folder / name / "rows.jsonl")


@pytest.mark.parametrize("write", [shuffled, tiny_row_groups, as_csv, as_json_lines])
def test_files_rows_and_formats_decide_nothing(base: Path, tmp_path: Path, write: object) -> None:
    write(tmp_path)  # type: ignore[operator]
    assert api.run(str(write_spec(tmp_path)), str(tmp_path / "RUN")).success
    assert decision(tmp_path / "RUN") == decision(base / "RUN")
    for name in EVALUATION:
        assert read_split(tmp_path / "RUN", name).equals(read_split(base / "RUN", name))
    assert train_rows(tmp_path / "RUN").equals(train_rows(base / "RUN"))


@pytest.mark.parametrize(
    "options",
    [
        ["--runner=DirectRunner", "--direct_running_mode=in_memory"],
        ["--runner=DirectRunner", "--direct_running_mode=multi_threading", "--direct_num_workers=4"],
    ],
)
def test_runners_and_workers_decide_nothing(base: Path, tmp_path: Path, options: list[str]) -> None:
    result = api.run(str(base / "spec.yaml"), str(tmp_path / "RUN"), beam_options=options)
    assert result.success
    assert decision(tmp_path / "RUN") == decision(base / "RUN")
    assert evaluation_bytes(tmp_path / "RUN") == evaluation_bytes(base / "RUN")
    assert train_rows(tmp_path / "RUN").equals(train_rows(base / "RUN"))


def test_small_shards_hold_the_same_rows(base: Path, tmp_path: Path) -> None:
    write_parquet(tmp_path, web_and_app(), row_group_size=300)
    api.run(str(write_spec(tmp_path)), str(tmp_path / "RUN"), shard_bytes=2_000)
    assert len(list((tmp_path / "RUN" / "data").glob("train-*"))) > 1
    for name in EVALUATION:
        assert read_split(tmp_path / "RUN", name).equals(read_split(base / "RUN", name))
    assert train_rows(tmp_path / "RUN").equals(train_rows(base / "RUN"))


def test_an_index_points_to_the_rows(base: Path, tmp_path: Path) -> None:
    write_parquet(tmp_path, web_and_app(), row_group_size=300)
    api.run(str(write_spec(tmp_path, SPEC + "output: index\n")), str(tmp_path / "RUN"))
    tables = web_and_app()
    for name in EVALUATION:
        index, copy = read_split(tmp_path / "RUN", name), read_split(base / "RUN", name)
        assert index.columns == ["image_id", "source", "file", "row", "split"]
        assert index["image_id"].equals(copy["image_id"])
        assert all(tables[s]["image_id"][r] == key for key, s, _, r, _ in index.iter_rows())


def test_growth_moves_nothing(base: Path, tmp_path: Path) -> None:
    more = {name: frame[5:] for name, frame in web_and_app(4_000, 900).items()}
    write_parquet(tmp_path, more, row_group_size=500)
    spec = write_spec(tmp_path, SPEC + "on_shortfall: allow\n", test=70)
    result = api.run(str(spec), str(tmp_path / "RUN"), previous=str(base / "RUN"))
    assert result.success
    old, new = (
        {
            row[0]: name
            for name in ("train", *EVALUATION)
            for row in read_split(run, name).select("image_id").iter_rows()
        }
        for run in (base / "RUN", tmp_path / "RUN")
    )
    assert not {key for key in old.keys() & new.keys() if old[key] != new[key]}
    assert result.plan.rows_of("test") > 60


def test_another_identity_cannot_be_continued(base: Path, tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    text = (base / "spec.yaml").read_text().replace("cats-2026", "other").replace("path: ", f"path: {base}/")
    spec.write_text(text)
    with pytest.raises(RunDirectoryError, match="its salt is 'cats-2026', the spec's is 'other'"):
        api.plan(str(spec), str(tmp_path / "RUN"), previous=str(base / "RUN"))


def test_finished_runs_and_foreign_folders_are_left_alone(base: Path, tmp_path: Path) -> None:
    with pytest.raises(RunDirectoryError, match="holds a finished run"):
        api.run(str(base / "spec.yaml"), str(base / "RUN"))
    with pytest.raises(RunDirectoryError, match="is finished"):
        api.apply(str(base / "RUN"))
    (tmp_path / "thesis.doc").write_text("mine")
    with pytest.raises(RunDirectoryError, match="is not a run directory"):
        api.plan(str(base / "spec.yaml"), str(tmp_path))
    with pytest.raises(RunDirectoryError, match="holds no plan"):
        api.apply(str(tmp_path / "nothing"))
    assert (base / "RUN" / "_SUCCESS").exists()


def test_changed_inputs_are_told(tmp_path: Path) -> None:
    write_parquet(tmp_path, web_and_app(300, 200))
    api.plan(str(write_spec(tmp_path, test=10, dev=10, train_dev=10)), str(tmp_path / "RUN"))
    write_parquet(tmp_path, web_and_app(301, 200))
    with pytest.raises(TargetsplitError, match="input files changed after the plan was made"):
        api.apply(str(tmp_path / "RUN"))
    assert not (tmp_path / "RUN" / "_SUCCESS").exists()


def test_null_and_repeated_keys(tmp_path: Path) -> None:
    tables = web_and_app(400, 200)
    web = tables["web"].with_columns(image_id=pl.when(pl.int_range(pl.len()) % 40 != 0).then("image_id"))
    copies = tables["app"].with_columns(user_id=pl.lit("thief"))
    write_parquet(tmp_path, {"web": pl.concat([web, copies]), "app": tables["app"]})
    result = api.run(str(write_spec(tmp_path, test=20, dev=20, train_dev=20)), str(tmp_path / "RUN"))
    assert result.success, result.judgement.critical
    rejected = pl.read_parquet(tmp_path / "RUN" / "rejected" / "*.parquet")
    assert rejected["reason"].to_list() == ["null key"] * 10
    held = pl.read_parquet(tmp_path / "RUN" / "held_out" / "*.parquet")
    assert held.filter(pl.col("reason").str.ends_with("in another group")).height > 0
    assert any("more than one source" in note for note in result.plan.notes)


def test_a_shortfall_is_told_or_filled(base: Path, tmp_path: Path) -> None:
    write_parquet(tmp_path, web_and_app())
    with pytest.raises(ShortfallError, match=r"pool 'target': asked 500 \(test\) \+ 400 \(dev\) rows; it has 600"):
        api.plan(str(write_spec(tmp_path, test=500, dev=400)), str(tmp_path / "RUN"))


@pytest.mark.parametrize(
    ("spec", "code", "message"),
    [
        ("name: x\n", 2, "salt"),
        (SPEC.replace("group:", "grop:"), 2, 'unknown key "grop"; did you mean "group"?'),
        (SPEC.replace("key: image_id", "key: imageid"), 2, "there is no column 'imageid'; did you mean 'image_id'?"),
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


def test_broken_files_get_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_parquet(tmp_path, web_and_app(300, 200))
    whole = (tmp_path / "web" / "part.parquet").read_bytes()
    (tmp_path / "web" / "part.parquet").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "web" / "empty.parquet").write_bytes(b"")
    assert run_command(["run", str(write_spec(tmp_path)), "-o", str(tmp_path / "RUN")]) == 1
    told = capsys.readouterr().err
    assert "2 of 3 files cannot be read" in told
    assert "it may be cut off" in told
    assert "empty (0 bytes)" in told


def test_a_bad_value_deep_in_a_file_gets_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables = web_and_app(300, 200)
    write_parquet(tmp_path, {"app": tables["app"]})
    (tmp_path / "web").mkdir()
    lines = tables["web"].write_csv().splitlines()
    head, row = lines[0], lines[1]
    filler = [row.replace("w0", f"w{i}").replace("a photo", "x" * 300) for i in range(60_000)]
    (tmp_path / "web" / "rows.csv").write_text("\n".join([head, *filler, row.replace(",0,", ",wide,", 1)]) + "\n")
    assert run_command(["run", str(write_spec(tmp_path)), "-o", str(tmp_path / "RUN")]) == 1
    told = capsys.readouterr().err
    assert "csv.column_types" in told
    assert "Traceback" not in told


def test_bad_lines_are_counted_and_kept(tmp_path: Path) -> None:
    tables = web_and_app(300, 200)
    write_parquet(tmp_path, {"app": tables["app"]})
    (tmp_path / "web").mkdir()
    text = tables["web"].write_csv() + "too,few\nfar,too,many,columns,for,this,file,indeed\n"
    (tmp_path / "web" / "rows.csv").write_text(text)
    result = api.run(str(write_spec(tmp_path, test=20, dev=20, train_dev=20)), str(tmp_path / "RUN"))
    assert result.success
    kept = pl.read_parquet(tmp_path / "RUN" / "rejected" / "lines-*.parquet")
    assert kept["reason"].to_list() == ["bad line: expected 6 columns, got 2", "bad line: expected 6 columns, got 8"]
    assert kept["text"][0] == "too,few"
    assert [(item.reason, item.rows) for item in result.plan.rejected] == [("bad line", 2)]


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


def test_the_command_line(base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["run", str(base / "spec.yaml"), "-o", str(tmp_path / "RUN"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["success"]
    assert document["plan"]["fingerprint"] == api.show(str(base / "RUN")).fingerprint
    assert run_command(["show", str(base / "RUN")]) == 0
    assert "strata against their quotas" in capsys.readouterr().out
    assert run_command(["show", str(base / "RUN"), "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    assert run_command(["pln"]) == 2
    assert run_command(["run", str(base / "spec.yaml"), "-o", str(tmp_path / "R"), "--shard-size", "lots"]) == 2
