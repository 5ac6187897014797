"""Linked rows, as the terminal shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipelines.display import new_table, printable
from pipelines.duplicates import Duplicates

_BANDS = ((2, 2), (3, 5), (6, 10), (11, 100), (101, 1_000), (1_001, None))


def duplicates_view(found: Duplicates, top: int, pairs: int) -> RenderableType:
    """Linked rows as tables: clusters by size, what links them, and the largest with pairs to look at.

    Args:
        found: see there.
        top: clusters to show.
        pairs: to show of each.

    Returns:
        For a rich console of any width; names from the data are plain text, never markup.
    """
    document = found.to_document(top, pairs)
    if not found.clusters:
        return Group(Text("Nothing is linked."), *_unlinked(found))
    many = "cluster" if found.clusters == 1 else "clusters"
    across = document["across_sources"]
    lead = f"{found.groups:,} groups are linked to {found.clusters:,} {many}, {across:,} of them across sources."
    parts: list[RenderableType] = [Text(lead), _sizes(found), _links(found), *_unlinked(found)]
    parts += [_cluster(cluster, number) for number, cluster in enumerate(document["top"], 1)]
    return Group(*(item for part in parts for item in (part, "")))


def _sizes(found: Duplicates) -> Table:
    table = new_table("clusters by size")
    for name in ("groups in it", "clusters"):
        table.add_column(name, justify="right", no_wrap=True)
    for low, high in _BANDS:
        count = sum(clusters for size, clusters in found.sizes if low <= size and (high is None or size <= high))
        if count:
            told = f"{low:,}" if low == high else f"over {low - 1:,}" if high is None else f"{low:,} to {high:,}"
            table.add_row(told, f"{count:,}")
    table.caption = Text(f"The largest holds {found.sizes[-1][0]:,} groups.")
    return table


def _links(found: Duplicates) -> Table:
    table = new_table("what links them")
    table.add_column("link", overflow="fold")
    table.add_column("links", justify="right", no_wrap=True)
    for name, count in found.links.items():
        table.add_row(printable(name), f"{count:,}")
    table.caption = Text("As few links as hold the clusters together, the nearest first.")
    return table


def _unlinked(found: Duplicates) -> list[Text]:
    return [
        Text(printable(f"{rows:,} rows are not linked by {link}: {'no value' if reason == 'null' else reason}."))
        for link, reason, rows in found.unlinked
    ]


def _cluster(cluster: Mapping[str, Any], number: int) -> Table:
    sources = ", ".join(f"{printable(str(name))} {rows:,}" for name, rows in cluster["sources"].items())
    table = new_table(f"{number}. {cluster['groups']:,} groups, {cluster['rows']:,} rows ({sources})")
    for name in ("row", "nearest", "linked by"):
        table.add_column(name, overflow="fold")
    table.add_column("distance", justify="right", no_wrap=True)
    for pair in cluster["pairs"]:
        sides: dict[str, list[str]] = {"": [], "nearest_": []}
        for name, value in pair.items():
            if name not in {"linked_by", "distance"}:
                sides["nearest_" if name.startswith("nearest_") else ""].append(printable(str(value)))
        table.add_row(*(" ".join(side) for side in sides.values()), printable(pair["linked_by"]), str(pair["distance"]))
    return table
