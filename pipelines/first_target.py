"""Guesses which data matters: a source by its name or size, or a value of a column that tells sources apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

_TARGETS = ("app", "target", "prod", "production", "mobile", "phone", "live", "real")
_TELLING = ("source", "origin", "site", "domain", "channel", "platform", "hospital", "airport", "dataset", "provider")
_MOST_VALUES = 20
MIN_ROWS = 4
"""How many rows, and how many groups, a target has at least: one for each split."""
_SHOWN = 6


@dataclass(frozen=True)
class Target:
    """A guess of the target.

    Attributes:
        source: the source; None where a condition says it.
        where: a SQL condition; None where a source says it.
        rows: about how many rows it has.
        named: what those rows are called.
        reason: why it was guessed.
        column: the column that tells sources apart; None where there is none.
    """

    source: str | None
    where: str | None
    rows: int
    named: str
    reason: str
    column: str | None = None


def guess_target(samples: Mapping[str, pl.DataFrame], rows: Mapping[str, int], group: str | None = None) -> Target:
    """Guesses the target.

    Args:
        samples: rows of each source.
        rows: how many each has.
        group: the column of what must stay together; None where there is none.

    Returns:
        A source whose name says so, else the smallest that has rows and groups for splits; of one source alone, a
        value of a column that tells where rows come from, where there is such a column.
    """
    if len(samples) == 1:
        ((name, sample),) = samples.items()
        return _by_column(sample, rows[name]) or Target(name, None, rows[name], name, "the only source")
    for name in rows:
        if _says_so(name):
            return Target(name, None, rows[name], name, "its name says so")
    room = {name: min(rows[name], _groups(samples[name], group, rows[name])) >= MIN_ROWS for name in rows}
    least = min(rows, key=lambda name: (not room[name], rows[name]))
    lacking = [name for name in rows if rows[name] <= rows[least] and room[least] and not room[name]]
    few = f", but for those of too few rows{' or groups' if group else ''}" if lacking else ""
    alike = any(rows[name] == rows[least] and name != least for name in rows if room[name] == room[least])
    return Target(least, None, rows[least], least, f"{'no source is smaller' if alike else 'the smallest source'}{few}")


def _groups(sample: pl.DataFrame, group: str | None, rows: int) -> int:
    """How many groups a sample has; a null is a group of one."""
    if group is None:
        return rows
    values = sample.get_column(group)
    return values.drop_nulls().n_unique() + values.null_count()


def _by_column(sample: pl.DataFrame, rows: int) -> Target | None:
    columns = {name.lower(): name for name, kind in sample.schema.items() if isinstance(kind, pl.String)}
    for wanted in _TELLING:
        if wanted not in columns:
            continue
        column = columns[wanted]
        values = sample.get_column(column).drop_nulls().alias("value").value_counts(name="rows")
        counts = dict(values.sort("rows", "value").iter_rows())
        if not 2 <= len(counts) <= _MOST_VALUES or len(counts) * 2 > len(sample):
            continue
        enough = [value for value, count in counts.items() if count >= MIN_ROWS]
        value = next((value for value in counts if _says_so(value)), (enough or [*counts])[0])
        shown = ", ".join(f"{name}: {count:,}" for name, count in [*counts.items()][:_SHOWN])
        more = f", and {len(counts) - _SHOWN} more" if len(counts) > _SHOWN else ""
        why = "its name says so" if _says_so(value) else "the fewest rows"
        told = f"one source, and the column {column} tells rows apart ({shown}{more} in the sample); {why}"
        about = max(1, rows * counts[value] // max(1, len(sample)))
        return Target(None, f"{_sql_name(column)} = {_sql_text(value)}", about, value, told, column)
    return None


def _says_so(name: str) -> bool:
    return any(word in _TARGETS for word in re.findall(r"[a-z]+", name.lower()))


def _sql_name(column: str) -> str:
    return column if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", column) else '"' + column.replace('"', '""') + '"'


def _sql_text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
