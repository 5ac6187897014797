"""What the workers of the writing job are given, and what a unit of work leaves."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import lru_cache

from pipelines.output.layout import Layout
from pipelines.output.measuring import UnitMeasuring
from pipelines.output.media.writing import Media
from pipelines.output.parcel import Parcel
from pipelines.output.read_back import Reader
from pipelines.output.tables import OutputTables
from pipelines.run_directory import ASSIGNMENT, RunDirectory
from pipelines.sources.fragments import Fragment
from splitting.assign import Assignment
from splitting.linking.rules import LinkRule, link_columns
from splitting.request import TRAIN
from splitting.rules import Rules
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
