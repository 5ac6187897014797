"""Generate the benchmark's data: many web images' rows and few app images', as Parquet files of 500,000 rows.

A row is a key, a group (about four rows each), a label of five classes, four numbers and a caption. One app
user in ten also has web images, as in life, so that a split that keeps users apart has something to do.
Files are made one at a time, each from its own seed: memory stays flat, and the same numbers give the same
rows.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from pathlib import Path

import numpy as np
import polars as pl

FILE_ROWS = 500_000
ROWS_PER_GROUP = 4
SHARED_USERS = 0.10
APP_KEYS_START = 100_000_000_000

SIZES = {  # web rows, app rows: one app row in seventeen
    "0.2M": (200_000, 10_000),
    "8.5M": (8_000_000, 500_000),
    "50M": (47_058_824, 2_941_176),
}
LABELS = ("cat", "dog", "car", "bird", "tree")
LABEL_SHARES = (0.40, 0.30, 0.15, 0.10, 0.05)
CAPTION_WORDS = 9
WORDS = """
a an the of in on at by two red blue green black white brown small large old young man woman girl boy dog
cat bird horse cow sheep car bus train truck boat plane bike house street tree grass field beach water
snow sky road wall table chair bed plate pizza cake fruit ball game park sign light sitting standing
riding holding looking
""".split()  # noqa: SIM905


def user_ids(rng: np.random.Generator, source: str, rows: int, web_rows: int, app_rows: int) -> pl.Series:
    """Draws the group of each row; web users are numbered from 0, app users from a billion."""
    web_users, app_users = max(1, web_rows // ROWS_PER_GROUP), max(1, app_rows // ROWS_PER_GROUP)
    if source == "web":
        ids = rng.integers(0, web_users, rows)
    else:
        ids = rng.integers(0, app_users, rows)
        also_web = ids < app_users * SHARED_USERS
        ids = np.where(also_web, ids % web_users, ids + 1_000_000_000)
    return pl.Series("user_id", ids)


def make_rows(source: str, start: int, rows: int, web_rows: int, app_rows: int) -> pl.DataFrame:
    """Makes the rows of one file."""
    rng = np.random.default_rng([source == "app", start, web_rows, app_rows])
    first_key = start + (APP_KEYS_START if source == "app" else 0)
    words = pl.Series("word", WORDS)
    picks = [rng.integers(0, len(WORDS), rows, dtype=np.uint32) for _ in range(CAPTION_WORDS)]
    caption = [words.gather(pick).alias(f"w{i}") for i, pick in enumerate(picks)]
    labels = pl.Series("label", LABELS)
    choice = rng.random(rows, dtype=np.float32)
    label_of = np.searchsorted(np.cumsum(LABEL_SHARES)[:-1].astype(np.float32), choice, side="right")
    numbers = pl.DataFrame(
        {
            "key": np.arange(first_key, first_key + rows),
            "user": user_ids(rng, source, rows, web_rows, app_rows),
            "label": labels.gather(label_of),
            "width": rng.integers(100, 4000, rows),
            "height": rng.integers(100, 4000, rows),
            "brightness": np.round(rng.normal(0, 1, rows), 3).astype(np.float32),
            "sharpness": np.round(rng.normal(0, 1, rows), 3),
        }
    )
    return numbers.with_columns(caption).select(
        image_id=pl.col("key").cast(pl.String).str.zfill(12),
        user_id=pl.format("u{}", "user"),
        label="label",
        width="width",
        height="height",
        brightness="brightness",
        sharpness="sharpness",
        caption=pl.concat_str([f"w{i}" for i in range(CAPTION_WORDS)], separator=" "),
    )


def generate(out: Path, web_rows: int, app_rows: int) -> Path:
    """Writes `out/web` and `out/app` unless they are there already.

    Args:
        out: the folder to write.
        web_rows: how many rows the web source has.
        app_rows: how many rows the app source, the target, has.

    Returns:
        `out`.
    """
    wanted = {"web": web_rows, "app": app_rows, "version": 1}
    done = out / "_DONE.json"
    if done.exists() and json.loads(done.read_text()) == wanted:
        return out
    shutil.rmtree(out, ignore_errors=True)
    for source, total in (("web", web_rows), ("app", app_rows)):
        folder = out / source
        folder.mkdir(parents=True)
        for number, start in enumerate(range(0, total, FILE_ROWS)):
            rows = min(FILE_ROWS, total - start)
            frame = make_rows(source, start, rows, web_rows, app_rows)
            frame.write_parquet(folder / f"part-{number:04}.parquet", compression="zstd")
    done.write_text(json.dumps(wanted))
    return out


def main() -> None:
    """Generates one size and says how large and how fast."""
    parser = argparse.ArgumentParser(description="Generate the benchmark's data.")
    parser.add_argument("out", type=Path, help="the folder to write")
    parser.add_argument("--web", type=int, default=SIZES["8.5M"][0], help="web rows (default: %(default)s)")
    parser.add_argument("--app", type=int, default=SIZES["8.5M"][1], help="app rows (default: %(default)s)")
    arguments = parser.parse_args()
    started = time.perf_counter()
    out = generate(arguments.out, arguments.web, arguments.app)
    size = sum(file.stat().st_size for file in out.rglob("*.parquet"))
    took = time.perf_counter() - started
    print(f"{arguments.web + arguments.app:,} rows, {size / 1e6:,.0f} MB in {out}, {took:.1f} s")


if __name__ == "__main__":
    main()
