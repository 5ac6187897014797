"""Metrics of many tables at once: what suites want of which, counted by split and source, merged by table."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import polars as pl

from validation.metrics.partials import MetricPartials
from validation.metrics.plan import MetricPlan
from validation.tables import holds

Cell = tuple[str, str]
"""A split and a source."""


@dataclass(frozen=True)
class Wanted:
    """What is wanted of which tables.

    Attributes:
        plans: tables, as in `splits.dev`, and what is wanted of each of them; a table may be there many times.
    """

    plans: tuple[tuple[str, MetricPlan], ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is wanted."""
        return any(plan.metrics for _, plan in self.plans)

    def of(self, split: str, source: str) -> MetricPlan:
        """All that is wanted of the rows that a split has of a source."""
        return MetricPlan.of(
            metric for table, plan in self.plans if holds(table, split, source) for metric in plan.metrics
        )

    def at(self, table: str) -> MetricPlan:
        """All that is wanted of a table."""
        return MetricPlan.of(metric for name, plan in self.plans if name == table for metric in plan.metrics)


@dataclass(frozen=True, eq=False)
class TableMetrics:
    """What was counted, by split and source. A monoid.

    Attributes:
        cells: what was counted of the rows that a split has of a source.
    """

    cells: Mapping[Cell, MetricPartials] = field(default_factory=dict)

    @classmethod
    def empty(cls) -> TableMetrics:
        """Of no rows; the neutral element of `merge`."""
        return cls()

    @classmethod
    def of(cls, wanted: MetricPlan, split: str, source: str, frame: pl.DataFrame) -> TableMetrics:
        """Counts a batch.

        Args:
            wanted: of its split and source.
            split: of its rows.
            source: of its rows.
            frame: its rows.

        Returns:
            What was counted.
        """
        return cls({(split, source): MetricPartials.of(wanted, frame)}) if wanted.metrics else cls()

    @classmethod
    def merge(cls, parts: Iterable[TableMetrics]) -> TableMetrics:
        """Merges; commutative, associative and exact."""
        found: dict[Cell, list[MetricPartials]] = {}
        for part in parts:
            for cell, partials in part.cells.items():
                found.setdefault(cell, []).append(partials)
        return cls({cell: MetricPartials.merge(found[cell]) for cell in sorted(found)})

    def table(self, name: str) -> MetricPartials:
        """What was counted of a table: of all splits and sources that it holds."""
        return MetricPartials.merge(part for (split, source), part in self.cells.items() if holds(name, split, source))

    def lacks(self, wanted: Wanted, cells: Iterable[Cell]) -> bool:
        """Whether something is wanted that was not counted.

        Args:
            wanted: of the tables.
            cells: all splits and sources with rows.

        Returns:
            True if so.
        """
        for split, source in cells:
            counted = self.cells.get((split, source), MetricPartials.empty()).parts
            if any(statistic.key not in counted for statistic in wanted.of(split, source).statistics()):
                return True
        return False

    def to_bytes(self) -> bytes:
        """Packs; equal counts give equal bytes."""
        cells = sorted(self.cells)
        packed = [json.dumps(cells).encode(), *(self.cells[cell].to_bytes() for cell in cells)]
        return b"".join(struct.pack("<Q", len(data)) + data for data in packed)

    @classmethod
    def from_bytes(cls, data: bytes) -> TableMetrics:
        """What `to_bytes` packed.

        Raises:
            ValueError: it did not.
        """
        parts, position = [], 0
        try:
            while position < len(data):
                (size,) = struct.unpack_from("<Q", data, position)
                position += struct.calcsize("<Q")
                parts.append(data[position : position + size])
                position += size
            cells = [(split, source) for split, source in json.loads(parts[0])]
            return cls({c: MetricPartials.from_bytes(part) for c, part in zip(cells, parts[1:], strict=True)})
        except (struct.error, IndexError, TypeError, KeyError, OSError, pl.exceptions.PolarsError) as error:
            raise ValueError(f"these are no metrics ({type(error).__name__})") from error
