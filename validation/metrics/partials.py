"""All statistics of a plan, counted in some rows: a monoid that workers fill and merge."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import polars as pl

from splitting.frames import pack_frames, unpack_frames
from validation.metrics.parts import Part, count, merge
from validation.metrics.plan import MetricPlan


@dataclass(frozen=True, eq=False)
class MetricPartials:
    """What was counted of some rows.

    Attributes:
        parts: by the key of the statistic.
    """

    parts: Mapping[str, Part] = field(default_factory=dict)

    @classmethod
    def empty(cls) -> MetricPartials:
        """Of no batch; the neutral element of `merge`. A batch without rows still tells the columns."""
        return cls()

    @classmethod
    def of(cls, plan: MetricPlan, frame: pl.DataFrame) -> MetricPartials:
        """Counts a batch.

        Args:
            plan: what to count.
            frame: rows of one table.

        Returns:
            What was counted; a statistic that makes no sense for these rows has an error, and the others have not.
        """
        return cls({statistic.key: count(statistic, frame) for statistic in plan.statistics()})

    @classmethod
    def merge(cls, partials: Iterable[MetricPartials]) -> MetricPartials:
        """Merges; commutative, associative and exact."""
        found: dict[str, list[Part]] = {}
        for one in partials:
            for key, part in one.parts.items():
                found.setdefault(key, []).append(part)
        return cls({key: merge(json.loads(key)[0], found[key]) for key in sorted(found)})

    def to_bytes(self) -> bytes:
        """Packs; the same bytes for the same rows, whatever the batches and their order were."""
        keys = sorted(self.parts)
        plain = [json.dumps(self.parts[key].plain, sort_keys=True) for key in keys]
        frames = {"parts": pl.DataFrame({"key": keys, "plain": plain}, schema={"key": pl.String, "plain": pl.String})}
        for index, key in enumerate(keys):
            if (values := self.parts[key].values) is not None:
                frames[str(index)] = _canonical(values)
        return pack_frames(frames)

    @classmethod
    def from_bytes(cls, data: bytes) -> MetricPartials:
        """What `to_bytes` packed."""
        frames = unpack_frames(data)
        rows = frames.pop("parts").iter_rows()
        return cls({key: Part(json.loads(plain), frames.get(str(i))) for i, (key, plain) in enumerate(rows)})


def _canonical(table: pl.DataFrame) -> pl.DataFrame:
    """The same table in buffers that its values alone decide: not what lies under nulls, nor after the last bit."""
    rows = pl.int_range(len(table), eager=True)
    columns = [values.gather(rows) for values in table.get_columns()]
    return pl.DataFrame([values if not values.null_count() else _without_residue(values) for values in columns])


def _without_residue(values: pl.Series) -> pl.Series:
    present = values.is_not_null()
    place = (present.cum_sum() - 1).cast(pl.Int64)
    nowhere = pl.Series([None], dtype=pl.Int64)
    return values.drop_nulls().gather(place.zip_with(present, nowhere.gather([0]).new_from_index(0, len(values))))
