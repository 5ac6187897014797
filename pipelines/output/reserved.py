"""Rows that may not be train rows: gathered over the chunks of a unit, and sent where the plan says, many at once."""

from __future__ import annotations

from contextlib import ExitStack

import polars as pl
import pyarrow as pa

from pipelines.output.layout import HELD_OUT as HELD_OUT_FOLDER
from pipelines.output.layout import REJECTED, aside_path
from pipelines.output.located import Located
from pipelines.output.parcel import Parcel
from pipelines.output.shards import ShardWriter, open_shard
from pipelines.output.task import Unit, UnitResult, WriteTask
from pipelines.sources.reading import Chunk
from splitting.assign import HELD_OUT, REASON
from splitting.plan import SPLIT
from splitting.request import TRAIN
from splitting.rules import GROUP, KEY, NULL_KEY
from validation.tally import Tally

_MOST_ROWS, _MOST_BYTES = 2**16, 2**24


class AsideWriters:
    """Files of held-out and rejected rows, opened when there is a row for them."""

    def __init__(self, unit: Unit, task: WriteTask, stack: ExitStack) -> None:
        """Opens nothing yet.

        Args:
            unit: whose rows they are.
            task: the job's.
            stack: closes them.
        """
        self._unit, self._task, self._stack = unit, task, stack
        self._open: dict[str, ShardWriter] = {}

    def write(self, folder: str, table: pa.Table, kind: str = "rows") -> None:
        """Appends rows to a file of a folder."""
        path = aside_path(folder, self._unit.number, kind)
        if path not in self._open:
            self._open[path] = self._stack.enter_context(open_shard(self._task.run.path(path), table.schema))
        self._open[path].write(table)


class ReservedRows:
    """Rows of reserved groups and keys, and those without a key.

    They are few, and every step costs the same for one as for a thousand: so they wait for each other.
    """

    def __init__(self, task: WriteTask, asides: AsideWriters, result: UnitResult) -> None:
        """Begins with no rows.

        Args:
            task: the job's.
            asides: takes rows that are in no split.
            result: takes the others, and counts.
        """
        self._task, self._asides, self._result = task, asides, result
        self._rows: list[Located] = []
        self._parts: list[pl.DataFrame] = []
        self._source, self._count, self._bytes = "", 0, 0

    def add(self, chunk: Chunk, chosen: pl.Series, named: pl.DataFrame) -> None:
        """Takes rows of a chunk.

        Args:
            chunk: input rows.
            chosen: Boolean, which of them.
            named: of all its rows: `_key` and `_group`.
        """
        source = chunk.fragment.source
        if source != self._source:
            self.send()
            self._source = source
        rows = Located.of(chunk, chosen)
        self._rows.append(rows)
        self._parts.append(named.filter(chosen))
        self._count, self._bytes = self._count + len(rows), self._bytes + rows.table.nbytes
        if self._count >= _MOST_ROWS or self._bytes >= _MOST_BYTES:
            self.send()

    def send(self) -> None:
        """Sends the rows that wait where they go."""
        if not self._rows:
            return
        rows, named = Located.concat(self._rows), pl.concat(self._parts)
        self._rows, self._parts, self._count, self._bytes = [], [], 0, 0
        cells = self._task.rules.classify(rows.frame(self._task.rules.columns_read()), self._source)
        parts = pl.concat([named, cells], how="horizontal")
        placed = self._task.assignment.place(parts)
        self._set_aside(rows, parts, placed)
        self._hand_on(rows, parts, placed)

    def _set_aside(self, rows: Located, parts: pl.DataFrame, placed: pl.DataFrame) -> None:
        missing = pl.repeat(NULL_KEY, len(parts), dtype=pl.String, eager=True)
        for folder, mask, reasons in (
            (REJECTED, parts[KEY].is_null(), missing),
            (HELD_OUT_FOLDER, (placed[SPLIT] == HELD_OUT) & parts[KEY].is_not_null(), placed[REASON]),
        ):
            if mask.any():
                why = reasons.filter(mask)
                self._asides.write(folder, self._task.tables.aside_table(rows.filter(mask.to_arrow()), why))
                self._result.asides.append(Tally.of_aside(folder, self._source, why))

    def _hand_on(self, rows: Located, parts: pl.DataFrame, placed: pl.DataFrame) -> None:
        task, result = self._task, self._result
        member = ~placed[SPLIT].is_in([HELD_OUT, TRAIN]) & parts[KEY].is_not_null()
        for split in placed[SPLIT].filter(member).unique().sort():
            chosen = member & (placed[SPLIT] == split)
            inputs, of_split = rows.filter(chosen.to_arrow()), parts.filter(chosen)
            parcel = Parcel.of(task.tables.split_table(inputs, split), inputs.table, of_split, task.label)
            if result.measuring is not None:
                result.measuring.add_evaluation(split, self._source, inputs.table, of_split)
            shards = task.layout.shard_of(split, of_split[GROUP])
            for shard in shards.unique().sort():
                result.parcels[split, int(shard)].append(parcel.filter(shards == shard))
