"""The promises, as laws over generated data: disjoint, covering, target only, exact, atomic, frozen, order-free."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from splitting.candidates import Candidates, Shortlist
from splitting.census import Census, CensusTaker
from splitting.errors import ShortfallError
from splitting.first_look import FirstLook
from splitting.first_rows import FirstRows, FirstRowsTaker, first_bound
from splitting.frames import pack_frames
from splitting.plan import Plan
from splitting.request import Request, Size, SplitRequest
from splitting.rules import GROUP, KEY, Pool, Rules, Stratifier
from tests.support.memory import Batches, plan_of, sizes, split_rows

QUICK = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
TARGET = Pool("target", frozenset({"app"}))
RULES = Rules("s", ("id",), (), (Stratifier("label"),), (TARGET, Pool("train")))
GROUPED = Rules("s", ("id",), ("user",), (Stratifier("label"),), (TARGET, Pool("train")))


def packed(census: Census) -> bytes:
    """Equal for equal censuses."""
    return pack_frames(census.frames())


def sent_and_read(look: FirstLook) -> FirstLook:
    """What the launcher has of what a worker saw."""
    return FirstLook.from_bytes(look.to_bytes())


def request(test: int, dev: int, train_dev: int, on_shortfall: str = "error") -> Request:
    named = (("test", "target", test), ("dev", "target", dev), ("train_dev", "train", train_dev))
    splits = tuple(SplitRequest(name, pool, Size(size)) for name, pool, size in named if size)
    return Request(splits, on_shortfall)  # type: ignore[arg-type]


@st.composite
def tables(draw: Callable[..., object], grouped: bool = False) -> Batches:
    """Web and app rows, with unequal labels, users that own several rows in both, null labels and users."""
    app = draw(st.integers(12, 80))
    web = draw(st.integers(40, 200))
    labels = st.sampled_from(["cat", "cat", "cat", "dog", "dog", "fox", None])
    users = st.one_of(st.none(), st.integers(0, (app + web) // 3)) if grouped else st.none()

    def frame(prefix: str, rows: int) -> pl.DataFrame:
        columns = {
            "id": [f"{prefix}{i}" for i in range(rows)],
            "label": draw(st.lists(labels, min_size=rows, max_size=rows)),
            "user": draw(st.lists(users, min_size=rows, max_size=rows)),
        }
        return pl.DataFrame(columns, schema={"id": pl.String, "label": pl.String, "user": pl.Int64})

    return [("web", frame("w", web)), ("app", frame("a", app))]


def everywhere_once(batches: Batches, split: pl.DataFrame) -> bool:
    ids = pl.concat([frame["id"] for _, frame in batches])
    return sorted(split["id"].to_list()) == sorted(ids.to_list())


@QUICK
@given(tables())
def test_splits_are_disjoint_covering_exact_and_from_the_target(batches: Batches) -> None:
    plan = plan_of(batches, RULES, request(5, 4, 7))
    split = split_rows(batches, RULES, plan)
    assert everywhere_once(batches, split)
    assert {name: n for name, n in sizes(split).items() if name != "train"} == {"test": 5, "dev": 4, "train_dev": 7}
    assert set(split.filter(pl.col("split").is_in(["dev", "test"]))["_source"]) == {"app"}
    for name in ("train", "train_dev", "dev", "test"):
        assert plan.rows_of(name) == sizes(split)[name]


@QUICK
@given(tables())
def test_every_cell_is_the_floor_or_ceiling_of_its_quota_and_margins_are_exact(batches: Batches) -> None:
    plan = plan_of(batches, RULES, request(5, 4, 7))
    asked = {split.name: split.rows for split in plan.splits}
    for name, rows in asked.items():
        quotas = [quota for quota in plan.quotas if quota.split == name]
        total = sum(quota.pool_rows for quota in quotas)
        assert sum(quota.rows for quota in quotas) == rows
        for quota in quotas:
            floor = quota.pool_rows * rows // total
            assert quota.rows == quota.wanted
            assert floor <= quota.wanted <= -(-quota.pool_rows * rows // total)
    split = split_rows(batches, RULES, plan)
    counted = split.group_by("split", "_source", "label").len()
    planned = {(cell.split, cell.source, cell.stratum[0]): cell.rows for cell in plan.cells}
    assert {(s, source, label): n for s, source, label, n in counted.iter_rows()} == planned


@QUICK
@given(tables(grouped=True))
def test_groups_stay_whole_and_their_outsiders_are_held_out(batches: Batches) -> None:
    plan = plan_of(batches, GROUPED, request(5, 4, 7, "allow"))
    split = split_rows(batches, GROUPED, plan)
    assert everywhere_once(batches, split)
    splits = split.filter(~pl.col("split").is_in(["held_out", "rejected"]))
    assert splits.group_by(GROUP).agg(pl.col("split").n_unique())["split"].max() == 1
    named = splits.filter(pl.col("user").is_not_null())
    assert named.group_by("user").agg(pl.col("split").n_unique())["split"].max() in (None, 1)
    assert set(splits.filter(pl.col("split").is_in(["dev", "test"]))["_source"]) <= {"app"}
    held = split.filter(pl.col("split") == "held_out")
    assert len(held) == sum(item.rows for item in plan.held_out)
    assert held["reason"].null_count() == 0
    for item in plan.splits:
        assert sizes(split).get(item.name, 0) == item.rows <= item.asked


@QUICK
@given(tables(grouped=True), st.randoms(use_true_random=False))
def test_the_plan_does_not_depend_on_the_order_or_batching_of_rows(batches: Batches, random: object) -> None:
    shuffled = []
    for source, frame in batches:
        order = list(range(len(frame)))
        random.shuffle(order)  # type: ignore[attr-defined]
        mixed = frame[order]
        cut = random.randint(0, len(frame))  # type: ignore[attr-defined]
        shuffled += [(source, mixed[:cut]), (source, mixed[cut:])]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    first = plan_of(batches, GROUPED, request(5, 4, 7, "allow"))
    second = plan_of([("web", batches[0][1].clear()), *shuffled], GROUPED, request(5, 4, 7, "allow"))
    assert first.to_json() == second.to_json()
    assert first.ledger.equals(second.ledger)


@QUICK
@given(tables(grouped=True))
def test_a_plan_survives_being_written(batches: Batches) -> None:
    plan = plan_of(batches, GROUPED, request(5, 4, 7, "allow"))
    assert Plan.from_json(plan.to_json(), plan.ledger).to_json() == plan.to_json()


@QUICK
@given(tables(grouped=True), st.integers(1, 6))
def test_census_and_candidates_are_monoids(batches: Batches, limit: int) -> None:
    parts = [
        Census.of(GROUPED, limit, frame, source) for source, frame in batches for frame in (frame[:20], frame[20:])
    ]
    census = Census.merge(parts)
    whole = packed(census)
    assert packed(Census.merge(parts[::-1])) == whole
    assert packed(Census.merge([Census.merge(parts[:2]), Census.merge(parts[2:])])) == whole
    assert packed(Census.merge([Census.empty(GROUPED, limit), *parts])) == whole
    sent = sent_and_read(FirstLook(census, FirstRows.empty(GROUPED))).census
    assert packed(sent) == whole
    groups = sent.smallest[GROUP].unique().sort()
    found = [
        Candidates.of(GROUPED, groups, f, s) for s, frame in batches for f, s in ((frame[:20], s), (frame[20:], s))
    ]
    merged = Candidates.merge(found).to_bytes()
    assert (
        Candidates.merge([Candidates.merge(found[:1]), *found[:0:-1], Candidates.empty(GROUPED)]).to_bytes() == merged
    )


@QUICK
@given(tables(grouped=True), st.integers(1, 40), st.integers(1, 6), st.integers(8, 60))
def test_first_rows_are_the_candidates_where_they_suffice(batches: Batches, most: int, limit: int, size: int) -> None:
    parts = [(source, part) for source, frame in batches for part in frame.iter_slices(size)]
    taken = []
    for some in (parts[::2], parts[1::2]):
        taker = FirstRowsTaker(GROUPED, first_bound(0), most)
        for source, part in some:
            taker.add(GROUPED.examine(part, source))
        taken.append(sent_and_read(FirstLook(Census.empty(GROUPED, limit), taker.first_rows())).first_rows)
    held = FirstRows.merge(taken, most)
    assert FirstRows.merge([*taken[::-1], FirstRows.empty(GROUPED)], most).bound == held.bound
    census = Census.merge([Census.empty(GROUPED, limit), *(Census.of(GROUPED, limit, f, s) for s, f in batches)])
    groups = census.smallest[GROUP].unique().sort()
    for count in range(len(groups) + 1):
        listed = Shortlist(groups[:count], census.cells)
        found = Candidates.merge([Candidates.of(GROUPED, listed.groups, f, s) for s, f in batches])
        if held.suffices(listed):
            assert held.candidates(listed).to_bytes() == found.to_bytes()
        else:
            assert len(held.rows) >= most
    assert held.suffices(Shortlist(groups.clear(), census.cells))


@QUICK
@given(st.lists(tables(grouped=True), min_size=1, max_size=2), st.integers(1, 6), st.integers(8, 60))
def test_taking_a_census_batch_by_batch_is_merging_all(many: list[Batches], limit: int, size: int) -> None:
    parts = [
        (source, part)
        for batches in many
        for source, frame in batches
        for part in frame.with_columns(
            id=pl.when(pl.int_range(pl.len()) % 9 != 0).then("id")  # some null keys, too
        ).iter_slices(size)
    ]
    taker = CensusTaker(GROUPED, limit)
    for source, part in parts:
        taker.add(GROUPED.examine(part, source), source)
    taker.reject("web", "bad line", 3)
    whole = Census.merge([Census.empty(GROUPED, limit), *(Census.of(GROUPED, limit, f, s) for s, f in parts)])
    taken = taker.census()
    assert packed(replace(taken, rejected=whole.rejected)) == packed(whole)
    bad = pl.DataFrame({"_source": ["web"], "reason": ["bad line"], "_rows": [3]})
    assert taken.rejected.equals(pl.concat([whole.rejected, bad]).sort("_source", "reason"))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(tables(grouped=True), min_size=2, max_size=4),
    st.randoms(use_true_random=False),
    st.booleans(),
    st.sampled_from(["hold_out", "join"]),
)
def test_nothing_moves_as_data_grows(additions: list[Batches], random: object, grouped: bool, members: str) -> None:
    """Append, delete, relabel, ask for more: nobody moves, and what was in train never enters an evaluation split."""
    rules = GROUPED if grouped else RULES
    web, app = (frame for _, frame in additions[0])
    plan: Plan | None = None
    split = pl.DataFrame()
    trained: set[str] = set()
    placed: dict[str, str] = {}
    for number, batches in enumerate(additions):
        if number:
            more = [frame.with_columns(id=pl.format("{}-{}", "id", pl.lit(number))) for _, frame in batches]
            web, app = (pl.concat([old[1:], new]) for old, new in ((web, more[0]), (app, more[1])))
            flip = pl.int_range(pl.len()) % 7 == random.randint(0, 6)  # type: ignore[attr-defined]
            app = app.with_columns(label=pl.when(flip).then(pl.lit("fox")).otherwise("label"))
        ask = Request(request(5 + number, 4, 7 + number, "allow").splits, "allow", members)  # type: ignore[arg-type]
        old = split.filter(pl.col("split") == "train").select(GROUP, KEY) if plan is not None else None
        plan = plan_of([("web", web), ("app", app)], rules, ask, plan, old)
        split = split_rows([("web", web), ("app", app)], rules, plan)
        now = dict(split.filter(~pl.col("split").is_in(["held_out", "rejected"])).select("id", "split").iter_rows())
        moved = {key: (placed[key], now[key]) for key in now.keys() & placed.keys() if now[key] != placed[key]}
        assert not moved
        assert not {key for key, name in now.items() if name != "train"} & trained
        assert set(split.filter(pl.col("split").is_in(["dev", "test"]))["_source"]) <= {"app"}
        trained |= {key for key, name in now.items() if name == "train"}
        placed |= now


@QUICK
@given(tables())
def test_the_same_data_again_gives_the_same_splits(batches: Batches) -> None:
    first = plan_of(batches, RULES, request(5, 4, 7))
    train = split_rows(batches, RULES, first).filter(pl.col("split") == "train").select(GROUP, KEY)
    second = plan_of(batches, RULES, request(5, 4, 7), first, train)
    assert second.ledger.equals(first.ledger)
    assert second.previous == first.fingerprint


@QUICK
@given(tables())
def test_another_salt_is_another_draw(batches: Batches) -> None:
    from dataclasses import replace

    first = plan_of(batches, RULES, request(5, 4, 7))
    second = plan_of(batches, replace(RULES, salt="t"), request(5, 4, 7))
    assert not first.ledger.equals(second.ledger)


@QUICK
@given(tables(), st.permutations(["cat", "dog", "fox"]))
def test_labels_may_be_renamed(batches: Batches, names: list[str]) -> None:
    """The draw goes by groups' hashes; what a label is called decides nothing where quotas are whole numbers."""
    mapping = dict(zip(["cat", "dog", "fox"], names, strict=True))
    plain = Rules("s", ("id",), (), (), (TARGET, Pool("train")))
    renamed = [(s, f.with_columns(pl.col("label").replace(mapping))) for s, f in batches]
    first, second = (plan_of(b, plain, request(5, 4, 7)) for b in (batches, renamed))
    assert first.ledger.equals(second.ledger)


def test_a_pool_that_is_too_small_is_told_with_what_would_fit() -> None:
    batches = [
        ("web", pl.DataFrame({"id": [f"w{i}" for i in range(50)], "label": ["cat"] * 50})),
        ("app", pl.DataFrame({"id": [f"a{i}" for i in range(8)], "label": ["cat"] * 8})),
    ]
    with pytest.raises(ShortfallError) as told:
        plan_of(batches, RULES, request(5, 4, 7))
    assert "pool 'target': asked 5 (test) + 4 (dev) rows; it has 8" in str(told.value)
    assert "on_shortfall" in str(told.value)
