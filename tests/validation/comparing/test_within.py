"""Kinds of shift, each made on purpose."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from validation.comparing.conditional import codes_of, explained, tables_within, within
from validation.comparing.within import REMEDIES, within_label
from validation.settings import CheckSettings

SETTINGS = CheckSettings()
ROWS = 4000


def by_label(generator, rows, share, moved=0.0):
    """Labels, and values that depend on the label: P(x | y) is fixed by `moved`."""
    label = (generator.random(rows) < share).astype(int)
    return pl.DataFrame(
        {
            "label": [("cat", "dog")[one] for one in label.tolist()],
            "size": generator.normal(label * 2.0 + moved * label, 1.0),
            "plain": generator.normal(size=rows),
            "word": [("a", "b", "c")[one] for one in generator.integers(0, 3, rows).tolist()],
        }
    )


def by_value(generator, rows, center, slope=2.0):
    """Values, and labels that depend on the value: P(y | x) is fixed by `slope`."""
    size = generator.normal(center, 1.0, rows)
    dog = generator.random(rows) < 1 / (1 + np.exp(-slope * size))
    return pl.DataFrame({"label": np.where(dog, "dog", "cat"), "size": size, "plain": generator.normal(size=rows)})


def kinds(first, second, columns=("size", "plain")):
    return {one.column: one.kind for one in within_label(first, second, "label", columns, SETTINGS)}


def test_two_draws_have_no_shift():
    generator = np.random.default_rng(1)
    found = kinds(by_label(generator, ROWS, 0.3), by_label(generator, ROWS, 0.3), ("size", "plain", "word"))
    assert found == {"label": "none", "size": "none", "plain": "none", "word": "none"}


def test_other_shares_of_the_labels_are_a_label_shift():
    generator = np.random.default_rng(1)
    found = within_label(
        by_label(generator, ROWS, 0.2), by_label(generator, ROWS, 0.6), "label", ["size", "plain"], SETTINGS
    )
    assert [one.kind for one in found] == ["label shift", "label shift", "none"]
    assert found[1].explained > 0.9
    assert found[1].remedy == REMEDIES["label shift"]
    assert found[2].explained is None


def test_other_values_that_mean_the_same_are_a_covariate_shift():
    generator = np.random.default_rng(2)
    found = kinds(by_value(generator, ROWS, 0.0), by_value(generator, ROWS, 0.8))
    assert found == {"label": "label shift", "size": "covariate shift", "plain": "none"}


def test_labels_that_look_different_are_a_shift_within_labels():
    generator = np.random.default_rng(3)
    assert kinds(by_label(generator, ROWS, 0.4), by_label(generator, ROWS, 0.4, 1.5))["size"] == "within-label shift"


def test_the_same_values_labelled_the_other_way_are_a_shift_within_labels():
    generator = np.random.default_rng(3)
    found = within_label(
        by_value(generator, ROWS, 0.0), by_value(generator, ROWS, 0.0, -2.0), "label", ["size"], SETTINGS
    )
    assert [one.kind for one in found] == ["none", "within-label shift"]
    assert found[1].marginal.effect < 0.05


def test_columns_may_have_any_name():
    generator = np.random.default_rng(1)
    first, second = (by_label(generator, ROWS, 0.3).rename({"size": "*", "label": "^l.*$"}) for _ in range(2))
    found = within_label(first, second, "^l.*$", ["*"], SETTINGS)
    assert [(one.column, one.kind) for one in found] == [("^l.*$", "none"), ("*", "none")]


def test_values_that_move_without_the_labels_are_no_label_shift():
    generator = np.random.default_rng(1)
    first, second = by_label(generator, ROWS, 0.3), by_label(generator, ROWS, 0.3)
    second = second.with_columns(pl.col("plain") + 0.25)
    assert kinds(first, second) == {"label": "none", "size": "none", "plain": "covariate shift"}


def test_few_rows_say_nothing():
    generator = np.random.default_rng(1)
    found = kinds(by_label(generator, 60, 0.2), by_label(generator, ROWS, 0.6))
    assert set(found.values()) == {"too few rows"}


def test_labels_of_few_rows_each_say_nothing():
    generator = np.random.default_rng(1)
    first, second = (
        by_label(generator, 400, 0.5).with_columns(label=pl.int_range(400).cast(pl.String)) for _ in range(2)
    )
    assert {one.kind for one in within_label(first, second, "label", ["size"], SETTINGS)[1:]} <= {
        "too few rows",
        "none",
    }


def test_rows_without_a_label_and_columns_of_other_types_are_passed_over():
    generator = np.random.default_rng(1)
    first = by_label(generator, ROWS, 0.3).with_columns(list=pl.lit([1.0]))
    second = by_label(generator, ROWS, 0.3).with_columns(list=pl.lit([1.0]))
    bare = second.head(50).with_columns(label=pl.lit(None, pl.String))
    second = pl.concat([second, bare])
    found = within_label(first, second, "label", ["size", "list"], SETTINGS)
    assert [one.column for one in found] == ["label", "size"]
    assert found[0].n_observed == ROWS


def test_no_shift_is_called_one_no_more_often_than_said():
    generator = np.random.default_rng(4)
    alarms = sum(
        any(kind != "none" for kind in kinds(by_label(generator, 300, 0.3), by_label(generator, 300, 0.3)).values())
        for _ in range(150)
    )
    # Three families of tests, each wrong in at most 1 of 100 runs.
    assert alarms <= 11


def test_p_within_strata_is_uniform_without_a_shift():
    generator = np.random.default_rng(5)
    p_values = []
    for _ in range(400):
        strata = [generator.integers(0, 4, 500) for _ in range(2)]
        cells = [stratum * 2 + generator.integers(0, 8, 500) for stratum in strata]
        p_values.append(within(tables_within(tuple(strata), tuple(cells))).p)
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=0.033)
    assert np.mean(np.array(p_values) < 0.5) == pytest.approx(0.5, abs=0.075)


def test_reweighting_explains_all_or_nothing():
    inside = np.array([[80.0, 20.0], [10.0, 90.0]])
    reference, observed = inside * [[1], [1]], inside * [[1], [5]]
    assert explained(np.stack([reference, observed])) == pytest.approx(1)
    assert explained(np.stack([reference, reference])) is None
    moved = np.array([[50.0, 50.0], [40.0, 60.0]])
    assert 0 <= explained(np.stack([reference, moved * [[1], [3]]])) < 1
    unknown = np.stack([inside * [[1], [0]], inside])
    assert explained(unknown) is None


def test_codes_are_the_same_for_the_same_values():
    first, second = codes_of(pl.Series([1.0, None, float("nan"), 2.0]), pl.Series([2.0, 1.0, None]))
    assert first.tolist() == [1, 0, 0, 2]
    assert second.tolist() == [2, 1, 0]
    words = pl.Series([f"w{i % 200}" for i in range(1000)])
    codes, again = codes_of(words, words)
    assert (codes == again).all()
    assert codes.max() == 49
    numbers = pl.Series(range(1000))
    assert np.bincount(codes_of(numbers, numbers)[0]).tolist() == [50] * 20


def test_all_tests_of_a_pair_are_corrected_together_and_pairs_count():
    generator = np.random.default_rng(6)
    first, second = by_label(generator, 600, 0.4), by_label(generator, 600, 0.4, 0.6)
    alone = within_label(first, second, "label", ["size"], SETTINGS)[1]
    noise = [f"n{i}" for i in range(30)]
    wide = [frame.with_columns(**{name: generator.normal(size=600) for name in noise}) for frame in (first, second)]
    crowded = within_label(*wide, "label", ["size", *noise], SETTINGS)[1]
    # The least p of 3 families of 31 tests counts for more than that of 3 families of 1.
    assert crowded.q_given_label > 5 * alone.q_given_label
    twice = within_label(first, second, "label", ["size"], SETTINGS, pairs=2)[1]
    assert alone.q_given_label < 0.1
    assert twice.q_given_label == pytest.approx(min(1, 2 * alone.q_given_label))


def test_labels_that_follow_other_values_are_told_where_labels_and_values_stay():
    generator = np.random.default_rng(3)
    first, second = by_value(generator, ROWS, 0.0), by_value(generator, ROWS, 0.0, -2.0)
    (label, size) = within_label(first, second, "label", ["size"], SETTINGS)
    assert label.kind == "none"
    assert size.given_label.effect > 0.3
    assert size.given_column.effect > 0.3
    assert max(size.q_given_label, size.q_given_column) < 1e-6


@pytest.mark.parametrize("rows", [300, 600])
def test_few_rows_are_put_into_fewer_bins(rows):
    generator = np.random.default_rng(8)
    calls = [
        kinds(by_value(generator, rows, 0.0), by_value(generator, rows, *moved), ("size",))["size"]
        for moved in [(0.0, -2.0)] * 10 + [(0.8, 2.0)] * 10
    ]
    assert calls[:10] == ["within-label shift"] * 10
    assert calls[10:].count("covariate shift") >= 8


def test_what_values_mean_is_undecided_where_rows_of_a_value_are_few():
    generator = np.random.default_rng(9)
    frames = [
        pl.DataFrame(
            {
                "label": [("cat", "dog")[one] for one in generator.integers(0, 2, 600).tolist()],
                "word": [f"w{one}" for one in generator.integers(low, low + 40, 600).tolist()],
            }
        )
        for low in (0, 20)
    ]
    (_, word) = within_label(*frames, "label", ["word"], SETTINGS)
    assert (word.kind, word.remedy) == ("undecided", REMEDIES["undecided"])
