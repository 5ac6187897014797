"""Sums of vectors: right for numbers of every size, and the same however rows are cut."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from validation.comparing.columns import compare_columns
from validation.comparing.pairs import Pair
from validation.profile.profile import Profile, ProfileOptions
from validation.profile.vectors import sum_vectors, summary
from validation.settings import CheckSettings

SIZES = [1e-290, 1e-30, 1e-3, 1.0, 1e3, 1e9, 1e30, 1e140]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("center", [0.0, 5.0, 1e4])
def test_means_and_covariances_are_those_of_the_vectors(size: float, center: float) -> None:
    vectors = size * (center + np.random.default_rng(1).normal(size=(5_000, 3)))
    found = summary(sum_vectors(vectors), 3)
    assert found is not None
    assert found.count == 5_000
    assert found.mean == pytest.approx(vectors.mean(axis=0), rel=1e-9, abs=size * 1e-6)
    covariance = np.cov((vectors / size).T) * size * size
    assert found.covariance == pytest.approx(covariance, rel=1e-5, abs=size * size * 1e-5)


def test_columns_of_very_different_sizes_keep_their_covariance() -> None:
    vectors = np.random.default_rng(1).normal(size=(5_000, 3)) * [1.0, 1e4, 1e-3] + [0.0, 1e6, 0.0]
    found = summary(sum_vectors(vectors), 3)
    assert found is not None
    assert found.covariance is not None
    spread = np.sqrt(np.diag(np.cov(vectors.T)))
    assert found.covariance / np.outer(spread, spread) == pytest.approx(np.corrcoef(vectors.T), abs=1e-3)


def test_long_vectors_have_a_mean() -> None:
    vectors = 1_000 + np.random.default_rng(1).normal(size=(300, 200))
    found = summary(sum_vectors(vectors), 200)
    assert found is not None
    assert found.mean == pytest.approx(vectors.mean(axis=0), rel=1e-9)
    assert found.covariance is None


FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.tuples(FLOATS, FLOATS), min_size=1, max_size=12), st.data())
def test_cuts_and_order_change_no_sum(rows: list[tuple[float, float]], data: st.DataObject) -> None:
    frame = pl.DataFrame({"v": [list(row) for row in rows]})
    cut = data.draw(st.integers(0, len(rows)))
    whole = Profile.of("dev", "app", frame, ProfileOptions())
    parts = [Profile.of("dev", "app", part, ProfileOptions()) for part in (frame[cut:], frame[:cut])]
    assert Profile.merge(parts).to_bytes() == whole.to_bytes()
    vector = whole.column("v", "dev").vector
    assert vector is not None
    for place in range(2):
        values = [row[place] for row in rows]
        largest = max(max(abs(x), abs(y)) for x, y in rows)
        exact = sum(value / len(values) for value in values)
        assert abs(vector.mean[place] - exact) <= largest * 2.0**-31 + 1e-320


@pytest.mark.parametrize(("center", "spread"), [(0.0, 1.0), (1_000.0, 1.0), (1e6, 1.0), (0.0, 1e-5), (0.0, 1e12)])
def test_a_shift_of_vectors_is_seen_wherever_they_lie(center: float, spread: float) -> None:
    generator = np.random.default_rng(1)
    profiles = []
    for moved in (0.0, 0.0, 0.5):
        vectors = center + spread * (moved + generator.normal(size=(3_000, 4)))
        profile = Profile.of("dev", "app", pl.DataFrame({"v": vectors.tolist()}), ProfileOptions())
        profiles.append(profile.column("v", "dev"))
    pair = Pair("dev", "test", "match", "")
    assert compare_columns(profiles[0], profiles[1], CheckSettings(), 1, pair=pair).verdict == "match"
    assert compare_columns(profiles[0], profiles[2], CheckSettings(), 1, pair=pair).verdict == "shift"


def test_vectors_whose_squares_are_no_floats_are_told_and_not_compared() -> None:
    vectors = 1e300 * np.random.default_rng(1).normal(size=(300, 2))
    column = Profile.of("dev", "app", pl.DataFrame({"v": vectors.tolist()}), ProfileOptions()).column("v", "dev")
    found = compare_columns(column, column, CheckSettings(), 1, pair=Pair("dev", "test", "match", ""))
    assert "too large" in found.note
