"""Comparisons of columns: verdicts, edge cases, and that chance is not taken for a shift."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.validation.comparing.building import category, histogram, number, numbered
from validation.comparing.columns import compare_all, compare_columns
from validation.comparing.comparison import judged
from validation.comparing.pairs import Pair
from validation.profile.values import Categories, ColumnProfile, VectorSummary
from validation.settings import CheckSettings

SETTINGS = CheckSettings()
PAIR = Pair("dev", "test", "match", "")


def compare(reference, observed, seed=1, **options):
    return compare_columns(reference, observed, SETTINGS, seed, pair=PAIR, **options)


COUNTS = st.dictionaries(st.text(max_size=3), st.integers(1, 500), min_size=1, max_size=12)


@given(COUNTS)
def test_a_column_matches_itself(counts):
    found = compare(category(counts), category(counts))
    assert found.verdict == ("match" if sum(counts.values()) >= 100 else "too few rows")
    if found.effect:
        assert found.js == 0
        assert found.effect.value == 0
        assert found.p > 0.9
        assert found.smallest >= SETTINGS.thresholds.js_excess[0]


@given(COUNTS, COUNTS)
def test_every_comparison_of_categories_is_within_its_bounds(first, second):
    found = compare(category(first), category(second))
    if found.effect is None:
        return
    assert 0 <= found.js_excess <= found.js + 1e-9 <= 1 + 2e-9
    assert 0 <= found.p <= found.q <= 1
    assert found.effect.interval[0] <= found.effect.interval[1]
    assert found.new.count == len(set(second) - set(first))
    assert found.missing.count == len(set(first) - set(second))
    assert found.new.rows == sum(second[value] for value in set(second) - set(first))


@given(COUNTS, COUNTS)
def test_the_names_of_categories_tell_nothing(first, second):
    renamed = [{f"{value}!": rows for value, rows in counts.items()} for counts in (first, second)]
    found, again = compare(category(first), category(second)), compare(*map(category, renamed))
    for name in ("js", "js_excess", "p", "psi", "smallest", "l_infinity"):
        one, other = getattr(found, name), getattr(again, name)
        assert one == other or one == pytest.approx(other, rel=1e-6, abs=1e-9)
    assert found.verdict == again.verdict


def test_a_shift_of_categories_is_found_by_its_size():
    rows = {"a": 5000, "b": 5000}
    slight, large = {"a": 5800, "b": 4200}, {"a": 7000, "b": 3000}
    assert compare(category(rows), category(slight)).verdict == "slight shift"
    assert compare(category(rows), category(large)).verdict == "shift"
    assert compare(category(rows), category({"a": 5200, "b": 4800})).verdict == "match"


def test_a_sure_difference_that_is_small_is_a_match():
    found = compare(category({"a": 10**8, "b": 10**8}), category({"a": 101 * 10**6, "b": 99 * 10**6}))
    assert found.p < 1e-100
    assert found.verdict == "match"


def test_a_large_difference_that_is_unsure_is_a_match():
    found = compare(number(np.arange(100.0)), number(np.arange(100.0) + 8))
    assert found.effect.value > found.effect.levels[0]
    assert found.q > SETTINGS.alpha
    assert found.verdict == "match"
    assert found.smallest > found.effect.value


@pytest.mark.parametrize(("moved", "verdict"), [(0.02, "match"), (0.15, "slight shift"), (0.5, "shift")])
def test_numbers_that_moved_are_found_by_how_far(moved, verdict):
    generator = np.random.default_rng(1)
    found = compare(number(generator.normal(5, 2, 20_000)), number(generator.normal(5 + 2 * moved, 2, 20_000)))
    assert found.verdict == verdict
    assert found.wasserstein_sd == pytest.approx(moved, abs=0.03)
    assert found.effect.interval[0] <= max(moved, found.effect.value) <= found.effect.interval[1] + 0.01


OFFSETS = {
    "years": (2001 + np.arange(15), 1986 + np.arange(15)),
    "one year": (np.array([2001]), np.array([2015])),
    "latitudes": (np.linspace(59.12, 59.18, 999), np.linspace(59.82, 59.88, 999)),
    "Kelvin": (np.linspace(288.1, 289.9, 5_000), np.linspace(294.0, 295.9, 5_000)),
    "below zero": (np.linspace(-288.1, -289.9, 5_000), np.linspace(-294.0, -295.9, 5_000)),
    "epoch seconds": (np.linspace(1.620e9, 1.625e9, 5_000), np.linspace(1.635e9, 1.640e9, 5_000)),
}


@pytest.mark.parametrize("name", OFFSETS)
def test_numbers_far_from_zero_are_told_apart(name):
    first, second = (np.resize(values.astype(float), 3_000) for values in OFFSETS[name])
    found = compare(number(first), number(second))
    assert found.verdict == "shift"
    assert found.ks == pytest.approx(1)
    assert found.p < 1e-100
    assert compare(number(first), number(first)).verdict == "match"
    assert compare(number(first), number(first)).smallest < 0.2


@pytest.mark.parametrize("moved", [0.0, 0.15, 0.5])
def test_where_numbers_lie_changes_nothing_of_how_far_they_moved(moved):
    generator = np.random.default_rng(1)
    first, second = generator.normal(size=20_000), generator.normal(size=20_000) + moved
    near = compare(number(first), number(second))
    far = compare(number(59.2 + 0.03 * first), number(59.2 + 0.03 * second))
    assert far.verdict == near.verdict
    assert far.ks == pytest.approx(near.ks, abs=0.01)
    assert far.wasserstein_sd == pytest.approx(near.wasserstein_sd, abs=0.02)
    assert far.smallest == pytest.approx(near.smallest, abs=0.02)


def test_what_cannot_be_told_apart_is_no_sure_match():
    generator = np.random.default_rng(1)
    wide = generator.lognormal(0, 40, 20_000)
    first = np.concatenate([wide, 1_000 + 0.1 * generator.normal(size=20_000)])
    second = np.concatenate([wide, 1_002 + 0.1 * generator.normal(size=20_000)])
    found = compare(number(first), number(second))
    assert found.smallest > 0.5
    assert "counted as one value" in found.note
    spike = np.concatenate([wide, np.zeros(20_000)])
    assert compare(number(spike), number(spike)).smallest < 0.3


def test_numbers_whose_spread_alone_differs_are_found():
    generator = np.random.default_rng(1)
    found = compare(number(generator.normal(0, 1, 5000)), number(generator.normal(0, 1.6, 5000)))
    assert found.verdict == "shift"


def test_a_far_tail_is_found_that_ranks_do_not_show():
    generator = np.random.default_rng(1)
    plain, tail = generator.normal(size=5000), generator.normal(size=5000)
    tail[:100] += 40
    found = compare(number(plain), number(tail))
    assert found.ks < 0.05
    assert found.effect.name == "wasserstein_excess"
    assert found.verdict == "shift"


def test_times_are_compared_by_day():
    days = histogram(np.arange(19_000.0, 19_400.0))
    whole = replace(days, lower=np.arange(-50.0, 350.0), upper=np.arange(-49.0, 351.0), counts=np.full(400, 3))
    later = replace(whole, lower=whole.lower + 100, upper=whole.upper + 100)
    first, second = (ColumnProfile("day", "time", 1200, 0, histogram=part) for part in (whole, later))
    assert compare(first, first).verdict == "match"
    found = compare(first, second)
    assert found.verdict == "shift"
    assert found.wasserstein_sd == pytest.approx(100 / (400 / math.sqrt(12)), rel=0.01)


@pytest.mark.parametrize(
    ("reference", "observed", "verdict"),
    [
        (category({}), category({}), "no values"),
        (category({}, nulls=500), category({"a": 500}), "no values"),
        (number([]), number([]), "no values"),
        (category({"a": 1}), category({"a": 1}), "too few rows"),
        (number([1.0]), number([1.0]), "too few rows"),
        (category({"a": 500}), category({"a": 500}), "match"),
        (category({"a": 500}), category({"b": 500}), "shift"),
        (number([3.0] * 200), number([3.0] * 300), "match"),
        (number([3.0] * 200), number([4.0] * 300), "shift"),
        (number([0.0] * 200), number([0.0] * 300), "match"),
        (number([1.0] * 200), category({"1": 200}), "not compared"),
        (ColumnProfile("t", "text", 200, 0), ColumnProfile("t", "text", 200, 0), "not compared"),
        (ColumnProfile("o", "other", 200, 0), ColumnProfile("o", "other", 200, 0), "not compared"),
    ],
)
def test_edges_have_a_verdict(reference, observed, verdict):
    found = compare(reference, observed)
    assert found.verdict == verdict
    assert (found.effect is not None) == (verdict in ("match", "shift"))
    json.dumps(found.row(), allow_nan=False)


def test_ten_thousand_categories_without_a_shift_match():
    weights = 1 / np.arange(1, 10_001)
    generator = np.random.default_rng(2)
    counts = [generator.multinomial(2500, weights / weights.sum()) for _ in range(2)]
    found = compare(*map(numbered, counts))
    assert found.verdict == "match"
    assert found.js > 0.4
    assert found.psi > 0.25
    assert len(found.new.largest) == 20
    assert found.new.largest[0][1] == max(rows for _, rows in found.new.largest)


def test_shares_without_a_value_are_compared_by_themselves():
    reference, observed = number([1.0] * 900, nulls=100), number([1.0] * 500 + [math.nan] * 100, nulls=400)
    found = {one.about: one for one in compare_all(reference, observed, SETTINGS, 1, pair=PAIR)}
    assert set(found) == {"values", "missing", "NaN"}
    assert found["values"].verdict == "match"
    assert found["values"].n_observed == 500
    assert found["missing"].verdict == "shift"
    assert found["missing"].l_infinity == pytest.approx(0.3)
    assert found["NaN"].verdict == "shift"


def test_a_column_that_is_null_in_one_split_alone_is_a_shift_of_missing_rows():
    found = compare_all(number([], nulls=300), number([1.0] * 300), SETTINGS, 1, pair=PAIR)
    assert [one.verdict for one in found] == ["no values", "shift"]


def test_counts_that_are_not_exact_show_only_a_shift_that_their_bounds_leave():
    def sketch(counts, error):
        values = tuple(sorted(counts))
        rows = np.array([counts[value] for value in values], dtype=np.int64)
        part = Categories(values, rows, exact=False, error=error, other=200)
        return ColumnProfile("c", "category", part.rows, 0, distinct_exact=False, categories=part)

    same = compare(sketch({"a": 1000, "b": 800}, 100), sketch({"a": 950, "b": 850}, 100))
    assert same.verdict == "match"
    assert same.js == pytest.approx(0, abs=1e-9)
    assert same.new.count is None
    apart = compare(sketch({"a": 1000, "b": 300}, 100), sketch({"a": 300, "b": 1000}, 100))
    assert apart.verdict == "shift"
    exact = compare(category({"a": 1000, "b": 300, "": 200}), category({"a": 300, "b": 1000, "": 200}))
    assert apart.js < exact.js
    assert "at least" in apart.note


@pytest.mark.parametrize("kind", ["category", "text"])
def test_categories_that_are_too_many_to_count_are_no_match(kind):
    part = Categories(("a", "b"), np.array([60, 50]), exact=False, error=45, other=900)
    profile = ColumnProfile("c", kind, part.rows, 0, distinct_exact=False, categories=part)
    found = compare(profile, profile)
    assert found.verdict == "not compared"
    assert found.note


def vectors(values) -> ColumnProfile:
    summary = VectorSummary(
        len(values), values.shape[1], values.mean(axis=0), np.cov(values.T).reshape(values.shape[1], -1)
    )
    return ColumnProfile("v", "vector", len(values), 0, vector=summary)


def test_vectors_are_compared_by_mean_and_covariance():
    generator = np.random.default_rng(1)
    base = generator.normal(size=(3000, 8)) * np.arange(1, 9)
    assert compare(vectors(base[:1500]), vectors(base[1500:])).verdict == "match"
    moved = base[1500:] + 0.3 * np.arange(1, 9)
    found = compare(vectors(base[:1500]), vectors(moved))
    assert found.verdict == "shift"
    assert found.frechet == pytest.approx(0.3, abs=0.05)
    short = compare(vectors(base[:1500]), vectors(base[1500:, :4]))
    assert short.verdict == "not compared"
    assert "8" in short.note
    assert "4" in short.note
    bare = vectors(base)
    bare = replace(bare, vector=replace(bare.vector, covariance=None))
    assert compare(bare, bare).verdict == "not compared"


def test_vectors_of_one_number_are_as_far_apart_as_their_mean_and_deviation():
    a, b = np.array([[0.0], [2.0]] * 200), np.array([[5.0], [9.0]] * 200)
    found = compare(vectors(a), vectors(b))
    da, db = a.std(ddof=1), b.std(ddof=1)
    assert found.frechet == pytest.approx(math.hypot(6.0, da - db) / da)


@pytest.mark.parametrize("heavy", [False, True])
@pytest.mark.parametrize("rows", [200, 2000])
def test_vectors_without_a_shift_raise_no_alarm(rows, heavy):
    generator = np.random.default_rng(5)
    spread = np.linspace(1, 4, 6)

    def draw():
        size = (rows, 6)
        return vectors((generator.standard_t(4, size=size) if heavy else generator.normal(size=size)) * spread)

    found = [compare(draw(), draw()) for _ in range(300)]
    assert sum(one.p < 0.05 for one in found) <= 27
    assert sum(one.shifted for one in found) <= 9
    if not heavy:
        squares = np.mean([one.frechet**2 for one in found])
        assert squares == pytest.approx(found[0].effect.null ** 2, rel=0.1)


def test_a_comparison_is_the_same_again_and_its_row_is_plain():
    generator = np.random.default_rng(1)
    a, b = number(generator.normal(size=500)), number(generator.normal(size=500))
    assert compare(a, b).row() == compare(a, b).row()
    row = json.loads(json.dumps(compare(a, b).row(), allow_nan=False))
    assert row["effect_name"] in ("ks_excess", "wasserstein_excess")
    assert row["verdict"] == "match"
    assert "detection" not in row


def test_many_comparisons_need_surer_differences():
    one = compare(category({"a": 500, "b": 500}), category({"a": 565, "b": 435}))
    assert one.shifted
    others = [compare(category({"a": 500, "b": 500}), category({"a": 500, "b": 500}))] * 40
    found = judged([one, *others], SETTINGS)
    assert found[0].verdict == "match"
    assert found[0].q > one.q
    assert found[0].smallest > one.smallest


def test_sure_mismatches_do_not_help_a_chance_difference_of_two_draws():
    near = compare(category({"a": 500, "b": 500}), category({"a": 565, "b": 435}))
    far = replace(compare(category({"a": 500, "b": 500}), category({"a": 900, "b": 100})), role="mismatch")
    same = compare(category({"a": 500, "b": 500}), category({"a": 500, "b": 500}))
    found = judged([near, *[same] * 20, *[far] * 100], SETTINGS)
    assert found[0].verdict == "match"
    assert all(one.verdict == "shift" for one in found[21:])


def test_what_was_not_tested_does_not_count_as_a_comparison():
    one = compare(category({"a": 500, "b": 500}), category({"a": 565, "b": 435}))
    bare = compare(category({}), category({}))
    assert judged([one, *[bare] * 100], SETTINGS)[0].q == one.p


KINDS = {
    "two": lambda g, n: numbered(g.multinomial(n, [0.9, 0.1])),
    "zipf": lambda g, n: numbered(g.multinomial(n, (1 / np.arange(1, 1001)) / (1 / np.arange(1, 1001)).sum())),
    "normal": lambda g, n: number(g.normal(size=n)),
    "zeros": lambda g, n: number(np.where(g.random(n) < 0.9, 0, np.round(g.exponential(5, n)))),
    "heavy": lambda g, n: number(g.pareto(1.5, n)),
}


@pytest.mark.parametrize("sizes", [(100, 100), (2000, 400)])
@pytest.mark.parametrize("kind", KINDS)
def test_chance_is_called_a_shift_no_more_often_than_said(kind, sizes):
    generator = np.random.default_rng(12)
    make = KINDS[kind]
    found = [compare(make(generator, sizes[0]), make(generator, sizes[1]), seed) for seed in range(200)]
    # At 1 in 100, more than 7 of 200 come once in 1,000 tries; so do more than 20 at 1 in 20.
    assert sum(one.shifted for one in found) <= 7
    assert sum(one.p < 0.05 for one in found) <= 20


@pytest.mark.parametrize("rows", [300, 3000])
def test_a_shift_of_the_smallest_size_that_can_be_seen_is_seen(rows):
    generator = np.random.default_rng(13)
    base = numbered(generator.multinomial(rows, [0.5, 0.5]))
    size = compare(base, base).smallest
    low, high = 0.0, 0.5
    for _ in range(60):
        middle = (low + high) / 2
        share = np.array([0.5 + middle, 0.5 - middle])
        half = np.array([0.5, 0.5])
        mean = (share + half) / 2
        distance = math.sqrt(((share * np.log2(share / mean)).sum() + (half * np.log2(half / mean)).sum()) / 2)
        low, high = (middle, high) if distance < size else (low, middle)
    seen = sum(
        compare(
            numbered(generator.multinomial(rows, [0.5, 0.5])),
            numbered(generator.multinomial(rows, [0.5 + low, 0.5 - low])),
        ).shifted
        for _ in range(400)
    )
    assert 0.74 <= seen / 400 <= 0.88


@pytest.mark.parametrize("designs", [(500.0, 500.0), (500.0, 1.0), (3.7, 9.2)])
def test_rows_that_are_worth_little_show_little(designs):
    values = np.random.default_rng(1).normal(size=(2, 500))
    pairs = [
        (number(values[0]), number(values[1] + 1)),
        (category({"a": 250, "b": 250}), category({"a": 400, "b": 100})),
    ]
    for reference, observed in pairs:
        plain, found = compare(reference, observed), compare(reference, observed, designs=designs)
        assert plain.verdict == "shift"
        assert found.p > plain.p
        assert found.smallest > plain.smallest
        if designs[0] == 500:
            assert found.verdict == "match"
