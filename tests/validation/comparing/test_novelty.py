"""New categories: as many as chance gives are no news, more of them are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.validation.comparing.building import category, numbered
from validation.comparing.novelty import novelty


def drawn(generator, kind, rows):
    if kind == "Zipf":
        return np.minimum(generator.zipf(1.3, rows), 10**6)
    return generator.integers(0, 20_000, rows) if kind == "rare" else generator.integers(0, 40, rows)


def counted(values, top=10**6 + 10**5):
    return numbered(np.bincount(values, minlength=top + 1)).categories


@pytest.mark.parametrize("kind", ["Zipf", "rare", "common"])
def test_what_chance_brings_is_expected_and_raises_no_alarm(kind):
    generator = np.random.default_rng(1)
    found, expected, p = [], [], []
    for _ in range(60):
        train, split = drawn(generator, kind, 8_000), drawn(generator, kind, 800)
        told = novelty(counted(split), counted(train))
        found.append(int((~np.isin(split, train)).sum()))
        expected.append(told.expected)
        p.append(told.p)
    assert np.mean(expected) == pytest.approx(np.mean(found), rel=0.1, abs=0.1)
    assert min(p) > 0.001


@pytest.mark.parametrize(("kind", "share"), [("Zipf", 0.1), ("rare", 0.2), ("common", 0.005)])
def test_more_than_chance_brings_is_sure(kind, share):
    generator = np.random.default_rng(1)
    train, split = drawn(generator, kind, 8_000), drawn(generator, kind, 800)
    split[: int(share * 800)] = 10**6 + np.arange(int(share * 800)) // 2
    assert novelty(counted(split), counted(train)).p < 0.01


def test_one_new_value_of_many_rows_is_sure():
    train, split = {"a": 5_000, "b": 3_000}, {"a": 500, "b": 290, "c": 10}
    assert novelty(category(split).categories, category(train).categories).p < 1e-6
    alone = {"a": 500, "b": 299, "c": 1}
    assert novelty(category(alone).categories, category(train).categories).p > 0.05


def test_rows_that_come_together_are_one_surprise():
    train, split = {"a": 5_000, "b": 3_000}, {"a": 500, "b": 290, "c": 10}
    assert novelty(category(split).categories, category(train).categories, (10.0, 10.0)).p > 0.05


COUNTS = st.dictionaries(st.text(max_size=2), st.integers(1, 50), max_size=9)


@given(COUNTS, COUNTS)
def test_the_bound_is_a_probability_and_nothing_new_is_no_surprise(first, second):
    told = novelty(category(first).categories, category(second).categories)
    assert 0 <= told.p <= 1
    assert 0 <= told.expected <= max(1, sum(first.values()))
    if not set(first) - set(second):
        assert told.p == 1
