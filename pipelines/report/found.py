"""What a check found, in plain words with its n."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipelines.report.facts import RunFacts, told_cost
from pipelines.report.words import counted, decimal, number, percent, sentence, shown, signed

_LONGEST = 200
_Found = Callable[[RunFacts, Mapping[str, Any], Mapping[str, Any]], str]


def found_words(facts: RunFacts, result: Mapping[str, Any]) -> str:
    """What was observed.

    Args:
        facts: of the run.
        result: of `validation.json`.

    Returns:
        A few words; of an expectation that is not the project's own, the names and values of its figures.
    """
    if result.get("exception"):
        return sentence(f"could not be judged: {result['exception']}", _LONGEST)
    own = result["role"] != "suite"
    tell = _TELLING.get(result["expectation"], _figures) if own else _figures
    return sentence(tell(facts, result["expected"], result["observed"]), _LONGEST)


def _written(_: RunFacts, expected: Mapping[str, Any], observed: Mapping[str, Any]) -> str:
    return f"{observed['rows_written']:,} rows written, {expected['rows_read']:,} read"


def _size(_: RunFacts, expected: Mapping[str, Any], observed: Mapping[str, Any]) -> str:
    return f"{observed['rows']:,} rows, {expected['rows']:,} planned"


def _outside(facts: RunFacts, expected: Mapping[str, Any], observed: Mapping[str, Any]) -> str:
    return f"{observed['rows_outside']:,} of {counted(facts.plan.rows_of(expected['split']), 'row')} outside"


def _shared(facts: RunFacts, expected: Mapping[str, Any], observed: Mapping[str, Any]) -> str:
    first = expected["first"]
    chance = ", as chance gives in so few columns" if observed.get("by_chance") else ""
    return f"{observed['rows_shared']:,} of {counted(facts.plan.rows_of(first), 'row')} of {first}{chance}"


def _labels(facts: RunFacts, expected: Mapping[str, Any], observed: Mapping[str, Any]) -> str:
    rows = counted(facts.plan.rows_of(expected["split"]), "row")
    return (
        f"{observed['missing']:,} of {counted(observed['labels'], 'label')} missing, in "
        f"{observed['rows_missing']:,} of {rows}"
    )


def _new(facts: RunFacts, expected: Mapping[str, Any], observed: Mapping[str, Any]) -> str:
    rows, values = counted(facts.plan.rows_of(expected["split"]), "row"), counted(observed["categories"], "value")
    return (
        f"{observed['new']:,} of {values} new, in {observed['rows_new']:,} of {rows}; "
        f"chance gives {number(observed['rows_expected'])}"
    )


def _time(_: RunFacts, expected: Mapping[str, Any], observed: Mapping[str, Any]) -> str:
    ends = [" to ".join(number(observed[f"{name}_{end}"]) for end in ("first", "last")) for name in _ENDS]
    place = "its place in time is not known" if observed["order"] == "unknown" else f"{observed['order']} it"
    return f"{place}: {expected['split']} {ends[0]}, {expected['reference']} {ends[1]}"


def _cost(facts: RunFacts, _: Mapping[str, Any], observed: Mapping[str, Any]) -> str:
    told = told_cost(facts.document)
    n = f"; n {told['home_rows']:,} / {told['away_rows']:,}" if told else ""
    return (
        f"{observed['grade']}: difference in error {signed(observed['gap'])} ({signed(observed['low'])} to "
        f"{signed(observed['high'])}); {observed['detectable']:.3f} would be seen{n}"
    )


def _leak(_: RunFacts, expected: Mapping[str, Any], observed: Mapping[str, Any]) -> str:
    measure = next((name for name in observed if name != "rows"), "")
    score = observed[measure]
    told = "–" if score is None else f"{score:.3f}"
    return f"{measure.upper()} {told}, counts as a leak from {decimal(expected['max_auc'])}; n {observed['rows']:,}"


def _figures(_: RunFacts, __: Mapping[str, Any], observed: Mapping[str, Any]) -> str:
    """Of Great Expectations' figures first how many values were unexpected, of how many."""
    left = dict(observed)
    parts = []
    wrong, rows = observed.get("unexpected_count"), observed.get("element_count")
    if isinstance(wrong, int) and isinstance(rows, int):
        parts.append(f"{wrong:,} of {counted(rows, 'row')} unexpected ({percent(wrong / rows if rows else 0)})")
        if missing := observed.get("missing_count"):
            parts.append(f"{missing:,} missing")
        left = {name: value for name, value in observed.items() if name not in _COUNTED}
    parts += [
        f"{name.replace('_', ' ')} {_figure(value)}"
        for name, value in left.items()
        if isinstance(value, int | float | str) and value != ""
    ]
    return "; ".join(parts) or "–"


def _figure(value: int | float | str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return shown(value, 60) if isinstance(value, str) else number(value)


_SHARES = ("missing_percent", "unexpected_percent", "unexpected_percent_total", "unexpected_percent_nonmissing")
_COUNTED = ("unexpected_count", "element_count", "missing_count", *_SHARES)
_ENDS = ("split", "reference")
_TELLING: Mapping[str, _Found] = {
    "expect_rows_in_to_equal_rows_out": _written,
    "expect_split_size": _size,
    "expect_target_only": _outside,
    "expect_splits_disjoint": _shared,
    "expect_labels_covered": _labels,
    "expect_no_new_categories": _new,
    "expect_time_order": _time,
    "expect_mismatch_harmless": _cost,
    "expect_no_leak_column": _leak,
}
