"""Bounds and sums are exact: what Python's fractions say of integers and decimals of any size, ours says too."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from validation.metrics.bounds import between, exact, summed
from validation.metrics.columns import MetricError
from validation.metrics.conditions import unexpected_rows

WHOLE = {pl.Int8: (-(2**7), 2**7 - 1), pl.Int64: (-(2**63), 2**63 - 1), pl.UInt64: (0, 2**64 - 1)}
EDGES = [0, 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63), -1]
BOUNDS = st.one_of(
    st.none(),
    st.sampled_from(EDGES),
    st.sampled_from([0.1, -0.1, 0.25, 1e300, -1e300, math.inf, -math.inf, 2.0**53]),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False),
)


@st.composite
def counted(draw: st.DrawFn) -> pl.Series:
    kind = draw(st.sampled_from([*WHOLE, pl.Boolean, "decimal"]))
    if kind == pl.Boolean:
        return pl.Series(draw(st.lists(st.booleans(), max_size=9)), dtype=pl.Boolean)
    if kind == "decimal":
        scale = draw(st.integers(0, 10))
        units = draw(st.lists(st.one_of(st.sampled_from(EDGES), st.integers(-(10**30), 10**30)), max_size=9))
        with localcontext(prec=60):
            return pl.Series([Decimal(unit).scaleb(-scale) for unit in units], dtype=pl.Decimal(38, scale))
    low, high = WHOLE[kind]
    inside = [edge for edge in EDGES if low <= edge <= high]
    return pl.Series(draw(st.lists(st.one_of(st.sampled_from(inside), st.integers(low, high)), max_size=9)), dtype=kind)


def fraction(bound: Any) -> Any:
    return bound if isinstance(bound, float) and math.isinf(bound) else exact(bound)


@given(counted(), BOUNDS, BOUNDS, st.booleans(), st.booleans())
def test_whole_numbers_and_decimals_lie_where_fractions_lie(
    values: pl.Series, low: Any, high: Any, strict_min: bool, strict_max: bool
) -> None:
    if (low is None and high is None) or (low is not None and high is not None and low > high):
        with pytest.raises(MetricError):
            between(values, low, high)
        return
    expected = []
    for value in values:
        number = Fraction(value)
        above = low is None or (number > fraction(low) if strict_min else number >= fraction(low))
        below = high is None or (number < fraction(high) if strict_max else number <= fraction(high))
        expected.append(above and below)
    assert between(values, low, high, strict_min=strict_min, strict_max=strict_max).to_list() == expected


@given(st.lists(st.tuples(st.sampled_from(EDGES), st.integers(-(10**6), 10**6)), min_size=1, max_size=9))
def test_sums_of_rows_are_exact(rows: list[tuple[int, int]]) -> None:
    prices = [Decimal(unit).scaleb(-2) for _, unit in rows]
    columns = [pl.Series([a for a, _ in rows], dtype=pl.Int128), pl.Series(prices, dtype=pl.Decimal(20, 2))]
    sums, scale = summed(columns)
    assert scale == 2
    assert sums.to_list() == [100 * a + unit for a, unit in rows]
    total = float(prices[0])
    broken = unexpected_rows("multicolumn_sum.equal", columns, {"sum_total": total})
    assert broken.to_list() == [a + Fraction(p) != exact(total) for (a, _), p in zip(rows, prices, strict=True)]


def test_a_missing_value_has_no_sum_and_floats_are_added_as_floats() -> None:
    whole, half = pl.Series([1, None, 2**53 + 1]), pl.Series([0.5, 0.5, 0.0])
    assert unexpected_rows("multicolumn_sum.equal", [whole, whole], {"sum_total": 2}).to_list() == [False, True, True]
    assert unexpected_rows("multicolumn_sum.equal", [whole, half], {"sum_total": 1.5}).to_list() == [False, True, True]
    assert unexpected_rows("multicolumn_sum.equal", [whole, whole], {"sum_total": math.inf}).all()


def test_what_has_no_sum_or_too_large_a_one_is_told() -> None:
    with pytest.raises(MetricError, match="no sum"):
        summed([pl.Series(["a"])])
    with pytest.raises(MetricError, match="128 bits"):
        summed([pl.Series([10**37], dtype=pl.Int128), pl.Series([Decimal("0.01")], dtype=pl.Decimal(38, 2))])


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata", "Etc/GMT-2"])
@pytest.mark.parametrize(
    "bound", ["2024-01-01T12:00:00+00:00", "2024-01-01T12:00:00", datetime(2024, 1, 1, 12, tzinfo=UTC)]
)
def test_times_of_any_zone_are_compared(zone: str, bound: Any) -> None:
    times = pl.Series([datetime(2024, 1, 1, hour, tzinfo=UTC) for hour in (11, 12, 13)]).dt.convert_time_zone(zone)
    assert between(times, bound).to_list() == [False, True, True]
    assert between(times, None, bound, strict_max=True).to_list() == [True, False, False]


@pytest.mark.parametrize(
    ("values", "bound"), [([1, 2], "a"), ([1.5], math.nan), (["a"], 1), ([datetime(2024, 1, 1)], 1)]
)
def test_bounds_of_another_type_are_told(values: list[Any], bound: Any) -> None:
    with pytest.raises(MetricError):
        between(pl.Series(values), bound)
