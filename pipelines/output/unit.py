"""A unit of work: reads a run of fragments, writes their train rows, passes the other rows on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import polars as pl
import pyarrow as pa

from pipelines.output.layout import REJECTED, digest_path
from pipelines.output.located import Located
from pipelines.output.measuring import UnitMeasuring
from pipelines.output.media.writing import open_rows
from pipelines.output.parcel import LABEL
from pipelines.output.reserved import AsideWriters, ReservedRows
from pipelines.output.shards import LargeRowsError, stream_shard, streams
from pipelines.output.tables import LINE_SCHEMA
from pipelines.output.task import Unit, UnitResult, WriteTask
from pipelines.progress import report_rows
from pipelines.sources.filesystems import open_output
from pipelines.sources.fragments import Fragment
from pipelines.sources.reading import BadRow, Chunk, read_fragment
from splitting.checksum import check_sums
from splitting.request import TRAIN
from splitting.rules import KEY
from validation.tally import Tally


def write_unit(unit: Unit, task: WriteTask) -> UnitResult:
    """Does a unit of work. Done twice, it writes the same files.

    Args:
        unit: what to read.
        task: where and how to write.

    Returns:
        What it leaves to others.
    """
    streamed = _stream(unit, task)
    return _write(unit, task) if streamed is None else streamed


def _stream(unit: Unit, task: WriteTask) -> UnitResult | None:
    """Does a unit of work as polars does it best; None where that would change types, or take too much memory."""
    schema = task.tables.split_schema()
    location = task.run.path(task.layout.train_shard(unit.number))
    if not task.tables.copies or task.media is not None or not streams(location, schema):
        return None
    sources = pl.Enum(sorted({fragment.source for fragment in unit.fragments}))
    try:
        with ExitStack() as stack:
            result = _new_result(unit, task, stack)
            chunks = _read_and_place(unit, task, AsideWriters(unit, task, stack), result)
            frames = (task.tables.split_frame(chunk, plain, sources) for chunk, plain in chunks)
            stream_shard(location, schema, frames, {task.tables.source_column: sources})
    except LargeRowsError:
        report_rows(-sum(counted["rows"] for counted in result.read.values()))
        return None
    return result


def _write(unit: Unit, task: WriteTask) -> UnitResult:
    """Does a unit of work whatever the types of its columns and the sizes of its rows."""
    schema = task.tables.split_schema()
    with ExitStack() as stack:
        result = _new_result(unit, task, stack)
        train = stack.enter_context(open_rows(task.run, task.layout, TRAIN, unit.number, schema, task.media))
        for chunk, plain in _read_and_place(unit, task, AsideWriters(unit, task, stack), result):
            train.write(task.tables.split_table(Located.of(chunk, plain), TRAIN))
    return result


def _new_result(unit: Unit, task: WriteTask, stack: ExitStack) -> UnitResult:
    if task.measure is None:
        return UnitResult()
    digests = stack.enter_context(open_output(task.run.path(digest_path(unit.number))))
    return UnitResult(measuring=UnitMeasuring(task.measure, task.rules, task.tables, digests))


def _read_and_place(
    unit: Unit, task: WriteTask, asides: AsideWriters, result: UnitResult
) -> Iterator[tuple[Chunk, pl.Series | None]]:
    """Reads a unit; sends everything but train rows where it goes, by the end.

    Yields:
        The chunks, and which of their rows go to train; None for all.
    """
    reserved = ReservedRows(task, asides, result)
    for fragment in unit.fragments:
        for chunk in read_fragment(fragment, task.tables.schema):
            frame = chunk.frame(task.rules.columns_read())
            named = task.rules.identify(frame, fragment.source)
            special = task.assignment.concerns(named) | named[KEY].is_null()
            plain = ~special if special.any() else None
            high, low = named.select(check_sums()).row(0)
            result.read[fragment.source].update(rows=len(chunk) + len(chunk.bad_rows), high=high, low=low)
            if not task.tables.copies:
                result.train_labels[fragment.source] += _count_labels(chunk, plain, task.label)
            if chunk.bad_rows:
                _write_bad_rows(chunk.bad_rows, fragment, asides, result)
            if plain is not None:
                reserved.add(chunk, special, named)
            if result.measuring is not None:
                result.measuring.add_train(chunk, plain, named)
            yield chunk, plain
            report_rows(len(chunk))
    reserved.send()


def _count_labels(chunk: Chunk, chosen: pl.Series | None, label: str | None) -> Counter[str | None]:
    """Rows by label; all under None where there is no label column."""
    if label is None or label not in chunk.schema.names:
        return Counter({None: len(chunk) if chosen is None else int(chosen.sum())})
    labels = chunk.frame([label]).to_series().alias(LABEL)
    counted = (labels if chosen is None else labels.filter(chosen)).value_counts(name="_rows")
    found: Counter[str | None] = Counter()
    for text, rows in counted.with_columns(pl.first().cast(pl.String, strict=False)).iter_rows():
        found[text] += rows
    return found


def _write_bad_rows(rows: tuple[BadRow, ...], fragment: Fragment, asides: AsideWriters, result: UnitResult) -> None:
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
    reasons = pl.Series([row.kind for row in rows], dtype=pl.String)
    result.asides.append(Tally.of_aside(REJECTED, fragment.source, reasons))
