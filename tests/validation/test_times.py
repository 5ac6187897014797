"""Where a split lies to train in time."""

from __future__ import annotations

import pytest

from validation.profile.values import ColumnProfile, Moments
from validation.times import Order, order_of


def times(first: object, last: object) -> ColumnProfile:
    return ColumnProfile("at", "time", 2, 0, moments=Moments(2, None, None, first, last))  # type: ignore[arg-type]


TRAIN = times("2024-01-01T00:00:00", "2024-12-31T00:00:00")


@pytest.mark.parametrize(
    ("first", "last", "order"),
    [
        ("2023-01-01T00:00:00", "2023-12-31T23:59:59", "before"),
        ("2024-01-01T00:00:00", "2024-06-01T00:00:00", "inside"),
        ("2024-12-31T00:00:00.000001", "2025-01-01T00:00:00", "after"),
        ("2023-12-31T00:00:00", "2024-06-01T00:00:00", "unknown"),
        (None, None, "unknown"),
        ("-143782-01-01T00:00:00", "-143782-01-02T00:00:00", "before"),
        ("+146815-01-01T00:00:00", "+146815-01-02T00:00:00", "after"),
        ("-143782-01-01T00:00:00", "+146815-01-02T00:00:00", "unknown"),
    ],
)
def test_a_split_lies_before_inside_or_after_train(first: str | None, last: str | None, order: Order) -> None:
    assert order_of(times(first, last), TRAIN) == order


def test_numbers_are_ordered_as_numbers() -> None:
    assert order_of(times(2024, 2024), times(9, 2023)) == "after"
    assert order_of(times(10, 11), times(9, 100)) == "inside"
    assert order_of(times(-5.5, -5), times(-4, 3)) == "before"
