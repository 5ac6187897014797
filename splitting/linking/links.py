"""The table of links: the cluster of every group that is linked with another. What `Rules` looks groups up in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import polars as pl

NODE, CLUSTER = "node", "cluster"
LINKS_SCHEMA = {NODE: pl.UInt64, CLUSTER: pl.UInt64}


@dataclass(frozen=True, eq=False)
class Links:
    """Clusters of two groups or more.

    Attributes:
        table: `node` (UInt64, a group as its own columns or its key name it) and `cluster` (UInt64). Sorted by `node`,
            each once.
    """

    table: pl.DataFrame

    @classmethod
    def nothing(cls) -> Links:
        """Nothing is linked."""
        return cls(pl.DataFrame(schema=LINKS_SCHEMA))

    @classmethod
    def of(cls, table: pl.DataFrame) -> Links:
        """Takes a table in any order."""
        return cls(table.select(pl.col(NODE, CLUSTER).cast(pl.UInt64)).sort(NODE))

    def __len__(self) -> int:
        return len(self.table)

    def clusters_of(self, nodes: pl.Series) -> pl.Series:
        """The clusters of groups.

        Args:
            nodes: UInt64; null stays null.

        Returns:
            UInt64: the cluster of a linked group, and of any other the group itself. In the order given.

        Examples:
            >>> links = Links.of(pl.DataFrame({"node": [5, 3], "cluster": [9, 9]}))
            >>> links.clusters_of(pl.Series([1, 3, None, 5], dtype=pl.UInt64)).to_list()
            [1, 9, None, 9]
        """
        if not len(self.table) or not len(nodes):
            return nodes
        known = self.table[NODE].to_numpy()
        wanted = nodes.fill_null(0).to_numpy()
        order = np.argsort(wanted)  # looked up in order, neighbours share what is in the processor's cache
        at = np.empty(len(wanted), dtype=np.int64)
        at[order] = np.minimum(np.searchsorted(known, wanted[order]), len(known) - 1)
        found = np.where(known[at] == wanted, self.table[CLUSTER].to_numpy()[at], wanted)
        clusters = pl.Series(nodes.name, found, dtype=pl.UInt64)
        return clusters if not nodes.null_count() else clusters.set(nodes.is_null(), None)

    def digest(self) -> str:
        """SHA-256 of the table's values: 32 hexadecimal digits."""
        digest = hashlib.sha256()
        for name in LINKS_SCHEMA:
            digest.update(self.table[name].to_numpy().astype("<u8").tobytes())
        return digest.hexdigest()[:32]
