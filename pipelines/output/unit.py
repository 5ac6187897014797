"""A unit of work: reads a run of fragments, writes their train rows, passes the evaluation rows on."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.output.layout import HELD_OUT as HELD_OUT_FOLDER
from pipelines.output.layout import REJECTED, Layout, aside_path
from pipelines.output.tables import LINE_SCHEMA, OutputTables
from pipelines.progress import report_rows
from pipelines.run_directory import RunDirectory, ShardWriter
from pipelines.sources.fragments import Fragment
from pipelines.sources.reading import BadRow, Chunk, read_fragment
from splitting.assign import HELD_OUT, REASON, Assignment
from splitting.hashing import hash_texts, name_whole_rows
from splitting.plan import SPLIT
from splitting.request import TRAIN
from splitting.rules import GROUP, KEY, NULL_KEY, POOLS, Rules
from validation.tally import Tally

BAD_LINE = "bad line"
_ROWS_PER_SLICE = 256


@dataclass(frozen=True)
class Unit:
    """What one train shard is made of."""

    number: int
    fragments: tuple[Fragment, ...]


@dataclass(frozen=True, eq=False)
class WriteTask:
    """What the workers of the writing job need.

    Attributes:
        run: the run directory.
        rules: what decides about rows.
        assignment: where rows go.
        tables: how output rows look.
        layout: the names of the files.
        label: the label column, counted by split.
    """

    run: RunDirectory
    rules: Rules
    assignment: Assignment
    tables: OutputTables
    layout: Layout
    label: str | None


@dataclass
class UnitResult:
    """What a unit leaves.

    Attributes:
        tallies: counts of what it wrote.
        evaluation: by split and shard, Arrow IPC bytes of its evaluation rows.
        rows: how many rows it read, unreadable lines included.
    """

    tallies: list[Tally] = field(default_factory=list)
    evaluation: list[tuple[str, int, bytes]] = field(default_factory=list)
    rows: int = 0


def write_unit(unit: Unit, task: WriteTask) -> UnitResult:
    """Does a unit of work. Done twice, it writes the same files.

    Args:
        unit: what to read.
        task: where and how to write.

    Returns:
        What it leaves to others.
    """
    result = UnitResult()
    with ExitStack() as stack:
        train = stack.enter_context(
            task.run.shard_writer(task.layout.train_shard(unit.number), task.tables.split_schema())
        )
        writers = _AsideWriters(unit, task, stack)
        for fragment in unit.fragments:
            for chunk in read_fragment(fragment, task.tables.schema):
                _write_chunk(chunk, fragment, task, train, writers, result)
                report_rows(len(chunk.table))
    return result


class _AsideWriters:
    """Files of held-out and rejected rows, opened when there is a row for them."""

    def __init__(self, unit: Unit, task: WriteTask, stack: ExitStack) -> None:
        self._unit, self._task, self._stack = unit, task, stack
        self._open: dict[str, ShardWriter] = {}

    def write(self, folder: str, table: pa.Table, kind: str = "rows") -> None:
        path = aside_path(folder, self._unit.number, kind)
        if path not in self._open:
            self._open[path] = self._stack.enter_context(self._task.run.shard_writer(path, table.schema))
        self._open[path].write(table)


def _write_chunk(
    chunk: Chunk,
    fragment: Fragment,
    task: WriteTask,
    train: ShardWriter,
    asides: _AsideWriters,
    result: UnitResult,
) -> None:
    frame = rule_frame(chunk.table, task.rules)
    named = task.rules.identify(frame, fragment.source)
    rejected = named[KEY].is_null()
    special = task.assignment.concerns(named) | rejected
    result.rows += len(frame) + len(chunk.bad_rows)
    _write_plain(chunk, fragment, special, task, train, result)
    if chunk.bad_rows:
        _write_bad_rows(chunk.bad_rows, fragment, asides, result)
    if special.any():
        where = special.arg_true()
        few = chunk.table.take(where.to_arrow())
        numbers = chunk.row_numbers.take(where.to_arrow())
        parts = pl.concat(
            [named.filter(special), task.rules.classify(frame.filter(special), fragment.source)], how="horizontal"
        )
        _write_special(few, numbers, parts, fragment, task, asides, result)


def rule_frame(table: pa.Table, rules: Rules) -> pl.DataFrame:
    """The columns that the rules read, as polars has them."""
    frame = pl.from_arrow(table.select(list(rules.columns_read())))
    assert isinstance(frame, pl.DataFrame)  # noqa: S101, a table never gives a Series
    return frame if frame.width else pl.DataFrame(height=len(table))


def _write_plain(
    chunk: Chunk, fragment: Fragment, special: pl.Series, task: WriteTask, train: ShardWriter, result: UnitResult
) -> None:
    """Writes the train rows of a chunk: all but the special ones."""
    table = without(chunk.table, special)
    numbers = without(pa.table({"row": chunk.row_numbers}), special).column(0)
    train.write(task.tables.split_table(table, fragment, numbers, TRAIN))
    result.tallies.append(_tally_train(table, fragment.source, task.label))


def without(table: pa.Table, left_out: pl.Series) -> pa.Table:
    """A table without some rows; where they are few it is made of slices, and nothing is copied.

    Args:
        table: any.
        left_out: Boolean, a row each.

    Returns:
        The other rows, in order.
    """
    where = left_out.arg_true().to_list()
    if not where:
        return table
    if len(where) * _ROWS_PER_SLICE > len(table):
        return table.filter((~left_out).to_arrow())
    starts, ends = [0, *(i + 1 for i in where)], [*where, len(table)]
    return pa.concat_tables([table.slice(a, b - a) for a, b in zip(starts, ends, strict=True) if b > a])


def _tally_train(table: pa.Table, source: str, label: str | None) -> Tally:
    """Counts by label in Arrow, and hands the tally one row a label."""
    if label is None or label not in table.column_names:
        return Tally.of_counts(TRAIN, source, {None: len(table)})
    column = table.column(label)
    try:
        counted = pc.value_counts(column)
    except pa.ArrowException:
        texts = label_texts(table, label)
        return Tally.of_split(TRAIN, pl.repeat(source, len(table), dtype=pl.String, eager=True), texts, None)
    names = label_texts(pa.table({label: counted.field("values")}), label).to_list()
    return Tally.of_counts(TRAIN, source, dict(zip(names, counted.field("counts").to_pylist(), strict=True)))


def _write_bad_rows(rows: tuple[BadRow, ...], fragment: Fragment, asides: _AsideWriters, result: UnitResult) -> None:
    table = pa.table(
        {
            "source": [fragment.source] * len(rows),
            "file": [fragment.file] * len(rows),
            "text": [row.text for row in rows],
            "reason": [row.reason for row in rows],
        },
        schema=LINE_SCHEMA,
    )
    asides.write(REJECTED, table, "lines")
    reasons = pl.Series([BAD_LINE] * len(rows), dtype=pl.String)
    result.tallies.append(Tally.of_aside(REJECTED, fragment.source, reasons))


def _write_special(
    table: pa.Table,
    numbers: pa.Array,
    parts: pl.DataFrame,
    fragment: Fragment,
    task: WriteTask,
    asides: _AsideWriters,
    result: UnitResult,
) -> None:
    placed = task.assignment.place(parts)
    missing = pl.repeat(NULL_KEY, len(parts), dtype=pl.String, eager=True)
    for folder, mask, reasons in (
        (REJECTED, parts[KEY].is_null(), missing),
        (HELD_OUT_FOLDER, (placed[SPLIT] == HELD_OUT) & parts[KEY].is_not_null(), placed[REASON]),
    ):
        if mask.any():
            keep, why = mask.to_arrow(), reasons.filter(mask)
            asides.write(folder, task.tables.aside_table(table.filter(keep), fragment, numbers.filter(keep), why))
            result.tallies.append(Tally.of_aside(folder, fragment.source, why))
    for split in task.layout.starts:
        chosen = (placed[SPLIT] == split) & parts[KEY].is_not_null()
        if not chosen.any():
            continue
        keep = chosen.to_arrow()
        rows = task.tables.split_table(table.filter(keep), fragment, numbers.filter(keep), split)
        result.evaluation += list(_by_shard(rows, table.filter(keep), parts.filter(chosen), split, task))


def _by_shard(
    rows: pa.Table, inputs: pa.Table, parts: pl.DataFrame, split: str, task: WriteTask
) -> Iterator[tuple[str, int, bytes]]:
    """Evaluation rows by the shard that they go to, with what orders and judges them there."""
    extra = evaluation_columns(inputs, parts, task)
    shards = task.layout.shard_of(split, parts[GROUP])
    for shard in shards.unique().sort():
        keep = (shards == shard).to_arrow()
        yield split, int(shard), _ipc(rows.filter(keep), extra.filter(keep))


def evaluation_columns(inputs: pa.Table, parts: pl.DataFrame, task: WriteTask) -> pa.Table:
    """What goes with evaluation rows until they are written.

    Args:
        inputs: the input rows.
        parts: their `_group`, `_key` and `_pools`.
        task: the job's.

    Returns:
        `_group`, `_key` and `_digest` of the whole row (their order in the shard), `_pools` and `_label` (what the
        checks count).
    """
    order = {"_group": parts[GROUP].to_arrow(), "_key": parts[KEY].to_arrow(), "_digest": row_digests(inputs)}
    return pa.table({**order, "_pools": parts[POOLS].to_arrow(), "_label": label_texts(inputs, task.label).to_arrow()})


def row_digests(table: pa.Table) -> pa.Array:
    """A digest of each row, uint64, that does not depend on where the row was read."""
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)  # noqa: S101
    return hash_texts(name_whole_rows(frame, frame.columns), 0).to_arrow()


def label_texts(table: pa.Table, label: str | None) -> pl.Series:
    """The labels of rows as String, null where there is no label column."""
    if label is None or label not in table.column_names:
        return pl.repeat(None, len(table), dtype=pl.String, eager=True)
    return pl.Series(pl.from_arrow(table.column(label))).cast(pl.String, strict=False)


def _ipc(rows: pa.Table, extra: pa.Table) -> bytes:
    sink = io.BytesIO()
    columns = [*rows.columns, *extra.columns]
    schema = pa.schema([*rows.schema, *extra.schema], metadata=rows.schema.metadata)
    with pa.ipc.new_stream(sink, schema) as stream:
        stream.write_table(pa.table(columns, schema=schema).combine_chunks())
    return sink.getvalue()
