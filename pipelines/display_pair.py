"""Two runs beside each other, as the terminal shows them."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipelines.display import new_table, printable
from pipelines.report.pair_view import PairView

_MOST_ROWS = 24


def pair_text(view: PairView) -> RenderableType:
    """Two runs as tables: examples, sizes, spec; and sentences on what moved and on the data.

    Args:
        view: of both.

    Returns:
        For a rich console of any width.
    """
    parts: list[RenderableType] = [_text(f"{view.new} beside {view.old}. {view.lead}"), _text(view.moved)]
    if view.examples:
        parts.append(_examples(view))
    parts += [_sizes(view), _spec(view) if view.spec else _text("Nothing changed in the spec.")]
    told = [_text(view.shifts_lead), *(_text(f"- {shift}") for shift in view.shifts[:_MOST_ROWS])]
    if len(view.shifts) > _MOST_ROWS:
        told.append(_text(f"… and {len(view.shifts) - _MOST_ROWS:,} more with --json"))
    parts.append(Group(*told))
    return Group(*(item for part in parts for item in (part, "")))


def _text(told: str) -> Text:
    return Text(printable(told))


def _examples(view: PairView) -> Table:
    table = new_table("examples, each key counted once")
    table.add_column("split", no_wrap=True)
    for name in ("before", "stayed", "came", "left", "held out", "moved in", "moved out", "now"):
        table.add_column(name, justify="right")
    for row in view.examples:
        counts = (row.before, row.stayed, row.came, row.left, row.held_out, row.moved_in, row.moved_out, row.after)
        table.add_row(printable(row.split), *("–" if count is None else f"{count:,}" for count in counts))
    return table


def _sizes(view: PairView) -> Table:
    table = new_table("rows")
    table.add_column("of", overflow="fold")
    for name in ("before", "now", "change"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in view.sizes[:_MOST_ROWS]:
        table.add_row(printable(row.name), row.old, row.new, row.change)
    if len(view.sizes) > _MOST_ROWS:
        table.caption = f"… and {len(view.sizes) - _MOST_ROWS:,} more with --json"
    return table


def _spec(view: PairView) -> Table:
    table = new_table("changed in the spec")
    for name in ("field", "before", "now"):
        table.add_column(name, overflow="fold")
    for row in view.spec[:_MOST_ROWS]:
        table.add_row(*(printable(text) for text in (row.path, row.old, row.new)))
    if len(view.spec) > _MOST_ROWS:
        table.caption = f"… and {len(view.spec) - _MOST_ROWS:,} more with --json"
    return table
