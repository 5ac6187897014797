"""Rows of a group are worth less than as many rows: the design effect keeps them from raising alarms."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from tests.validation.comparing.building import number, numbered
from validation.comparing.columns import compare_columns
from validation.comparing.designs import design_effect, measured_design_effect
from validation.comparing.pairs import Pair
from validation.settings import CheckSettings

SETTINGS = CheckSettings()
PAIR = Pair("dev", "test", "match", "")
GROUPS = 150


def grouped(generator, kind):
    """Rows of 150 groups of about 8, whose values are mostly those of the group."""
    sizes = generator.integers(4, 13, GROUPS)
    groups = np.repeat(np.arange(GROUPS), sizes)
    if kind == "number":
        values = generator.normal(size=GROUPS)[groups] + 0.3 * generator.normal(size=len(groups))
        profile = number(values)
    else:
        own = generator.integers(0, 10, GROUPS)[groups]
        values = np.where(generator.random(len(groups)) < 0.05, generator.integers(0, 10, len(groups)), own)
        profile = numbered(np.bincount(values, minlength=10))
    return profile, values, groups, sizes


@pytest.mark.parametrize("kind", ["number", "category"])
def test_groups_raise_alarms_without_the_design_effect_and_none_with_it(kind):
    generator = np.random.default_rng(3)
    plain, worst, measured = [], [], []
    for seed in range(80):
        parts = [grouped(generator, kind) for _ in range(2)]
        profiles = [part[0] for part in parts]
        bounds = [design_effect(len(v), squares=int((s**2).sum())) for _, v, _, s in parts]
        found = [
            measured_design_effect(pl.Series(v if kind == "number" else v.astype(str)), pl.Series(g), bound)
            for (_, v, g, _), bound in zip(parts, bounds, strict=True)
        ]
        assert all(0.5 * bound < one <= bound for one, bound in zip(found, bounds, strict=True))
        for verdicts, designs in ((plain, (1.0, 1.0)), (worst, tuple(bounds)), (measured, tuple(found))):
            one = compare_columns(*profiles, SETTINGS, seed, pair=PAIR, designs=designs)
            verdicts.append(one.shifted)
    assert sum(plain) > 16
    assert sum(worst) <= 4
    assert sum(measured) <= 4


def test_the_worst_design_effect_is_the_rows_of_a_row_s_group():
    assert design_effect(0) == 1
    assert design_effect(500) == 1
    assert design_effect(500, groups=100) == 5
    assert design_effect(10, squares=58) == pytest.approx(5.8)
    assert design_effect(10, groups=20) == 1


def test_independent_rows_of_groups_have_nearly_no_design_effect():
    generator = np.random.default_rng(1)
    groups = pl.Series(np.repeat(np.arange(1000), 8))
    effect = measured_design_effect(pl.Series(generator.normal(size=8000)), groups, 8.0)
    assert 1 <= effect < 1.3


def test_copies_have_the_whole_design_effect():
    groups = pl.Series(np.repeat(np.arange(100), 8))
    assert measured_design_effect(groups.cast(pl.String), groups, 8.0) > 7.5
    assert measured_design_effect(groups, groups, 8.0) == 8
    assert measured_design_effect(groups, groups, 1.0) == 1
    assert measured_design_effect(groups.alias("*"), groups.alias("^a$"), 8.0) == 8


def test_a_sample_of_one_row_a_group_tells_nothing_and_the_worst_is_taken():
    values = pl.Series(np.arange(50.0))
    assert measured_design_effect(values, pl.Series(range(50)), 6.0) == 6


def test_missing_values_that_come_by_group_count_like_values_that_do():
    generator = np.random.default_rng(1)
    groups = np.repeat(np.arange(300), 8)
    values = pl.Series(generator.normal(size=2400))
    missing = pl.Series(generator.random(300)[groups] < 0.5)
    frame = pl.DataFrame({"x": values, "missing": missing})
    gone = frame.select(pl.when(~pl.col("missing")).then(pl.col("x"))).to_series()
    assert measured_design_effect(gone, pl.Series(groups), 8.0) > 7.5


@pytest.mark.parametrize("values", [[[1.0], [2.0]] * 50, [b"a", b"b"] * 50])
def test_lists_and_bytes_are_taken_to_be_the_worst(values):
    assert measured_design_effect(pl.Series(values), pl.Series([i // 5 for i in range(100)]), 5.0) == 5


def test_booleans_dates_and_empty_samples_have_a_design_effect():
    groups = pl.Series([i // 5 for i in range(100)])
    for values in (pl.Series([True, False] * 50), pl.Series(range(100)).cast(pl.Date), pl.Series([None] * 100)):
        assert 1 <= measured_design_effect(values, groups, 5.0) <= 5
    assert measured_design_effect(pl.Series([], dtype=pl.Float64), pl.Series([], dtype=pl.UInt64), 5.0) == 5
