"""Values that are counted by sorting: what a dictionary would count."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from validation.profile.counting import count_values, run_lengths, starts_of_runs

VALUES = st.one_of(
    st.lists(st.sampled_from([0.0, -0.0, 1.5, -2.0, float("inf"), float("-inf"), 5e-324])).map(np.array),
    st.lists(st.integers(0, 255)).map(lambda rows: np.array(rows, dtype=np.uint8)),
    st.lists(st.integers(-(2**63), 2**63 - 1)).map(lambda rows: np.array(rows, dtype=np.int64)),
    st.lists(st.floats(width=32, allow_nan=False)).map(lambda rows: np.array(rows, dtype=np.float32)),
)


@given(VALUES)
def test_distinct_values_in_order_with_their_rows(values: np.ndarray) -> None:
    before = values.copy()
    distinct, counts = count_values(values)
    assert distinct.dtype == values.dtype
    assert (np.diff(distinct.astype(object)) > 0).all()
    assert dict(zip(distinct.tolist(), counts.tolist(), strict=True)) == Counter(values.tolist())
    assert counts.dtype == np.int64
    np.testing.assert_array_equal(values, before)


def test_nothing_that_is_no_number_is_lost() -> None:
    distinct, counts = count_values(np.array([np.nan, 1.0, np.nan, 1.0]))
    assert counts.tolist() == [2, 1, 1]
    assert distinct[0] == 1.0
    assert np.isnan(distinct[1:]).all()


def test_runs() -> None:
    ordered = np.array([3, 3, 5, 9, 9, 9])
    starts = starts_of_runs(ordered)
    assert starts.tolist() == [0, 2, 3]
    assert run_lengths(starts, len(ordered)).tolist() == [2, 1, 3]
    assert starts_of_runs(ordered[:0]).tolist() == []
