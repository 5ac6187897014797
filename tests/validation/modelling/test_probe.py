"""The probe says what a mismatch costs, and nothing where there is too little to say it from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tests.support.model_rows import sample_of, shuffled
from validation.modelling.gaps import gap_of, skill_of
from validation.modelling.judged import Judged
from validation.modelling.probe import probe
from validation.modelling.rows import SampleRows
from validation.modelling.target import Target, labelled
from validation.settings import ColumnRoles

TRAIN, HOME, AWAY = 400, 200, 300
SPLITS = ["train"] * TRAIN + ["train_dev"] * HOME + ["dev"] * AWAY
ALL = len(SPLITS)


@pytest.fixture(autouse=True)
def one_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """The laws hold for one round of folds as for three, in a third of the time."""
    monkeypatch.setattr("validation.modelling.probe.rounds_for", lambda _: 1)


def made(*, moved: float = 0.0, flipped: float = 0.0, number: bool = False, seed: int = 1) -> SampleRows:
    """A label that follows x0 and x1. Moved: a column that tells nothing lies elsewhere in dev. Flipped: labels are."""
    draws = np.random.default_rng(seed)
    numbers = draws.normal(size=(ALL, 4))
    away = np.arange(ALL) >= TRAIN + HOME
    truth = numbers[:, 0] + numbers[:, 1] + 0.5 * draws.normal(size=ALL)
    numbers[away, 3] += moved
    turned = away & (draws.random(ALL) < flipped)
    label = np.where(turned, -truth, truth)
    frame = pl.DataFrame({f"x{at}": numbers[:, at] for at in range(4)})
    labels = pl.Series("label", label) if number else pl.Series("label", (label > 0).astype(np.int64))
    return sample_of(frame.with_columns(labels), SPLITS)


def test_what_differs_without_harm_costs_nothing() -> None:
    result = probe(made(moved=8.0))
    assert result.grade == "no cost seen"
    assert result.gap.low < 0.02
    assert result.gap.detectable < 0.1
    assert (result.train_rows, result.home_rows, result.away_rows) == (TRAIN, TRAIN + HOME, AWAY)
    assert result.measure == "error rate"


def test_whole_numbers_too_large_for_floats_are_told_apart() -> None:
    labels = pl.Series([2**62 + at for at in range(60)])
    target = Target.fit(labels)
    assert target.is_number
    assert np.ptp(target.encode(labels)) == pytest.approx(59 / target.scale)


def test_rare_labels_are_taken_as_one_and_it_says_so() -> None:
    sample = made()
    words = pl.Series("label", [f"w{at % 40}" for at in range(ALL)])
    result = probe(replace(sample, rows=sample.rows.with_columns(words)))
    assert result.measure == "error rate, all but the 30 commonest labels taken as one"


def test_another_meaning_of_the_label_costs() -> None:
    result = probe(made(flipped=0.3))
    assert result.grade == "costs"
    # A flip of .3 makes of an error e the error e + .3 (1 - 2 e).
    expected = 0.3 * (1 - 2 * result.gap.home)
    assert result.gap.low < expected < result.gap.high
    assert result.gap.others_low <= result.gap.low
    assert [family.family for family in result.families] == ["boosting", "linear", "forest"]
    assert all(family.gap > 0.1 for family in result.families)
    # The features did not move: nothing that does without labels can see this cost.
    assert abs(result.confidence_fall) < 0.05
    assert abs(result.thresholded_confidence) < 0.08


def test_numbers_are_measured_in_standard_deviations() -> None:
    same, turned = probe(made(number=True)), probe(made(number=True, flipped=0.5))
    assert same.grade == "no cost seen"
    assert turned.grade == "costs"
    assert same.gap.home == pytest.approx(0.5 / 1.5, abs=0.15)
    assert turned.measure.startswith("root mean squared error")
    assert turned.confidence_fall is None


def test_the_same_whatever_the_order() -> None:
    sample = made(flipped=0.1)
    assert probe(shuffled(sample, 1)) == probe(shuffled(sample, 2))


def test_held_out_rows_stand_for_a_missing_train_dev() -> None:
    sample = made(flipped=0.3)
    result = probe(sample.take((sample.splits != "train_dev").to_numpy()))
    assert result.home_rows == TRAIN
    assert result.grade == "costs"


def test_few_rows_say_little() -> None:
    sample = made(flipped=0.05)
    small = probe(sample.take(np.r_[0:TRAIN, TRAIN + HOME : TRAIN + HOME + 40]))
    assert small.grade == "too small to tell"
    assert small.gap.detectable > 0.1
    none = probe(sample.take(np.r_[0:TRAIN, TRAIN + HOME : TRAIN + HOME + 10]))
    assert none.grade == "too small to tell"
    assert none.gap is None
    assert none.reason == "fewer than 20 groups to judge away"


def test_labels_in_train_alone_give_label_free_figures() -> None:
    sample = made(moved=0.0)
    label = pl.when(pl.Series(sample.splits) != "dev").then(pl.col("label"))
    rows = sample.rows.with_columns(label)
    result = probe(SampleRows(rows, sample.groups, sample.sources, sample.splits, sample.roles, sample.salt))
    assert result.basis == "confidence"
    assert result.gap is None
    assert result.grade is None
    assert abs(result.confidence_fall) < 0.05
    assert result.away_rows == AWAY


def test_without_a_label_a_column_stands_in_and_no_cost_is_claimed() -> None:
    sample = made(flipped=0.3)
    roles = ColumnRoles(strata=("source", "label"))
    result = probe(SampleRows(sample.rows, sample.groups, sample.sources, sample.splits, roles, sample.salt))
    assert (result.basis, result.column, result.grade) == ("stand-in", "label", None)
    assert result.gap.gap > 0.1
    nothing = probe(SampleRows(sample.rows, sample.groups, sample.sources, sample.splits, ColumnRoles(), sample.salt))
    assert (nothing.basis, nothing.gap, nothing.grade) == ("none", None, None)
    assert nothing.reason


def test_a_class_unknown_in_train_is_always_wrong() -> None:
    target = Target.fit(pl.Series(["cat", "dog", "cat"]))
    codes = target.encode(pl.Series(["cat", "dog", "cow"]))
    assert target.losses(np.eye(target.count)[codes], codes).tolist() == [0, 0, 0]
    assert target.losses(np.eye(target.count)[[0, 1, 0]], codes).tolist() == [0, 0, 1]
    assert codes[2] not in target.encode(pl.Series(["cat", "dog"]))


def test_what_has_a_label() -> None:
    assert labelled(pl.Series([1.0, None, float("nan"), float("inf")])).tolist() == [True, False, False, False]
    assert labelled(pl.Series(["a", None])).tolist() == [True, False]
    assert Target.fit(pl.Series(range(30))).is_number
    assert not Target.fit(pl.Series([0, 1, 2] * 10)).is_number


def judged(losses: np.ndarray, groups: np.ndarray) -> Judged:
    return Judged(losses, np.zeros(len(losses)), groups.astype(np.uint64), (float(losses.mean()),) * 5)


def test_interval_is_that_of_two_shares_and_wider_for_groups() -> None:
    draws = np.random.default_rng(1)
    home, away = (draws.random(900) < 0.2).astype(float), (draws.random(600) < 0.3).astype(float)
    target = Target(("a", "b"))
    alone = gap_of([[judged(home, np.arange(900))]], [judged(away, np.arange(600))], target, "s")
    expected = np.sqrt(home.var() / 900 + away.var() / 600)
    assert alone.sampling == pytest.approx(expected, rel=0.12)
    assert alone.high - alone.gap == pytest.approx(1.96 * alone.sampling, rel=1e-3)
    assert alone.detectable == pytest.approx(2.8 * alone.sampling, rel=1e-2)
    sorted_home, sorted_away = np.sort(home), np.sort(away)
    grouped = gap_of(
        [[judged(sorted_home, np.arange(900) // 9)]], [judged(sorted_away, np.arange(600) // 6)], target, "s"
    )
    assert grouped.sampling > 2 * alone.sampling


def test_no_error_at_all_is_not_certainty() -> None:
    none = judged(np.zeros(50), np.arange(50))
    gap = gap_of([[none]], [none], Target(("a", "b")), "s")
    assert gap.gap == 0
    assert gap.high > 0.03


def test_sources_stand_in_proportion_to_all_their_rows() -> None:
    sample = made(flipped=0.0)
    sources = ["rare" if at % 2 else "common" for at in range(ALL)]
    rows = {("train", "common"): 19_000, ("train", "rare"): 1_000}
    whole = SampleRows(sample.rows, sample.groups, pl.Series(sources), sample.splits, sample.roles, sample.salt, rows)
    assert probe(whole).train_rows == 200 + 10


def test_columns_that_give_the_label_away_are_no_features() -> None:
    sample = made(flipped=0.3)
    rows = sample.rows.with_columns(leak=pl.col("label") * 3.0)
    blind = probe(replace(sample, rows=rows))
    assert blind.grade == "no cost seen"
    seeing = probe(replace(sample, rows=rows, roles=replace(sample.roles, leaks=("leak",))))
    assert seeing.grade == "costs"
    assert [(one.name, one.reason) for one in seeing.left_out if one.name == "leak"] == [
        ("leak", "gives the label away")
    ]
    bare = probe(replace(sample, rows=rows.select("leak", "label"), roles=replace(sample.roles, leaks=("leak",))))
    assert (bare.gap, bare.grade, bare.reason) == (None, "too small to tell", "no column is left to tell label by")
    assert "leak" in [one.name for one in bare.left_out]


def test_where_train_stands_for_home_its_rows_are_judged_only_where_held_out() -> None:
    sample = made()
    labels = pl.Series("label", np.random.default_rng(1).integers(0, 2, ALL))
    noise = replace(sample, rows=sample.rows.with_columns(labels))
    result = probe(noise, home="train")
    assert result.home_rows == TRAIN
    assert result.gap.home > 0.4


@pytest.mark.parametrize("number", [False, True])
def test_models_that_know_nothing_say_nothing_of_a_cost(number: bool) -> None:
    sample = made(number=number)
    draws = np.random.default_rng(5)
    labels = pl.Series("label", draws.normal(size=ALL) if number else draws.integers(0, 2, ALL))
    result = probe(replace(sample, rows=sample.rows.with_columns(labels)))
    assert result.gap.detectable <= 0.1 or number
    assert result.grade == "too small to tell"
    assert result.skill.baseline == pytest.approx(1.0 if number else 0.5, abs=0.06)
    assert not result.skill.sure
    knowing = probe(made(number=number))
    assert knowing.grade == "no cost seen"
    assert knowing.skill.low > 0.1


def test_a_cost_is_a_cost_even_where_nothing_is_known() -> None:
    sample = made()
    draws = np.random.default_rng(5)
    away = pl.Series(sample.splits) == "dev"
    rare = pl.Series(draws.random(ALL) < np.where(away.to_numpy(), 0.6, 0.05)).cast(pl.Int64).alias("label")
    result = probe(replace(sample, rows=sample.rows.with_columns(rare)))
    assert not result.skill.sure
    assert result.grade == "costs"


def test_skill_is_the_difference_to_the_commonest_answer() -> None:
    draws = np.random.default_rng(1)
    truth = (draws.random(600) < 0.3).astype(np.int64)
    target = Target(("no", "yes"))
    baseline = target.constant_losses(truth[:400], truth)
    assert baseline.tolist() == truth.tolist()
    good = judged((draws.random(600) < 0.1).astype(float), np.arange(600))
    skill = skill_of([[good]], baseline, target, "s")
    assert skill.baseline == pytest.approx(truth.mean())
    assert skill.better == pytest.approx(truth.mean() - good.losses.mean())
    spread = np.sqrt(np.var(baseline - good.losses) / 600)
    assert skill.better - skill.low == pytest.approx(1.96 * spread, rel=0.12)
    same = skill_of([[judged(baseline, np.arange(600))]], baseline, target, "s")
    assert same.better == 0
    assert not same.sure
