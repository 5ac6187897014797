"""What people read in the terminal: the plan's tables, the verdicts, and where things lie."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from splitting.plan import Plan, SetAside, Stratum
from splitting.request import TRAIN

if TYPE_CHECKING:
    from validation.verdict import Judgement

_MOST_ROWS = 24
_MOST_SOURCES = 4
_LONGEST_NAME = 32
_NULL = "(null)"


def plan_view(plan: Plan) -> RenderableType:
    """The plan as tables: splits, strata against quotas, rows set aside, notes.

    Args:
        plan: the plan.

    Returns:
        For a rich console of any width: numbers are never cut. Names from the data are shown as plain text, never
        as markup.
    """
    apart = Group(_splits(plan, with_sources=False), "", _sources(plan))
    few = len(plan.sources) <= _MOST_SOURCES
    parts: list[RenderableType] = [_Fitting(_splits(plan, with_sources=True), apart) if few else apart]
    if plan.strata or any(quota.source for quota in plan.quotas):
        parts.append(_strata(plan))
    if plan.held_out or plan.rejected:
        parts.append(_set_aside(plan))
    if plan.notes:
        parts.append(Group(*(Text(f"Note: {printable(note)}") for note in plan.notes)))
    return Group(*(item for part in parts for item in (part, "")))


@dataclass(frozen=True)
class _Fitting:
    """A table, or something narrower where it does not fit."""

    table: Table
    otherwise: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        natural = Measurement.get(console, options.update_width(10_000), self.table).maximum
        yield self.table if natural <= options.max_width else self.otherwise


def _splits(plan: Plan, *, with_sources: bool) -> Table:
    sources = [source.name for source in plan.sources] if with_sources else []
    table = new_table(f"{printable(plan.name)}: {plan.rows_read:,} rows")
    table.add_column("split", no_wrap=True)
    table.add_column("drawn from", no_wrap=True)
    for name in ("rows", *(_name(source) for source in sources), "target", "shuffle"):
        table.add_column(name, justify="right", no_wrap=True)
    by_name = {split.name: split for split in plan.splits}
    for name in (TRAIN, *by_name):
        split = by_name.get(name)
        table.add_row(
            name,
            _origin(split.pool) if split else "the rest",
            f"{plan.rows_of(name):,}",
            *(f"{_rows(plan, name, source):,}" for source in sources),
            f"{plan.target_rows_of(name):,}",
            f"{split.shuffle_target_rows:,}" if split else "",
        )
    by_source = f"{', '.join(_name(source) for source in sources)}: rows by source. " if sources else ""
    table.caption = Text(
        f"{by_source}target: rows in the target pool. "
        "shuffle: the target rows that a plain shuffle of everything would give a split of this size."
    )
    return table


def _sources(plan: Plan) -> Table:
    table = new_table("rows by source")
    table.add_column("source", overflow="fold")
    names = [TRAIN, *(split.name for split in plan.splits)]
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    for source in plan.sources[:_MOST_ROWS]:
        table.add_row(_name(source.name), *(f"{_rows(plan, name, source.name):,}" for name in names))
    if len(plan.sources) > _MOST_ROWS:
        table.caption = f"… and {len(plan.sources) - _MOST_ROWS:,} more, all in plan/plan.json"
    return table


def _rows(plan: Plan, split: str, source: str) -> int:
    return sum(cell.rows for cell in plan.cells if (cell.split, cell.source) == (split, source))


def _name(text: str) -> str:
    """A name from the data, printable and not too long."""
    shown = printable(text)
    return shown if len(shown) <= _LONGEST_NAME else f"{shown[: _LONGEST_NAME - 1]}…"


def _origin(pool: str) -> str:
    return "train mix" if pool == TRAIN else pool


def _strata(plan: Plan) -> Table:
    table = new_table("strata against their quotas")
    table.add_column("split", no_wrap=True)
    by_source = ["source"] if any(quota.source is not None for quota in plan.quotas) else []
    table.add_column(" × ".join(_name(name) for name in plan.strata) or "".join(by_source), overflow="fold")
    for name in ("pool rows", "quota", "planned"):
        table.add_column(name, justify="right", no_wrap=True)
    for quota in plan.quotas[:_MOST_ROWS]:
        labels = ([quota.source] if quota.source is not None else []) + list(_labels(quota.stratum))
        table.add_row(
            quota.split,
            " × ".join(_name(label) for label in labels),
            f"{quota.pool_rows:,}",
            f"{quota.wanted:,}",
            f"{quota.rows:,}",
        )
    more = len(plan.quotas) - _MOST_ROWS
    told = [*([f"… and {more:,} more, all in plan/plan.json."] if more > 0 else []), *_off_quota(plan)]
    table.caption = Text(" ".join(told)) if told else None
    return table


def _off_quota(plan: Plan) -> list[str]:
    """Says how many strata are not at their quotas, and why they may be not."""
    off = sum(quota.rows != quota.wanted for quota in plan.quotas)
    if not off:
        return []
    reasons = {"groups are kept whole": bool(plan.identity.get("group")), "frozen examples stay": bool(plan.previous)}
    why = " and ".join(reason for reason, holds in reasons.items() if holds) or "see the notes"
    return [f"{off:,} of {len(plan.quotas):,} differ from their quotas: {why}."]


def _labels(stratum: Stratum) -> Iterable[str]:
    return (_NULL if label is None else label for label in stratum)


def _set_aside(plan: Plan) -> Table:
    table = new_table("rows in no split")
    table.add_column("kept in", no_wrap=True)
    for name in ("source", "reason"):
        table.add_column(name, overflow="fold")
    table.add_column("rows", justify="right", no_wrap=True)

    def add(folder: str, items: tuple[SetAside, ...]) -> None:
        for item in items:
            table.add_row(folder, _name(item.source), printable(item.reason), f"{item.rows:,}")

    add("held_out/", plan.held_out)
    add("rejected/", plan.rejected)
    return table


def judgement_view(judgement: Judgement) -> RenderableType:
    """The verdict: one line, then what was found, failures first.

    Args:
        judgement: of the run.

    Returns:
        For a rich console.
    """
    failed, total = len(judgement.failed), len(judgement.verdicts)
    told = f"all {total:,} checks hold"
    if failed:
        told = f"{total - failed:,} of {total:,} checks hold; {_not_held(judgement)}"
    parts: list[RenderableType] = [Text(f"Verdict: {judgement.status}; {told}.")]
    if judgement.findings:
        table = new_table("")
        table.title, table.show_header = None, False
        table.add_column("severity", no_wrap=True)
        table.add_column("finding", overflow="fold")
        for finding in judgement.findings[:_MOST_ROWS]:
            table.add_row(finding.severity, Text(printable(finding.sentence)))
        if len(judgement.findings) > _MOST_ROWS:
            table.caption = f"… and {len(judgement.findings) - _MOST_ROWS:,} more, all in validation.json"
        parts.append(table)
    return Group(*parts, *(Text(f"Note: {printable(note)}") for note in judgement.notes))


def _not_held(judgement: Judgement) -> str:
    counts = Counter[str](verdict.severity for verdict in judgement.failed)
    words = {"critical": "critical", "warning": "warning" if counts["warning"] == 1 else "warnings", "info": "to know"}
    return ", ".join(f"{counts[severity]:,} {word}" for severity, word in words.items() if counts[severity])


def printable(text: str) -> str:
    """Text from the data, safe for a terminal: control characters are shown, not obeyed."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def new_table(title: str) -> Table:
    """An empty table as all of them look."""
    return Table(
        title=Text(title),
        box=box.SIMPLE_HEAD,
        title_justify="left",
        caption_justify="left",
        title_style="bold",
        padding=(0, 1),
        pad_edge=False,
        collapse_padding=True,
    )


def console() -> Console:
    """A console that leaves data alone: no markup, no emoji codes, no highlighting."""
    return Console(markup=False, emoji=False, highlight=False, soft_wrap=False)


def view_text(*views: RenderableType) -> str:
    """Views as the terminal shows them, without the spaces that rich puts at the ends of lines.

    Args:
        views: from this module.

    Returns:
        Lines, each ended; never two empty ones in a row, and none at the end.
    """
    screen = console()
    with screen.capture() as captured:
        for view in views:
            screen.print(view)
    lines = "\n".join(line.rstrip() for line in captured.get().splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n") + "\n"
