"""Data grows, shrinks and changes over several generations; nobody moves, and nothing trained on is ever judged by."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipelines import api
from splitting.errors import RunDirectoryError, ShortfallError
from tests.support.corpus import EVALUATION, SPEC, check_whole, read_split, split_of, web_and_app, write_spec

pytestmark = pytest.mark.e2e
Tables = dict[str, pl.DataFrame]
ALLOW = SPEC + "on_shortfall: allow\n"


class History:
    """Runs generation after generation, and remembers where every example has been."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.generation = 0
        self.was: dict[object, set[str]] = {}
        self.trained: set[object] = set()

    @property
    def last(self) -> Path:
        return self.folder / f"RUN{self.generation}"

    def grow(self, tables: Tables, text: str = ALLOW, **sizes: object) -> dict[object, str]:
        """Runs once more on other data, checks what must hold between any two runs, and returns the new split."""
        before = split_of(self.last) if self.generation else {}
        previous = str(self.last) if self.generation else None
        self.generation += 1
        here = self.folder / f"data{self.generation}"
        for name, frame in tables.items():
            (here / name).mkdir(parents=True)
            frame.write_parquet(here / name / "rows.parquet")
        result = api.run(str(write_spec(here, text, **sizes)), str(self.last), previous=previous)
        assert result.success, result.judgement.critical
        if "output: index" not in text:
            check_whole(self.last, tables)
        now = split_of(self.last)
        moved = {key: (before[key], now[key]) for key in before.keys() & now.keys() if before[key] != now[key]}
        assert not moved
        judged = {key for key, split in now.items() if split != "train"}
        assert not judged & self.trained, "examples that were in train are in an evaluation split"
        self.trained |= {key for key, split in now.items() if split == "train"}
        groups = pl.concat([read_split(self.last, s).with_columns(split=pl.lit(s)) for s in ("train", *EVALUATION)])
        if "user_id" in groups.columns:
            of_user = groups.drop_nulls("user_id").group_by("user_id").agg(pl.col("split").n_unique())
            assert of_user["split"].max() == 1
        return now


def members(split: dict[object, str], name: str) -> set[object]:
    return {key for key, value in split.items() if value == name}


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path)


def test_generations_of_growth(history: History) -> None:
    small = {"test": 30, "dev": 25, "train_dev": 20}
    first = history.grow(web_and_app(600, 300), **small)

    again = history.grow(web_and_app(600, 300), **small)
    assert again == first

    appended = history.grow(web_and_app(900, 450), **small)
    assert {key: split for key, split in appended.items() if key in first} == first
    assert all(split == "train" for key, split in appended.items() if key not in first)

    larger = history.grow(web_and_app(1_200, 800), test=50, dev=40, train_dev=35)
    for name, least in (("test", 30), ("dev", 25), ("train_dev", 20)):
        assert members(first, name) <= members(larger, name)
        assert len(members(larger, name)) > least

    gone = {"web": web_and_app(1_200)["web"][7::3], "app": web_and_app(app=800)["app"][5::2]}
    left = {*gone["web"]["image_id"], *gone["app"]["image_id"]}
    smaller = history.grow(gone, test=5, dev=5, train_dev=5)
    for name in EVALUATION:
        assert members(smaller, name) == members(larger, name) & left, "a smaller size takes nobody out of a split"


def test_deleted_examples_move_no_other(history: History) -> None:
    tables = web_and_app(600, 300)
    first = history.grow(tables, test=30, dev=25, train_dev=20)
    for gone in ("dev", "train"):
        dead = sorted(str(key) for key in members(first, gone))[::2]
        kept = {name: frame.filter(~pl.col("image_id").is_in(dead)) for name, frame in tables.items()}
        after = history.grow(kept, test=30, dev=25, train_dev=20)
        left = {key: split for key, split in first.items() if key not in dead}
        assert {key: after.get(key) for key in left} == left
    returned = history.grow(tables, test=30, dev=25, train_dev=20)
    assert {key: split for key, split in returned.items() if first[key] != "train"} == {
        key: split for key, split in first.items() if split != "train"
    }, "an example that comes back comes back to its split"


def test_what_was_held_out_after_it_was_trained_on_stays_out_of_the_evaluation(history: History) -> None:
    """Web rows in `train` get the group of a dev example, are held out, and come back as app rows."""
    app = pl.DataFrame({"image_id": [f"a{i}" for i in range(100)]})
    web = pl.DataFrame({"image_id": [f"w{i}" for i in range(60)]})
    own = [frame.with_columns(user_id="u" + pl.col("image_id"), label=pl.lit("cat")) for frame in (app, web)]
    sizes = {"test": 40, "dev": 40, "train_dev": 1}
    first = history.grow({"app": own[0], "web": own[1]}, **sizes)
    dead = sorted(str(key) for key in members(first, "dev"))
    others = sorted(str(key) for key in members(first, "train") if str(key).startswith("w"))
    corrected = pl.when(pl.col("image_id").is_in(others)).then(pl.lit(f"u{dead[0]}")).otherwise("user_id")
    kept = own[0].filter(~pl.col("image_id").is_in(dead[1:]))
    held = history.grow({"app": kept, "web": own[1].with_columns(user_id=corrected)}, **sizes)
    assert not held.keys() & {*others}
    turned = own[1].filter(pl.col("image_id").is_in(others))
    rest = own[1].filter(~pl.col("image_id").is_in(others))
    last = history.grow({"app": pl.concat([kept, turned]), "web": rest}, **sizes)
    assert {last.get(key) for key in others} == {"train"}


