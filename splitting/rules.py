"""The rules of a split: what a worker must know to say of a row which group, stratum and pools it is in."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Protocol

import polars as pl

from splitting.conditions import Condition
from splitting.hashing import canonical_text, hash_texts, name_rows, name_whole_rows, seed

GROUP, KEY, LONE, SOURCE, POOLS, ROWS = "_group", "_key", "_lone", "_source", "_pools", "_rows"
NULL_KEY = "null key"


@dataclass(frozen=True)
class Stratifier:
    """One column of the strata.

    Attributes:
        column: its name.
        edges: strictly increasing bin edges for a numeric column; empty takes each value as it is.
    """

    column: str
    edges: tuple[float, ...] = ()

    def label(self, values: pl.Series) -> pl.Series:
        """The stratum label of each value.

        Args:
            values: the column.

        Returns:
            String: canonical text, or the bin (`<18`, `18..40` for 18 <= x < 40, `>=65`). Null and NaN are null.
        """
        if not self.edges:
            return canonical_text(values)
        numbers = values.to_frame("v").select(pl.col("v").cast(pl.Float64).fill_nan(None)).to_series()
        position = (numbers >= self.edges[0]).cast(pl.UInt32)
        for edge in self.edges[1:]:
            position += (numbers >= edge).cast(pl.UInt32)
        return position.replace_strict(list(range(len(self.edges) + 1)), self._bins(), return_dtype=pl.String)

    def _bins(self) -> list[str]:
        edges = [str(int(edge)) if edge == int(edge) else repr(edge) for edge in self.edges]
        inner = [f"{low}..{high}" for low, high in pairwise(edges)]
        return [f"<{edges[0]}", *inner, f">={edges[-1]}"]


@dataclass(frozen=True)
class Pool:
    """The examples that a split may be drawn from.

    Attributes:
        name: `target`, `train`, or the split's own.
        sources: the sources it takes; None takes all.
        conditions: SQL conditions that a row must meet, each.
    """

    name: str
    sources: frozenset[str] | None = None
    conditions: tuple[Condition, ...] = ()


class GroupLinks(Protocol):
    """Knows which groups are linked with others."""

    def clusters_of(self, nodes: pl.Series) -> pl.Series:
        """The cluster of each group (UInt64) that is linked with another, and any other group itself; null for null."""
        ...


@dataclass(frozen=True)
class Rules:
    """What decides about a row, and nothing else.

    Attributes:
        salt: names the draw.
        key: columns that name an example; empty takes the whole row (`row_columns`).
        group: columns whose examples stay together; empty makes every key its own group.
        strata: the columns that cross to strata.
        pools: at most 32; bit `i` of a row's pools is `pools[i]`.
        source_column: the name under which the source of a row is a column.
        row_columns: every column of the table, for whole-row keys.
        links: groups that linked columns and near-duplicates join to clusters; a cluster is a group. None for none.
    """

    salt: str
    key: tuple[str, ...]
    group: tuple[str, ...] = ()
    strata: tuple[Stratifier, ...] = ()
    pools: tuple[Pool, ...] = ()
    source_column: str = "source"
    row_columns: tuple[str, ...] = field(default=(), repr=False)
    links: GroupLinks | None = field(default=None, repr=False)

    @property
    def stratum_columns(self) -> tuple[str, ...]:
        """Names of the label columns that `classify` adds."""
        return tuple(f"_stratum{i}" for i in range(len(self.strata)))

    @property
    def cell_columns(self) -> tuple[str, ...]:
        """What makes a cell: rows of one cell are alike to every draw."""
        return (SOURCE, *self.stratum_columns, POOLS)

    @cached_property
    def _columns(self) -> frozenset[str]:
        """All columns that the rules name."""
        conditions = (condition for pool in self.pools for condition in pool.conditions)
        strata = (stratifier.column for stratifier in self.strata)
        named = (column for condition in conditions for column in condition.columns)
        return frozenset([*(self.key or self.row_columns), *self.group, *strata, *named])

    def columns_read(self) -> tuple[str, ...]:
        """The input columns that the rules read, sorted; the source column is not one of them."""
        return tuple(sorted(self._columns - {self.source_column}))

    def columns_naming(self) -> tuple[str, ...]:
        """The input columns that name keys and groups, sorted; the source column is not one of them."""
        return tuple(sorted({*(self.key or self.row_columns), *self.group} - {self.source_column}))

    def identify(self, frame: pl.DataFrame, source: str) -> pl.DataFrame:
        """Names each row's key and group.

        Args:
            frame: the columns that the rules read.
            source: the source that the rows came from.

        Returns:
            `_key`, `_group` (UInt64; both null where the key is null; a cluster where the group is linked) and `_lone`
            (Boolean: the row has a group column that is null, and nothing links it, so it is a group of one, named by
            its key). Rows in the order given.
        """
        return self._linked(self._identify(self._with_source(frame, source)))

    def _linked(self, named: pl.DataFrame) -> pl.DataFrame:
        if self.links is None:
            return named
        clusters = self.links.clusters_of(named[GROUP])
        alone = named[LONE] & (clusters == named[GROUP]).fill_null(value=True)
        return named.with_columns(clusters.alias(GROUP), alone.alias(LONE))

    def _identify(self, frame: pl.DataFrame) -> pl.DataFrame:
        key_text = name_rows(frame, self.key) if self.key else name_whole_rows(frame, self.row_columns)
        key = hash_texts(key_text, seed(self.salt, "key"))
        group = hash_texts(name_rows(frame, self.group) if self.group else key_text, seed(self.salt, "group"))
        if not self.group or not (key.null_count() or group.null_count()):
            return pl.DataFrame({KEY: key, GROUP: group, LONE: pl.repeat(False, len(key), eager=True)})
        named = pl.DataFrame({KEY: key, GROUP: group, LONE: group.is_null() & key.is_not_null()})
        if named[LONE].any():
            alone = hash_texts(key_text, seed(self.salt, "lone"))
            named = named.with_columns(pl.when(LONE).then(alone).otherwise(GROUP).alias(GROUP))
        return named.with_columns(pl.when(pl.col(KEY).is_not_null()).then(GROUP).alias(GROUP))

    def examine(self, frame: pl.DataFrame, source: str) -> pl.DataFrame:
        """Names each row's key, group and cell.

        Args:
            frame: the columns that the rules read.
            source: the source that the rows came from.

        Returns:
            The columns of `identify` and of `classify`. Rows in the order given.
        """
        return pl.concat([self.identify(frame, source), self.classify(frame, source)], how="horizontal")

    def name_groups(self, frame: pl.DataFrame, source: str) -> pl.Series:
        """Names each row's group, cheaper than `identify` where the key is not needed.

        Args:
            frame: the columns that the rules read.
            source: the source that the rows came from.

        Returns:
            UInt64, as `identify` gives it where that is not a group of one; null for groups of one.
        """
        frame = self._with_source(frame, source)
        if not self.group and not self.key:
            texts = name_whole_rows(frame, self.row_columns)
        else:
            texts = name_rows(frame, self.group or self.key)
        groups = hash_texts(texts, seed(self.salt, "group"))
        return groups if self.links is None else self.links.clusters_of(groups)

    def without_groups(self) -> Rules:
        """Rules that name keys alone, for tables that hold no groups."""
        return replace(self, group=(), links=None)

    def without_links(self) -> Rules:
        """Rules that name groups by their own columns, or their keys: what links join."""
        return replace(self, links=None)

    def identify_written(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Names the rows of a table that a run wrote, which has the source as a column.

        Args:
            frame: the key and group columns, the source column among them where a rule names it.

        Returns:
            As `identify`.
        """
        return self._linked(self._identify(frame))

    def classify(self, frame: pl.DataFrame, source: str) -> pl.DataFrame:
        """Names each row's cell: source, stratum and pools.

        Args:
            frame: the columns that the rules read.
            source: the source that the rows came from.

        Returns:
            `_source` (String), a String column a stratifier (null for null), `_pools` (UInt32 bits). Rows in the
            order given.
        """
        frame = self._with_source(frame, source)
        labels = {
            name: stratifier.label(frame[stratifier.column])
            for name, stratifier in zip(self.stratum_columns, self.strata, strict=True)
        }
        bits = pl.repeat(0, len(frame), dtype=pl.UInt32, eager=True)
        for i, pool in enumerate(self.pools):
            inside = _inside(pool, frame, source)
            bits |= inside.cast(pl.UInt32) * 2**i if isinstance(inside, pl.Series) else int(inside) * 2**i
        return pl.DataFrame({**labels, POOLS: bits}).select(pl.lit(source, dtype=pl.String).alias(SOURCE), pl.all())

    def inside(self, pool: str, frame: pl.DataFrame, source: str) -> pl.Series | bool:
        """Which rows are in a pool.

        Args:
            pool: its name.
            frame: the columns that the rules read.
            source: the source that the rows came from.

        Returns:
            Boolean, a row each; one value where the source alone tells.
        """
        found = next(known for known in self.pools if known.name == pool)
        return _inside(found, self._with_source(frame, source) if found.conditions else frame, source)

    def _with_source(self, frame: pl.DataFrame, source: str) -> pl.DataFrame:
        """The rows with their source as a column, where a rule names it."""
        if self.source_column not in self._columns:
            return frame
        return frame.with_columns(pl.lit(source, dtype=pl.String).alias(self.source_column))


def _inside(pool: Pool, frame: pl.DataFrame, source: str) -> pl.Series | bool:
    """Rows that are in a pool; one value where its conditions need not be asked."""
    if pool.sources is not None and source not in pool.sources:
        return False
    if not pool.conditions or not len(frame):
        return True
    inside = pl.repeat(True, len(frame), eager=True)
    for condition in pool.conditions:
        inside &= condition.mask(frame)
    return inside
