"""Says in sentences what failed, and what is worth knowing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from validation.checking import Verdict
from validation.verdict import Finding

_NAMED = 3


def promise_findings(verdicts: Iterable[Verdict]) -> list[Finding]:
    """A finding for every promise that does not hold, and one for all checks that could not be judged.

    Args:
        verdicts: of the run.

    Returns:
        Findings in the order of the verdicts.
    """
    found = []
    for verdict in verdicts:
        if verdict.success:
            continue
        if verdict.exception:
            sentence = f"The check {verdict.check.name!r} could not be judged: {verdict.exception}"
        elif verdict.check.expectation in _SENTENCES:
            sentence = _SENTENCES[verdict.check.expectation](
                {**verdict.check.kwargs, "column": verdict.check.column}, verdict.check.observed
            )
        else:
            continue
        found.append(Finding(verdict.severity, sentence, (verdict.check.name,)))
    return found


def _rows_in_rows_out(expected: dict[str, Any], observed: dict[str, Any]) -> str:
    return f"{expected['rows_read']:,} rows were read and {observed['rows_written']:,} were written."


def _size(expected: dict[str, Any], observed: dict[str, Any]) -> str:
    return f"{expected['split']} holds {observed['rows']:,} rows, and {expected['rows']:,} were planned."


def _target_only(expected: dict[str, Any], observed: dict[str, Any]) -> str:
    outside = observed["rows_outside"]
    return f"{_rows(outside)} of {expected['split']} {_are(outside)} not in the pool {expected['pool']!r}."


def _disjoint(expected: dict[str, Any], observed: dict[str, Any]) -> str:
    first, second, shared = expected["first"], expected["second"], observed["rows_shared"]
    if expected["what"] == "row":
        say = "says" if shared == 1 else "say"
        return (
            f"{_rows(shared)} of {first} {say} the same as rows of {second}, key and source aside; name in `group` the "
            "columns that make a copy, and copies stay together."
        )
    if expected["what"] == "link":
        return f"{_rows(shared)} of {first} {_are(shared)} linked by {expected['link']} with rows of {second}."
    return (
        f"{_rows(shared)} of {first} {'has' if shared == 1 else 'have'} a {expected['what']} that is also in {second}."
    )


def _labels_covered(expected: dict[str, Any], observed: dict[str, Any]) -> str:
    return (
        f"{expected['reference']} has no example of {_named(observed['largest'], observed['missing'])}, and "
        f"{expected['split']} has {_rows(observed['rows_missing'])} of {'it' if observed['missing'] == 1 else 'them'}: "
        "a model cannot learn a label that it never sees."
    )


def _new_categories(expected: dict[str, Any], observed: dict[str, Any]) -> str:
    values = f"{observed['new']:,} value{'s' * (observed['new'] != 1)} of `{expected['column']}`"
    return (
        f"{expected['split']} has {values} that {expected['reference']} has not: "
        f"{_named(observed['largest'], observed['new'])} ({_rows(observed['rows_new'])}; chance gives "
        f"{observed['rows_expected']:,.1f})."
    )


_SENTENCES: dict[str, Callable[[dict[str, Any], dict[str, Any]], str]] = {
    "expect_rows_in_to_equal_rows_out": _rows_in_rows_out,
    "expect_split_size": _size,
    "expect_target_only": _target_only,
    "expect_splits_disjoint": _disjoint,
    "expect_labels_covered": _labels_covered,
    "expect_no_new_categories": _new_categories,
}


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _named(largest: Sequence[Sequence[Any]], count: int) -> str:
    names = ", ".join(f"{name!r}" for name, _ in largest[:_NAMED])
    more = count - min(len(largest), _NAMED)
    return f"{names} and {more:,} more" if more > 0 else names


def merged_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings with the most severe first; equal sentences once.

    Args:
        findings: in any order.

    Returns:
        Each sentence once, with all its checks.
    """
    checks: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for finding in findings:
        checks[finding.severity, finding.sentence] += finding.checks
    rank = {"critical": 0, "warning": 1, "info": 2}
    ordered = sorted(checks.items(), key=lambda item: rank[item[0][0]])
    return tuple(Finding(severity, sentence, tuple(names)) for (severity, sentence), names in ordered)  # type: ignore[arg-type]
