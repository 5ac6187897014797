"""Counts what was written, from the written tables themselves. A monoid; knows nothing of how splits are made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from splitting.columns import column
from splitting.frames import pack_frames, unpack_frames

_ROWS = {"split": pl.String, "source": pl.String, "label": pl.String, "rows": pl.Int64, "outside": pl.Int64}
_ASIDE = {"folder": pl.String, "source": pl.String, "reason": pl.String, "rows": pl.Int64}
_LEAKS = {"what": pl.String, "split": pl.String, "other": pl.String, "rows": pl.Int64}
_SCHEMAS = {"rows": _ROWS, "aside": _ASIDE, "leaks": _LEAKS}


@dataclass(frozen=True, eq=False)
class Tally:
    """Counts of written rows.

    Attributes:
        rows: by `split`, `source` and `label`: `rows`, and `outside`, those that are not in the split's pool.
        aside: by `folder` (`held_out`, `rejected`), `source` and `reason`: `rows`.
        leaks: by `what` (`key`, `group`), `split` and `other`: rows of `split` whose key or group is in `other`.
    """

    rows: pl.DataFrame
    aside: pl.DataFrame
    leaks: pl.DataFrame

    @classmethod
    def empty(cls) -> Tally:
        """The tally of nothing; the neutral element of `merge`."""
        return cls(*(pl.DataFrame(schema=schema) for schema in _SCHEMAS.values()))

    @classmethod
    def of_split(cls, split: str, sources: pl.Series, labels: pl.Series | None, outside: pl.Series | None) -> Tally:
        """Counts rows of a split.

        Args:
            split: its name.
            sources: String, a row's source.
            labels: a row's label, of any type; None without a label column.
            outside: Boolean, rows that are not in the split's pool; None where the split may hold any row.

        Returns:
            Their tally.
        """
        label = labels.cast(pl.String, strict=False) if labels is not None else None
        frame = pl.DataFrame(
            {
                "split": pl.repeat(split, len(sources), dtype=pl.String, eager=True),
                "source": sources,
                "label": label if label is not None else pl.repeat(None, len(sources), dtype=pl.String, eager=True),
                "outside": outside if outside is not None else pl.repeat(value=False, n=len(sources), eager=True),
            }
        )
        counted = frame.group_by("split", "source", "label").agg(
            pl.len().cast(pl.Int64).alias("rows"), pl.col("outside").sum().cast(pl.Int64)
        )
        return Tally.merge([Tally(counted, *(pl.DataFrame(schema=s) for s in (_ASIDE, _LEAKS)))])

    @classmethod
    def of_counts(cls, split: str, source: str, labels: Mapping[str | None, int]) -> Tally:
        """Takes counts that were made elsewhere.

        Args:
            split: its name.
            source: of the rows.
            labels: rows by label; None for rows without one. All rows are where they may be.

        Returns:
            Their tally.
        """
        columns = {
            "split": [split] * len(labels),
            "source": [source] * len(labels),
            "label": list(labels),
            "rows": list(labels.values()),
            "outside": [0] * len(labels),
        }
        counted = pl.DataFrame(columns, schema=_ROWS)
        return cls.merge([cls(counted, *(pl.DataFrame(schema=s) for s in (_ASIDE, _LEAKS)))])

    @classmethod
    def of_aside(cls, folder: str, source: str, reasons: pl.Series) -> Tally:
        """Counts rows that are in no split.

        Args:
            folder: `held_out` or `rejected`.
            source: their source.
            reasons: String, a row's reason.

        Returns:
            Their tally.
        """
        counted = reasons.alias("reason").to_frame().group_by("reason").agg(pl.len().cast(pl.Int64).alias("rows"))
        named = counted.select(pl.lit(folder).alias("folder"), pl.lit(source).alias("source"), "reason", "rows")
        return cls(pl.DataFrame(schema=_ROWS), named.sort("reason"), pl.DataFrame(schema=_LEAKS))

    @classmethod
    def merge(cls, parts: Iterable[Tally]) -> Tally:
        """Merges tallies; commutative, associative and exact."""
        tallies = list(parts)
        merged = []
        for name, schema in _SCHEMAS.items():
            counts = [c for c, dtype in schema.items() if dtype == pl.Int64]
            keys = [c for c in schema if c not in counts]
            stacked = pl.concat([getattr(tally, name).select(list(schema)) for tally in tallies])
            merged.append(stacked.group_by(keys).agg(pl.col(counts).sum()).select(list(schema)).sort(keys))
        return cls(*merged)

    def to_bytes(self) -> bytes:
        """Packs the tally; equal tallies give equal bytes."""
        return pack_frames({"rows": self.rows, "aside": self.aside, "leaks": self.leaks})

    @classmethod
    def from_bytes(cls, data: bytes) -> Tally:
        """The tally that `to_bytes` packed."""
        return cls(**unpack_frames(data))

    def rows_written(self) -> int:
        """All rows: of splits, held out and rejected."""
        return int(self.rows["rows"].sum()) + int(self.aside["rows"].sum())


def _numbered(what: str, names: Sequence[str]) -> list[pl.Expr]:
    """Columns under names that no data gives them."""
    return [column(name).alias(f"{what}{i}") for i, name in enumerate(names)]


@dataclass(frozen=True, eq=False)
class EvaluationNames:
    """The raw keys and groups of the evaluation splits, as they stand in the written tables. A monoid.

    Attributes:
        keys: `key0`, `key1`, … (the key columns) and `split`, distinct.
        groups: `group0`, `group1`, … and `split`, distinct; rows with a null group are left out.
    """

    keys: pl.DataFrame
    groups: pl.DataFrame

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
            return cls(keys, pl.DataFrame())
        return cls(keys, frame.select(pl.col(r"^group\d+$")).drop_nulls().with_columns(named).unique())

    @classmethod
    def merge(cls, parts: Iterable[EvaluationNames]) -> EvaluationNames:
        """Merges names; commutative, associative and exact."""
        names = list(parts)
        keys = pl.concat([part.keys for part in names], how="vertical_relaxed").unique()
        groups = pl.concat([part.groups for part in names], how="vertical_relaxed").unique()
        return cls(keys.sort("split", maintain_order=True), groups)

    def to_bytes(self) -> bytes:
        """Packs the names."""
        return pack_frames({"keys": self.keys, "groups": self.groups})

    @classmethod
    def from_bytes(cls, data: bytes) -> EvaluationNames:
        """The names that `to_bytes` packed."""
        return cls(**unpack_frames(data))

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
        suspect = [pl.col(first).is_in(named[what][first].unique().implode()) for what, first in firsts.items()]
        numbered = table.select(*_numbered("key", key), *_numbered("group", group))
        suspects = numbered.filter(pl.any_horizontal(suspect)).collect(engine="streaming")
        found = []
        for what in firsts:
            others = named[what].filter(pl.col("split") != split).rename({"split": "_other"})
            hits = suspects.select(columns[what]).join(others, on=columns[what])
            counted = hits.group_by("_other").agg(pl.len().cast(pl.Int64).alias("rows"))
            found.append(
                counted.select(
                    pl.lit(what).alias("what"), pl.lit(split).alias("split"), pl.col("_other").alias("other"), "rows"
                )
            )
        leaks = pl.concat([pl.DataFrame(schema=_LEAKS), *found])
        return Tally.merge([Tally(pl.DataFrame(schema=_ROWS), pl.DataFrame(schema=_ASIDE), leaks)])

    def leaks_between(self) -> Tally:
        """Keys and groups that are in two evaluation splits.

        Returns:
            A tally with `leaks` only; `rows` counts distinct keys or groups.
        """
        found = []
        for what, names in (("key", self.keys), ("group", self.groups)):
            columns = [column for column in names.columns if column != "split"]
            if not columns:
                continue
            pairs = names.join(names.rename({"split": "other"}), on=columns).filter(pl.col("split") < pl.col("other"))
            counted = pairs.group_by("split", "other").agg(pl.len().cast(pl.Int64).alias("rows"))
            found.append(counted.select(pl.lit(what).alias("what"), "split", "other", "rows"))
        leaks = pl.concat([pl.DataFrame(schema=_LEAKS), *found])
        return Tally.merge([Tally(pl.DataFrame(schema=_ROWS), pl.DataFrame(schema=_ASIDE), leaks)])
