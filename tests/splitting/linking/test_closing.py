"""Clusters get names: those of an earlier run where it froze them, else a hash that does not grow with them."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitting.errors import DataError
from splitting.linking.closing import Earlier, close
from splitting.linking.forest import EDGE_SCHEMA, Forest
from splitting.linking.linked import describe
from splitting.linking.links import Links
from splitting.linking.rules import EqualValues
from splitting.rules import GROUP

PAIRS = st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15)), max_size=20)
NO_COUNTS = pl.DataFrame(schema={"via": pl.UInt8, "what": pl.String, "rows": pl.Int64})


def forest(pairs: list[tuple[int, int]]) -> Forest:
    return Forest.of(pl.DataFrame([(a, b, 0, 0) for a, b in pairs], schema=EDGE_SCHEMA, orient="row"))


def earlier(links: dict[int, int], frozen: dict[int, str]) -> Earlier:
    table = pl.DataFrame({"node": list(links), "cluster": list(links.values())}).cast(pl.UInt64)
    groups = pl.DataFrame({GROUP: list(frozen), "split": list(frozen.values())}).cast(
        {GROUP: pl.UInt64, "split": pl.String}
    )
    return Earlier(Links.of(table), groups)


def names(pairs: list[tuple[int, int]], before: Earlier | None = None) -> dict[int, int]:
    closed = close(forest(pairs), before or Earlier.nothing(), "s", 100)
    return dict(closed.links.table.iter_rows())


def test_a_new_cluster_is_named_by_a_hash_of_its_least_group() -> None:
    found = names([(3, 5), (5, 9), (20, 21)])
    assert found.keys() == {3, 5, 9, 20, 21}
    assert found[3] == found[5] == found[9] != found[20]
    assert found[3] not in found, "the least group itself would come too early in the order of u"
    assert names([(3, 7)])[3] == found[3]


def test_names_of_clusters_do_not_come_earlier_than_those_of_single_groups() -> None:
    """Uniform on 64 bits whatever the size: ten members are not ten chances to be drawn."""
    step = 2**64 // 20_000
    pairs = [(i * 10 * step, (i * 10 + j) * step) for i in range(2_000) for j in range(1, 10)]
    clusters = pl.Series([*set(names(pairs).values())])
    assert len(clusters) == 2_000
    assert 0.45 < clusters.cast(pl.Float64).mean() / 2**64 < 0.55  # type: ignore[operator]


def test_a_group_linked_with_a_frozen_one_takes_its_name() -> None:
    before = earlier({}, {5: "dev"})
    assert names([(3, 5), (5, 9)], before) == {3: 5, 5: 5, 9: 5}


def test_members_of_a_frozen_cluster_keep_it_when_what_linked_them_is_gone() -> None:
    before = earlier({3: 77, 5: 77, 8: 99, 9: 99}, {77: "dev"})
    assert names([], before) == {3: 77, 5: 77}
    assert names([(5, 6)], before) == {3: 77, 5: 77, 6: 77}


def test_frozen_groups_of_two_splits_stay_apart_and_are_told() -> None:
    before = earlier({3: 77, 4: 77}, {77: "dev", 5: "test", 6: "dev"})
    closed = close(forest([(4, 5), (5, 6), (6, 7)]), before, "s", 100)
    assert dict(closed.links.table.iter_rows()) == {3: 77, 4: 77, 5: 5, 6: 6, 7: 5}
    assert closed.apart.select("cluster", "split").rows() == [(5, "test"), (6, "dev"), (77, "dev")]
    told = describe(closed, (EqualValues("user"),), NO_COUNTS)
    assert told.plan.apart == (("dev", "test", 1),)
    assert told.notes[-1].startswith("1 cluster holds examples that earlier runs froze in both dev and test")
    same = close(forest([(3, 6)]), before, "s", 100)
    assert not len(same.apart), "two frozen groups of one split keep their names, and nothing is wrong"
    assert dict(same.links.table.iter_rows()) == {3: 77, 4: 77, 6: 6}


def test_a_cluster_that_is_too_large_is_told_with_what_made_it() -> None:
    chain = [(i, i + 1) for i in range(101)]
    with pytest.raises(DataError) as told:
        close(forest(chain), Earlier.nothing(), "s", 100, ["near_duplicates phash"])
    assert "102 groups into one cluster" in str(told.value)
    assert "101 by near_duplicates phash" in str(told.value)
    assert "largest_cluster" in str(told.value)


@given(PAIRS, PAIRS, st.sets(st.integers(0, 15), max_size=4), st.randoms(use_true_random=False))
def test_frozen_names_last_over_generations(
    first: list[tuple[int, int]], second: list[tuple[int, int]], drawn: set[int], random: object
) -> None:
    """Whatever is linked later or is linked no more, a group that stood in a split stands there still."""
    before = close(forest(first), Earlier.nothing(), "s", 100).links
    groups = before.clusters_of(pl.Series(sorted(drawn), dtype=pl.UInt64)).unique().sort()
    frozen = {group: random.choice(["dev", "test"]) for group in groups}  # type: ignore[attr-defined]
    earlier_run = earlier(dict(before.table.iter_rows()), frozen)
    after = close(forest(second), earlier_run, "s", 100).links
    again = close(forest(first), earlier(dict(after.table.iter_rows()), frozen), "s", 100).links
    every = pl.Series(range(16), dtype=pl.UInt64)
    was = before.clusters_of(every)
    for links in (after, again):
        now = links.clusters_of(every)
        stays = was.is_in(groups.implode())
        assert now.filter(stays).to_list() == was.filter(stays).to_list()
    reached = {frozenset(part) for part in _parts(after, second)}
    assert all(len(part) == 1 or part & set(groups) for part in reached)


def _parts(links: Links, pairs: list[tuple[int, int]]) -> list[set[int]]:
    """The clusters at both ends of each link: one, or, where some are frozen, those."""
    ends = pl.DataFrame(pairs, schema={"a": pl.UInt64, "b": pl.UInt64}, orient="row")
    clusters = ends.select(pl.col("a", "b").map_batches(links.clusters_of))
    return [{a, b} for a, b in clusters.iter_rows()]
