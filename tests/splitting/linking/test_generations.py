"""Linked rows over several generations: rows come and go, links appear and vanish, and no split is mixed or moved."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise

import polars as pl
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from splitting.errors import ShortfallError
from splitting.linking.closing import Earlier, close
from splitting.linking.hamming import band_masks, near_links
from splitting.linking.linked import Linked, describe
from splitting.linking.links import Links
from splitting.linking.rules import EqualValues, NearHashes
from splitting.linking.values import VIA, Linkage, equal_links, link_values
from splitting.plan import Plan
from splitting.request import Request, Size, SplitRequest
from splitting.rules import GROUP, KEY, Pool, Rules
from tests.support.graphs import partition
from tests.support.memory import Batches, plan_of, split_rows

LINKS = (EqualValues("user"), EqualValues("item"), NearHashes("phash", 2))
RULES = Rules("s", ("id",), (), (), (Pool("target", frozenset({"app"})), Pool("train")))
SPLITS = ("test", "dev", "train_dev")


def link(batches: list[tuple[str, pl.DataFrame]], rules: Rules, earlier: Earlier) -> tuple[Links, Linked]:
    """Links rows in memory, as the job does it."""
    values, parts = [], []
    for source, frame in batches:
        found, unlinked = link_values(LINKS, frame, rules.identify(frame, source)[GROUP], rules.salt)
        values.append(found)
        parts.append(unlinked)
    forest, distinct = equal_links(pl.concat(values))
    hashes = distinct.filter(pl.col(VIA) == 2)
    near = [near_links(hashes, LINKS[2], mask) for mask in band_masks(2, 100)]
    whole = Linkage.merge([*parts, Linkage.of(forest), *map(Linkage.of, near)])
    closed = close(whole.forest, earlier, rules.salt, 10_000)
    return closed.links, describe(closed, LINKS, whole.unlinked)


def components(rows: pl.DataFrame) -> set[frozenset[str]]:
    """Which ids are linked, found row by row."""
    pairs = [(id_, id_) for id_ in rows["id"]]
    for name in ("user", "item"):
        for _, part in rows.filter(pl.col(name).is_not_null()).group_by(name):
            pairs += pairwise(part["id"].to_list())
    known = [
        (id_, h) for id_, h in rows.select("id", "phash").iter_rows() if h is not None and 8 <= h.bit_count() <= 56
    ]
    pairs += [(a, b) for a, g in known for b, h in known if (g ^ h).bit_count() <= 2]
    return partition(pairs)


@dataclass
class Lineage:
    """Runs in memory, one after the other."""

    new_members: str
    rules: Rules = RULES
    plan: Plan | None = None
    links: Links = field(default_factory=Links.nothing)
    batches: list[tuple[str, pl.DataFrame]] = field(default_factory=list)
    split: pl.DataFrame = field(default_factory=pl.DataFrame)

    def grow(self, web: pl.DataFrame, app: pl.DataFrame, sizes: tuple[int, int, int]) -> dict[str, str]:
        batches = [("web", web), ("app", app)]
        earlier, old = Earlier.nothing(), None
        if self.plan is not None:
            members = self.plan.ledger.filter(pl.col(KEY).is_not_null())
            earlier = Earlier(self.links, members.select(GROUP, "split").unique(GROUP, maintain_order=True))
        self.links, linked = link([*batches, *self.batches], self.rules, earlier)
        self.batches = batches
        rules = replace(self.rules, links=self.links)
        if self.plan is not None:
            was = self.split.filter(pl.col("split").is_in(["train", "held_out"]))
            old = was.select(pl.col("_node").map_batches(self.links.clusters_of).alias(GROUP), KEY)
        named = zip(SPLITS, ("target", "target", "train"), sizes, strict=True)
        splits = tuple(SplitRequest(name, pool, Size(size)) for name, pool, size in named)
        request = Request(splits, "allow", self.new_members)  # type: ignore[arg-type]
        self.plan = plan_of(batches, rules, request, self.plan, old, linked)
        self.split = split_rows(batches, rules, self.plan)
        nodes = pl.concat([self.rules.identify(frame, source)[GROUP] for source, frame in batches])
        self.split = self.split.with_columns(nodes.alias("_node"))
        return dict(self.split.select("id", "split").iter_rows())


@st.composite
def rows(draw, prefix: str) -> pl.DataFrame:  # type: ignore[no-untyped-def]
    count = draw(st.integers(8, 40))
    near = st.sampled_from([0x00FF00FF00FF00FF, 0x00FF00FF00FF00FC, 0x00FF00FF00FF00F0, 0x0F0F0F0F0F0F0F0F, 0, 3, None])
    return pl.DataFrame(
        {
            "id": [f"{prefix}{i}" for i in range(count)],
            "user": draw(st.lists(st.one_of(st.none(), st.integers(0, 40)), min_size=count, max_size=count)),
            "item": draw(st.lists(st.one_of(st.none(), st.none(), st.integers(0, 30)), min_size=count, max_size=count)),
            "phash": draw(st.lists(st.one_of(st.none(), st.none(), near), min_size=count, max_size=count)),
        },
        schema={"id": pl.String, "user": pl.Int64, "item": pl.Int64, "phash": pl.UInt64},
    )


GENERATIONS = st.integers(2, 4).flatmap(
    lambda n: st.tuples(*(st.tuples(rows(f"w{i}-"), rows(f"a{i}-")) for i in range(n)))  # type: ignore[no-untyped-call]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(GENERATIONS, st.randoms(use_true_random=False), st.sampled_from(["hold_out", "join"]), st.booleans())
def test_links_over_generations(
    generations: tuple[Batches, ...], random: object, new_members: str, grouped: bool
) -> None:
    lineage = Lineage(new_members, replace(RULES, group=("user",)) if grouped else RULES)
    web, app = (frame.clear() for frame in generations[0])  # type: ignore[union-attr]
    placed: dict[str, str] = {}
    trained: set[str] = set()
    last_train = web
    for number, (more_web, more_app) in enumerate(generations):
        seed = random.randint(0, 6)  # type: ignore[attr-defined]
        web, app = (pl.concat([_aged(old, seed), new]) for old, new in ((web, more_web), (app, more_app)))
        try:
            now = lineage.grow(web, app, (5 + number, 4, 6 + number))
        except ShortfallError:  # nearly all rows are of one cluster, and held out
            reject()
        assert now.keys() == {*web["id"], *app["id"]}
        now = {key: split for key, split in now.items() if split != "held_out"}
        moved = {key: (placed[key], now[key]) for key in now.keys() & placed.keys() if now[key] != placed[key]}
        assert not moved
        assert not {key for key, split in now.items() if split != "train"} & trained, "trained on, and judged by"
        for part in components(pl.concat([web, app])):
            splits = {now[key] for key in part if key in now}
            if len(splits) > 1:
                assert "train" not in splits, "a link between train and an evaluation split"
                fresh = {now[key] for key in part if key in now and key not in placed}
                assert not fresh, "something new joined what stands in two splits"
                assert lineage.plan is not None
                assert lineage.plan.links is not None
                assert splits <= {name for first, second, _ in lineage.plan.links.apart for name in (first, second)}
        rows = pl.concat([web, app])
        for part in components(pl.concat([rows, last_train.filter(~pl.col("id").is_in(rows["id"].implode()))])):
            drawn = {key for key in part if now.get(key, "train") != "train" and key not in placed}
            assert new_members == "join" or not drawn or not part & {*last_train["id"]}, (
                "drawn, though linked with what was trained on"
            )
        trained |= {key for key, split in now.items() if split == "train"}
        last_train = rows.filter(pl.col("id").is_in([key for key, split in now.items() if split == "train"]))
        placed |= now


def _aged(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Rows after a while: some are gone, some have another user, some link to what they did not."""
    at = pl.int_range(pl.len())
    kept = rows.filter(at % 5 != seed % 5)
    other = pl.when(at % 7 == seed).then((at + seed) % 40).otherwise("user").alias("user")
    return kept.with_columns(other)


