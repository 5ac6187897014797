"""The same rows, however they lie in files and whoever reads them: the same decision, the same sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines import api
from pipelines.jobs import collect as collect_job
from tests.support import corpus as corpora
from tests.support.corpus import EVALUATION, decision, evaluation_bytes, read_split, train_rows
from tests.support.corpus import FULL_SPEC as SPEC

pytestmark = pytest.mark.e2e

Tables = dict[str, pl.DataFrame]
SIZES = {"test": 9, "dev": 8, "train_dev": 7}


def write_spec(folder: Path, text: str = SPEC, **values: object) -> Path:
    return corpora.write_spec(folder, text, **values)


def measured(run: Path) -> dict[str, bytes]:
    """What was counted and measured, and what the checks say of it."""
    return {path.name: path.read_bytes() for path in [*(run / "profile").iterdir(), run / "validation.json"]}


def corpus() -> Tables:
    """A few hundred rows, with nulls, shared users and text that CSV has to quote."""

    def frame(prefix: str, rows: int, users: str) -> pl.DataFrame:
        number = pl.int_range(rows, eager=True).alias("number")
        return number.to_frame().select(
            image_id=pl.format(prefix + "{}", "number"),
            user_id=pl.when(pl.col("number") % 10 == 0)
            .then(pl.format("shared{}", pl.col("number") // 50))
            .when(pl.col("number") % 11 != 0)
            .then(pl.format(users + "{}", pl.col("number") // 3)),
            label=pl.when(pl.col("number") % 3 == 0).then(pl.lit("cat, big")).otherwise(pl.lit('"dog"')),
            width=pl.col("number") * 7 % 400,
            score=(pl.col("number") % 97) / 8,
            caption=pl.when(pl.col("number") % 5 != 0).then(pl.format("naïve, “{}”", "number")),
        )

    return {"web": frame("w", 240, "u"), "app": frame("a", 120, "v")}


def store(frame: pl.DataFrame, path: Path, row_group_size: int = 1_000) -> None:
    """As Parquet with Arrow's plain strings, the type that CSV gives too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = frame.to_arrow()
    plain = [f.with_type(pa.string()) if f.type != pa.int64() and f.type != pa.float64() else f for f in table.schema]
    pq.write_table(table.cast(pa.schema(plain)), path, row_group_size=row_group_size)


def write(folder: Path, tables: Tables, row_group_size: int = 1_000) -> None:
    for name, frame in tables.items():
        store(frame, folder / name / "rows.parquet", row_group_size)


def shuffled(folder: Path) -> None:
    write(folder, {name: frame.sample(fraction=1, shuffle=True, seed=20261122) for name, frame in corpus().items()})


def split_and_renamed(folder: Path) -> None:
    for name, frame in corpus().items():
        mixed = frame.sample(fraction=1, shuffle=True, seed=3)
        store(mixed[:10], folder / name / "z.parquet")
        store(mixed[10:11], folder / name / "deep" / "one.parquet")
        store(mixed[11:11], folder / name / "deep" / "none.parquet")
        store(mixed[11:], folder / name / "deep" / "er" / "a=1.parquet")


def row_groups_of_one(folder: Path) -> None:
    write(folder, corpus(), 1)
    assert pq.read_metadata(folder / "web" / "rows.parquet").num_row_groups == len(corpus()["web"])


def row_groups_of_seven(folder: Path) -> None:
    write(folder, corpus(), 7)


def as_csv(folder: Path) -> None:
    for name, frame in corpus().items():
        (folder / name).mkdir(parents=True)
        frame[:100].write_csv(folder / name / "one.csv")
        frame[100:].write_csv(folder / name / "two.csv")


def columns_in_another_order(folder: Path) -> None:
    write(folder, {name: frame.select(*reversed(frame.columns)) for name, frame in corpus().items()})


