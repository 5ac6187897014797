"""Looks for keys, groups and whole rows that are in two splits, in what was written. A monoid, too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import polars as pl

from splitting.columns import column
from splitting.frames import pack_frames, unpack_frames
from validation.links import LinkNames
from validation.tally import Tally


def _numbered(what: str, names: Sequence[str]) -> list[pl.Expr]:
    """Columns under names that no data gives them."""
    return [column(name).alias(f"{what}{i}") for i, name in enumerate(names)]


@dataclass(frozen=True, eq=False)
class EvaluationNames:
    """The raw keys and groups of the evaluation splits, as they stand in the written tables. A monoid.

    Attributes:
        keys: `key0`, `key1`, … (the key columns) and `split`, distinct.
        groups: `group0`, `group1`, … and `split`, distinct; rows with a null group are left out.
        rows: `row0` (digests of whole rows, UInt64) and `split`, distinct; empty where rows are not digested.
        links: what links their rows.
    """

    keys: pl.DataFrame
    groups: pl.DataFrame
    rows: pl.DataFrame
    links: LinkNames = field(default_factory=LinkNames.empty)

    @classmethod
    def empty(cls) -> EvaluationNames:
        """Of no split; the neutral element of `merge`."""
        return cls(pl.DataFrame(), pl.DataFrame(), pl.DataFrame())

    @classmethod
    def of(cls, split: str, table: pl.LazyFrame, key: Sequence[str], group: Sequence[str]) -> EvaluationNames:
        """The names in a written table.

        Args:
            split: of the table.
            table: with its key and group columns.
            key: names of the key columns.
            group: names of the group columns; may be empty.

        Returns:
            The names.
        """
        named = pl.lit(split).alias("split")
        frame = table.select(*_numbered("key", key), *_numbered("group", group)).collect()
        keys = frame.select(pl.col(r"^key\d+$"), named).unique()
        if not group:
            return cls(keys, pl.DataFrame(), pl.DataFrame())
        groups = frame.select(pl.col(r"^group\d+$")).drop_nulls().with_columns(named).unique()
        return cls(keys, groups, pl.DataFrame())

    @classmethod
    def of_rows(cls, split: str, digests: pl.Series) -> EvaluationNames:
        """The names of whole rows.

        Args:
            split: of the rows.
            digests: UInt64, one a row.

        Returns:
            The names, without keys and groups.
        """
        rows = pl.DataFrame({"row0": digests.unique().sort()}).with_columns(pl.lit(split).alias("split"))
        return cls(pl.DataFrame(), pl.DataFrame(), rows)

    @classmethod
    def of_links(cls, links: LinkNames) -> EvaluationNames:
        """Names that links alone have."""
        return cls(pl.DataFrame(), pl.DataFrame(), pl.DataFrame(), links)

    @classmethod
    def merge(cls, parts: Iterable[EvaluationNames]) -> EvaluationNames:
        """Merges names; commutative, associative and exact."""
        names = list(parts)
        keys, groups, rows = (_union([getattr(part, what) for part in names]) for what in ("keys", "groups", "rows"))
        return cls(keys, groups, rows, LinkNames.merge(part.links for part in names))

    def to_bytes(self) -> bytes:
        """Packs the names."""
        return pack_frames({"keys": self.keys, "groups": self.groups, "rows": self.rows, **self.links.frames()})

    @classmethod
    def from_bytes(cls, data: bytes) -> EvaluationNames:
        """The names that `to_bytes` packed."""
        frames = unpack_frames(data)
        return cls(frames["keys"], frames["groups"], frames["rows"], LinkNames.of_frames(frames))

    def leaks(self, split: str, table: pl.LazyFrame, key: Sequence[str], group: Sequence[str]) -> Tally:
        """Rows of a written table whose key or group is in another, evaluation split.

        Args:
            split: of the table.
            table: with its key and group columns; read in pieces, of which only suspects stay in memory.
            key: names of the key columns.
            group: names of the group columns; may be empty.

        Returns:
            A tally with `leaks` only; empty where there are none.
        """
        named = {"key": self.keys, "group": self.groups}
        columns = {what: [c for c in names.columns if c != "split"] for what, names in named.items()}
        firsts = {what: names[0] for what, names in columns.items() if names}
        if not firsts:
            return Tally.empty()
        suspect = [pl.col(first).is_in(named[what][first].unique().implode()) for what, first in firsts.items()]
        numbered = table.select(*_numbered("key", key), *_numbered("group", group))
        suspects = numbered.filter(pl.any_horizontal(suspect)).collect(engine="streaming")
        return _counted(split, [(what, named[what], suspects.select(columns[what])) for what in firsts])

    def row_leaks(self, split: str, digests: pl.Series) -> Tally:
        """Rows whose digest is in another, evaluation split.

        Args:
            split: of the rows.
            digests: UInt64, of whole rows.

        Returns:
            A tally with `leaks` only; empty where there are none.
        """
        if not self.rows.columns:
            return Tally.empty()
        mine = digests.alias("row0").to_frame().filter(pl.col("row0").is_in(self.rows["row0"].unique().implode()))
        return _counted(split, [("row", self.rows, mine)])

    def leaks_between(self) -> Tally:
        """Keys, groups and rows that are in two evaluation splits.

        Returns:
            A tally with `leaks` only; `rows` counts distinct keys, groups or rows.
        """
        found = []
        for what, names in (("key", self.keys), ("group", self.groups), ("row", self.rows)):
            columns = [column for column in names.columns if column != "split"]
            if not columns:
                continue
            pairs = names.join(names.rename({"split": "other"}), on=columns).filter(pl.col("split") < pl.col("other"))
            counted = pairs.group_by("split", "other").agg(pl.len().cast(pl.Int64).alias("rows"))
            found.append(counted.select(pl.lit(what).alias("what"), "split", "other", "rows"))
        return Tally.of_frames(leaks=pl.concat(found)) if found else Tally.empty()


def _counted(split: str, suspects: Sequence[tuple[str, pl.DataFrame, pl.DataFrame]]) -> Tally:
    """Counts rows of a split whose names are in another: what, the names of all splits, and the split's own."""
    found = []
    for what, names, mine in suspects:
        others = names.filter(pl.col("split") != split).rename({"split": "_other"})
        hits = mine.join(others, on=mine.columns)
        counted = hits.group_by("_other").agg(pl.len().cast(pl.Int64).alias("rows"))
        found.append(
            counted.select(
                pl.lit(what).alias("what"), pl.lit(split).alias("split"), pl.col("_other").alias("other"), "rows"
            )
        )
    return Tally.of_frames(leaks=pl.concat(found)) if found else Tally.empty()


def _union(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Distinct rows of frames; one without columns has none."""
    named = [frame for frame in frames if frame.columns]
    if not named:
        return pl.DataFrame()
    return pl.concat(named, how="vertical_relaxed").unique().sort("split", maintain_order=True)
