"""Columns become numbers: the right ones, the same every time."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.model_rows import sample_of
from validation.modelling.columns import Feature, columns_of
from validation.modelling.features import FARTHEST, Dense, Encoder
from validation.modelling.models import fit
from validation.modelling.raw import read_columns, vector_matrix
from validation.settings import ColumnRoles

ROWS = 240


def wide() -> pl.DataFrame:
    draws = np.random.default_rng(5)
    words = ["red", "green", "apple", "pear", "kitchen", "garden", "river", "stone"]
    return pl.DataFrame(
        {
            "id": range(ROWS),
            "price": draws.normal(size=ROWS),
            "rooms": draws.integers(1, 6, ROWS),
            "open": draws.random(ROWS) < 0.5,
            "colour": draws.choice(["red", "blue", "green"], ROWS),
            "path": [f"web/{draws.integers(9)}/{at}.jpg" for at in range(ROWS)],
            "code": [f"{at * 7919:08x}" for at in range(ROWS)],
            "caption": [" ".join(draws.choice(words, 6)) + f" {at}" for at in range(ROWS)],
            "chinese": ["".join(draws.choice(list("我你他们学校老师书水火山人口日月"), 8)) for _ in range(ROWS)],
            "taken": [dt.date(2024, 1, 1) + dt.timedelta(days=at) for at in range(ROWS)],
            "vector": draws.normal(size=(ROWS, 4)).tolist(),
            "tags": [["a"]] * ROWS,
            "nothing": pl.Series([None] * ROWS, dtype=pl.Float64),
            "patient": draws.integers(0, 50, ROWS),
            "shop": draws.choice(["a", "b"], ROWS),
            "made": draws.normal(size=ROWS),
            "secret": draws.normal(size=ROWS),
            "label": draws.integers(0, 2, ROWS),
        }
    )


ROLES = ColumnRoles(
    key=("key",), group=("patient",), label="label", source="shop", skip=("secret",), times=("made",), strata=("rooms",)
)


def test_columns_are_features_or_left_out_with_a_reason() -> None:
    columns = columns_of(sample_of(wide(), ["train"] * ROWS, roles=ROLES))
    assert {feature.name: feature.kind for feature in columns.features} == {
        "price": "number",
        "rooms": "number",
        "open": "number",
        "colour": "category",
        "caption": "text",
        "chinese": "text",
        "vector": "vector",
    }
    assert {left.name: left.reason for left in columns.left_out} == {
        "id": "is a number unlike in almost every row",
        "path": "is a path or a file's name",
        "code": "is a string unlike in almost every row",
        "taken": "is a time",
        "tags": "is a list of other things than numbers",
        "nothing": "is empty",
        "patient": "is the group",
        "shop": "is the source",
        "made": "tells when the example was made",
        "secret": "left out as asked",
        "label": "is the label",
    }


def test_ids_that_begin_anew_in_every_source_are_ids() -> None:
    frame = pl.DataFrame({"number": [*range(100), *range(100)]})
    columns = columns_of(sample_of(frame, ["train"] * 200, ["a"] * 100 + ["b"] * 100))
    assert not columns.features


def test_names_are_kept_where_asked() -> None:
    columns = columns_of(sample_of(wide(), ["train"] * ROWS, roles=ROLES), names_too=True)
    kinds = {feature.name: feature.kind for feature in columns.features}
    assert (kinds["path"], kinds["code"], kinds["id"]) == ("name", "name", "number")


@settings(max_examples=10)
@given(cut=st.integers(1, ROWS - 1))
def test_a_row_has_the_same_numbers_in_any_company(cut: int) -> None:
    frame = wide()
    features = columns_of(sample_of(frame, ["train"] * ROWS, roles=ROLES)).features
    read = read_columns(frame, features)
    encoder = Encoder.fit(read.take(np.arange(120)), "salt")
    whole = encoder.transform(read)
    parts = [encoder.transform(read_columns(part, features)) for part in (frame.head(cut), frame.tail(ROWS - cut))]
    assert np.allclose(whole, np.vstack(parts), equal_nan=True, atol=1e-9)
    assert whole.shape == (ROWS, encoder.blocks[-1].stop)


def test_two_fits_give_the_same_bytes() -> None:
    frame = wide()
    features = columns_of(sample_of(frame, ["train"] * ROWS, roles=ROLES)).features
    once, again = (
        Encoder.fit(read_columns(frame, features), "salt").transform(read_columns(frame, features)) for _ in "12"
    )
    assert once.tobytes() == again.tobytes()


def test_categories_are_coded_by_frequency_and_strangers_share_a_code() -> None:
    learnt = pl.DataFrame({"c": ["b", "b", "b", "a", "a", "z"]})
    feature = Feature("c", "category")
    encoder = Encoder.fit(read_columns(learnt, [feature]), "salt")
    codes = encoder.transform(read_columns(pl.DataFrame({"c": ["b", "a", "z", "new", None]}), [feature]))
    assert codes[:4, 0].tolist() == [0, 1, 2, 3]
    assert np.isnan(codes[4, 0])
    assert encoder.categorical == [0]


def test_infinite_numbers_and_odd_vectors_are_gaps() -> None:
    frame = pl.DataFrame({"x": [1.0, float("inf"), float("nan"), None]})
    numbers = Encoder.fit(read_columns(frame, [Feature("x", "number")]), "s").transform(
        read_columns(frame, [Feature("x", "number")])
    )
    assert np.isnan(numbers[:, 0]).tolist() == [False, True, True, True]
    vectors = vector_matrix(pl.Series([[1.0, 2.0], None, [1.0], [3.0, None]]), 2)
    assert np.isnan(vectors).tolist() == [[False, False], [True, True], [True, True], [False, True]]


def test_long_vectors_are_projected() -> None:
    draws = np.random.default_rng(1)
    frame = pl.DataFrame({"v": draws.normal(size=(80, 200)).tolist()})
    read = read_columns(frame, [Feature("v", "vector", 200)])
    assert Encoder.fit(read, "s").transform(read).shape == (80, 64)


def test_dense_has_no_gaps_and_never_stretches_rare_categories() -> None:
    frame = pl.DataFrame({"x": [1.0, 2.0, None, 4.0] * 25, "c": ["a"] * 99 + ["rare"]})
    features = [Feature("x", "number"), Feature("c", "category")]
    encoder = Encoder.fit(read_columns(frame, features), "s")
    matrix = encoder.transform(read_columns(frame, features))
    dense = Dense.fit(matrix, encoder.blocks)
    numbers = dense.transform(matrix)
    assert np.isfinite(numbers).all()
    assert abs(numbers[:, 0].mean()) < 1e-9
    assert numbers[:, 0].std() == pytest.approx(1)
    assert np.abs(numbers[:, 1:3]).max() <= 2
    far = dense.transform(np.array([[1e9, 0.0]]))
    assert far.max() == FARTHEST


def test_models_without_columns_or_classes_predict_the_middle() -> None:
    target = np.array([1, 1, 0])
    nothing = fit("boosting", np.zeros((3, 0)), target, (), 4, 1)
    assert nothing.predict(np.zeros((2, 0))).argmax(axis=1).tolist() == [1, 1]
    one = fit("linear", np.ones((3, 1)), np.array([2.5, 2.5, 2.5]), (), 0, 1)
    assert one.predict(np.ones((1, 1))).tolist() == [[2.5]]
