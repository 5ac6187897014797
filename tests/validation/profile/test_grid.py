"""The grid of numbers: as fine as its bound allows, the same however rows are cut, and true."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validation.profile.buckets import DROPPED, ONE, STEP, bucket_numbers, quantile, step_histogram
from validation.profile.counting import count_values
from validation.profile.grid import COARSEST, MOST, needed, steps_between, steps_of
from validation.profile.profile import Profile, ProfileOptions
from validation.profile.taking import ProfileTaker

OPTIONS = ProfileOptions()
LARGE = float(np.finfo(np.float64).max)
ODD = np.array([0.0, -0.0, 5e-324, -5e-324, LARGE / 2, -LARGE / 2, 9.99, -9.99])


@st.composite
def many_numbers(draw: st.DrawFn) -> np.ndarray:
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = draw(st.sampled_from([3, 900, 4_000, 12_000]))
    center, spread = draw(st.sampled_from([0.0, 59.2, -2_000.0, 1.6e9])), draw(st.sampled_from([0.0, 0.03, 7.0, 1e9]))
    values = center + spread * generator.normal(size=rows)
    values[: rows // 3] = draw(st.sampled_from([0.0, center, 9.99]))
    if draw(st.booleans()):
        values[:3] = generator.choice(ODD, 3)
    if draw(st.booleans()):
        values[rows // 2 :] = generator.lognormal(0, 9, rows - rows // 2)
    digits = draw(st.sampled_from([0, 2, None]))
    if digits is not None:
        near = np.abs(values) < 1e12
        values[near] = values[near].round(digits)
    return generator.permutation(values)


@settings(max_examples=30, deadline=None)
@given(many_numbers(), st.data())
def test_the_grid_is_that_of_all_rows_however_they_are_cut(values: np.ndarray, data: st.DataObject) -> None:
    frame = pl.DataFrame({"x": values})
    cuts = sorted(data.draw(st.lists(st.integers(0, len(frame)), max_size=3)))
    parts = [frame[a:b] for a, b in zip([0, *cuts], [*cuts, len(frame)], strict=True)]
    whole = Profile.of("dev", "app", frame, OPTIONS)
    merged = Profile.merge([Profile.of("dev", "app", part, OPTIONS) for part in reversed(parts)])
    assert merged.to_bytes() == whole.to_bytes()
    taker = ProfileTaker(OPTIONS)
    for part in parts:
        taker.add("dev", "app", part)
    assert taker.profile().to_bytes() == whole.to_bytes()

    exact = np.sort(steps_of(values))
    dropped = int(whole.steps[DROPPED][0])
    assert dropped == needed(exact, 0)
    assert len(np.unique(exact >> dropped)) == len(whole.steps)
    assert len(whole.steps) <= MOST or dropped == COARSEST
    assert dropped == 0 or len(np.unique(exact >> (dropped - 1))) > MOST


@settings(max_examples=30, deadline=None)
@given(many_numbers())
def test_every_row_lies_in_its_step_and_steps_of_one_value_are_that_value(values: np.ndarray) -> None:
    found = step_histogram([bucket_numbers(*count_values(values))[1]])
    assert found is not None
    assert found.rows == len(values)
    one = found.lower == found.upper
    assert (np.diff(found.lower) >= 0).all()
    assert (one[:-1] | (np.diff(found.lower) > 0)).all()  # a negative value may lie on the open edge of the next step
    assert (found.upper[:-1] <= found.lower[1:]).all()
    ordered = np.sort(values) + 0.0
    first = np.cumsum(found.counts) - found.counts
    least, greatest = np.minimum.reduceat(ordered, first), np.maximum.reduceat(ordered, first)
    slack = np.maximum(np.abs(least) * 2.0**-44, 1e-320)
    assert (least >= found.lower - slack).all()
    assert (greatest - slack <= found.upper).all()
    assert (greatest[one] - least[one] <= slack[one]).all()
    assert (steps_between(found.lower, found.upper, found.dropped) == np.unique(steps_of(ordered, found.dropped))).all()


@pytest.mark.parametrize("value", [-9.99, 0.0, 1e300])
def test_a_value_that_has_its_step_alone_is_that_value(value: float) -> None:
    generator = np.random.default_rng(1)
    values = np.concatenate([np.full(5_000, value), generator.lognormal(0, 20, 20_000)])
    steps = bucket_numbers(*count_values(values))[1]
    assert steps[DROPPED][0] > 40
    found = step_histogram([steps])
    assert found is not None
    largest = int(np.argmax(found.counts))
    assert found.lower[largest] == pytest.approx(value, rel=1e-12)
    assert found.lower[largest] == found.upper[largest]
    assert (steps.filter(pl.col(STEP) == steps_of(np.array([value]), steps[DROPPED][0])[0])[ONE] >= 0).all()


@pytest.mark.parametrize(("center", "spread"), [(2_008.0, 4.0), (59.5, 0.03), (1.63e9, 1e6), (-291.0, 0.5), (0.0, 1.0)])
def test_quantiles_are_within_a_fraction_of_the_spread_wherever_values_lie(center: float, spread: float) -> None:
    values = center + spread * np.random.default_rng(1).normal(size=20_000)
    found = step_histogram([bucket_numbers(*count_values(values))[1]])
    assert found is not None
    for share in (0.05, 0.5, 0.95):
        assert quantile(found, share) == pytest.approx(np.quantile(values, share), abs=0.06 * spread)
