"""Linked rows, end to end: no cluster in two splits, the same plan however the data lies, and growth."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from pipelines import api
from pipelines.stored_links import StoredLinks
from splitting.errors import RunDirectoryError, SpecError
from tests.support.corpus import check_whole, decision, split_of, write_parquet, write_spec
from tests.support.linked import LINKED_SPEC, linked_tables, splits_of_parts

pytestmark = pytest.mark.e2e
SIZES = {"test": 60, "dev": 50, "train_dev": 40}


def run(
    folder: Path, tables: dict[str, pl.DataFrame], name: str = "RUN", text: str = LINKED_SPEC, **more: object
) -> Path:
    here = folder / f"data-{name}"
    here.mkdir()
    write_parquet(here, tables, more.pop("rows", None))  # type: ignore[arg-type]
    result = api.run(
        write_spec(here, text, **(SIZES | {k: v for k, v in more.items() if k in SIZES})),
        folder / name,
        previous=more.get("previous"),
    )  # type: ignore[arg-type]
    assert result.success, result.judgement.critical
    check_whole(folder / name, tables)
    return folder / name


def test_no_cluster_is_in_two_splits_and_its_members_outside_the_pool_are_held_out(tmp_path: Path) -> None:
    tables = linked_tables()
    done = run(tmp_path, tables)
    parts = splits_of_parts(done, tables)
    assert max(len(splits) for splits in parts.values()) == 1
    assert sum(len(part) > 1 for part, splits in parts.items() if splits & {"dev", "test"}) > 5
    plan = api.show(done)
    assert plan.links is not None
    assert plan.links.clusters == sum(len(part) > 1 for part in parts)
    assert plan.links.groups == sum(len(part) for part in parts if len(part) > 1)
    assert plan.links.largest == max(map(len, parts))
    assert {split.name: split.rows for split in plan.splits} == SIZES
    held = pl.concat([pl.read_parquet(path) for path in (done / "held_out").glob("rows-*")])
    assert set(held["reason"]) == {"group is in dev", "group is in test"}
    assert set(held["source"]) == {"web"}
    checks = Counter(
        item["check"].split(" in both ")[0] for item in json.loads((done / "validation.json").read_text())["results"]
    )
    assert checks["no user_id"] == checks["no near_duplicates phash"] == checks["no product_id"] == 6


def test_an_index_holds_what_links_its_rows_and_is_looked_through(tmp_path: Path) -> None:
    tables = linked_tables()
    done = run(tmp_path, tables, text=LINKED_SPEC + "output: index\n")
    assert decision(done) == decision(run(tmp_path, tables, name="DATA"))
    rows = pl.read_parquet(sorted((done / "data").glob("dev-*.parquet")))
    assert {"image_id", "user_id", "product_id", "phash", "split"} <= set(rows.columns)
    assert "caption" not in rows.columns
    results = json.loads((done / "validation.json").read_text())["results"]
    checks = Counter(item["check"].split(" in both ")[0] for item in results)
    assert checks["no user_id"] == checks["no near_duplicates phash"] == checks["no product_id"] == 6


def test_the_plan_is_the_same_however_the_data_lies(tmp_path: Path) -> None:
    tables = linked_tables()
    first = run(tmp_path, tables)
    shuffled = {name: frame.sample(fraction=1.0, shuffle=True, seed=3) for name, frame in tables.items()}
    second = run(tmp_path, shuffled, "SHUFFLED", rows=50)
    assert decision(first) == decision(second)
    assert (first / "plan/links.parquet").read_bytes() == (second / "plan/links.parquet").read_bytes()


def test_links_over_generations(tmp_path: Path) -> None:
    """A copy of a frozen dev image is held out; a link between dev and old train takes the train example out."""
    tables = linked_tables()
    first = run(tmp_path, tables, "RUN1")
    before = split_of(first)
    alone = {next(iter(part)): splits for part, splits in splits_of_parts(first, tables).items() if len(part) == 1}
    dev = next(key for key, splits in sorted(alone.items()) if splits == {"dev"})
    train = next(key for key, splits in sorted(alone.items()) if splits == {"train"})
    hashes = tables["app"].filter(pl.col("image_id") == dev)
    copy = hashes.with_columns(image_id=pl.lit("copy"), phash=pl.col("phash") ^ 3) if hashes["phash"][0] else hashes
    product = pl.when(pl.col("image_id").is_in([dev, train])).then(pl.lit("found later")).otherwise("product_id")
    more = linked_tables(300, 200, seed=8)
    later = {
        name: pl.concat(
            [
                frame.with_columns(product_id=product),
                more[name].with_columns(pl.format("more-{}", "image_id").alias("image_id"), pl.col("user_id") + 10_000),
            ]
        )
        for name, frame in tables.items()
    }
    later["web"] = pl.concat([later["web"], copy.with_columns(product_id=pl.lit("found later"))])
    second = run(tmp_path, later, "RUN2", previous=first, test=80, dev=60, train_dev=45)
    now = split_of(second)
    assert {key: split for key, split in before.items() if now.get(key) != split} == {train: "train"}
    assert "copy" not in now
    assert train not in now
    assert max(len(splits) for splits in splits_of_parts(second, later).values()) == 1
    assert api.show(second).rows_of("dev") > api.show(first).rows_of("dev")
    gone = {name: frame[::2] for name, frame in later.items()}
    third = run(tmp_path, gone, "RUN3", previous=second, test=80, dev=60, train_dev=45)
    after = split_of(third)
    assert {key for key in after.keys() & now.keys() if after[key] != now[key]} == set()


@pytest.mark.parametrize("form", ["near", "equal", "text"])
def test_a_copy_of_what_was_trained_on_is_not_drawn_though_the_original_is_gone(tmp_path: Path, form: str) -> None:
    numbers = pl.DataFrame({"n": range(240)})
    rows = numbers.select(
        image_id=pl.format("i{}", "n"),
        user_id="n",
        phash=pl.col("n").hash(1),
        dhash=pl.col("n").hash(2),
        caption=pl.format("{} {}", pl.col("n").hash(3), pl.col("n").hash(4)),
        product_id=pl.lit(None, dtype=pl.String),
    )
    links = {"near": "{{near_duplicates: phash, verify: dhash}}", "equal": "user_id", "text": "{{near_text: caption}}"}
    text = LINKED_SPEC.replace("linked_by:", f"linked_by: [{links[form]}]\n#")
    sizes = {"test": 30, "dev": 20, "train_dev": 5}
    first = run(tmp_path, {"web": rows[120:], "app": rows[:120]}, "RUN1", text, **sizes)
    train = [str(key) for key, split in split_of(first).items() if split == "train"]
    dev = [str(key) for key, split in split_of(first).items() if split == "dev"]
    changed = {
        "image_id": pl.format("copy-{}", "image_id"),
        "phash": pl.col("phash") ^ 3,
        "user_id": pl.col("user_id") if form == "equal" else pl.col("user_id") + 5_000,
        "caption": pl.col("caption").str.to_uppercase(),
    }
    copies = rows.filter(pl.col("image_id").is_in([*train, *dev])).with_columns(**changed)
    fresh = rows.with_columns(
        pl.format("new-{}", "image_id").alias("image_id"),
        pl.col("user_id") + 9_000,
        pl.col("phash").hash(5),
        pl.col("dhash").hash(6),
        pl.col("caption").str.reverse(),
    )
    kept = rows.filter(~pl.col("image_id").is_in([*train, *dev]))
    app = pl.concat([kept, copies, fresh[:200]])
    second = run(tmp_path, {"web": fresh[200:], "app": app}, "RUN2", text, previous=first, test=60, dev=50, train_dev=6)
    now = split_of(second)
    assert len([key for key, split in now.items() if split in {"dev", "test"} and str(key).startswith("new-")]) > 10
    assert {now[f"copy-{key}"] for key in train} == {"train"}
    assert not {f"copy-{key}" for key in dev} & now.keys(), "a copy of a frozen example is held out"


def test_links_that_were_changed_are_told(tmp_path: Path) -> None:
    done = run(tmp_path, linked_tables(200, 100), test=5, dev=5, train_dev=5)
    table = pl.read_parquet(done / "plan/links.parquet")
    table.with_columns(pl.col("cluster") + 1).write_parquet(done / "plan/links.parquet")
    with pytest.raises(RunDirectoryError, match=r"links\.parquet is not the one that the plan was written with"):
        api.apply(done, overwrite=True)
    here = tmp_path / "data-RUN"
    with pytest.raises(RunDirectoryError, match=r"links\.parquet is not the one"):
        api.plan(here / "spec.yaml", tmp_path / "NEXT", previous=done)


def test_a_link_that_was_missed_fails_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check looks for links in the written files, whatever the table of links says."""
    monkeypatch.setattr(StoredLinks, "clusters_of", lambda _self, nodes: nodes)
    here = tmp_path / "data"
    here.mkdir()
    write_parquet(here, linked_tables())
    result = api.run(write_spec(here, LINKED_SPEC, **SIZES), tmp_path / "RUN")
    assert not result.success
    told = "\n".join(finding.sentence for finding in result.judgement.findings)
    for link in ("user_id", "product_id", "near_duplicates phash"):
        assert f"linked by {link} with rows of" in told


