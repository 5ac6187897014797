"""The simplest script with pandas and scikit-learn: load all, draw users with `train_test_split`, write."""

import sys
from pathlib import Path

import pandas as pd
from sklearn.model_selection import train_test_split

EVALUATION_ROWS = 2500


def take(frame: pd.DataFrame, rows: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draws about `rows` rows, whole users at a time; returns the rest and the draw."""
    users = frame["user_id"].drop_duplicates()
    _, drawn = train_test_split(users, test_size=rows / len(frame), random_state=2026)
    mask = frame["user_id"].isin(drawn)
    return frame[~mask], frame[mask]


data, out = Path(sys.argv[1]), Path(sys.argv[2])
out.mkdir(parents=True, exist_ok=True)

web, app = pd.read_parquet(data / "web"), pd.read_parquet(data / "app")
app, test = take(app, EVALUATION_ROWS)
app, dev = take(app, EVALUATION_ROWS)
web = web[~web["user_id"].isin(pd.concat([test["user_id"], dev["user_id"]]))]
train, train_dev = take(pd.concat([web, app]), EVALUATION_ROWS)

for split, frame in {"train": train, "train_dev": train_dev, "dev": dev, "test": test}.items():
    frame.to_parquet(out / f"{split}.parquet", compression="zstd", index=False)
