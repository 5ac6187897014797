"""Closes links into clusters, and names each: what an earlier run froze keeps its name, all else is named anew.

A new cluster is named by the keyed hash of its least group. Were it the least group itself, a cluster of ten would come
ten times as early in the order of `u` as a group alone, and evaluation splits would fill with copies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from splitting.errors import DataError
from splitting.hashing import hash_texts, seed
from splitting.linking.forest import DISTANCE, EDGE_SCHEMA, NODE, ROOT, VIA, A, B, Forest
from splitting.linking.links import CLUSTER, Links
from splitting.plan import SPLIT
from splitting.rules import GROUP

KEPT = 255
_OWN, _FIRST, _SIZE = "_own", "_first", "_size"


@dataclass(frozen=True, eq=False)
class Earlier:
    """What an earlier run decided about groups.

    Attributes:
        links: its table of links.
        frozen: `_group` and `split` of every group that holds an example of an evaluation split, each group once.
    """

    links: Links
    frozen: pl.DataFrame

    @classmethod
    def nothing(cls) -> Earlier:
        """No earlier run."""
        return cls(Links.nothing(), pl.DataFrame(schema={GROUP: pl.UInt64, SPLIT: pl.String}))


@dataclass(frozen=True, eq=False)
class Closed:
    """Links, closed.

    Attributes:
        links: the table that names clusters.
        clusters: how many clusters of two groups or more there are.
        largest: groups of the largest.
        apart: `root`, `cluster` and `split`: frozen clusters that turned out to be linked with one of another split.
            Each stays where it is; sorted.
    """

    links: Links
    clusters: int
    largest: int
    apart: pl.DataFrame


def close(forest: Forest, earlier: Earlier, salt: str, most: int, names: Sequence[str] = ()) -> Closed:
    """Closes links into clusters.

    A group that an earlier run froze, alone or in a cluster, keeps the name that it has in the ledger, so that its
    examples stay where they are. Others that are linked with it take its name: they are new members of a frozen group.
    Where a cluster holds frozen groups of several names, the others take the least of them.

    Args:
        forest: of the groups, as their own columns name them.
        earlier: what an earlier run decided.
        salt: of the spec.
        most: groups that a cluster may hold.
        names: what reports call the rules, by the numbers in `via`.

    Returns:
        The clusters: a function of its arguments.

    Raises:
        DataError: a cluster is too large.
    """
    whole = Forest.merge([forest, _kept(earlier)])
    parts = whole.components().with_columns(pl.len().over(ROOT).alias(_SIZE))
    largest = int(parts[_SIZE].max() or 0)  # type: ignore[arg-type]
    if largest > most:
        raise DataError(_too_large(whole, parts, most, names))
    own = earlier.links.clusters_of(parts[NODE])
    frozen = own.is_in(earlier.frozen[GROUP].implode())
    named = parts.with_columns(own.alias(_OWN), frozen.alias("_frozen"))
    heir = pl.when("_frozen").then(_OWN).min().over(ROOT)
    fresh = hash_texts(parts[ROOT].cast(pl.String), seed(salt, "cluster"))
    cluster = pl.when("_frozen").then(_OWN).otherwise(pl.coalesce(heir, fresh)).alias(CLUSTER)
    return Closed(
        links=Links.of(named.select(NODE, cluster)),
        clusters=parts[ROOT].n_unique(),
        largest=largest,
        apart=_apart(named.filter("_frozen"), earlier.frozen),
    )


def _kept(earlier: Earlier) -> Forest:
    """The links within frozen clusters: they hold, whatever became of the rows that made them."""
    kept = earlier.links.table.filter(pl.col(CLUSTER).is_in(earlier.frozen[GROUP].implode()))
    stars = kept.select(
        pl.col(NODE).min().over(CLUSTER).alias(A),
        pl.col(NODE).alias(B),
        pl.lit(KEPT, dtype=pl.UInt8).alias(VIA),
        pl.lit(0, dtype=pl.UInt8).alias(DISTANCE),
    )
    return Forest.of(stars.cast(pl.Schema(EDGE_SCHEMA)))


def _apart(named: pl.DataFrame, frozen: pl.DataFrame) -> pl.DataFrame:
    found = named.select(ROOT, pl.col(_OWN).alias(CLUSTER)).unique()
    placed = found.join(frozen.rename({GROUP: CLUSTER}), on=CLUSTER)
    return placed.filter(pl.col(SPLIT).n_unique().over(ROOT) > 1).sort(ROOT, CLUSTER, SPLIT)


def _too_large(forest: Forest, parts: pl.DataFrame, most: int, names: Sequence[str]) -> str:
    """Which links chained so many groups together, and what to do."""
    size = int(parts[_SIZE].max())  # type: ignore[arg-type]
    root = parts.filter(pl.col(_SIZE) == size)[ROOT].min()
    inside = forest.edges.join(parts.filter(pl.col(ROOT) == root).select(pl.col(NODE).alias(A)), on=A, how="semi")
    counted = inside.group_by(VIA).len().sort("len", VIA, descending=[True, False]).rows()
    told = ", ".join(f"{count:,} by {'an earlier run' if via == KEPT else names[via]}" for via, count in counted)
    return (
        f"links chain {size:,} groups into one cluster, and at most {most:,} are allowed (largest_cluster). Its links "
        f"are {told}. A cluster is in one split as a whole, so a value that says nothing (a default, a placeholder) or "
        "a hash that many different examples share must not link. Look at it with: targetsplit duplicates SPEC. "
        "Then make such values null, lower the distance, name a `verify` column, take the link out, or raise "
        "largest_cluster"
    )
