"""A person opens a run in Hugging Face datasets, polars and DuckDB with no help."""

from __future__ import annotations

from pathlib import Path

import datasets
import duckdb
import polars as pl
import pytest

from pipelines import api
from tests.support.corpus import EVALUATION, SPEC, read_split, web_and_app, write_parquet, write_spec

pytestmark = pytest.mark.e2e

SPLITS = ("train", *EVALUATION)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with nested columns and several train shards, beside held-out and rejected rows."""
    folder = tmp_path_factory.mktemp("peers")
    tables = {
        name: frame.with_columns(
            vector=pl.concat_list(pl.col("score").cast(pl.Float32), pl.lit(1, pl.Float32)),
            box=pl.struct(pl.col("width"), pl.lit("px").alias("unit")),
            taken=pl.date(2026, 1, 31),
            image_id=pl.when(pl.col("image_id") != "w17").then("image_id"),
        )
        for name, frame in web_and_app().items()
    }
    write_parquet(folder, tables, row_group_size=400)
    assert api.run(str(write_spec(folder, SPEC)), str(folder / "RUN"), shard_bytes=40_000).success
    assert len(list((folder / "RUN" / "data").glob("train-*"))) > 1
    assert list((folder / "RUN" / "held_out").iterdir())
    assert list((folder / "RUN" / "rejected").iterdir())
    return folder / "RUN"


def rows_of(run: Path) -> dict[str, int]:
    """The rows of each split."""
    return {name: len(read_split(run, name)) for name in SPLITS}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where `datasets` keeps its copies; it must look for nothing on the network."""
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    return str(tmp_path / "cache")


def test_hugging_face_datasets_opens_the_folder(run: Path, cache: str) -> None:
    opened = datasets.load_dataset(str(run), cache_dir=cache)
    assert {name: part.num_rows for name, part in opened.items()} == {
        name: len(read_split(run, name)) for name in SPLITS
    }
    for name in SPLITS:
        assert opened[name]["image_id"][:] == read_split(run, name)["image_id"].to_list()
    row = opened["dev"][0]
    assert row == read_split(run, "dev").row(0, named=True)


def test_hugging_face_datasets_opens_one_split_as_a_stream(run: Path) -> None:
    stream = datasets.load_dataset(str(run), split="train_dev", streaming=True)
    assert [row["image_id"] for row in stream] == read_split(run, "train_dev")["image_id"].to_list()


def test_hugging_face_datasets_opens_the_data_without_the_card(run: Path, cache: str, tmp_path: Path) -> None:
    """Copied without its README.md: the names of the files alone tell train from test."""
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "data").symlink_to(run / "data")
    opened = datasets.load_dataset(
        "parquet", data_files={s: str(tmp_path / "copy" / "data" / f"{s}-*.parquet") for s in SPLITS}, cache_dir=cache
    )
    assert {name: part.num_rows for name, part in opened.items()} == {
        name: len(read_split(run, name)) for name in SPLITS
    }


def test_polars_opens_a_split(run: Path) -> None:
    for name in SPLITS:
        lazy = pl.scan_parquet(run / "data" / f"{name}-*.parquet")
        assert lazy.collect().equals(read_split(run, name))
    everything = pl.read_parquet(run / "data")
    assert len(everything) == sum(rows_of(run).values())


def test_duckdb_opens_a_split(run: Path) -> None:
    with duckdb.connect() as connection:
        for name in SPLITS:
            query = f"SELECT image_id, vector[1], box.unit, taken FROM '{run}/data/{name}-*.parquet' ORDER BY ALL"
            found = connection.execute(query).fetchall()
            wanted = read_split(run, name).select(
                "image_id", pl.col("vector").list.first(), pl.col("box").struct.field("unit"), "taken"
            )
            assert found == sorted(wanted.rows())
