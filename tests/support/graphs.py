"""Connected components by a union-find in plain Python: what the fast ones are compared with."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TypeVar

N = TypeVar("N", bound=Hashable)


def partition(pairs: Iterable[tuple[N, N]]) -> set[frozenset[N]]:
    """The connected components of a graph, as sets of nodes; a pair of a node and itself names the node."""
    parent: dict[N, N] = {}

    def find(node: N) -> N:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for first, second in pairs:
        parent[find(first)] = find(second)
    parts: dict[N, set[N]] = {}
    for node in list(parent):
        parts.setdefault(find(node), set()).add(node)
    return {frozenset(part) for part in parts.values()}
