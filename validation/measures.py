"""All that is measured of written rows, in one monoid: profile, sample, repeats, and the metrics of suites."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from validation.metrics.plan import MetricPlan
from validation.metrics.tables import TableMetrics, Wanted
from validation.profile.profile import Profile, ProfileOptions
from validation.profile.sample import Sample
from validation.profile.taking import ProfileTaker
from validation.repeats import KEPT as REPEATS_KEPT
from validation.repeats import RowRepeats, row_digests

IN_TARGET = ":target"
"""Ends the name under which a split's rows in the target pool are measured; no split can have such a name."""

_PARTS = 4
_PENDING_REPEATS = 2 * REPEATS_KEPT
_MIX = 0x9E3779B97F4A7C15


def measured_split(name: str) -> str:
    """The split that rows belong to which were measured under a name."""
    return name.removesuffix(IN_TARGET)


@dataclass(frozen=True)
class MeasureOptions:
    """What is measured.

    Attributes:
        columns: see there.
        sample: rows of the keyed sample, by split and source.
        digested: the columns of which rows that say the same are told; empty for none.
        wanted: metrics that suites want.
        source_column: the name under which suites see a row's source.
    """

    columns: ProfileOptions
    sample: int
    digested: tuple[str, ...] = ()
    wanted: Wanted = field(default_factory=Wanted)
    source_column: str = "source"


@dataclass(frozen=True, eq=False)
class Measures:
    """What was measured. Rows of a split that are in the target pool are measured under its name and `:target`.

    Attributes:
        profile: statistics of every column, by split and source.
        sample: the keyed sample.
        repeats: rows that say the same.
        metrics: that suites want.
    """

    profile: Profile
    sample: Sample
    repeats: RowRepeats
    metrics: TableMetrics = field(default_factory=TableMetrics)

    def cells(self) -> list[tuple[str, str]]:
        """All splits and sources that have rows, sorted."""
        parts = {
            (measured_split(part), source) for part in self.profile.splits() for source in self.profile.sources(part)
        }
        return sorted(parts)

    @classmethod
    def empty(cls) -> Measures:
        """Of no rows; the neutral element of `merge`."""
        return cls(Profile.empty(), Sample.empty(), RowRepeats.empty())

    @classmethod
    def merge(cls, parts: Iterable[Measures]) -> Measures:
        """Merges; commutative, associative and exact."""
        measures = list(parts)
        return cls(
            Profile.merge(part.profile for part in measures),
            Sample.merge(part.sample for part in measures),
            RowRepeats.merge(part.repeats for part in measures),
            TableMetrics.merge(part.metrics for part in measures),
        )

    def to_bytes(self) -> bytes:
        """Packs; equal measures give equal bytes."""
        packed = [part.to_bytes() for part in (self.profile, self.sample, self.repeats, self.metrics)]
        return b"".join(struct.pack("<Q", len(data)) + data for data in packed)

    @classmethod
    def from_bytes(cls, data: bytes) -> Measures:
        """What `to_bytes` packed."""
        parts, position = [], 0
        for _ in range(_PARTS):
            (size,) = struct.unpack_from("<Q", data, position)
            position += struct.calcsize("<Q")
            parts.append(data[position : position + size])
            position += size
        profile, sample = Profile.from_bytes(parts[0]), Sample.from_bytes(parts[1])
        return cls(profile, sample, RowRepeats.from_bytes(parts[2]), TableMetrics.from_bytes(parts[3]))


@dataclass
class Measurer:
    """Measures many batches, with less work than merging each.

    Attributes:
        options: what is measured.
    """

    options: MeasureOptions
    _samples: dict[tuple[str, str], Sample] = field(default_factory=dict)
    _repeats: list[RowRepeats] = field(default_factory=list)
    _cut: int | None = None
    _metrics: TableMetrics = field(default_factory=TableMetrics)
    _plans: dict[tuple[str, str], MetricPlan] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._profile = ProfileTaker(self.options.columns)

    def add(
        self, split: str, source: str, frame: pl.DataFrame, keys: pl.Series, groups: pl.Series, inside: pl.Series | bool
    ) -> pl.Series | None:
        """Measures a batch.

        Args:
            split: of its rows.
            source: of its rows.
            frame: its rows, columns of any names.
            keys: UInt64, the hash of each row's key.
            groups: UInt64, the hash of each row's group.
            inside: Boolean, rows that are in the target pool; one value for all of them.

        Returns:
            UInt64, the digests of its rows; None where rows are not digested.
        """
        digests = row_digests(frame, self.options.digested) if self.options.digested else None
        if digests is not None:
            self._repeats.append(RowRepeats.of(digests, self._cut))
            if sum(len(part.smallest) for part in self._repeats) > _PENDING_REPEATS:
                self._repeats = [RowRepeats.merge(self._repeats)]
                self._cut = self._repeats[0].cut
        self._count(split, source, frame)
        if isinstance(inside, bool):
            self._add(f"{split}{IN_TARGET}" if inside else split, source, frame, keys, groups)
            return digests
        for name, mask in ((f"{split}{IN_TARGET}", inside), (split, ~inside)):
            if mask.any():
                self._add(name, source, frame.filter(mask), keys.filter(mask), groups.filter(mask))
        return digests

    def _count(self, split: str, source: str, frame: pl.DataFrame) -> None:
        """Counts what suites want."""
        plan = self._plans.get((split, source))
        if plan is None:
            plan = self._plans[split, source] = self.options.wanted.of(split, source)
        if plan.metrics and len(frame):
            rows = frame.with_columns(pl.lit(source).alias(self.options.source_column))
            self._metrics = TableMetrics.merge([self._metrics, TableMetrics.of(plan, split, source, rows)])

    def _add(self, split: str, source: str, frame: pl.DataFrame, keys: pl.Series, groups: pl.Series) -> None:
        if not len(frame):
            return
        self._profile.add(split, source, frame)
        order = _order(keys)
        known = self._samples.get((split, source))
        if known is not None and len(known.about) >= self.options.sample:
            low = order <= known.about["key"].max()
            if not low.any():
                return
            frame, order, groups = frame.filter(low), order.filter(low), groups.filter(low)
        elif len(order) > self.options.sample:
            low = order <= order.bottom_k(self.options.sample).max()
            frame, order, groups = frame.filter(low), order.filter(low), groups.filter(low)
        part = Sample.of(split, source, frame, order, groups, self.options.sample)
        self._samples[split, source] = part if known is None else Sample.merge([known, part])

    def measures(self) -> Measures:
        """What was measured so far."""
        sample = Sample.merge([Sample.empty(), *self._samples.values()])
        return Measures(self._profile.profile(), sample, RowRepeats.merge(self._repeats), self._metrics)


def _order(keys: pl.Series) -> pl.Series:
    """Keys in an order of their own: the sample is not to follow the order of the draws.

    A bijection of 64-bit integers: a multiplication by an odd constant, and a shift (Steele, Lea and Flood 2014).
    """
    mixed = (keys ^ (keys // 2**32)) * _MIX
    return mixed ^ (mixed // 2**32)
