"""A unit of work: reads a run of fragments, writes their train rows, passes the evaluation rows on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import lru_cache

import polars as pl
import pyarrow as pa

from pipelines.output.layout import HELD_OUT as HELD_OUT_FOLDER
from pipelines.output.layout import REJECTED, Layout, aside_path, digest_path
from pipelines.output.measuring import UnitMeasuring
from pipelines.output.media.writing import Media, open_rows
from pipelines.output.parcel import LABEL, Parcel
from pipelines.output.read_back import Reader
from pipelines.output.shards import ShardWriter, open_shard, stream_shard, streams
from pipelines.output.tables import LINE_SCHEMA, OutputTables
from pipelines.progress import report_rows
from pipelines.run_directory import ASSIGNMENT, RunDirectory
from pipelines.sources.fragments import Fragment
from pipelines.sources.reading import BadRow, Chunk, read_fragment
from splitting.assign import HELD_OUT, REASON, Assignment
from splitting.checksum import check_sums
from splitting.linking.rules import LinkRule, link_columns
from splitting.plan import SPLIT
from splitting.request import TRAIN
from splitting.rules import GROUP, KEY, NULL_KEY, Rules
from validation.measures import MeasureOptions
from validation.tally import Tally


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
        plan: the fingerprint of its plan.
        rules: what decides about rows.
        tables: how output rows look.
        layout: the names of the files.
        label: the label column, counted by split.
        measure: what is measured of the rows; None for nothing.
        media: how files go out with the rows; None for rows alone.
        links: what links rows, by number, of which the output has the columns.
    """

    run: RunDirectory
    plan: str
    rules: Rules
    tables: OutputTables
    layout: Layout
    label: str | None
    measure: MeasureOptions | None = None
    media: Media | None = None
    links: tuple[tuple[int, LinkRule], ...] = ()

    @property
    def reader(self) -> Reader:
        """Reads written files back."""
        return Reader(self.run, self.rules, self.label)

    @property
    def link_columns(self) -> tuple[str, ...]:
        """The columns of the output that link rows, each once."""
        return link_columns(tuple(rule for _, rule in self.links))

    @property
    def assignment(self) -> Assignment:
        """Where rows go. Workers read it from the run directory: it can be too large to travel with every step."""
        return _read_assignment(self.run.uri, self.plan)


@lru_cache(maxsize=1)
def _read_assignment(run: str, _plan: str) -> Assignment:
    return Assignment.from_bytes(RunDirectory(run).read(ASSIGNMENT))


@dataclass
class UnitResult:
    """What a unit leaves.

    Attributes:
        train_labels: by source, its train rows of each label; of an index alone, data is counted in its files.
        asides: counts of held-out and rejected rows.
        parcels: by split and shard, its evaluation rows.
        read: by source, the rows it read, unreadable lines included, and the sums of their checksum.
        measuring: of its rows; None where nothing is measured.
    """

    train_labels: defaultdict[str, Counter[str | None]] = field(default_factory=lambda: defaultdict(Counter))
    asides: list[Tally] = field(default_factory=list)
    parcels: defaultdict[tuple[str, int], list[Parcel]] = field(default_factory=lambda: defaultdict(list))
    read: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    measuring: UnitMeasuring | None = None

    def tally(self) -> Tally:
        """Counts of what the unit read and set aside, and of the train rows of an index; data is read back."""
        train = [Tally.of_counts(TRAIN, source, labels) for source, labels in self.train_labels.items()]
        read = [Tally.of_read(source, **counts) for source, counts in self.read.items()]
        return Tally.merge([Tally.empty(), *read, *train, *self.asides])


def write_unit(unit: Unit, task: WriteTask) -> UnitResult:
    """Does a unit of work. Done twice, it writes the same files.

    Args:
        unit: what to read.
        task: where and how to write.

    Returns:
        What it leaves to others.
    """
    result = UnitResult(measuring=UnitMeasuring(task.measure, task.rules, task.tables) if task.measure else None)
    schema = task.tables.split_schema()
    location = task.run.path(task.layout.train_shard(unit.number))
    with ExitStack() as stack:
        chunks = _read_and_place(unit, task, _AsideWriters(unit, task, stack), result)
        if task.tables.copies and task.media is None and streams(location, schema):
            stream_shard(location, schema, (task.tables.split_frame(chunk, plain) for chunk, plain in chunks))
        else:
            train = stack.enter_context(open_rows(task.run, task.layout, TRAIN, unit.number, schema, task.media))
            for chunk, plain in chunks:
                numbers = chunk.row_numbers(plain)
                train.write(task.tables.split_table(chunk.table_of(plain), chunk.fragment, numbers, TRAIN))
    if result.measuring is not None:
        task.run.write(digest_path(unit.number), result.measuring.train_digests())
    return result


class _AsideWriters:
    """Files of held-out and rejected rows, opened when there is a row for them."""

    def __init__(self, unit: Unit, task: WriteTask, stack: ExitStack) -> None:
        self._unit, self._task, self._stack = unit, task, stack
        self._open: dict[str, ShardWriter] = {}

    def write(self, folder: str, table: pa.Table, kind: str = "rows") -> None:
        path = aside_path(folder, self._unit.number, kind)
        if path not in self._open:
            self._open[path] = self._stack.enter_context(open_shard(self._task.run.path(path), table.schema))
        self._open[path].write(table)


def _read_and_place(
    unit: Unit, task: WriteTask, asides: _AsideWriters, result: UnitResult
) -> Iterator[tuple[Chunk, pl.Series | None]]:
    """Reads a unit; sends everything but train rows where it goes.

    Yields:
        The chunks, and which of their rows go to train; None for all.
    """
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
                cells = task.rules.classify(frame.filter(special), fragment.source)
                parts = pl.concat([named.filter(special), cells], how="horizontal")
                numbers = chunk.row_numbers(special)
                _write_special(chunk.table_of(special), numbers, parts, fragment, task, asides, result)
            if result.measuring is not None:
                result.measuring.add_train(chunk, plain, named)
            yield chunk, plain
            report_rows(len(chunk))


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
    reasons = pl.Series([row.kind for row in rows], dtype=pl.String)
    result.asides.append(Tally.of_aside(REJECTED, fragment.source, reasons))


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
            result.asides.append(Tally.of_aside(folder, fragment.source, why))
    member = ~placed[SPLIT].is_in([HELD_OUT, TRAIN]) & parts[KEY].is_not_null()
    for split in placed[SPLIT].filter(member).unique().sort():
        chosen = member & (placed[SPLIT] == split)
        keep = chosen.to_arrow()
        inputs = table.filter(keep)
        rows = task.tables.split_table(inputs, fragment, numbers.filter(keep), split)
        parcel = Parcel.of(rows, inputs, parts.filter(chosen), task.label)
        if result.measuring is not None:
            result.measuring.add_evaluation(split, fragment.source, inputs, parts.filter(chosen))
        shards = task.layout.shard_of(split, parts[GROUP].filter(chosen))
        for shard in shards.unique().sort():
            result.parcels[split, int(shard)].append(parcel.filter(shards == shard))
