"""Forests: the same whatever order edges come in, and the components that a plain union-find finds."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitting.errors import DataError
from splitting.linking import forest as module
from splitting.linking.forest import EDGE_SCHEMA, NODE, ROOT, A, B, Forest
from splitting.linking.values import Linkage
from tests.support.graphs import partition
from tests.support.laws import check_monoid

NODES = st.one_of(st.integers(0, 12), st.sampled_from([2**63, 2**63 + 1, 2**64 - 1]))
EDGES = st.lists(st.tuples(NODES, NODES, st.integers(0, 2), st.integers(0, 4)), max_size=40)
Edge = tuple[int, int, int, int]


def frame(edges: list[Edge]) -> pl.DataFrame:
    return pl.DataFrame(edges, schema=EDGE_SCHEMA, orient="row")


@given(EDGES)
def test_components_are_those_of_a_union_find(edges: list[Edge]) -> None:
    parts = Forest.of(frame(edges)).components()
    found = {frozenset(part[NODE]) for _, part in parts.group_by(ROOT)}
    assert found == {part for part in partition((a, b) for a, b, *_ in edges) if len(part) > 1}
    assert all(root == part[NODE].min() for (root,), part in parts.group_by(ROOT))
    assert parts[NODE].is_sorted()


@given(EDGES, st.integers(1, 7), st.randoms(use_true_random=False))
def test_forests_are_monoids_and_no_order_decides(edges: list[Edge], size: int, random: object) -> None:
    mixed = [(b, a, via, distance) for a, b, via, distance in edges] + edges[:3]
    random.shuffle(mixed)  # type: ignore[attr-defined]
    whole = Forest.of(frame(edges))
    assert Forest.of(frame(mixed)).to_bytes() == whole.to_bytes()
    parts = [Forest.of(frame(mixed[i : i + size])) for i in range(0, len(mixed), size)]
    check_monoid(parts, Forest.empty())
    assert Forest.merge([*parts, Forest.empty()]).to_bytes() == whole.to_bytes()
    counts = pl.DataFrame({"via": [1, 0], "what": ["null", "null"], "rows": [2, 3]}).cast({"via": pl.UInt8})
    check_monoid([Linkage(part, counts) for part in parts], Linkage.empty())


@given(EDGES)
def test_a_forest_has_no_circles_and_the_nearest_edge_of_every_node(edges: list[Edge]) -> None:
    forest = Forest.of(frame(edges)).edges
    assert len(forest) == len(Forest.of(frame(edges)).components()) - len(
        partition((a, b) for a, b in forest[[A, B]].rows())
    )
    nearest: dict[int, int] = {}
    for a, b, _, distance in edges:
        for node in (a, b) if a != b else ():
            nearest[node] = min(nearest.get(node, 255), distance)
    for node, distance in nearest.items():
        assert forest.filter((pl.col(A) == node) | (pl.col(B) == node))["distance"].min() == distance


@given(EDGES, st.randoms(use_true_random=False))
def test_names_of_nodes_decide_no_partition(edges: list[Edge], random: object) -> None:
    nodes = sorted({node for edge in edges for node in edge[:2]})
    others = random.sample(range(10_000), len(nodes))  # type: ignore[attr-defined]
    renamed = dict(zip(nodes, others, strict=True))
    before, after = (
        {frozenset(part[NODE]) for _, part in Forest.of(frame(found)).components().group_by(ROOT)}
        for found in (edges, [(renamed[a], renamed[b], via, d) for a, b, via, d in edges])
    )
    assert {frozenset(renamed[node] for node in part) for part in before} == after


def test_too_many_linked_groups_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_EDGES", 9)
    ends = np.arange(11, dtype=np.uint64)
    chain = pl.DataFrame({A: ends[:-1], B: ends[1:], "via": 0, "distance": 0}).cast(EDGE_SCHEMA)  # type: ignore[arg-type]
    assert len(Forest.merge([Forest.of(chain[:9])]).edges) == 9
    with pytest.raises(DataError, match="more than 9 groups are linked"):
        Forest.merge([Forest.of(chain[:5]), Forest.of(chain[5:])])
