"""Errors between sources, and columns that give the label away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from tests.support.model_rows import sample_of, shuffled
from validation.modelling.leaks import giving_away, leak_columns, one_against_rest
from validation.modelling.rows import SampleRows
from validation.modelling.transfer import transfer
from validation.settings import ColumnRoles


def three_sources() -> SampleRows:
    """Two sources where the label follows x, and one where it follows the contrary; the third has no train rows."""
    draws = np.random.default_rng(2)
    sources = ["app", "shop", "web"] * 100
    x = draws.normal(size=300)
    turned = np.array([1.0, -1.0, 1.0] * 100)
    label = (turned * x + 0.3 * draws.normal(size=300) > 0).astype(np.int64)
    splits = [
        split if source != "web" else "dev"
        for source, split in zip(sources, ["train", "train", "dev"] * 100, strict=True)
    ]
    splits = ["dev" if at % 4 == 0 else split for at, split in enumerate(splits)]
    return sample_of(pl.DataFrame({"x": x, "y": draws.normal(size=300), "label": label}), splits, sources)


def test_transfer_tells_which_sources_agree() -> None:
    table = transfer(three_sources())
    errors = {(cell.trained, cell.judged): cell for cell in table.cells}
    assert set(errors) == {(trained, judged) for trained in ("app", "shop") for judged in ("app", "shop", "web")}
    assert errors["app", "app"].error < 0.3
    assert errors["app", "web"].error < 0.3
    assert errors["app", "shop"].error > 0.7
    assert errors["shop", "web"].gap.low > 0.2
    for cell in table.cells:
        assert 0 <= cell.low <= cell.error <= cell.high
        assert (cell.gap is None) == (cell.trained == cell.judged)
    assert errors["app", "app"].judged_rows == 100
    frame = table.frame()
    assert frame.columns[:3] == ["trained", "judged", "error"]
    assert len(frame) == 6
    assert frame["gap"].null_count() == 2


def test_transfer_is_the_same_in_any_order() -> None:
    sample = three_sources()
    assert transfer(shuffled(sample, 1)) == transfer(shuffled(sample, 2))


def test_transfer_needs_a_label_and_two_sources() -> None:
    sample = three_sources()
    assert transfer(sample.select(source="app")).reason.startswith("sources with 20 labelled groups: 1;")
    bare = SampleRows(sample.rows, sample.groups, sample.sources, sample.splits, ColumnRoles(), "s")
    assert transfer(bare).reason == "there is no label"
    assert transfer(sample.select("dev")).cells == ()


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2)), min_size=3, max_size=50))
def test_one_against_rest_is_the_mean_of_the_classes(rows: list[tuple[int, int]]) -> None:
    truth = np.array([code for _, code in rows])
    chances = np.column_stack([[float(score * (code + 1) % 7) for score, _ in rows] for code in range(3)])
    codes = [code for code in set(truth) if 0 < (truth == code).sum() < len(truth)]
    expected = np.mean([roc_auc_score(truth == code, chances[:, code]) for code in codes]) if codes else 0.5
    assert one_against_rest(chances, truth) == pytest.approx(expected)


def leaky(number: bool) -> SampleRows:
    draws = np.random.default_rng(3)
    delay = draws.normal(size=600) * 20
    late = delay > 15
    frame = pl.DataFrame(
        {
            "delay": delay,
            "weather": delay + 60 * draws.normal(size=600),
            "noise": draws.normal(size=600),
            "file": [f"{'late' if is_late else 'fine'}/{at}.wav" for at, is_late in enumerate(late)],
            "status": np.where(late, "L", "F"),
            "refund": pl.Series(np.where(late, 10.0, np.nan)).fill_nan(None),
            "caption": [
                f"the flight of day {at} was {'very late' if is_late else 'quite fine'}"
                for at, is_late in enumerate(late)
            ],
        }
    )
    label = pl.Series("label", delay * 2 + 1) if number else pl.Series("label", late.astype(np.int64))
    return sample_of(frame.with_columns(label), ["train"] * 600)


def test_columns_that_give_a_class_away_are_named() -> None:
    found = {leak.column: leak for leak in leak_columns(leaky(number=False), 0.98)}
    assert {name for name, leak in found.items() if leak.leaks} == {"delay", "file", "status", "refund", "caption"}
    assert 0.55 < found["weather"].score < 0.9
    assert abs(found["noise"].score - 0.5) < 0.1
    assert found["delay"].measure == "AUC"


def test_columns_that_give_a_number_away_are_named() -> None:
    found = leak_columns(leaky(number=True), 0.98)
    assert [leak.column for leak in found if leak.leaks] == ["delay"]
    assert found[0].measure == "R2"
    assert found[-1].score < 0.1


def test_groups_do_not_leak_by_being_memorised() -> None:
    draws = np.random.default_rng(4)
    groups = np.repeat(np.arange(80), 10)
    frame = pl.DataFrame(
        {"height": np.repeat(draws.normal(size=80), 10), "label": np.repeat(draws.integers(0, 2, 80), 10)}
    )
    (leak,) = leak_columns(sample_of(frame, ["train"] * 800, groups=groups), 0.98)
    assert leak.score < 0.75


def test_leaks_need_labels() -> None:
    sample = leaky(number=False)
    assert leak_columns(sample.take(np.arange(40)), 0.98) == ()
    bare = SampleRows(sample.rows, sample.groups, sample.sources, sample.splits, ColumnRoles(), "s")
    assert leak_columns(bare, 0.98) == ()
    assert leak_columns(shuffled(sample, 1), 0.98) == leak_columns(shuffled(sample, 2), 0.98)


def test_models_do_without_what_gives_the_label_away_and_keep_texts_and_vectors() -> None:
    sample = leaky(number=False)
    vectors = pl.Series("vector", [[float(label), 0.5] for label in sample.rows["label"]])
    leaks = leak_columns(replace(sample, rows=sample.rows.with_columns(vectors)), 0.98)
    assert {leak.column for leak in leaks if leak.leaks and leak.content} == {"caption", "vector"}
    assert set(giving_away(leaks)) == {"delay", "file", "status", "refund"}