@pytest.mark.parametrize(
    ("linked_by", "told"),
    [
        ("[nobody]", "there is no column 'nobody'"),
        ("[source]", "tells each row's source"),
        ("[user_id, user_id]", "stands more than once"),
        ("[{near_duplicates: image_id, distance: 9}]", "at most 8"),
        ("[{near_duplicates: user_id}]", "expected a 64-bit hash|is int32"),
        ("[{near_duplicates: phash, verify: phash}]", "by itself"),
        ("[{near_duplicates: phash, verify_distance: 3}]", "no verify"),
        ("[{near_text: image_id, similarity: 0.3}]", "expected a similarity"),
        ("[{near_text: image_id, similar: 0.8}]", 'unknown key "similar"; did you mean "similarity"'),
        ("[{near_text: phash}]", "expected a text"),
        ("[3]", "expected a column|expected a text"),
    ],
)
def test_links_that_cannot_be_are_told(tmp_path: Path, linked_by: str, told: str) -> None:
    write_parquet(
        tmp_path, {n: f.with_columns(pl.col("user_id").cast(pl.Int32)) for n, f in linked_tables(20, 20).items()}
    )
    lines = [f"linked_by: {linked_by}" if line.startswith("linked_by") else line for line in LINKED_SPEC.splitlines()]
    text = "\n".join(lines).replace(linked_by, linked_by.replace("{", "{{").replace("}", "}}"))
    with pytest.raises(SpecError, match=told):
        api.plan(write_spec(tmp_path, text, **SIZES), tmp_path / "RUN")


