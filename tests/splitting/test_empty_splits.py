"""Splits that would hold nothing are told, unless the spec accepts smaller ones."""

from __future__ import annotations

import polars as pl
import pytest

from splitting.errors import ShortfallError
from splitting.request import TARGET_POOL, OnShortfall, Request, Size, SplitRequest
from splitting.rules import Pool, Rules
from tests.support.memory import plan_of

RULES = Rules(
    salt="s",
    key=("id",),
    pools=(Pool(TARGET_POOL, frozenset({"app"})), Pool("train"), Pool("web", frozenset({"web"}))),
)
BATCHES = [(name, pl.DataFrame({"id": [f"{name}{i}" for i in range(50)]})) for name in ("web", "app")]


def request(*splits: SplitRequest, on_shortfall: OnShortfall = "error") -> Request:
    return Request(splits, on_shortfall)


def test_a_percentage_of_less_than_a_row_is_an_error() -> None:
    tiny = SplitRequest("dev", TARGET_POOL, Size(numerator=1, denominator=100))
    with pytest.raises(ShortfallError, match="dev would be empty: its share of the 50 rows of pool 'target'"):
        plan_of(BATCHES, RULES, request(SplitRequest("test", TARGET_POOL, Size(10)), tiny))
    assert plan_of(BATCHES, RULES, request(tiny, on_shortfall="allow")).rows_of("dev") == 0


def test_evaluation_splits_that_take_everything_are_an_error() -> None:
    everything = SplitRequest("dev", TARGET_POOL, Size(50)), SplitRequest("extra", "web", Size(50))
    with pytest.raises(ShortfallError, match="train would be empty"):
        plan_of(BATCHES, RULES, request(*everything))
    assert plan_of(BATCHES, RULES, request(*everything, on_shortfall="allow")).rows_of("train") == 0
