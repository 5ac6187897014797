"""The domain classifier finds what differs, and the columns that do; its interval is honest where nothing differs."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from tests.support.model_rows import sample_of, shuffled
from validation.modelling.domain import auc_and_variance, domain_classifier
from validation.modelling.rows import SampleRows


def two_parts(rows: int, shift: float, seed: int, *, per_group: int = 1) -> SampleRows:
    draws = np.random.default_rng(seed)
    groups = np.arange(2 * rows) // per_group
    numbers = draws.normal(size=(2 * rows, 4)) * (1 if per_group == 1 else 0.05)
    numbers += 0 if per_group == 1 else draws.normal(size=(groups.max() + 1, 4))[groups]
    numbers[rows:, 2] += shift
    frame = pl.DataFrame({f"x{at}": numbers[:, at] for at in range(4)})
    return sample_of(frame, ["train_dev"] * rows + ["dev"] * rows, groups=groups, salt=f"salt {seed}")


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=4, max_size=60), st.integers(0, 9))
def test_auc_is_that_of_sklearn(rows: list[tuple[int, bool]], seed: int) -> None:
    scores = np.array([float(score) for score, _ in rows])
    side = np.array([int(kind) for _, kind in rows])
    if side.min() == side.max():
        side[0] = 1 - side[0]
    auc, variance = auc_and_variance(scores, side, np.arange(len(rows), dtype=np.uint64))
    assert auc == pytest.approx(roc_auc_score(side, scores))
    assert variance >= 0


def test_variance_is_that_of_repeated_draws_and_grows_with_groups() -> None:
    draws = np.random.default_rng(3)
    side = np.repeat([0, 1], 150)
    alone, grouped, variances, group_variances = [], [], [], []
    for _ in range(300):
        scores = draws.normal(size=300) + 0.5 * side
        auc, variance = auc_and_variance(scores, side, np.arange(300, dtype=np.uint64))
        alone.append(auc)
        variances.append(variance)
        tripled = np.repeat(scores[::3], 3)
        auc, variance = auc_and_variance(tripled, side, (np.arange(300) // 3).astype(np.uint64))
        grouped.append(auc)
        group_variances.append(variance)
    assert np.mean(variances) == pytest.approx(np.var(alone), rel=0.25)
    assert np.mean(group_variances) == pytest.approx(np.var(grouped), rel=0.25)
    assert np.mean(group_variances) > 2.2 * np.mean(variances)


def test_interval_holds_one_half_where_nothing_shifts() -> None:
    found = []
    for seed in range(16):
        sample = two_parts(150, 0.0, seed)
        found.append(domain_classifier(sample.select("train_dev"), sample.select("dev"), importances=False))
    assert sum(result.low <= 0.5 <= result.high for result in found) >= 13
    assert abs(np.mean([result.auc for result in found]) - 0.5) < 0.03


def test_groups_cannot_be_memorised() -> None:
    # Rows of a group are almost the same: folds that cut groups would tell the parts apart perfectly.
    sample = two_parts(240, 0.0, 4, per_group=6)
    result = domain_classifier(sample.select("train_dev"), sample.select("dev"))
    assert result.groups == (40, 40)
    assert result.low < 0.5 < result.high
    assert result.high - result.low > 0.2


def test_shift_is_found_in_its_column() -> None:
    sample = two_parts(400, 1.5, 7)
    result = domain_classifier(sample.select("train_dev"), sample.select("dev"))
    assert 0.75 < result.low < result.auc < result.high <= 1
    assert result.importances[0].column == "x2"
    assert result.importances[0].fall > 10 * abs(result.importances[1].fall)
    assert result.rows == (400, 400)


def test_same_numbers_whatever_the_order() -> None:
    sample = two_parts(100, 0.5, 1)
    one, other = (shuffled(sample, seed) for seed in (1, 2))
    assert domain_classifier(one.select("train_dev"), one.select("dev")) == domain_classifier(
        other.select("train_dev"), other.select("dev")
    )


def test_too_little_is_said() -> None:
    sample = two_parts(10, 0.0, 1)
    result = domain_classifier(sample.select("train_dev"), sample.select("dev"))
    assert result.auc is None
    assert result.reason == "fewer than 20 groups on a side"
    bare = sample_of(pl.DataFrame({"label": [0, 1] * 50}), ["train_dev"] * 50 + ["dev"] * 50)
    assert domain_classifier(bare.select("train_dev"), bare.select("dev")).reason == "no columns to tell by"


def test_perfect_separation_keeps_an_interval() -> None:
    frame = pl.DataFrame({"x": [0.0] * 60 + [1.0] * 60, "y": [0.5] * 120})
    sample = sample_of(frame, ["train_dev"] * 60 + ["dev"] * 60)
    result = domain_classifier(sample.select("train_dev"), sample.select("dev"))
    assert result.auc == 1
    assert result.low is not None
    assert 0.97 < result.low < 1
