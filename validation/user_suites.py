"""Judges users' suites on splits and sources, and says in sentences what does not hold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import polars as pl

from validation.checking import Verdict
from validation.evidence import Evidence
from validation.gx.process import Judge
from validation.gx.values import UserSuite
from validation.measures import Measures, measured_split
from validation.profile.sample import KEY, SOURCE, SPLIT
from validation.tables import holds
from validation.verdict import Finding

ROLE = "suite"
_SHOWN = 5
_LONGEST = 60


def judge_suites(suites: Sequence[UserSuite], evidence: Evidence, judge: Judge) -> tuple[Verdict, ...]:
    """Judges suites that the judge has loaded, each on its tables.

    Args:
        suites: of the user.
        evidence: with measures that hold what the suites want.
        judge: has loaded them.

    Returns:
        A verdict an expectation and table, in their order.
    """
    measures = evidence.measures
    assert measures is not None  # noqa: S101, suites need the profile
    samples = {
        table: sample_of(measures, table, evidence.roles.source) for table in {t for s in suites for t in s.tables}
    }
    return tuple(
        verdict
        for suite in suites
        for table in suite.tables
        for verdict in judge.judge_suite(suite.name, table, measures.metrics.table(table), samples[table])
    )


def sample_of(measures: Measures, table: str, source_column: str) -> pl.DataFrame:
    """The keyed sample of a table: of all its rows, those of the smallest keys.

    Args:
        measures: with the samples of splits and sources.
        table: as in `splits.dev`.
        source_column: the name under which a row's source is told.

    Returns:
        At most as many rows as are sampled of one split and source.
    """
    about, rows = measures.sample.about, measures.sample.rows
    inside = [holds(table, measured_split(split), source) for split, source in about.select(SPLIT, SOURCE).iter_rows()]
    numbered = about.with_row_index("row").filter(pl.Series(inside, dtype=pl.Boolean))
    chosen = numbered.sort(KEY, "row").head(measures.sample.size)["row"]
    sources = about[SOURCE].gather(chosen).alias(source_column)
    kept = [values for values in rows[chosen].get_columns() if values.name != source_column]
    return pl.DataFrame([*kept, sources])


def suite_findings(verdicts: Sequence[Verdict]) -> list[Finding]:
    """What does not hold, a sentence an expectation and table."""
    return [Finding(v.severity, _sentence(v), (v.check.name,)) for v in verdicts if not v.success]


def _sentence(verdict: Verdict) -> str:
    check = verdict.check
    about = f"`{check.column}`: " if check.column is not None else ""
    told = f"{check.table}: {about}{check.description.rstrip('.')}{_found(verdict)}."
    counted = str(check.observed.get("counted", ""))
    return f"{told} Judged on {counted}." if counted.startswith("a sample") else told


def _found(verdict: Verdict) -> str:
    observed = verdict.check.observed
    if verdict.exception:
        return f"; could not be judged: {verdict.exception}"
    if observed.get("unexpected_count"):
        of = f" of {observed['element_count']:,}" if observed.get("element_count") else ""
        values = [value for value in observed.get("partial_unexpected_list") or [] if value is not None]
        shown = ", ".join(dict.fromkeys(map(_short, values[:_SHOWN])))
        return f"; {observed['unexpected_count']:,}{of} are otherwise{f', as {shown}' if shown else ''}"
    if observed.get("observed_value") is not None:
        return f"; got {_short(observed['observed_value'])}"
    return "; it does not hold"


def _short(value: Any) -> str:
    """A value as people read it: texts in quotes, so that an empty one is seen; floats to six digits."""
    text = _plain(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return _decimal(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_plain(key)}: {_plain(item)}' for key, item in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_plain, value))}]"
    return repr(value) if isinstance(value, str) else str(value)


def _decimal(value: float) -> str:
    """Six significant digits, whole digits all, without an exponent where a number is of a common size.

    Examples:
        >>> [_decimal(value) for value in (0.1 + 0.2, 1234567.891, 5.0, 2e-7, float("nan"))]
        ['0.3', '1,234,568', '5', '2e-07', 'nan']
    """
    size = abs(value)
    if not 1e-4 <= size < 1e15:
        return f"{value:.6g}"
    text = f"{value:,.{max(0, 5 - math.floor(math.log10(size)))}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def empty_tables(suites: Sequence[UserSuite], evidence: Evidence) -> list[str]:
    """Tables that hold no row: nothing can be judged there.

    Args:
        suites: of the user.
        evidence: with measures.

    Returns:
        Their names, sorted.
    """
    measures = evidence.measures
    assert measures is not None  # noqa: S101
    cells = measures.cells()
    tables = {table for suite in suites for table in suite.tables}
    return sorted(table for table in tables if not any(holds(table, split, source) for split, source in cells))
