"""Small corpora on disk, and what a run made of them."""

from __future__ import annotations

from pathlib import Path

import polars as pl

FULL_SPEC = """
name: cats
salt: cats-2026
sources:
  web: {{path: {web}}}
  app: {{path: {app}}}
key: image_id
group: user_id
label: label
target: {{source: app}}
stratify: [label]
splits: {{test: {test}, dev: {dev}, train_dev: {train_dev}, train: rest}}
"""
SPEC = FULL_SPEC + "checks: {{profile: false}}\n"
"""The same, quick: the promises are checked, and nothing is measured."""

EVALUATION = ("train_dev", "dev", "test")


def web_and_app(web: int = 3_000, app: int = 600) -> dict[str, pl.DataFrame]:
    """Web and app rows; some app users also have web rows; numbers, text, nulls."""

    def frame(prefix: str, rows: int, users: str) -> pl.DataFrame:
        number = pl.int_range(rows, eager=True)
        return pl.DataFrame({"number": number}).select(
            image_id=pl.format(prefix + "{}", "number"),
            user_id=pl.when(pl.col("number") % 10 == 0)
            .then(pl.format("shared{}", pl.col("number") // 50))
            .when(pl.col("number") % 11 != 0)
            .then(pl.format(users + "{}", pl.col("number") // 2)),
            label=pl.when(pl.col("number") % 10 < 5)
            .then(pl.lit("cat"))
            .when(pl.col("number") % 10 < 9)
            .then(pl.lit("dog"))
            .otherwise(pl.lit("fox")),
            width=pl.col("number") * 7 % 4000,
            score=(pl.col("number") % 97) / 8,
            caption=pl.format("a photo, number {}", "number"),
        )

    return {"web": frame("w", web, "u"), "app": frame("a", app, "v")}


def write_parquet(folder: Path, tables: dict[str, pl.DataFrame], row_group_size: int | None = None) -> None:
    """One file a source."""
    for name, frame in tables.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        frame.write_parquet(folder / name / "part.parquet", row_group_size=row_group_size)


def write_spec(folder: Path, text: str = SPEC, **values: object) -> Path:
    """A spec of the corpus in a folder."""
    defaults: dict[str, object] = {"web": "web", "app": "app", "test": 60, "dev": 50, "train_dev": 70}
    path = folder / "spec.yaml"
    path.write_text(text.format(**(defaults | values)))
    return path


def read_split(run: Path, split: str) -> pl.DataFrame:
    """The rows of a split, in the order of its files."""
    return pl.read_parquet(sorted((run / "data").glob(f"{split}-[0-9]*.parquet")))


def decision(run: Path) -> tuple[bytes, bytes]:
    """The bytes of the plan and of the ledger."""
    return (run / "plan" / "plan.json").read_bytes(), (run / "plan" / "ledger.parquet").read_bytes()


def evaluation_bytes(run: Path) -> dict[str, bytes]:
    """The bytes of every evaluation shard."""
    return {
        path.name: path.read_bytes() for path in sorted((run / "data").glob("*")) if not path.name.startswith("train-")
    }


def train_rows(run: Path) -> pl.DataFrame:
    """The train rows, sorted."""
    return read_split(run, "train").sort("image_id")


def split_of(run: Path, key: str = "image_id") -> dict[object, str]:
    """The split of every key in the data of a run."""
    return {name: split for split in ("train", *EVALUATION) for name in _keys(run, split, key)}


def _keys(run: Path, split: str, key: str) -> list[object]:
    return read_split(run, split)[key].to_list() if list((run / "data").glob(f"{split}-[0-9]*")) else []


def check_whole(run: Path, tables: dict[str, pl.DataFrame], key: str = "image_id") -> None:
    """Every input key is in the run once: in one split, or held out, or rejected."""
    paths = [*(run / "data").glob("*"), *(run / "held_out").glob("rows-*"), *(run / "rejected").glob("rows-*")]
    written = pl.concat([pl.read_parquet(path)[key].cast(pl.String) for path in paths]).sort()
    read = pl.concat([frame[key].cast(pl.String) for frame in tables.values()]).sort()
    assert written.to_list() == read.to_list()