def as_mixed_formats(folder: Path) -> None:
    tables = corpus()
    for name, frame in tables.items():
        (folder / name).mkdir(parents=True)
        frame[:40].write_ipc(folder / name / "a.arrow")
        frame[40:80].write_ndjson(folder / name / "b.jsonl")
        frame[80:].write_parquet(folder / name / "c.parquet")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plain run that all others are held against: one file a source, one row group, default runner."""
    folder = tmp_path_factory.mktemp("plain")
    write(folder, corpus())
    assert api.run(str(write_spec(folder, **SIZES)), str(folder / "RUN")).success
    return folder


def same_sets(run: Path, other: Path) -> None:
    assert decision(run) == decision(other)
    for name in EVALUATION:
        assert read_split(run, name)["image_id"].to_list() == read_split(other, name)["image_id"].to_list()
    assert set(read_split(run, "train")["image_id"]) == set(read_split(other, "train")["image_id"])


@pytest.mark.parametrize(
    "layout",
    [shuffled, split_and_renamed, row_groups_of_one, row_groups_of_seven, as_csv],
)
def test_how_rows_lie_in_files_decides_nothing(base: Path, tmp_path: Path, layout: Callable[[Path], None]) -> None:
    layout(tmp_path)
    assert api.run(str(write_spec(tmp_path, **SIZES)), str(tmp_path / "RUN")).success
    same_sets(tmp_path / "RUN", base / "RUN")
    assert evaluation_bytes(tmp_path / "RUN") == evaluation_bytes(base / "RUN")
    assert train_rows(tmp_path / "RUN").equals(train_rows(base / "RUN"))
    assert measured(tmp_path / "RUN") == measured(base / "RUN")


@pytest.mark.parametrize("layout", [columns_in_another_order, as_mixed_formats])
def test_the_order_and_width_of_types_decide_nothing(
    base: Path, tmp_path: Path, layout: Callable[[Path], None]
) -> None:
    layout(tmp_path)
    assert api.run(str(write_spec(tmp_path, **SIZES)), str(tmp_path / "RUN")).success
    same_sets(tmp_path / "RUN", base / "RUN")


def test_the_order_of_sources_decides_no_set(base: Path, tmp_path: Path) -> None:
    turned = SPEC.replace(
        "  web: {{path: {web}}}\n  app: {{path: {app}}}", "  app: {{path: {app}}}\n  web: {{path: {web}}}"
    )
    assert turned != SPEC
    spec = write_spec(tmp_path, turned, web=base / "web", app=base / "app", **SIZES)
    assert api.run(str(spec), str(tmp_path / "RUN")).success
    for name in EVALUATION:
        assert read_split(tmp_path / "RUN", name)["image_id"].equals(read_split(base / "RUN", name)["image_id"])


MODES = {
    "one worker": ["--direct_num_workers=1"],
    "four workers": ["--direct_num_workers=4"],
    "in memory": ["--direct_running_mode=in_memory"],
    "threads": ["--runner=DirectRunner", "--direct_running_mode=multi_threading", "--direct_num_workers=3"],
}


@pytest.mark.parametrize("options", MODES.values(), ids=MODES.keys())
def test_runners_and_workers_decide_nothing(base: Path, tmp_path: Path, options: Sequence[str]) -> None:
    result = api.run(str(base / "spec.yaml"), str(tmp_path / "RUN"), beam_options=options)
    assert result.success
    same_sets(tmp_path / "RUN", base / "RUN")
    assert evaluation_bytes(tmp_path / "RUN") == evaluation_bytes(base / "RUN")
    assert train_rows(tmp_path / "RUN").equals(train_rows(base / "RUN"))
    assert measured(tmp_path / "RUN") == measured(base / "RUN")


def test_a_second_look_at_the_data_decides_nothing(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("splitting.first_rows.FirstRows.suffices", lambda *_: False)
    looked: list[int] = []
    collect = collect_job.collect_candidates
    monkeypatch.setattr(collect_job, "collect_candidates", lambda *given: (looked.append(1), collect(*given))[1])
    api.plan(str(base / "spec.yaml"), str(tmp_path / "RUN"))
    assert looked
    assert decision(tmp_path / "RUN") == decision(base / "RUN")


def test_worker_processes_decide_nothing(base: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    options = ["--direct_running_mode=multi_processing", "--direct_num_workers=2"]
    assert api.run(str(base / "spec.yaml"), str(tmp_path / "RUN"), beam_options=options).success
    same_sets(tmp_path / "RUN", base / "RUN")
    assert evaluation_bytes(tmp_path / "RUN") == evaluation_bytes(base / "RUN")
    assert measured(tmp_path / "RUN") == measured(base / "RUN")
    assert capfd.readouterr().err == ""


def test_many_small_shards_hold_the_same_rows(base: Path, tmp_path: Path) -> None:
    row_groups_of_seven(tmp_path)
    spec = write_spec(tmp_path, **SIZES)
    assert api.run(str(spec), str(tmp_path / "RUN"), shard_bytes=300).success
    assert len(list((tmp_path / "RUN" / "data").glob("dev-*"))) > 1
    same_sets(tmp_path / "RUN", base / "RUN")
    for name in EVALUATION:
        assert read_split(tmp_path / "RUN", name).equals(read_split(base / "RUN", name))
    assert train_rows(tmp_path / "RUN").equals(train_rows(base / "RUN"))
