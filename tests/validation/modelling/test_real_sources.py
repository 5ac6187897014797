"""Real sources: what is told apart need not cost, what costs is named, and leaks are found."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from tests.support.model_rows import DATA, sample_of
from validation.modelling.domain import domain_classifier
from validation.modelling.leaks import leak_columns
from validation.modelling.probe import probe
from validation.modelling.rows import SampleRows
from validation.settings import ColumnRoles, Thresholds


def table(name: str) -> pl.DataFrame:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"the real data are not here: {path}")
    return pl.read_csv(path, infer_schema_length=None)


def hospitals(away: str) -> SampleRows:
    """Cleveland's patients as train and train_dev, another hospital's as dev."""
    frame = table("heart_4hospitals/heart.csv").filter(pl.col("source").is_in(["cleveland", away])).drop("num")
    quarter = np.arange(len(frame)) % 4 == 0
    splits = np.where(frame["source"] == away, "dev", np.where(quarter, "train_dev", "train")).tolist()
    roles = ColumnRoles(key=("row_id",), label="label")
    return sample_of(frame, splits, frame["source"].to_list(), roles=roles)


def test_hospitals_that_are_told_apart_and_cost_nothing() -> None:
    sample = hospitals("hungarian")
    told = domain_classifier(sample.select("train"), sample.select("dev"))
    assert told.auc is not None
    assert told.auc > 0.99
    assert told.importances[0].column in ("ca", "slope", "thal")
    assert probe(sample).grade == "no cost seen"


def test_hospitals_that_cost() -> None:
    result = probe(hospitals("va"))
    assert result.grade == "costs"
    assert result.gap is not None
    assert 0.1 < result.gap.gap < 0.3


def test_halves_of_a_source_are_the_same() -> None:
    frame = table("wine_red_white/wine.csv").filter(pl.col("source") == "white").drop("quality")
    values = [name for name in frame.columns if name != "row_id"]
    frame = frame.unique(values, keep="first", maintain_order=True)
    order = np.random.default_rng(1).permutation(len(frame))
    frame = frame[order[:2_400]]
    roles = ColumnRoles(key=("row_id",), label="good")
    sample = sample_of(frame, ["train", "dev"] * 1_200, roles=roles)
    told = domain_classifier(sample.select("train"), sample.select("dev"), importances=False)
    assert told.low is not None
    assert told.high is not None
    assert told.low < 0.5 < told.high
    assert told.high < 0.58
    assert probe(sample).grade == "no cost seen"


def test_leaks_of_flights_are_named() -> None:
    frame = table("nycflights_3airports/flights.csv")
    roles = ColumnRoles(key=("row_id",), group=("tailnum",), label="late")
    groups = frame["tailnum"].rank("dense").to_numpy()
    sample = sample_of(frame, ["train"] * len(frame), frame["source"].to_list(), groups, roles)
    found = leak_columns(sample, Thresholds().leak_auc)
    assert [leak.column for leak in found if leak.leaks] == ["arr_delay"]
    assert found[1].column == "dep_delay"
    assert 0.85 < found[1].score < 0.95
    assert all(leak.score < 0.7 for leak in found[2:])
