"""P-values, chance and detection against scipy and against draws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tests.validation.comparing.building import histogram
from validation.comparing.chance import MOST_CELLS, beyond, chances, expected_js_square
from validation.comparing.detecting import ByCategories
from validation.comparing.distances import jensen_shannon, shares, wasserstein
from validation.comparing.laws import noncentral_tail, noncentrality_of
from validation.comparing.tables import Table, fold_rare, histogram_line
from validation.comparing.testing import corrected, g_law, g_statistic, g_test, kolmogorov_p

CELLS = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), min_size=2, max_size=20).filter(
    lambda rows: sum(a for a, _ in rows) > 0 and sum(b for _, b in rows) > 0
)


def table_of(rows) -> Table:
    counts = np.array(rows, dtype=np.float64)
    return Table(counts[:, 0], counts[:, 1])


@given(CELLS)
def test_g_is_that_of_scipy(rows):
    table = table_of([pair for pair in rows if sum(pair)])
    found = np.stack([table.reference, table.observed])
    expected = found.sum(axis=1, keepdims=True) * table.pooled
    wanted = stats.power_divergence(found.ravel(), expected.ravel(), lambda_="log-likelihood").statistic
    assert g_statistic(table) == pytest.approx(wanted, rel=1e-9, abs=1e-7)


def test_p_of_many_rows_is_that_of_scipy():
    table = Table(np.array([40_000.0, 30_000, 20_000]), np.array([40_100.0, 29_700, 20_300]))
    wanted = stats.chi2_contingency(np.stack([table.reference, table.observed]), lambda_="log-likelihood").pvalue
    assert g_test(fold_rare(table)) == pytest.approx(wanted, rel=1e-3)


@pytest.mark.parametrize(("n", "m", "cells"), [(600, 600, 100), (500, 50_000, 90), (2500, 2500, 7)])
def test_the_law_of_g_has_the_mean_and_variance_of_draws(n, m, cells):
    generator = np.random.default_rng(4)
    share = np.full(cells, 1 / cells)
    values, laws = [], []
    for _ in range(800):
        table = Table(generator.multinomial(n, share).astype(float), generator.multinomial(m, share).astype(float))
        values.append(g_statistic(table))
        laws.append(g_law(table))
    weight, freedom = np.mean(laws, axis=0)
    deviation = np.std(values)
    assert np.mean(values) == pytest.approx(weight * freedom, abs=4 * deviation / np.sqrt(800))
    assert np.var(values) == pytest.approx(2 * weight**2 * freedom, rel=0.25)


def test_rare_categories_of_the_smaller_sample_are_seen():
    none = Table(np.array([99_990.0, 10.0]), np.array([100.0, 0.0]))
    many = Table(np.array([99_990.0, 10.0]), np.array([90.0, 10.0]))
    assert g_test(fold_rare(none)) > 0.5
    assert g_test(fold_rare(many)) < 1e-6


@given(CELLS)
def test_folding_keeps_rows_and_leaves_at_most_one_rare_cell(rows):
    table = table_of(rows)
    folded = fold_rare(table)
    assert folded.table.sizes == pytest.approx(table.sizes)
    expected = folded.table.pooled * min(table.sizes)
    assert (expected[: folded.kept] >= 5).all()
    assert len(expected) - folded.kept in (0, 1)
    assert folded.rare == (len(expected) > folded.kept and expected[-1] < 5)


@given(CELLS, st.randoms())
def test_p_does_not_depend_on_the_order_of_categories_or_samples(rows, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    p = g_test(fold_rare(table_of(rows)))
    assert 0 <= p <= 1
    assert g_test(fold_rare(table_of(shuffled))) == pytest.approx(p, rel=1e-6, abs=1e-12)
    assert g_test(fold_rare(table_of([(b, a) for a, b in rows]))) == pytest.approx(p, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(("n", "m"), [(200, 200), (150, 5000), (50_000, 50_000)])
def test_kolmogorov_is_that_of_scipy_for_untied_values(n, m):
    generator = np.random.default_rng(2)
    a, b = generator.normal(size=n), generator.normal(0.05, 1, m)
    values = np.sort(np.concatenate([a, b]))
    table = Table(np.isin(values, a).astype(float), np.isin(values, b).astype(float))
    wanted = stats.ks_2samp(a, b, method="asymp")
    assert kolmogorov_p(wanted.statistic, table) == pytest.approx(wanted.pvalue, rel=1e-9)


def test_kolmogorov_of_two_values_is_nearly_as_sharp_as_a_test_of_shares():
    table = Table(np.array([1200.0, 1300.0]), np.array([1300.0, 1200.0]))
    p = kolmogorov_p(0.04, table)
    assert p == pytest.approx(stats.chi2_contingency([[1200, 1300], [1300, 1200]], correction=False).pvalue, rel=0.02)


@given(st.lists(st.floats(0, 1), max_size=40))
def test_correction_is_that_of_scipy(p_values):
    wanted = stats.false_discovery_control(p_values) if p_values else []
    assert corrected(p_values) == pytest.approx(np.asarray(wanted), abs=1e-12)


@pytest.mark.parametrize(("n", "m"), [(100, 100), (2500, 100_000), (2500, 2500)])
@pytest.mark.parametrize("cells", [2, 10, 200])
def test_the_formula_for_chance_is_as_good_as_draws(n, m, cells):
    weights = 1 / np.arange(1, cells + 1)
    share = weights / weights.sum()
    share = np.append(share[share * n >= 5], share[share * n < 5].sum())
    share = share[share > 0]
    generator = np.random.default_rng(3)
    draws = 4000
    first, second = shares(generator.multinomial(n, share, draws)), shares(generator.multinomial(m, share, draws))
    squares = [jensen_shannon(p, q) ** 2 for p, q in zip(first, second, strict=True)]
    formula = expected_js_square(Table(share * n, share * m))
    assert formula == pytest.approx(np.mean(squares), rel=0.03, abs=4 * np.std(squares) / np.sqrt(draws))


@pytest.mark.parametrize("kind", ["normal", "tied", "heavy"])
def test_fewer_buckets_give_the_same_chance(kind, monkeypatch):
    generator = np.random.default_rng(6)
    make = {
        "normal": lambda n: generator.normal(size=n),
        "tied": lambda n: np.round(generator.exponential(30, n)),
        "heavy": lambda n: generator.pareto(1.5, n),
    }[kind]
    line = histogram_line(histogram(make(2000)), histogram(make(3000)))
    assert len(line.positions) > MOST_CELLS or kind == "tied"
    few = chances(line, 0.01, 1, draws=2000)
    monkeypatch.setattr("validation.comparing.chance.MOST_CELLS", 10**6)
    many = chances(line, 0.01, 2, draws=2000)
    for coarse, fine in zip(few, many, strict=True):
        assert coarse.mean_square == pytest.approx(fine.mean_square, rel=0.12)
        assert coarse.cut == pytest.approx(fine.cut, rel=0.08)


def test_the_mean_square_of_chance_is_what_draws_of_one_distribution_have():
    generator = np.random.default_rng(7)
    squares, told = [], []
    for seed in range(150):
        a, b = generator.normal(size=300), generator.normal(size=500)
        line = histogram_line(histogram(a), histogram(b))
        deviation = line.deviation(line.table.reference)
        p, q = shares(line.table.reference), shares(line.table.observed)
        squares.append((wasserstein(p, q, line.positions) / deviation) ** 2)
        told.append(chances(line, deviation, seed, draws=100)[1].mean_square)
    assert np.mean(told) == pytest.approx(np.mean(squares), rel=0.2)


def test_chance_depends_on_the_seed_alone():
    line = histogram_line(histogram(np.arange(500.0)), histogram(np.arange(400.0)))
    assert chances(line, 1.0, 5) == chances(line, 1.0, 5)
    assert chances(line, 1.0, 5) != chances(line, 1.0, 6)


@pytest.mark.parametrize("freedom", [1, 5, 100, 1500])
@pytest.mark.parametrize("noncentrality", [0.5, 8, 60, 500])
def test_the_tail_of_noncentral_chi_squared_is_that_of_scipy(freedom, noncentrality):
    law = stats.ncx2(freedom, noncentrality)
    for share in (0.025, 0.2, 0.5, 0.8, 0.975):
        assert noncentral_tail(law.isf(share), freedom, noncentrality) == pytest.approx(share, abs=0.012)


@given(st.floats(0.1, 1e9), st.floats(1, 1e4), st.floats(0.01, 0.99))
def test_the_noncentrality_is_the_one_that_has_the_tail(value, freedom, tail):
    found = noncentrality_of(value, freedom, tail)
    assert found >= 0
    if found > 0:
        assert noncentral_tail(value, freedom, found) == pytest.approx(tail, abs=1e-6)
    else:
        assert noncentral_tail(value, freedom, 0) >= tail - 1e-6


@given(st.floats(1, 500), st.floats(50, 1e7), st.floats(0.001, 0.4))
def test_intervals_are_in_order_and_hold_the_distance_beyond_chance(freedom, scale, distance):
    mean_square = freedom / scale
    low, high = ByCategories(freedom, scale, mean_square).interval(distance)
    assert 0 <= low <= high
    assert low <= beyond(distance, mean_square) + 1e-9


def test_the_interval_of_categories_holds_the_true_distance():
    generator = np.random.default_rng(8)
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.4, 0.3, 0.3])
    true, held = jensen_shannon(p, q), 0
    for _ in range(400):
        table = Table(generator.multinomial(800, p).astype(float), generator.multinomial(600, q).astype(float))
        distance = jensen_shannon(shares(table.reference), shares(table.observed))
        detection = ByCategories(2, 8 * np.log(2) * table.effective, expected_js_square(table))
        low, high = detection.interval(distance)
        held += low <= true <= high
    assert 0.92 <= held / 400 <= 0.98