def test_labels_and_groups_are_corrected(history: History) -> None:
    tables = web_and_app(600, 300)
    first = history.grow(tables, test=30, dev=25, train_dev=20)
    turned = pl.when(pl.col("label") == "cat").then(pl.lit("dog")).otherwise(pl.lit("cat"))
    relabelled = {name: frame.with_columns(label=turned) for name, frame in tables.items()}
    assert history.grow(relabelled, test=30, dev=25, train_dev=20) == first

    # Every third app image is found to be another user's: no one may cross, some are held out.
    other = pl.when(pl.int_range(pl.len()) % 3 == 0).then(pl.format("w{}", pl.int_range(pl.len()) // 5))
    regrouped = {**tables, "app": tables["app"].with_columns(user_id=other.otherwise("user_id"))}
    after = history.grow(regrouped, test=30, dev=25, train_dev=20)
    assert {key: split for key, split in after.items() if split != "train" and key in first} == {
        key: first[key] for key, split in after.items() if split != "train" and key in first
    }


def test_a_changed_target_draws_nobody_out_of_train(history: History) -> None:
    scored = SPEC.replace("target: {{source: app}}", 'target: {{source: app, where: "width >= {least}"}}') + (
        "on_shortfall: allow\n"
    )
    tables = web_and_app(600, 300)
    history.grow(tables, scored, least=1_000, test=30, dev=25, train_dev=20)
    history.grow(tables, scored, least=0, test=60, dev=50, train_dev=20)
    recomputed = {name: frame.with_columns(width=4_000 - pl.col("width")) for name, frame in tables.items()}
    history.grow(recomputed, scored, least=1_000, test=60, dev=50, train_dev=20)


@pytest.mark.parametrize("choice", ["hold_out", "join"])
def test_new_members_of_dev_groups(history: History, choice: str) -> None:
    text = f"{ALLOW}new_members: {choice}\n"
    tables = web_and_app(600, 300)
    first = history.grow(tables, text, test=30, dev=25, train_dev=20)
    users = tables["app"].filter(pl.col("image_id").is_in(list(members(first, "dev")))).drop_nulls("user_id")
    new = users.with_columns(image_id=pl.format("new-{}", "image_id"))
    assert len(new)
    grown = {**tables, "app": pl.concat([tables["app"], new])}
    after = history.grow(grown, text, test=30, dev=25, train_dev=20)
    newcomers = set(new["image_id"])
    assert not newcomers & members(after, "train")
    if choice == "join":
        assert newcomers <= members(after, "dev")
    else:
        assert not newcomers & after.keys()
        held = pl.concat([pl.read_parquet(path) for path in history.last.glob("held_out/rows-*")])
        assert set(held.filter(pl.col("image_id").is_in(list(newcomers)))["reason"]) == {"new member of a group in dev"}
    assert {key: after[key] for key in first} == first


def test_a_removed_split_is_held_out(history: History) -> None:
    tables = web_and_app(600, 300)
    first = history.grow(tables, ALLOW.replace("dev: {dev}", "dev: {dev}, extra: 15"), test=30, dev=25, train_dev=20)
    extra = {*tables["app"]["image_id"], *tables["web"]["image_id"]} - first.keys()
    after = history.grow(tables, test=30, dev=25, train_dev=20)
    assert not {key for key in after if key in extra and after[key] != "train"}
    run1 = pl.read_parquet(sorted((history.folder / "RUN1" / "data").glob("extra-*")))
    assert len(run1) == 15
    assert not set(run1["image_id"]) & after.keys(), "what one split judged by is neither trained on nor judged by"
    back = history.grow(tables, ALLOW.replace("dev: {dev}", "dev: {dev}, extra: 15"), test=30, dev=25, train_dev=20)
    again = pl.read_parquet(sorted((history.last / "data").glob("extra-*")))
    assert set(again["image_id"]) == set(run1["image_id"])
    assert back == first


def test_an_index_can_be_continued(history: History) -> None:
    text = ALLOW + "output: index\n"
    first = history.grow(web_and_app(600, 300), text, test=30, dev=25, train_dev=20)
    second = history.grow(web_and_app(900, 500), text, test=40, dev=35, train_dev=20)
    third = history.grow(web_and_app(900, 500), test=40, dev=35, train_dev=20)
    assert {key: second[key] for key in first} == first
    assert third == second


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    history = History(folder)
    history.grow(web_and_app(300, 150), test=10, dev=10, train_dev=10)
    return folder


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("salt: cats-2026", "salt: other", "its salt is 'cats-2026', the spec's is 'other'"),
        (
            "key: image_id",
            "key: [image_id, width]",
            r"its key is \['image_id'\], the spec's is \['image_id', 'width'\]",
        ),
        ("group: user_id", "group: caption", r"its group is \['user_id'\], the spec's is \['caption'\]"),
        ("group: user_id\n", "", r"its group is \['user_id'\], the spec's is \[\]"),
    ],
)
def test_another_identity_is_refused(finished: Path, tmp_path: Path, old: str, new: str, message: str) -> None:
    text = SPEC.replace(old, new)
    assert text != SPEC
    data = finished / "data1"
    spec = write_spec(tmp_path, text, web=data / "web", app=data / "app", test=10, dev=10, train_dev=10)
    with pytest.raises(RunDirectoryError, match=message):
        api.plan(str(spec), str(tmp_path / "RUN"), previous=str(finished / "RUN1"))
    assert not (tmp_path / "RUN" / "plan").exists()


