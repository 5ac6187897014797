"""Members of clusters: gathered in any order, each with the nearest other, the largest clusters first."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from splitting.linking.closing import Earlier, close
from splitting.linking.forest import EDGE_SCHEMA, Forest
from splitting.linking.links import Links
from splitting.linking.members import Members, largest_clusters, nearest_of, sizes_of, table_of
from splitting.linking.rules import EqualValues, NearHashes
from tests.support.laws import check_monoid

RULES = (EqualValues("user"), NearHashes("h", 4))
EDGES = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 1), st.integers(0, 4)).filter(
        lambda e: e[0] != e[1]
    ),
    max_size=20,
)


def forest_of(edges: list[tuple[int, int, int, int]]) -> Forest:
    return Forest.of(pl.DataFrame(edges, schema=EDGE_SCHEMA, orient="row"))


def members_of(nodes: list[int], links: Links) -> Members:
    keys = pl.Series([f"k{node}" for node in nodes], dtype=pl.String)
    return Members.of(pl.Series(nodes, dtype=pl.UInt64), "app", [keys], links)


@given(EDGES, st.lists(st.integers(0, 12), max_size=20), st.integers(1, 5))
def test_members_are_a_monoid(edges: list[tuple[int, int, int, int]], nodes: list[int], size: int) -> None:
    links = close(forest_of(edges), Earlier.nothing(), "s", 100).links
    parts = [members_of(nodes[i : i + size], links) for i in range(0, len(nodes), size)]
    check_monoid(parts, Members.empty(1))
    whole = Members.merge([Members.empty(1), *parts]).rows
    assert sorted(whole["node"]) == sorted(node for node in nodes if node in set(links.table["node"]))


@given(EDGES)
def test_every_member_stands_beside_its_nearest(edges: list[tuple[int, int, int, int]]) -> None:
    forest = forest_of(edges)
    links = close(forest, Earlier.nothing(), "s", 100).links
    members = Members.merge([Members.empty(1), members_of(list(range(10)), links)])
    table = table_of(members, forest, links, RULES, ("id",), "source")
    assert sorted(table["id"]) == [f"k{node}" for node in sorted(links.table["node"])]
    assert table["groups"].is_sorted(descending=True)
    near = {node: min(d for a, b, _, d in edges if node in (a, b)) for node in links.table["node"]}
    for row in table.iter_rows(named=True):
        ends = {int(row[name].removeprefix("k")) for name in ("id", "nearest_id")}
        assert row["distance"] == near[int(row["id"].removeprefix("k"))]
        assert any(
            {a, b} == ends and d == row["distance"] and RULES[via].name == row["linked_by"] for a, b, via, d in edges
        )


def test_the_largest_clusters_are_shown() -> None:
    forest = forest_of([(1, 2, 0, 0), (3, 4, 0, 0), (4, 5, 0, 0), (6, 7, 0, 0)])
    links = close(forest, Earlier.nothing(), "s", 100).links
    assert sizes_of(links) == [(2, 2), (3, 1)]
    assert sizes_of(largest_clusters(links, 5)) == [(2, 1), (3, 1)]
    assert sizes_of(largest_clusters(links, 2)) == []
    assert nearest_of(forest).filter(pl.col("node") == 4).select("nearest").item() == 3
