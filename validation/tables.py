"""What suites are judged on: `all` rows of all splits, those of one split, or those of one source in all splits."""

from __future__ import annotations

from typing import Literal

ALL, ON_SPLITS, ON_SOURCES = "all", "splits.", "sources."

ValueKind = Literal["text", "number", "boolean", "time", "nested", "unknown"]
"""What a column holds, as far as expectations differ by it."""


def holds(table: str, split: str, source: str) -> bool:
    """Whether the rows that a split has of a source belong to a table.

    Args:
        table: `all`, `splits.NAME` or `sources.NAME`.
        split: its name.
        source: its name.

    Returns:
        True if they do.

    Examples:
        >>> holds("splits.dev", "dev", "app"), holds("sources.web", "dev", "app"), holds("all", "dev", "app")
        (True, False, True)
    """
    return table in (ALL, f"{ON_SPLITS}{split}", f"{ON_SOURCES}{source}")
