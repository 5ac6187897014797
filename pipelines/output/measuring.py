"""Measures the rows of a unit of work, as they go where the plan sends them."""

from __future__ import annotations

from collections import defaultdict

import polars as pl
import pyarrow as pa

from pipelines.output.tables import OutputTables
from pipelines.sources.reading import Chunk
from splitting.columns import from_arrow
from splitting.request import TARGET_POOL, TRAIN
from splitting.rules import GROUP, KEY, POOLS, Rules
from validation.leaks import EvaluationNames
from validation.measures import MeasureOptions, Measurer, Measures

DIGEST = "<u8"
"""The type of a digest in a file."""


class UnitMeasuring:
    """Measures train rows chunk by chunk, and the few evaluation rows at the end."""

    def __init__(self, options: MeasureOptions, rules: Rules, tables: OutputTables, digests: pa.NativeFile) -> None:
        """Begins with no rows.

        Args:
            options: what is measured.
            rules: what decides about rows.
            tables: how output rows look.
            digests: takes the digests of the train rows: UInt64, little-endian, in no order that means anything.
        """
        self._rules, self._columns = rules, tables.measured_columns()
        self._target = 2 ** next(i for i, pool in enumerate(rules.pools) if pool.name == TARGET_POOL)
        self._measurer = Measurer(options)
        self._digests = digests
        self._waiting: defaultdict[tuple[str, str], list[tuple[pl.DataFrame, pl.DataFrame]]] = defaultdict(list)

    def add_train(self, chunk: Chunk, chosen: pl.Series | None, named: pl.DataFrame) -> None:
        """Measures the train rows of a chunk.

        Args:
            chunk: input rows.
            chosen: Boolean, those that go to train; None for all.
            named: their `_key` and `_group`.
        """
        source = chunk.fragment.source
        rows = chunk.frame(self._columns)
        inside = self._rules.inside(TARGET_POOL, chunk.frame(self._rules.columns_read()), source)
        keys, groups = named[KEY], named[GROUP]
        if chosen is not None:
            rows, keys, groups = rows.filter(chosen), keys.filter(chosen), groups.filter(chosen)
            inside = inside if isinstance(inside, bool) else inside.filter(chosen)
        digests = self._measurer.add(TRAIN, source, rows, keys, groups, inside)
        if digests is not None:
            self._digests.write(digests.to_numpy().astype(DIGEST, copy=False))

    def add_evaluation(self, split: str, source: str, inputs: pa.Table, parts: pl.DataFrame) -> None:
        """Takes evaluation rows, to be measured at the end.

        Args:
            split: of the rows.
            source: of the rows.
            inputs: the input rows.
            parts: their `_key`, `_group` and `_pools`.
        """
        self._waiting[split, source].append((from_arrow(inputs.select(self._columns)), parts))

    def finish(self) -> tuple[Measures, list[EvaluationNames]]:
        """What was measured.

        Returns:
            The measures, and the digests of the evaluation rows.
        """
        names = []
        for (split, source), waiting in sorted(self._waiting.items()):
            rows = pl.concat([frame for frame, _ in waiting])
            parts = pl.concat([part.select(KEY, GROUP, POOLS) for _, part in waiting])
            inside = (parts[POOLS] & self._target) != 0
            digests = self._measurer.add(split, source, rows, parts[KEY], parts[GROUP], inside)
            if digests is not None:
                names.append(EvaluationNames.of_rows(split, digests))
        self._waiting.clear()
        return self._measurer.measures(), names