def test_a_link_between_dev_and_old_train_takes_the_train_example_out() -> None:
    ids = {"app": [f"a{i}" for i in range(60)], "web": [f"w{i}" for i in range(60)]}
    blank = {"item": None, "phash": None}
    web, app = (
        pl.DataFrame({"id": ids[name]}).select(
            "id",
            pl.lit(None, dtype=pl.Int64).alias("user"),
            *(pl.lit(v, dtype=pl.Int64).alias(k) for k, v in blank.items()),
        )
        for name in ("web", "app")
    )
    web, app = (frame.with_columns(pl.col("phash").cast(pl.UInt64)) for frame in (web, app))
    lineage = Lineage("hold_out")
    first = lineage.grow(web, app, (10, 10, 10))
    dev = next(key for key, split in first.items() if split == "dev")
    train = [key for key, split in first.items() if split == "train"][:3]
    user = pl.when(pl.col("id").is_in([dev, train[0]])).then(7).when(pl.col("id").is_in(train[1:])).then(8)
    web, app = (frame.with_columns(user.cast(pl.Int64).alias("user")) for frame in (web, app))
    copy = app.head(1).with_columns(id=pl.lit("new"), user=pl.lit(7, dtype=pl.Int64))
    second = lineage.grow(web, pl.concat([app, copy]), (10, 10, 10))
    assert second.pop("new") == "held_out"
    assert {key: (first[key], second[key]) for key in first if first[key] != second[key]} == {
        train[0]: ("train", "held_out")
    }
    third = lineage.grow(web, app.with_columns(user=pl.lit(None, dtype=pl.Int64)), (10, 10, 10))
    assert {key for key in first if first[key] != third[key]} == {train[0]}, "what was taken out stays out"


def test_a_cluster_of_users_who_were_trained_on_is_not_drawn() -> None:
    """Their old rows are gone, and new rows of two such users are linked: the cluster is looked up, not the user."""
    count = 60
    blank = {"phash": pl.lit(None, dtype=pl.UInt64)}
    nothing = pl.lit(None, dtype=pl.Int64).alias("item")
    number = pl.DataFrame({"n": range(count)})
    web = number.select(pl.format("w{}", "n").alias("id"), pl.col("n").alias("user"), nothing, **blank)
    app = number.select(pl.format("a{}", "n").alias("id"), (pl.col("n") + 1_000).alias("user"), nothing, **blank)
    lineage = Lineage("hold_out", replace(RULES, group=("user",)))
    lineage.grow(web, app, (30, 20, 1))
    linked = number.select(
        pl.format("new{}", "n").alias("id"), pl.col("n").alias("user"), (pl.col("n") // 2).alias("item"), **blank
    )
    now = lineage.grow(web.head(0), pl.concat([app.head(55), linked]), (40, 30, 1))
    trained = {f"new{n}" for n in range(count)} - {key for key, split in now.items() if split == "held_out"}
    assert {now[key] for key in trained} == {"train"}
