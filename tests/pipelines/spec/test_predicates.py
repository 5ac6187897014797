"""Conditions are checked against the columns before any data is read."""

from __future__ import annotations

import polars as pl
import pytest

from pipelines.spec.predicates import compile_condition
from splitting.errors import SpecError

COLUMNS = {"label": pl.String(), "good": pl.Boolean(), "day": pl.Date(), "n": pl.Int64()}


@pytest.mark.parametrize(
    ("sql", "part"),
    [
        ("NOT label", "column 'label' is String, and neither true nor false"),
        ("good AND n", "compare it, as in n ="),
        ("label", "neither true nor false"),
        ("day >= 'yesterday'", "write it as in '2026-01-31'"),
        ("n + 1", "expected a condition"),
    ],
)
def test_what_is_no_condition_is_told(sql: str, part: str) -> None:
    with pytest.raises(SpecError, match=part):
        compile_condition(sql, COLUMNS, "target.where")


@pytest.mark.parametrize(
    "sql",
    [
        "good AND NOT good",
        "NOT (good)",
        "n BETWEEN 1 AND n",
        "NOT label = 'x'",
        "day >= '2026-01-01' AND good",
        "lower(label) = 'x' AND n IN (1, 2)",
    ],
)
def test_conditions_are(sql: str) -> None:
    compile_condition(sql, COLUMNS, "target.where")