@pytest.mark.parametrize("members", ["hold_out", "join"])
def test_frozen_examples_that_turn_out_to_be_linked_stay_apart_and_are_told(tmp_path: Path, members: str) -> None:
    tables = linked_tables()
    text = LINKED_SPEC + f"new_members: {members}\n"
    first = run(tmp_path, tables, "RUN1", text)
    before = split_of(first)
    alone = {next(iter(part)): splits for part, splits in splits_of_parts(first, tables).items() if len(part) == 1}
    dev, test = (next(key for key, splits in sorted(alone.items()) if splits == {name}) for name in ("dev", "test"))
    product = pl.when(pl.col("image_id").is_in([dev, test])).then(pl.lit("both")).otherwise("product_id")
    later = {name: frame.with_columns(product_id=product) for name, frame in tables.items()}
    new = later["app"].filter(pl.col("image_id") == dev).with_columns(pl.lit("new").alias("image_id"), user_id=99_999)
    later["app"] = pl.concat([later["app"], new.cast(dict(later["app"].schema))])
    second = run(tmp_path, later, "RUN2", text, previous=first)
    now = split_of(second)
    assert now == before, "nothing moves, and what is new joins neither"
    plan = api.show(second)
    assert plan.links is not None
    assert plan.links.apart == (("dev", "test", 1),)
    assert any("1 cluster holds examples that earlier runs froze in both dev and test" in note for note in plan.notes)
    results = json.loads((second / "validation.json").read_text())["results"]
    told = {item["check"]: (item["success"], item["severity"]) for item in results if "product_id" in item["check"]}
    assert told.pop("no product_id in both test and dev") == (False, "warning")
    assert set(told.values()) == {(True, "critical")}
