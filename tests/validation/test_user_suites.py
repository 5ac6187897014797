"""Sentences of suites that do not hold."""

from __future__ import annotations

from typing import Any

import pytest

from validation.checking import Check, Verdict
from validation.user_suites import suite_findings


@pytest.mark.parametrize(
    ("observed", "told"),
    [
        (
            {"unexpected_count": 3, "element_count": 9, "partial_unexpected_list": ["", "é", None, " "]},
            "; 3 of 9 are otherwise, as '', 'é', ' '.",
        ),
        ({"unexpected_count": 1, "partial_unexpected_list": [0.1 + 0.2]}, "; 1 are otherwise, as 0.3."),
        ({"unexpected_count": 1_234, "partial_unexpected_list": [10_000, True]}, "as 10,000, True."),
        ({"observed_value": 1 / 3}, "; got 0.333333."),
        ({"observed_value": 1_234_567.891}, "; got 1,234,568."),
        ({"observed_value": [1 / 3, "", 2e-7]}, "; got [0.333333, '', 2e-07]."),
        (
            {"observed_value": {"quantiles": [0.5], "values": [2 / 3]}},
            "; got {'quantiles': [0.5], 'values': [0.666667]}.",
        ),
        ({"observed_value": ""}, "; got ''."),
        ({}, "; it does not hold."),
    ],
)
def test_values_are_told_as_people_read_them(observed: dict[str, Any], told: str) -> None:
    check = Check("c", "suite", "splits.dev", "word", "Words are known.", "warning", "expect_x", {}, observed)
    (finding,) = suite_findings([Verdict(check, success=False)])
    assert finding.sentence.startswith("splits.dev: `word`: Words are known; ")
    assert told in finding.sentence
