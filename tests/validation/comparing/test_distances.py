"""Distances against scipy, and their laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from tests.validation.comparing.building import histogram
from validation.comparing.distances import (
    jensen_shannon,
    kolmogorov_smirnov,
    l_infinity,
    population_stability,
    psi_band,
    shares,
    wasserstein,
)
from validation.comparing.tables import histogram_line, quantile_bins

COUNTS = st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=1, max_size=30).filter(
    lambda rows: sum(a for a, _ in rows) > 0 and sum(b for _, b in rows) > 0
)
DISTANCES = [jensen_shannon, l_infinity, population_stability, kolmogorov_smirnov]


def both(rows):
    table = np.array(rows, dtype=np.float64)
    return shares(table[:, 0]), shares(table[:, 1])


@given(COUNTS)
def test_jensen_shannon_is_that_of_scipy(rows):
    p, q = both(rows)
    assert jensen_shannon(p, q) == pytest.approx(float(np.nan_to_num(jensenshannon(p, q, base=2))), abs=2e-8)


@given(COUNTS)
def test_distances_are_symmetric_and_nothing_for_the_same_shares(rows):
    p, q = both(rows)
    for distance in DISTANCES:
        assert distance(p, q) == pytest.approx(distance(q, p), abs=1e-12)
        assert distance(p, p) == 0
        assert distance(p, q) >= 0


@given(COUNTS)
def test_distances_of_shares_are_at_most_one(rows):
    p, q = both(rows)
    for distance in (jensen_shannon, l_infinity, kolmogorov_smirnov):
        assert distance(p, q) <= 1


@given(COUNTS, st.randoms())
def test_the_order_of_categories_tells_nothing(rows, random):
    p, q = both(rows)
    order = list(range(len(rows)))
    random.shuffle(order)
    for distance in (jensen_shannon, l_infinity, population_stability):
        assert distance(p[order], q[order]) == pytest.approx(distance(p, q), abs=1e-9)


@given(COUNTS, st.integers(1, 50))
def test_more_rows_of_the_same_shares_change_nothing(rows, times):
    p, q = both(rows)
    more, _ = both([(times * a, b) for a, b in rows])
    assert jensen_shannon(more, q) == pytest.approx(jensen_shannon(p, q), abs=1e-7)


def test_disjoint_categories_are_one_apart():
    p, q = both([(3, 0), (0, 4), (5, 0)])
    assert jensen_shannon(p, q) == 1
    assert np.isfinite(population_stability(p, q))


INTEGERS = st.lists(st.integers(-60, 60).map(float), min_size=1, max_size=80)


@given(INTEGERS, INTEGERS)
def test_distances_of_small_integers_in_buckets_are_those_of_the_values(first, second):
    a, b = np.array(first), np.array(second)
    line = histogram_line(histogram(a), histogram(b))
    p, q = shares(line.table.reference), shares(line.table.observed)
    assert kolmogorov_smirnov(p, q) == pytest.approx(stats.ks_2samp(a, b).statistic, abs=1e-9)
    moved = wasserstein(p, q, line.positions) * line.scale
    assert moved == pytest.approx(stats.wasserstein_distance(a, b), abs=1e-9)
    assert line.deviation(line.table.reference) * line.scale == pytest.approx(a.std(), abs=1e-9)


@pytest.mark.parametrize("shift", [0.0, 0.1, 1.0])
def test_distances_of_buckets_are_close_to_those_of_the_values(shift):
    generator = np.random.default_rng(1)
    a, b = generator.normal(0, 1, 4000), generator.normal(shift, 1, 3000)
    line = histogram_line(histogram(a), histogram(b))
    p, q = shares(line.table.reference), shares(line.table.observed)
    exact = stats.ks_2samp(a, b).statistic
    assert exact - 0.01 <= kolmogorov_smirnov(p, q) <= exact + 1e-12
    assert wasserstein(p, q, line.positions) * line.scale == pytest.approx(stats.wasserstein_distance(a, b), abs=0.02)


def test_huge_numbers_are_compared_without_overflow():
    a, b = np.array([1e300, -1e300, 1.0]), np.array([1e308, -1e308, 1.0])
    line = histogram_line(histogram(a), histogram(b))
    assert np.isfinite(wasserstein(shares(line.table.reference), shares(line.table.observed), line.positions))
    assert np.isfinite(line.deviation(line.table.reference))


@given(INTEGERS, INTEGERS, st.integers(1, 30))
def test_bins_keep_every_row(first, second, bins):
    table = histogram_line(histogram(np.array(first)), histogram(np.array(second))).table
    binned = quantile_bins(table, bins)
    assert len(binned.reference) == bins
    assert binned.sizes == table.sizes


def test_bins_of_untied_values_hold_about_the_same_share():
    values = np.random.default_rng(1).lognormal(size=20_000)
    table = histogram_line(histogram(values), histogram(values)).table
    assert quantile_bins(table, 10).reference == pytest.approx(2000, abs=500)


def test_shares_of_no_rows_are_zeros():
    assert shares(np.zeros(3)).tolist() == [0, 0, 0]


def test_the_words_for_a_stability_index():
    assert [psi_band(value) for value in (0.0, 0.099, 0.1, 0.25, 0.26)] == [
        "small",
        "small",
        "moderate",
        "moderate",
        "large",
    ]
