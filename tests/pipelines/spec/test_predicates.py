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
        ("(label)", "column 'label' is String, and neither true nor false"),
        ("(label) = 1", "column 'label' is a text, and 1 a number; put it in single quotes"),
        ("((label)) = -1", "column 'label' is a text, and -1 a number"),
        ("label in (1, 2)", "column 'label' is a text, and 1 a number"),
        ("good or label not in ('a', (2))", "column 'label' is a text, and 2 a number"),
        ("(label) in (upper('x'), 2)", "column 'label' is a text, and 2 a number"),
        ("n in (1, 2, 'x')", r"column 'n' is a number \(Int64\), and 'x' a text; leave the quotes out"),
        ("day in (20260101)", "column 'day' is a date or time, and 20260101 a number"),
        ("label between 1 and 2", "column 'label' is a text, and 1 a number"),
        ("(label between 'a' and 2)", "column 'label' is a text, and 2 a number"),
        ("n not between 1 + 1 and '9' and good", "column 'n' is a number .*, and '9' a text"),
        ("n between case when good and good then 1 else 2 end and '9'", "column 'n' is a number .*, and '9' a text"),
        ("day between 1 and '2026-01-31'", "column 'day' is a date or time, and 1 a number"),
        ("day in ('x')", "write it as in '2026-01-31'"),
        ("good in (1)", "holds values of another kind than what is before it"),
        ("-1 = label", "column 'label' is a text, and -1 a number"),
        ("2 between n and label", "column 'label' is a text, and 2 a number"),
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
        "label IN ('a', null) OR length(label) IN (1, 2)",
        "n + 1 IN (2) AND (n) = (1) AND n = -1",
        "length(label) BETWEEN 1 AND 2 AND NOT (label) BETWEEN 'a' AND 'b'",
        "day IN (date '2026-01-01') OR day BETWEEN date '2026-01-01' AND '2026-01-31'",
        "n BETWEEN 1 AND 2 + length('x') AND good",
        "cast(label as int) in (1, 2)",
    ],
)
def test_conditions_are(sql: str) -> None:
    compile_condition(sql, COLUMNS, "target.where")
