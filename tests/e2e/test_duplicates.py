"""`targetsplit duplicates`: what is linked, by name, with pairs to look at; nothing is split and no size refused."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from pipelines import api
from splitting.errors import DataError, RunDirectoryError, SpecError
from tests.support.command import call
from tests.support.corpus import write_parquet, write_spec
from tests.support.linked import LINKED_SPEC, linked_parts, linked_tables

pytestmark = pytest.mark.e2e
SIZES = {"test": 20, "dev": 20, "train_dev": 20}


def hashes_apart(rows: pl.DataFrame, one: str, other: str, name: str) -> int:
    values = dict(rows.select("image_id", name).iter_rows())
    return (values[one] ^ values[other]).bit_count()


def test_clusters_are_written_with_their_nearest_pairs(tmp_path: Path) -> None:
    tables = linked_tables(300, 150)
    write_parquet(tmp_path, tables)
    found = api.duplicates(write_spec(tmp_path, LINKED_SPEC, **SIZES), tmp_path / "OUT")
    table = pl.read_parquet(tmp_path / "OUT" / "duplicates.parquet")
    assert table.equals(found.table)
    assert [path.name for path in (tmp_path / "OUT").iterdir()] == ["duplicates.parquet"]
    wanted = {part for part in linked_parts(tables) if len(part) > 1}
    parts = {frozenset(part["image_id"]) for _, part in table.group_by("cluster")}
    assert parts == wanted
    assert found.clusters == len(wanted)
    assert dict(found.sizes) == {n: sum(len(p) == n for p in wanted) for n in {len(p) for p in wanted}}
    assert table["groups"].is_sorted(descending=True)
    rows = pl.concat([*tables.values()])
    source = {key: name for name, frame in tables.items() for key in frame["image_id"]}
    near = table.filter(pl.col("linked_by") == "near_duplicates phash")
    assert len(near) > 20
    for row in near.iter_rows(named=True):
        assert hashes_apart(rows, row["image_id"], row["nearest_image_id"], "phash") == row["distance"] <= 4
        assert hashes_apart(rows, row["image_id"], row["nearest_image_id"], "dhash") <= 6
        assert (row["source"], row["nearest_source"]) == (source[row["image_id"]], source[row["nearest_image_id"]])
    user = dict(rows.select("image_id", "user_id").iter_rows())
    for row in table.filter(pl.col("linked_by") == "user_id").iter_rows(named=True):
        assert user[row["image_id"]] == user[row["nearest_image_id"]]
        assert row["distance"] == 0
    with pytest.raises(RunDirectoryError, match="exists"):
        api.duplicates(tmp_path / "spec.yaml", tmp_path / "OUT")


def test_the_command_shows_them_and_refuses_no_size(tmp_path: Path) -> None:
    one = pl.DataFrame({"image_id": [f"i{n}" for n in range(60)], "user_id": [1] * 60, "caption": ["a cat [red]"] * 60})
    write_parquet(tmp_path, {"web": one[:40], "app": one[40:]})
    text = LINKED_SPEC.replace(
        "linked_by: [user_id", "largest_cluster: 50\nlinked_by: [user_id, {{near_text: caption}}]\n#"
    )
    spec = str(write_spec(tmp_path, text, **SIZES))
    done = call(["duplicates", spec, "--top", "1", "--pairs", "2"])
    assert done.returncode == 0, done.stderr
    assert "60 groups are linked to 1 cluster, 1 of them across sources" in done.stdout
    assert "1. 60 groups, 60 rows (app 20, web 40)" in done.stdout
    document = json.loads(call(["duplicates", spec, "--json", "--top", "1"]).stdout)
    assert document["sizes"] == [{"groups": 60, "clusters": 1}]
    assert document["links"] == {"user_id": 59, "near_text caption": 0}
    assert document["top"][0]["sources"] == {"app": 20, "web": 40}
    pairs = [frozenset([pair["image_id"], pair["nearest_image_id"]]) for pair in document["top"][0]["pairs"]]
    assert len(pairs) == len(set(pairs)) == 5
    with pytest.raises(DataError, match="links chain 60 groups into one cluster, and at most 50"):
        api.plan(spec, tmp_path / "RUN")
    nothing = write_spec(tmp_path, LINKED_SPEC.replace("linked_by:", "linked_by: []\n#"), **SIZES)
    with pytest.raises(SpecError, match="links nothing"):
        api.duplicates(nothing)


def test_near_texts_stay_together(tmp_path: Path) -> None:
    number = range(400)
    rows = pl.DataFrame({"image_id": [f"i{n}" for n in number], "user_id": list(number)}).with_columns(
        caption=pl.format("{} {} {}", pl.col("user_id").hash(1), pl.col("user_id").hash(2), pl.col("user_id").hash(3))
    )
    copies = rows[:80].with_columns(pl.format("copy-{}", "image_id").alias("image_id"), pl.format("{}!", "caption"))
    write_parquet(tmp_path, {"web": pl.concat([rows[150:], copies]), "app": rows[:150]})
    text = LINKED_SPEC.replace("linked_by:", "linked_by: [{{near_text: caption, similarity: 0.9}}]\n#")
    result = api.run(write_spec(tmp_path, text, **SIZES), tmp_path / "RUN")
    assert result.success
    assert result.plan.links is not None
    assert (result.plan.links.groups, result.plan.links.clusters) == (160, 80)
    assert "rensa" in result.plan.versions
    results = json.loads((tmp_path / "RUN/validation.json").read_text())["results"]
    looked = [one["success"] for one in results if one["check"].startswith("no near_text caption in both")]
    assert looked == [True] * 6
