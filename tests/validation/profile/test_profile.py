"""The profile is a monoid to the byte, whatever the rows and however they are cut; and it says what is in the rows."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splitting.frames import pack_frames, unpack_frames
from validation.profile.buckets import bucket_numbers, quantile, step_histogram
from validation.profile.counting import count_values
from validation.profile.moments import BucketSums
from validation.profile.profile import FORMAT, Profile, ProfileOptions
from validation.profile.taking import ProfileTaker
from validation.profile.texts import CAP

OPTIONS = ProfileOptions(label="label", names=("id",))
FLOATS = st.one_of(st.none(), st.floats(width=64), st.sampled_from([0.0, -0.0, 5e-324, math.inf, math.nan, 1e300]))
FINITE = st.floats(allow_nan=False, allow_infinity=False)
COLUMNS: dict[str, tuple[st.SearchStrategy[object], pl.DataType]] = {
    "id": (st.integers(0, 9), pl.Int64()),
    "label": (st.one_of(st.none(), st.integers(0, 3)), pl.Int64()),
    "x": (FLOATS, pl.Float64()),
    "small": (st.one_of(st.none(), st.floats(width=32)), pl.Float32()),
    "n": (st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), pl.Int64()),
    "u": (st.integers(0, 2**64 - 1), pl.UInt64()),
    "*": (st.one_of(st.none(), st.text(max_size=4)), pl.String()),
    "^a$": (st.sampled_from(["é", "e\u0301", "", "x" * 300, "x" * 301]), pl.String()),
    "flag": (st.one_of(st.none(), st.booleans()), pl.Boolean()),
    "day": (st.one_of(st.none(), st.dates()), pl.Date()),
    "at": (st.one_of(st.none(), st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1))), pl.Datetime("us")),
    "price": (st.one_of(st.none(), st.decimals(-999, 999, places=2)), pl.Decimal(10, 2)),
    "list": (st.lists(st.integers(0, 3), max_size=3), pl.List(pl.Int64())),
    "vector": (st.lists(FINITE, min_size=2, max_size=2), pl.List(pl.Float64())),
    "odd": (st.builds(dict, a=st.integers(0, 3)), pl.Struct({"a": pl.Int64()})),
    "bytes": (st.one_of(st.none(), st.binary(max_size=3)), pl.Binary()),
}


@st.composite
def frames(draw: st.DrawFn) -> pl.DataFrame:
    rows = draw(st.integers(0, 12))
    return pl.DataFrame(
        {n: pl.Series(draw(st.lists(v, min_size=rows, max_size=rows)), dtype=t) for n, (v, t) in COLUMNS.items()}
    )


@settings(max_examples=60)
@given(frames(), st.data())
def test_cuts_order_and_shuffles_change_no_byte(frame: pl.DataFrame, data: st.DataObject) -> None:
    whole = Profile.of("dev", "app", frame, OPTIONS)
    cut = data.draw(st.integers(0, len(frame)))
    order = data.draw(st.permutations(range(len(frame))))
    shuffled = frame[order] if len(frame) else frame
    parts = [Profile.of("dev", "app", part, OPTIONS) for part in (shuffled[:cut], shuffled[cut:])]
    other = Profile.of("train", "web", shuffled, OPTIONS)
    assert Profile.merge(reversed(parts)).to_bytes() == whole.to_bytes()
    assert Profile.merge([whole, Profile.empty()]).to_bytes() == whole.to_bytes()
    left = Profile.merge([Profile.merge([parts[0], other]), parts[1]])
    assert left.to_bytes() == Profile.merge([other, whole]).to_bytes()
    taker = ProfileTaker(OPTIONS)
    for part in (shuffled[:cut], shuffled[cut:]):
        taker.add("dev", "app", part)
    assert taker.profile().to_bytes() == whole.to_bytes()
    assert Profile.from_bytes(whole.to_bytes()).to_bytes() == whole.to_bytes()
    whole.to_document()


def test_many_categories_are_sketched_whenever_they_become_many() -> None:
    frame = pl.DataFrame({"user": [f"u{i % 15_000 if i < 30_000 else 1}" for i in range(40_000)]})
    options = ProfileOptions()
    whole = Profile.of("dev", "app", frame, options)
    assert len(whole.sketches)
    assert not len(whole.categories)
    taker = ProfileTaker(options)
    for start in range(0, 40_000, 7_000):
        assert frame.slice(start, 7_000)["user"].n_unique() <= CAP
        taker.add("dev", "app", frame.slice(start, 7_000))
    assert taker.profile().to_bytes() == whole.to_bytes()
    found = whole.column("user", "dev", candidates=pl.Series(["u1", "u2", "nobody"]))
    assert found.kind == "text"
    assert found.categories is not None
    assert found.categories.values == ("u1",)
    assert 10_002 <= found.categories.counts[0] <= 10_002 + found.categories.error
    assert not found.distinct_exact
    assert found.distinct == pytest.approx(15_000, rel=0.1)


@settings(max_examples=200)
@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=40))
def test_means_are_exact_and_deviations_nearly(values: list[float]) -> None:
    series = pl.Series(values)
    sums, steps = bucket_numbers(*count_values(series.to_numpy()))
    buckets = BucketSums.of([sums])
    mean, deviation = buckets.mean_and_sd()
    assert mean is not None
    assert mean == pytest.approx(math.fsum(values) / len(values), rel=1e-15, abs=1e-300)
    if len(values) > 1:
        exact = math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1))
        assert deviation == pytest.approx(exact, rel=1e-9, abs=1e-12 * max(abs(v) for v in values) + 1e-150)
    histogram = step_histogram([steps])
    assert histogram is not None
    assert histogram.rows == len(values)
    assert (histogram.lower[1:] >= histogram.upper[:-1]).all()
    middle = quantile(histogram, 0.5)
    around = sorted(values)[(len(values) - 1) // 2], sorted(values)[len(values) // 2]
    slack = [abs(edge) / 32 + 1e-300 for edge in around]
    assert around[0] - slack[0] <= middle <= around[1] + slack[1]


def test_a_column_is_told_as_it_is() -> None:
    frame = pl.DataFrame(
        {
            "id": ["a", "b", "c", "d"],
            "label": [1, 1, 2, None],
            "x": [1.5, math.nan, math.inf, None],
            "n": [2**62 + 1, -5, 7, None],
            "price": [Decimal("1.10"), Decimal("-2.25"), None, Decimal("0.00")],
            "at": [dt.datetime(2026, 1, 1, 23), dt.datetime(2026, 1, 3), None, dt.datetime(1969, 12, 31)],
            "vector": [[1.0, 2.0], [3.0, 4.0], None, [5.0, 9.0]],
        }
    )
    profile = Profile.merge(
        [Profile.of("dev", "app", frame[:2], OPTIONS), Profile.of("dev", "web", frame[2:], OPTIONS)]
    )
    assert profile.rows("dev") == 4
    assert profile.source_counts("dev") == {"app": 2, "web": 2}
    assert profile.names()[:2] == ("id", "label")
    label = profile.column("label", "dev")
    assert label.kind == "category"
    assert label.categories is not None
    assert (label.categories.values, label.categories.counts.tolist(), label.nulls) == (("1", "2"), [2, 1], 1)
    x = profile.column("x", "dev")
    assert (x.rows, x.nulls, x.nans, x.infinite, x.moments and x.moments.mean) == (4, 1, 1, 1, 1.5)
    n = profile.column("n", "dev").moments
    assert n is not None
    assert (n.minimum, n.maximum) == (-5, 2**62 + 1)
    price = profile.column("price", "dev").moments
    assert price is not None
    assert (price.minimum, price.maximum) == (-2.25, 1.1)
    at = profile.column("at", "dev")
    assert at.histogram is not None
    assert at.histogram.lower.tolist() == [-1.0, 20454.0, 20456.0]
    assert at.moments is not None
    assert (at.moments.minimum, at.moments.maximum) == ("1969-12-31T00:00:00.000000", "2026-01-03T00:00:00.000000")
    vector = profile.column("vector", "dev").vector
    assert vector is not None
    assert (vector.count, vector.mean.tolist()) == (3, [3.0, 5.0])
    assert vector.covariance is not None
    assert vector.covariance.round(9).tolist() == [[4.0, 7.0], [7.0, 13.0]]
    assert profile.column("vector (norm)", "dev").moments
    assert profile.column("id", "dev").kind == "other"
    assert profile.column("nothing", "dev").rows == 0


def test_other_bytes_are_no_profile() -> None:
    data = Profile.of("dev", "app", pl.DataFrame({"x": [1.0]}), OPTIONS).to_bytes()
    with pytest.raises(ValueError, match="this is no profile"):
        Profile.from_bytes(data[:50])


def test_a_profile_of_another_version_is_refused() -> None:
    frames = unpack_frames(Profile.empty().to_bytes())
    frames["version"] = pl.DataFrame({"format": [FORMAT - 1]})
    with pytest.raises(ValueError, match=f"this profile is of format {FORMAT - 1}, and this version reads {FORMAT}"):
        Profile.from_bytes(pack_frames(frames))
