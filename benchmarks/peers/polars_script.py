"""The simplest script with polars: hash the user, compare with thresholds, stream each split into a file."""

import sys
from pathlib import Path

import polars as pl

EVALUATION_ROWS = 2500

data, out = Path(sys.argv[1]), Path(sys.argv[2])
out.mkdir(parents=True, exist_ok=True)

app = pl.scan_parquet(data / "app/*.parquet")
both = pl.scan_parquet([data / "web/*.parquet", data / "app/*.parquet"])
app_rows, all_rows = (frame.select(pl.len()).collect().item() for frame in (app, both))

span = 2**64 - 1
test_below = int(span * EVALUATION_ROWS / app_rows)
dev_below = 2 * test_below
train_dev_below = dev_below + int(span * EVALUATION_ROWS / all_rows)

user = pl.col("user_id").hash(seed=2026)
splits = {
    "test": app.filter(user < test_below),
    "dev": app.filter((user >= test_below) & (user < dev_below)),
    "train_dev": both.filter((user >= dev_below) & (user < train_dev_below)),
    "train": both.filter(user >= train_dev_below),
}
sinks = [rows.sink_parquet(out / f"{split}.parquet", lazy=True) for split, rows in splits.items()]
pl.collect_all(sinks, engine="streaming")
