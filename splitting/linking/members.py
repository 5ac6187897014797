"""Who is in a cluster: the rows of linked groups, and for each group the nearest other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from splitting.frames import pack_frames, unpack_frames
from splitting.linking.forest import DISTANCE, VIA, A, B, Forest
from splitting.linking.links import CLUSTER, NODE, Links
from splitting.linking.rules import LinkRule
from splitting.rules import SOURCE

NEAREST, LINKED_BY, GROUPS = "nearest", "linked_by", "groups"


@dataclass(frozen=True, eq=False)
class Members:
    """Rows of linked groups. A monoid.

    Attributes:
        rows: `node` (UInt64), `_source` and the key columns `key0`, `key1`, … (String); a row an input row. Sorted.
    """

    rows: pl.DataFrame

    @classmethod
    def empty(cls, width: int) -> Members:
        """Of no rows; the neutral element of `merge`.

        Args:
            width: how many key columns there are.
        """
        return cls(pl.DataFrame(schema={NODE: pl.UInt64, SOURCE: pl.String} | dict.fromkeys(_keys(width), pl.String)))

    @classmethod
    def of(cls, nodes: pl.Series, source: str, keys: Sequence[pl.Series], links: Links) -> Members:
        """The linked rows of a batch.

        Args:
            nodes: UInt64, the group of each row, before any link.
            source: of the rows.
            keys: their key columns, as text.
            links: which groups are linked.

        Returns:
            They.
        """
        names = dict(zip(_keys(len(keys)), keys, strict=True))
        rows = pl.DataFrame({NODE: nodes, SOURCE: pl.repeat(source, len(nodes), eager=True), **names})
        return cls(rows.filter(pl.col(NODE).is_in(links.table[NODE].implode())))

    @classmethod
    def merge(cls, parts: Iterable[Members]) -> Members:
        """The rows of all; commutative, associative and exact."""
        rows = pl.concat([part.rows for part in parts])
        return cls(rows.sort(NODE, SOURCE, *rows.columns[2:]))

    def to_bytes(self) -> bytes:
        """Packs the rows; equal ones give equal bytes."""
        return pack_frames({"rows": self.rows})

    @classmethod
    def from_bytes(cls, data: bytes) -> Members:
        """What `to_bytes` packed."""
        return cls(unpack_frames(data)["rows"])


def _keys(width: int) -> list[str]:
    return [f"key{i}" for i in range(width)]


def nearest_of(forest: Forest) -> pl.DataFrame:
    """The nearest other group of each linked group.

    Args:
        forest: the least spanning forest holds every group's nearest edge.

    Returns:
        `node`, `nearest` (UInt64), `via`, `distance`; sorted by `node`.
    """
    edges = forest.edges
    ends = [(A, B), (B, A)]
    both = pl.concat([edges.select(pl.col(a).alias(NODE), pl.col(b).alias(NEAREST), VIA, DISTANCE) for a, b in ends])
    return both.sort(NODE, DISTANCE, VIA, NEAREST).unique(NODE, keep="first", maintain_order=True)


def table_of(
    members: Members, forest: Forest, links: Links, rules: Sequence[LinkRule], key: Sequence[str], source: str
) -> pl.DataFrame:
    """The table of duplicates.

    Args:
        members: of the clusters to show.
        forest: that links them.
        links: their clusters.
        rules: what linked them.
        key: names of the key columns.
        source: name of the source column.

    Returns:
        A row a member: `cluster` (16 hexadecimal digits), `groups` (of the cluster), key, source, the key and source of
        the first row of the nearest other group (`nearest_…`), `linked_by` and `distance`. The largest clusters first.
    """
    sizes = links.table.group_by(CLUSTER).agg(pl.len().alias(GROUPS))
    # A source that is a part of the key stands in the table once.
    named = dict(zip(_keys(len(key)), key, strict=True)) | {SOURCE: source}
    named = {old: new for old, new in named.items() if old == SOURCE or new != source}
    firsts = members.rows.unique(NODE, keep="first", maintain_order=True)
    firsts = firsts.rename({NODE: NEAREST, **{old: f"nearest_{new}" for old, new in named.items()}})
    names = pl.Series(LINKED_BY, [rule.name for rule in rules], dtype=pl.String)
    rows = (
        members.rows.join(links.table, on=NODE)
        .join(sizes, on=CLUSTER)
        .join(nearest_of(forest), on=NODE)
        .join(firsts, on=NEAREST, how="left")
        .sort(
            GROUPS,
            CLUSTER,
            NODE,
            *members.rows.columns[1:],
            descending=[True, *[False] * (len(members.rows.columns) + 1)],
        )
    )
    shown = [
        _hexadecimal(rows[CLUSTER]),
        rows[GROUPS].cast(pl.Int64),
        *(rows[old].alias(new) for old, new in named.items()),
        *(rows[f"nearest_{new}"] for new in named.values()),
        names.gather(rows[VIA]).alias(LINKED_BY),
        rows[DISTANCE],
    ]
    return pl.DataFrame(shown)


def _hexadecimal(numbers: pl.Series) -> pl.Series:
    return pl.Series(numbers.name, [f"{number:016x}" for number in numbers], dtype=pl.String)


def largest_clusters(links: Links, most: int) -> Links:
    """The largest clusters, as many as hold at most so many groups together; of equal size, the first by name."""
    sizes = links.table.group_by(CLUSTER).agg(pl.len().alias(GROUPS)).sort(GROUPS, CLUSTER, descending=[True, False])
    chosen = sizes.filter(pl.col(GROUPS).cum_sum() <= most)[CLUSTER]
    return Links(links.table.filter(pl.col(CLUSTER).is_in(chosen.implode())))


def sizes_of(links: Links) -> list[tuple[int, int]]:
    """How many clusters hold how many groups.

    Returns:
        (groups, clusters), from the least on.
    """
    sizes = links.table.group_by(CLUSTER).agg(pl.len().alias(GROUPS)).group_by(GROUPS).len().sort(GROUPS)
    return [(int(groups), int(clusters)) for groups, clusters in sizes.iter_rows()]


def edges_by_rule(forest: Forest, rules: Sequence[LinkRule]) -> dict[str, int]:
    """By rule, how many links it takes to hold the clusters together."""
    counted = dict(forest.edges.group_by(VIA).len().iter_rows())
    return {rule.name: int(counted.get(via, 0)) for via, rule in enumerate(rules)}


def top_clusters(table: pl.DataFrame, source: str, most: int, pairs: int) -> list[dict[str, Any]]:
    """The largest clusters, with pairs to look at: the nearest first, those that differ before those that are equal.

    Args:
        table: of `table_of`.
        source: name of the source column.
        most: clusters to show.
        pairs: to show of each.

    Returns:
        A mapping a cluster, of plain values.
    """
    found = []
    for name in table["cluster"].unique(maintain_order=True).head(most):
        part = table.filter(pl.col("cluster") == name)
        sources = dict(part.group_by(source).len().sort(source).iter_rows())
        shown = _pairs(part.drop("cluster", GROUPS).sort(pl.col(DISTANCE) == 0, maintain_order=True), pairs)
        found.append(
            {
                "cluster": name,
                "groups": int(part[GROUPS][0]),
                "rows": len(part),
                "sources": sources,
                "pairs": shown,
            }
        )
    return found


def _pairs(rows: pl.DataFrame, most: int) -> list[dict[str, Any]]:
    """The first rows; of two that are each other's nearest, one."""
    width = (len(rows.columns) - 2) // 2  # a row, its nearest, what links them, how far apart they are
    shown: dict[frozenset[tuple[Any, ...]], dict[str, Any]] = {}
    for values in rows.iter_rows():
        shown.setdefault(frozenset((values[:width], values[width:-2])), dict(zip(rows.columns, values, strict=True)))
        if len(shown) == most:
            break
    return list(shown.values())
