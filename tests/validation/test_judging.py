"""Great Expectations judges counts as it judges data, here and in the process of its own."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validation.checks import Check, RowCount, ValuesInSet
from validation.engine import judge
from validation.judging import Judge, JudgingError

LABELS = st.text(max_size=4)


def check(name: str, fact: RowCount | ValuesInSet) -> Check:
    return Check(name, "table", "Holds.", "critical", fact)


@settings(deadline=None, max_examples=50)
@given(
    st.frozensets(LABELS, max_size=4),
    st.dictionaries(LABELS, st.integers(1, 3), max_size=4),
    st.integers(0, 3),
    st.integers(0, 3),
)
def test_counts_are_judged_as_arithmetic_says(
    allowed: frozenset[str], observed: dict[str, int], expected: int, rows: int
) -> None:
    facts = [RowCount(expected, rows), ValuesInSet("label", allowed, observed)]
    verdicts = judge("s", [check(str(i), fact) for i, fact in enumerate(facts)]).verdicts
    assert [verdict.success for verdict in verdicts] == [expected == rows, set(observed) <= allowed]
    assert [verdict.exception for verdict in verdicts] == [None, None]


def test_counts_are_judged_as_great_expectations_judges_the_data() -> None:
    import great_expectations as gx
    import great_expectations.expectations as gxe

    values = pl.DataFrame({"label": ["cat", "dog", "dog", "fox"]}).to_pandas()
    context = gx.get_context(mode="ephemeral")
    batch = context.data_sources.add_pandas("p").add_dataframe_asset("a").add_batch_definition_whole_dataframe("b")
    data = batch.get_batch({"dataframe": values})
    counted = {"cat": 1, "dog": 2, "fox": 1}
    for allowed in ({"cat", "dog"}, {"cat", "dog", "fox", "owl"}):
        own = judge("s", [check("labels", ValuesInSet("label", frozenset(allowed), counted))]).verdicts[0]
        theirs = data.validate(gxe.ExpectColumnDistinctValuesToBeInSet(column="label", value_set=sorted(allowed)))
        assert own.success == theirs.success
        assert own.expectation["type"] == theirs.expectation_config.type
    for expected in (3, 4):
        own = judge("s", [check("rows", RowCount(expected, 4))]).verdicts[0]
        assert own.success == data.validate(gxe.ExpectTableRowCountToEqual(value=expected)).success


def test_a_suite_without_checks_does_not_pass_in_silence() -> None:
    with pytest.raises(ValueError, match="needs checks"):
        judge("s", [])
    with pytest.raises(ValueError, match="distinct names"):
        judge("s", [check("a", RowCount(1, 1)), check("a", RowCount(1, 2))])


def test_an_expectation_that_raises_is_a_failed_critical_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("validation.engine._metric", lambda *_: 1 // 0)
    verdict = judge("s", [Check("a", "t", "Holds.", "info", RowCount(1, 1))]).verdicts[0]
    assert (verdict.success, verdict.severity) == (False, "critical")
    assert "division" in str(verdict.exception)


def test_the_process_answers_as_the_engine_does() -> None:
    checks = [
        check("rows", RowCount(1, 2)),
        check("labels", ValuesInSet("label", frozenset({"ä", "\n"}), {"ä": 1, "</script>": 2})),
        check("nothing allowed", ValuesInSet("label", frozenset(), {"x": 1})),
    ]
    with Judge() as process:
        judgement = process.judge("s", checks)
    assert judgement == judge("s", checks)
    assert [verdict.success for verdict in judgement.verdicts] == [False, False, False]


def test_a_process_that_fails_is_no_verdict() -> None:
    with Judge() as process, pytest.raises(JudgingError, match="needs checks"):
        process.judge("s", [])
