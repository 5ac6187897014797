"""What floats cannot hold is counted and summed to the last digit; what is told lies within the values."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from validation.profile.distinct import KEPT
from validation.profile.exact import decimal_sums
from validation.profile.profile import Profile, ProfileOptions

OPTIONS = ProfileOptions()
LARGE = 2**60
UNITS = st.one_of(st.integers(-300, 300), st.integers(10**15 - 3, 10**15 + 3), st.integers(-(10**30), 10**30))
INTEGERS = st.one_of(
    st.integers(2**53 - 4, 2**53 + 4), st.integers(-(2**63), 2**63 - 1), st.integers(2**63 - 3, 2**63 - 1)
)


def column(values: pl.Series):
    return Profile.of("dev", "app", pl.DataFrame({"x": values}), OPTIONS).column("x", "dev")


@given(st.lists(UNITS, min_size=1, max_size=20), st.data())
def test_decimals_are_told_to_the_last_digit(units: list[int], data: st.DataObject) -> None:
    decimals = [Decimal(unit).scaleb(-2, None) if abs(unit) < 10**27 else Decimal(f"{unit}e-2") for unit in units]
    series = pl.Series(decimals, dtype=pl.Decimal(38, 2))
    cut = data.draw(st.integers(0, len(units)))
    parts = [Profile.of("dev", "app", pl.DataFrame({"x": part}), OPTIONS) for part in (series[cut:], series[:cut])]
    merged = Profile.merge(parts)
    assert merged.to_bytes() == Profile.of("dev", "app", pl.DataFrame({"x": series}), OPTIONS).to_bytes()
    found = merged.column("x", "dev")
    assert (found.distinct, found.distinct_exact) == (len(set(units)), True)
    assert found.moments is not None
    for told, unit in ((found.moments.minimum, min(units)), (found.moments.maximum, max(units))):
        assert Fraction(str(told)) == Fraction(unit, 100)
    assert found.moments.mean == float(Fraction(sum(units), 100 * len(units)))
    total, squares = decimal_sums(series)
    assert Fraction(total) == Fraction(sum(units), 100)
    assert Fraction(squares) == Fraction(sum(unit * unit for unit in units), 10_000)


def test_decimals_that_share_a_float_have_a_deviation() -> None:
    values = pl.Series([Decimal("12345678901234567.01"), Decimal("12345678901234567.03")], dtype=pl.Decimal(38, 2))
    moments = column(values).moments
    assert moments is not None
    assert moments.sd == pytest.approx(0.0141421356)
    assert (moments.minimum, moments.maximum) == ("12345678901234567.01", "12345678901234567.03")


@given(st.lists(INTEGERS, min_size=1, max_size=20))
def test_integers_that_share_a_float_are_distinct(values: list[int]) -> None:
    found = column(pl.Series(values, dtype=pl.Int64))
    assert (found.distinct, found.distinct_exact) == (len(set(values)), True)


def test_equal_numbers_of_other_types_are_one_value() -> None:
    values = [0, 7, 2**53, 2**60]
    kinds = [pl.Int64, pl.UInt64, pl.Float64, pl.Decimal(38, 0)]
    parts = [
        Profile.of(
            "dev", kind.__class__.__name__ + str(i), pl.DataFrame({"x": pl.Series(values[:2], dtype=kind)}), OPTIONS
        )
        for i, kind in enumerate(kinds)
    ]
    assert Profile.merge(parts).column("x", "dev").distinct == 2
    whole = [
        Profile.of("dev", str(kind), pl.DataFrame({"x": pl.Series(values, dtype=kind)}), OPTIONS) for kind in kinds[:3]
    ]
    assert Profile.merge(whole).column("x", "dev").distinct == 4
    scaled = [
        pl.Series([Decimal("1.10"), Decimal("99999999999999999.10")], dtype=pl.Decimal(38, scale)) for scale in (1, 4)
    ]
    parts = [Profile.of("dev", str(i), pl.DataFrame({"x": part}), OPTIONS) for i, part in enumerate(scaled)]
    assert Profile.merge(parts).column("x", "dev").distinct == 2


def test_many_large_integers_are_estimated() -> None:
    found = column(LARGE + pl.Series(range(50_000), dtype=pl.Int64))
    assert not found.distinct_exact
    assert found.distinct == pytest.approx(50_000, rel=0.1)


@pytest.mark.parametrize("rows", [KEPT, KEPT + 1, 3_000])
def test_there_are_never_more_distinct_values_than_rows(rows: int) -> None:
    for seed in range(8):
        values = np.random.default_rng(seed).normal(size=rows)
        assert column(pl.Series(values)).distinct <= rows


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=50))
def test_quantiles_lie_within_the_values(values: list[float]) -> None:
    frame = pl.DataFrame({"x": values * 60 + list(np.linspace(min(values), max(values), 3_000))})
    told = Profile.of("dev", "app", frame, OPTIONS).to_document()["dev"]["app"]["x"]
    assert all(told["min"] <= value <= told["max"] for value in told["quantiles"].values())
    assert list(told["quantiles"].values()) == sorted(told["quantiles"].values())


@pytest.mark.parametrize("least", [2**53, 10**15 + 7, 1_764_072_000_123_456_789])
def test_means_of_large_integers_lie_within_the_values(least: int) -> None:
    """Twelve digits of them are less than the least."""
    values = pl.Series([least + i for i in range(50)], dtype=pl.Int64)
    told = Profile.of("dev", "app", pl.DataFrame({"x": values}), OPTIONS).to_document()["dev"]["app"]["x"]
    assert (told["min"], told["max"]) == (least, least + 49)
    assert all(least <= value <= least + 49 for value in (told["mean"], *told["quantiles"].values()))
    assert abs(told["mean"] - least - 24.5) <= np.spacing(float(least))


def test_dates_are_told_as_dates() -> None:
    days = [dt.date(2026, 1, 1) + dt.timedelta(days=i) for i in range(101)]
    told = Profile.of("dev", "app", pl.DataFrame({"day": days}), OPTIONS).to_document()["dev"]["app"]["day"]
    assert (told["min"], told["max"]) == ("2026-01-01", "2026-04-11")
    assert told["mean"] == "2026-02-20"
    assert told["quantiles"]["0.5"] == "2026-02-20"
    assert told["quantiles"]["0.95"] <= "2026-04-11"


def test_moments_are_told_by_their_day() -> None:
    moments = [dt.datetime(2026, 1, 1, 23), dt.datetime(2026, 1, 2, 23)] * 5
    told = Profile.of("dev", "app", pl.DataFrame({"at": moments}), OPTIONS).to_document()["dev"]["app"]["at"]
    assert told["quantiles"] == {
        share: f"2026-01-0{1 if float(share) < 0.5 else 2}" for share in ("0.05", "0.25", "0.5", "0.75", "0.95")
    }
