"""First specs: they parse, they say why, and no name of a file or column can break them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import api
from pipelines.init import suggest_spec
from pipelines.spec.loading import parse_spec
from pipelines.spec.models import Spec
from splitting.errors import DataError, SpecError
from tests.support.pictures import encoded, picture, write_pictures
from tests.support.pictures import write as write_text


def images(rows: int = 40, prefix: str = "w") -> pl.DataFrame:
    return pl.DataFrame(
        {
            "image_id": [f"{prefix}{i}" for i in range(rows)],
            "user_id": [f"u{i // 3}" for i in range(rows)],
            "label": ["cat" if i % 2 else "dog" for i in range(rows)],
            "captured_at": [dt.datetime(2026, 1, 1 + i % 20) for i in range(rows)],
        }
    )


def write(folder: Path, files: dict[str, pl.DataFrame]) -> str:
    for name, frame in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".csv"):
            frame.write_csv(path)
        elif name.endswith(".jsonl"):
            frame.write_ndjson(path)
        else:
            frame.write_parquet(path)
    return str(folder)


def suggested(folder: Path, files: dict[str, pl.DataFrame]) -> Spec:
    return parse_spec(suggest_spec([write(folder, files)]))


def test_folders_are_sources_and_every_guess_has_its_reason(tmp_path: Path) -> None:
    folder = write(tmp_path / "cats", {"web/a.parquet": images(400), "app/b.parquet": images(40, "a")})
    text = suggest_spec([folder])
    spec = parse_spec(text)
    assert (spec.name, set(spec.sources)) == ("cats", {"web", "app"})
    assert (spec.key, spec.group, spec.label) == (("image_id",), ("user_id",), "label")
    assert spec.target.source == ("app",)
    assert spec.splits["dev"].size == spec.splits["test"].size == spec.splits["train_dev"].size == 10
    assert "CONFIRM" in text
    assert "unique and never null" in text
    assert "captured_at >= '2026-01-20'" in text
    assert text == suggest_spec([folder])


def test_sizes_stop_at_2500(tmp_path: Path) -> None:
    spec = suggested(tmp_path, {"web/a.parquet": images(30_000), "app/b.parquet": images(20_000, "a")})
    assert spec.splits["dev"].size == 2500


def test_keys_that_sources_share_take_the_source_along(tmp_path: Path) -> None:
    spec = suggested(tmp_path, {"web/a.parquet": images(400), "app/b.parquet": images(40)})
    assert spec.key == ("source", "image_id")


def test_a_time_condition_is_of_the_last_day_of_all_sources(tmp_path: Path) -> None:
    later = images(40, "a").with_columns(pl.col("captured_at").dt.offset_by("2mo"))
    text = suggest_spec([write(tmp_path / "cats", {"web/a.parquet": images(400), "app/b.parquet": later})])
    assert "captured_at >= '2026-03-20'" in text


def test_the_smallest_source_is_the_target_where_no_name_says_more(tmp_path: Path) -> None:
    spec = suggested(tmp_path, {"x/a.parquet": images(400), "y/b.parquet": images(40, "b")})
    assert spec.target.source == ("y",)


def test_a_source_of_too_few_groups_is_no_target_and_a_tie_is_told(tmp_path: Path) -> None:
    """No split can be drawn from a source that has one speaker."""

    def digits(prefix: str, speakers: int) -> pl.DataFrame:
        named = pl.format(prefix + "{}", pl.int_range(40) % speakers)
        return images(40, prefix).drop("user_id").with_columns(speaker=named)

    speakers = {"anna": 1, "bert": 2, "many": 20, "more": 20}
    folder = write(tmp_path, {f"{name}/x.parquet": digits(name, count) for name, count in speakers.items()})
    text = suggest_spec([folder])
    assert parse_spec(text).target.source == ("many",)
    assert "no source is smaller, but for those of too few rows or groups: CONFIRM" in text


def test_a_column_named_source_is_stepped_around(tmp_path: Path) -> None:
    taken = images().with_columns(source=pl.lit("x"), dataset=pl.lit("x"))
    spec = suggested(tmp_path, {"a/x.parquet": taken})
    assert spec.source_column not in taken.columns


def test_without_a_key_the_whole_row_is_one(tmp_path: Path) -> None:
    assert suggested(tmp_path, {"a/x.parquet": pl.DataFrame({"v": [1.5, 1.5, 2.5, 2.5]})}).key_is_row
    named_row = pl.DataFrame({"row": range(40), "name": [f"n{i}" for i in range(40)]})
    assert suggested(tmp_path / "b", {"a/x.parquet": named_row}).key == ("name",)


@pytest.mark.parametrize("name", ["no", "null", "1e3", "007", "2026-01-01", "we b #1", "Ä: app", "a: b, {c}", "-", "y"])
def test_no_name_of_a_folder_breaks_the_spec(tmp_path: Path, name: str) -> None:
    spec = suggested(tmp_path / name, {f"{name}/a.parquet": images(), "app/b.parquet": images(40, "b")})
    assert len(spec.sources) == 2
    assert any(path.endswith(name) for source in spec.sources.values() for path in source.paths)


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"id": range(8), "label": [[1], [2]] * 4}),
        pl.DataFrame({"id": range(8), "label": [{"a": 1}, {"a": 2}] * 4}),
        pl.DataFrame({"id": [bytes([i, 200]) for i in range(8)], "label": [b"a\xff", b"b"] * 4}),
        pl.DataFrame({"id": [[i] for i in range(8)]}),
        pl.DataFrame({"id": range(8), "label": [None] * 8}),
        pl.DataFrame({"id": [dt.timedelta(i) for i in range(8)], "user": [dt.time(1), None] * 4}),
    ],
)
def test_columns_of_any_type_are_looked_at(tmp_path: Path, frame: pl.DataFrame) -> None:
    suggested(tmp_path, {"a/x.parquet": frame})


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)


@settings(max_examples=40, deadline=None)
@given(key=NAMES, user=NAMES, time=NAMES)
def test_no_name_of_a_column_breaks_the_spec(
    tmp_path_factory: pytest.TempPathFactory, key: str, user: str, time: str
) -> None:
    columns = {f"{key}_id": range(8), f"user_{user}": [1, 2] * 4, f"t {time}": [dt.date(2026, 1, 1)] * 8}
    spec = suggested(tmp_path_factory.mktemp("x"), {"a/x.parquet": pl.DataFrame(columns)})
    assert set(spec.key) <= {*columns, "source"}
    assert set(spec.group or ()) <= set(columns)


def test_files_globs_and_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"x/d.csv": images(), "y/d.csv": images(40, "b"), "z/s-00000-of-00002.jsonl": images(40, "c")})
    write(tmp_path, {"z/s-00001-of-00002.jsonl": images(40, "d")})
    monkeypatch.chdir(tmp_path)
    assert set(parse_spec(suggest_spec(["x/d.csv", "y/d.csv"])).sources) == {"d", "d_2"}
    assert set(parse_spec(suggest_spec(["x/*.csv"])).sources) == {"x"}
    assert set(parse_spec(suggest_spec(["z"])).sources) == {"z"}


def test_a_source_whose_first_file_is_empty_is_not_lost(tmp_path: Path) -> None:
    spec = suggested(
        tmp_path, {"a/0.parquet": images().clear(), "a/1.parquet": images(), "b/0.parquet": images(40, "b")}
    )
    assert set(spec.sources) == {"a", "b"}


def test_folders_and_files_of_no_known_format_are_left_out_and_told(tmp_path: Path) -> None:
    rows = {"web/1.csv": images(40), "app/1.csv": images(40, "a"), "own/x.csv": images(8, "o")}
    folder = write(tmp_path / "d", {name: frame.drop("user_id") for name, frame in rows.items()})
    for name in ("LICENSE", "README.md", "images/1.jpg", "own/x.jpg"):
        (tmp_path / "d" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "d" / name).write_text("x")
    text = suggest_spec([folder])
    spec = parse_spec(text)
    assert set(spec.sources) == {"web", "app", "own"}
    assert spec.name == "d"
    assert spec.sources["own"].paths == (f"{folder}/own/**/*.csv",)
    assert f"# left out: {folder}/images (holds {folder}/images/1.jpg, of no known format)" in text
    assert f"# left out: {folder}/own/x.jpg (is of no known format)" in text
    (tmp_path / "spec.yaml").write_text(text)
    assert api.plan(str(tmp_path / "spec.yaml"), str(tmp_path / "RUN")).rows_of("dev") == 10


def test_csv_columns_whose_types_differ_are_read_as_text(tmp_path: Path) -> None:
    web, app = images(40).drop("user_id"), images(40, "a").drop("user_id")
    parts = {
        "web/1.csv": web[:20].with_columns(zip=pl.lit(10115)),
        "web/2.csv": web[20:].with_columns(zip=pl.lit("SE-1")),
        "app/1.csv": app.with_columns(zip=pl.lit(10115)),
    }
    folder = write(tmp_path / "d", parts)
    text = suggest_spec([folder])
    spec = parse_spec(text)
    assert [spec.sources[name].csv.column_types for name in ("app", "web")] == [{"zip": "string"}] * 2
    assert (
        f"zip is read as text, as its types differ: int64 in {folder}/app/1.csv, string in {folder}/web/2.csv" in text
    )
    (tmp_path / "spec.yaml").write_text(text)
    assert api.plan(str(tmp_path / "spec.yaml"), str(tmp_path / "RUN")).rows_of("dev") == 10


def test_types_of_other_formats_that_differ_are_told(tmp_path: Path) -> None:
    parts = {"web/1.parquet": images(8).with_columns(zip=1), "web/2.parquet": images(8).with_columns(zip=pl.lit("x"))}
    with pytest.raises(DataError, match="zip: int32 in"):
        suggest_spec([write(tmp_path, parts)])


@pytest.mark.parametrize("rows", [4, 5, 7, 8])
def test_sizes_for_few_rows_fit(tmp_path: Path, rows: int) -> None:
    folder = write(tmp_path / "d", {"a/x.csv": pl.DataFrame({"id": range(rows)})})
    (tmp_path / "spec.yaml").write_text(suggest_spec([folder]))
    plan = api.plan(str(tmp_path / "spec.yaml"), str(tmp_path / "RUN"))
    assert [plan.rows_of(name) for name in ("test", "dev", "train_dev")] == [rows // 4] * 3


@pytest.mark.parametrize("rows", [1, 3])
def test_too_few_rows_for_splits_are_told(tmp_path: Path, rows: int) -> None:
    few = {"app/x.csv": pl.DataFrame({"id": range(rows)})}
    with pytest.raises(SpecError, match=rf"'app' would be the target .* has {rows} rows, expected at least 4"):
        suggest_spec([write(tmp_path / "one", few)])
    with pytest.raises(SpecError, match=r"'app' would be the target \(its name says so\)"):
        suggest_spec([write(tmp_path / "two", {**few, "web/x.parquet": pl.DataFrame({"id": range(40, 80)})})])
    tiny = write(tmp_path / "none", {"x/1.csv": few["app/x.csv"], "y/1.csv": pl.DataFrame({"id": range(40, 80)})})
    assert parse_spec(suggest_spec([tiny])).target.source == ("y",)


def test_what_is_given_twice_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"d/x.csv": images(), "e.csv": images(40, "b")})
    monkeypatch.chdir(tmp_path)
    given = ["e.csv", "./e.csv", str(tmp_path / "e.csv"), "d", "d/"]
    assert {name: source.paths for name, source in parse_spec(suggest_spec(given)).sources.items()} == {
        "e": ("e.csv",),
        "d": ("d",),
    }


def test_nothing_to_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="found no data files in"):
        suggest_spec([str(tmp_path)])
    with pytest.raises(SpecError, match="the files hold no rows"):
        suggest_spec([write(tmp_path / "e", {"a/x.parquet": images().clear()})])
    with pytest.raises(DataError, match=r"no file at nope\.csv; check the path"):
        suggest_spec(["nope.csv"])


def test_columns_of_any_type_and_rows_of_every_part_are_looked_at(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": pa.array(range(3_000)),
            "label": pa.array([None] * 1_000 + ["cat", "dog"] * 1_000),
            "amount": pa.array([Decimal(1)] * 3_000, pa.decimal256(60, 2)),
        }
    )
    pq.write_table(table, tmp_path / "data.parquet", row_group_size=1_000)
    text = suggest_spec([str(tmp_path / "data.parquet")])
    assert {name: yaml.safe_load(text)[name] for name in ("key", "label")} == {"key": "id", "label": "label"}


def test_one_table_of_several_sources_aims_at_one_of_them(tmp_path: Path) -> None:
    rows = pl.DataFrame(
        {
            "row_id": range(400),
            "source": ["cleveland"] * 300 + ["o'hare"] * 100,
            "label": [i % 2 for i in range(400)],
        }
    )
    (tmp_path / "heart").mkdir()
    rows.write_csv(tmp_path / "heart" / "heart.csv")
    text = suggest_spec([str(tmp_path / "heart")])
    spec = parse_spec(text)
    assert spec.target.where == "source = 'o''hare'"
    assert "o'hare: 100, cleveland: 300 in the sample" in text
    assert [item.column for item in spec.stratify] == ["label", "source"]
    (tmp_path / "spec.yaml").write_text(text)
    plan = api.plan(str(tmp_path / "spec.yaml"), str(tmp_path / "RUN"))
    assert plan.target_rows_of("dev") == plan.rows_of("dev") == 25


@pytest.mark.parametrize("name", ["heart_4hospitals", "nycflights_3airports", "sentences_3sites", "wine_red_white"])
def test_first_specs_of_real_tables_aim_at_a_part(name: str, tmp_path: Path) -> None:
    folder = Path(__file__).parents[3] / "shared" / "data" / name
    if not folder.exists():
        pytest.skip(f"the real data are not here: {folder}")
    (tmp_path / "spec.yaml").write_text(suggest_spec([str(folder)]))
    plan = api.plan(str(tmp_path / "spec.yaml"), str(tmp_path / "RUN"))
    assert plan.target_rows_of("train") < plan.rows_of("train")


def test_folders_of_images_are_sources_with_labels(tmp_path: Path) -> None:
    write_pictures(tmp_path / "photos/web", 12)
    write_pictures(tmp_path / "photos/app", 8)
    write_text(tmp_path / "photos/web/labels.csv", b"file,price\ncat/000.jpg,3\n")
    for paths in ([str(tmp_path / "photos")], [str(tmp_path / "photos/web"), str(tmp_path / "photos/app")]):
        text = suggest_spec(paths)
        spec = parse_spec(text)
        assert {name: source.format for name, source in spec.sources.items()} == {"app": "images", "web": "images"}
        assert (spec.name, spec.key, spec.label) == ("photos", ("source", "path"), "label")
        assert spec.target.source == ("app",)
        assert all(source.label is not None for source in spec.sources.values())
        assert "12 files" in text
        assert "labels.csv" in text


def test_folders_of_images_without_labels_and_of_sounds(tmp_path: Path) -> None:
    for folder in ("web", "app"):
        for number in range(5):
            write_text(tmp_path / f"pictures/{folder}/{number}.png", encoded(picture(number), "PNG"))
            write_text(tmp_path / f"sounds/{folder}/{number}.wav", b"RIFF")
    spec = parse_spec(suggest_spec([str(tmp_path / "pictures")]))
    assert (set(spec.sources), spec.label, spec.ingested) == ({"web", "app"}, None, "images")
    assert parse_spec(suggest_spec([str(tmp_path / "sounds")])).ingested == "audio"


def test_what_could_link_rows_is_suggested_and_holds_as_it_stands(tmp_path: Path) -> None:
    frame = images(400).with_columns(
        session_id=pl.Series([f"s{i // 7}" for i in range(400)]),
        phash=pl.Series([f"{i:016x}" for i in range(400)]),
        caption=pl.Series([f"a cat of {i} years that sleeps on a red sofa" for i in range(400)]),
    )
    folder = write(tmp_path / "cats", {"web/a.parquet": frame, "app/b.parquet": frame.head(40)})
    text = suggest_spec([folder])
    assert parse_spec(text).linked_by is None
    line = next(line for line in text.splitlines() if line.startswith("# linked_by"))
    wanted = "linked_by: [user_id, session_id, {near_duplicates: phash}, {near_text: caption}]"
    assert line.startswith(f"# {wanted}")
    assert len(parse_spec(text.replace(line, wanted)).links) == 4


def test_one_group_and_short_texts_suggest_no_links(tmp_path: Path) -> None:
    assert "linked_by" not in suggest_spec([write(tmp_path / "cats", {"a.parquet": images(400)})])


def test_hashes_are_told_by_name_and_by_what_they_hold(tmp_path: Path) -> None:
    frame = images(400).with_columns(
        content_hash=pl.Series(["ab" * 32] * 400), hash_bits=pl.Series(range(400), dtype=pl.UInt64), number=pl.lit(1)
    )
    text = suggest_spec([write(tmp_path / "cats", {"a.parquet": frame})])
    assert "# linked_by: [user_id, {near_duplicates: hash_bits}]" in text


def test_near_duplicates_of_images_are_told_in_their_first_spec(tmp_path: Path) -> None:
    write_pictures(tmp_path / "photos/web", 8)
    write_pictures(tmp_path / "photos/app", 8, first=100)
    text = suggest_spec([str(tmp_path / "photos")])
    assert "# linked_by: []   # the default keeps copies of an image in one split" in text
