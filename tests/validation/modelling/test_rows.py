"""The rows of the models: one order, sources in proportion, groups whole."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.model_rows import sample_of, shuffled
from validation.modelling.rows import SampleRows, keyed_folds, mixed, together


def test_order_given_is_no_matter() -> None:
    sample = sample_of(pl.DataFrame({"x": range(50)}), ["train"] * 30 + ["dev"] * 20, ["app", "web"] * 25)
    once, again = shuffled(sample, 1), shuffled(sample, 2)
    assert once.rows.equals(again.rows)
    assert once.groups.to_list() == again.groups.to_list()
    assert once.splits.to_list() == sorted(sample.splits.to_list())


def test_parts_of_unlike_length_are_refused() -> None:
    sample = sample_of(pl.DataFrame({"x": range(5)}), ["train"] * 5)
    with pytest.raises(ValueError, match="one length"):
        SampleRows(sample.rows, sample.groups.head(4), sample.sources, sample.splits, sample.roles, "s")


@given(
    sampled=st.lists(st.integers(1, 60), min_size=1, max_size=4),
    factors=st.lists(st.integers(1, 50), min_size=4, max_size=4),
    most=st.integers(1, 200),
)
def test_bounded_keeps_sources_in_proportion(sampled: list[int], factors: list[int], most: int) -> None:
    sources = [f"s{at}" for at, rows in enumerate(sampled) for _ in range(rows)]
    all_rows = {("train", f"s{at}"): rows * factors[at] for at, rows in enumerate(sampled)}
    sample = sample_of(pl.DataFrame({"x": range(len(sources))}), ["train"] * len(sources), sources)
    sample = SampleRows(sample.rows, sample.groups, sample.sources, sample.splits, sample.roles, "s", all_rows)
    kept = sample.bounded(most)
    counts = dict(kept.sources.value_counts().iter_rows())
    assert len(kept) <= most + len(sampled)
    assert set(counts) == set(sources)
    share = min([1.0, most / sum(all_rows.values()), *(1 / factor for factor in factors[: len(sampled)])])
    for (_, source), rows in all_rows.items():
        assert counts[source] == 1 or abs(counts[source] - rows * share) <= 1
    first = {name: sample.rows["x"].filter(sample.sources == name).to_list() for name in counts}
    for name, count in counts.items():
        assert kept.rows["x"].filter(kept.sources == name).to_list() == first[name][:count]


@pytest.mark.parametrize(("columns", "kept"), [(3, 1_300), (1_000, 1_000), (800, 1_250)])
def test_bounded_keeps_fewer_rows_of_many_columns(columns: int, kept: int) -> None:
    frame = pl.DataFrame({str(number): np.arange(1_300) for number in range(columns)})
    assert len(sample_of(frame, ["train"] * len(frame)).bounded(2_000)) == kept


@given(
    groups=st.lists(st.integers(0, 30), min_size=1, max_size=120),
    folds=st.integers(2, 6),
    seed=st.integers(0, 99),
)
def test_folds_keep_groups_whole_and_ignore_order(groups: list[int], folds: int, seed: int) -> None:
    numbers = np.array(groups, dtype=np.uint64)
    strata = (numbers % 3).astype(np.int64)
    fold = keyed_folds(numbers, strata, folds, "salt", "test")
    assert fold.min() >= 0
    assert fold.max() < folds
    for group in set(groups):
        assert len(set(fold[numbers == group])) == 1
    for stratum in range(3):
        each = [len(set(numbers[(strata == stratum) & (fold == at)])) for at in range(folds)]
        assert max(each) - min(each) <= 1
    order = np.random.default_rng(seed).permutation(len(numbers))
    assert (keyed_folds(numbers[order], strata[order], folds, "salt", "test") == fold[order]).all()


def test_folds_differ_by_purpose() -> None:
    numbers = np.arange(200, dtype=np.uint64)
    strata = np.zeros(200, dtype=np.int64)
    one, other = (keyed_folds(numbers, strata, 5, "salt", purpose) for purpose in ("one", "other"))
    assert 20 < (one == other).sum() < 70


def test_mixed_is_splitmix64() -> None:
    # The first outputs of SplitMix64 for the seed 0, as published with the algorithm.
    golden = np.uint64(0x9E3779B97F4A7C15)
    states = np.array([0, golden], dtype=np.uint64)
    assert [hex(value) for value in mixed(states, 0)] == ["0xe220a8397b1dcdaf", "0x6e789e6aa1b965f4"]


def test_together_and_select_are_inverse() -> None:
    sample = sample_of(pl.DataFrame({"x": range(10)}), ["dev"] * 4 + ["train"] * 6)
    both = together([sample.select("dev"), sample.select("train")])
    assert both.rows.equals(sample.rows)
    assert len(sample.select("test")) == 0
    assert sample.split_names() == ["dev", "train"]
