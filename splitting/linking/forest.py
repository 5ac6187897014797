"""The least spanning forest of a graph: who is linked with whom, in as few edges as that takes. A monoid.

Edges are ordered by distance, then by the rule that made them, then by their ends: all edges differ in that order, so
the least spanning forest is one and the same whatever order edges come in, and that of a union is that of the union of
the parts' forests. It also holds, for every node, the nearest edge that touches it (the cut property).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from splitting.errors import DataError
from splitting.frames import pack_frames, unpack_frames

A, B, VIA, DISTANCE = "a", "b", "via", "distance"
NODE, ROOT = "node", "root"
EDGE_SCHEMA = {A: pl.UInt64, B: pl.UInt64, VIA: pl.UInt8, DISTANCE: pl.UInt8}
MAX_EDGES = 10_000_000


@dataclass(frozen=True, eq=False)
class Forest:
    """Links between nodes, without circles.

    Attributes:
        edges: `a` < `b` (UInt64, nodes), `via` (UInt8, the number of the rule), `distance` (UInt8, 0 for equal).
            Sorted by `a`, `b`.
    """

    edges: pl.DataFrame

    @classmethod
    def empty(cls) -> Forest:
        """Of no edges; the neutral element of `merge`."""
        return cls(pl.DataFrame(schema=EDGE_SCHEMA))

    @classmethod
    def of(cls, edges: pl.DataFrame) -> Forest:
        """The least spanning forest of edges.

        Args:
            edges: the columns of `EDGE_SCHEMA`, ends in any order, repeats and loops allowed, no nulls.

        Returns:
            The forest: a function of the set of edges.
        """
        ordered = (
            edges.lazy()
            .filter(pl.col(A) != pl.col(B))
            .select(
                pl.min_horizontal(A, B).cast(pl.UInt64).alias(A),
                pl.max_horizontal(A, B).cast(pl.UInt64).alias(B),
                pl.col(VIA, DISTANCE).cast(pl.UInt8),
            )
            .sort(DISTANCE, VIA, A, B)
            .unique([A, B], keep="first", maintain_order=True)
            .collect()
        )
        return cls(ordered[_spanning(ordered)].sort(A, B)) if len(ordered) else cls.empty()

    @classmethod
    def merge(cls, parts: Iterable[Forest]) -> Forest:
        """The forest of all edges; commutative, associative and exact.

        Args:
            parts: forests.

        Returns:
            Their forest.

        Raises:
            DataError: it has more than `MAX_EDGES` edges.
        """
        found = [part for part in parts if len(part.edges)]
        forest = (
            found[0] if len(found) == 1 else cls.of(pl.concat([cls.empty().edges, *(part.edges for part in found)]))
        )
        if len(forest.edges) > MAX_EDGES:
            raise DataError(
                f"more than {MAX_EDGES:,} groups are linked with others: the table of links would not fit a worker. "
                "Make the links stricter, or name a column that all linked rows share under group:, which has no bound"
            )
        return forest

    def to_bytes(self) -> bytes:
        """Packs the forest; equal forests give equal bytes."""
        return pack_frames({"edges": self.edges})

    @classmethod
    def from_bytes(cls, data: bytes) -> Forest:
        """The forest that `to_bytes` packed."""
        return cls(unpack_frames(data)["edges"])

    def components(self) -> pl.DataFrame:
        """The connected components.

        Returns:
            `node` and `root` (UInt64, the least node of its component), sorted by `node`; nodes with an edge only.
        """
        nodes, ends = _numbered(self.edges)
        return pl.DataFrame({NODE: nodes, ROOT: nodes[_first_of_each(ends, len(nodes))]}, schema=_COMPONENT)


_COMPONENT = {NODE: pl.UInt64, ROOT: pl.UInt64}
_Ends = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


def _numbered(edges: pl.DataFrame) -> tuple[npt.NDArray[np.uint64], _Ends]:
    """The nodes, sorted, and the positions of the edges' ends among them."""
    nodes = pl.concat([edges[A], edges[B].alias(A)]).unique().sort().to_numpy()
    return nodes, (np.searchsorted(nodes, edges[A].to_numpy()), np.searchsorted(nodes, edges[B].to_numpy()))


def _first_of_each(ends: _Ends, count: int) -> npt.NDArray[np.int64]:
    """For every node, the first node of its component."""
    from scipy.sparse import coo_array  # noqa: PLC0415, takes long, and most runs link nothing
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    if not count:
        return np.empty(0, dtype=np.int64)
    graph = coo_array((np.ones(len(ends[0]), dtype=np.int8), ends), shape=(count, count))
    _, labels = connected_components(graph, directed=False)
    parts: npt.NDArray[np.int64] = labels
    return np.unique(parts, return_index=True)[1][parts]


def _spanning(ordered: pl.DataFrame) -> npt.NDArray[np.int64]:
    """The positions of the edges of the least spanning forest, where edges stand in their order."""
    from scipy.sparse import coo_array  # noqa: PLC0415, takes long, and most runs link nothing
    from scipy.sparse.csgraph import minimum_spanning_tree  # noqa: PLC0415

    nodes, ends = _numbered(ordered)
    ranks = np.arange(1, len(ordered) + 1, dtype=np.float64)  # 0 would be no edge
    graph = coo_array((ranks, ends), shape=(len(nodes), len(nodes))).tocsr()
    tree = minimum_spanning_tree(graph, overwrite=True)
    kept: npt.NDArray[np.int64] = np.sort(tree.data.astype(np.int64)) - 1
    return kept