def test_what_cannot_be_continued_is_told(finished: Path, tmp_path: Path) -> None:
    spec = str(finished / "data1" / "spec.yaml")
    with pytest.raises(RunDirectoryError, match="is not a finished run"):
        api.plan(spec, str(tmp_path / "RUN"), previous=str(tmp_path / "nowhere"))
    api.plan(spec, str(tmp_path / "PLANNED"))
    with pytest.raises(RunDirectoryError, match="is not a finished run"):
        api.plan(spec, str(tmp_path / "RUN"), previous=str(tmp_path / "PLANNED"))
    with pytest.raises(RunDirectoryError, match="itself"):
        api.plan(spec, str(finished / "RUN1"), previous=str(finished / "RUN1"), overwrite=True)
    assert (finished / "RUN1" / "_SUCCESS").exists(), "the run to continue is still there"


def test_a_larger_split_of_the_same_data_is_a_shortfall(finished: Path, tmp_path: Path) -> None:
    data = finished / "data1"
    spec = write_spec(tmp_path, web=data / "web", app=data / "app", test=40, dev=10, train_dev=10)
    with pytest.raises(ShortfallError):
        api.plan(str(spec), str(tmp_path / "RUN"), previous=str(finished / "RUN1"))


@pytest.mark.parametrize("choice", ["hold_out", "join"])
@pytest.mark.parametrize("change", ["another split's group", "a new group", "no group"])
def test_examples_whose_group_is_corrected_move_nowhere(history: History, choice: str, change: str) -> None:
    text = ALLOW.replace("allow", "fill") + f"new_members: {choice}\n"
    rows = pl.DataFrame({"image_id": [f"k{i}" for i in range(1_000)]}).with_columns(
        user_id=pl.format("u{}", pl.int_range(pl.len()) // 2),
        label=pl.when(pl.int_range(pl.len()) % 3 == 0).then(pl.lit("cat")).otherwise(pl.lit("dog")),
    )
    tables = {"web": rows[:300], "app": rows[300:]}
    first = history.grow(tables, text, test=60, dev=50, train_dev=20)
    owner = dict(zip(rows["image_id"], rows["user_id"], strict=True))
    of_dev = owner[sorted(map(str, members(first, "dev")))[0]]
    chosen = [*sorted(map(str, members(first, "test")))[::3], *sorted(map(str, members(first, "train")))[::40]]
    group = {"another split's group": of_dev, "a new group": "brand new", "no group": None}[change]
    turned = {
        name: frame.with_columns(
            user_id=pl.when(pl.col("image_id").is_in(chosen)).then(pl.lit(group, pl.String)).otherwise("user_id")
        )
        for name, frame in tables.items()
    }
    after = history.grow(turned, text, test=60, dev=50, train_dev=20)
    assert {key: split for key, split in after.items() if split != "train"}.items() <= first.items()


def test_a_run_that_lost_train_files_cannot_be_continued(history: History) -> None:
    tables = web_and_app(600, 300)
    here = history.folder / "data1"
    for name, frame in tables.items():
        (here / name).mkdir(parents=True)
        frame.write_parquet(here / name / "rows.parquet", row_group_size=50)
    spec = str(write_spec(here, ALLOW, test=30, dev=25, train_dev=20))
    api.run(spec, str(history.folder / "RUN1"), shard_bytes=2_000)
    shards = sorted((history.folder / "RUN1" / "data").glob("train-*"))
    assert len(shards) > 1
    shards[-1].unlink()
    larger = str(write_spec(here, ALLOW, test=80, dev=75, train_dev=20))
    with pytest.raises(RunDirectoryError, match=f"its data folder lacks {shards[-1].name}; bring it back"):
        api.run(larger, str(history.folder / "RUN2"), previous=str(history.folder / "RUN1"))


def test_a_split_that_is_no_longer_asked_for_is_told(history: History) -> None:
    tables = web_and_app(600, 300)
    history.grow(tables, ALLOW.replace("dev: {dev}", "dev: {dev}, extra: 15"), test=30, dev=25, train_dev=20)
    history.grow(tables, test=30, dev=25, train_dev=20)
    notes = api.show(str(history.last)).notes
    assert any("An earlier run had the split 'extra'" in note and "15 examples are held out" in note for note in notes)
