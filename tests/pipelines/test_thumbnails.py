"""Thumbnails: which images stand for a split, small files of our own making, and what the page says of them."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipelines import thumbnails as module
from pipelines.report.pictures import Thumbnail, pictures_view
from pipelines.run_directory import RunDirectory
from pipelines.thumbnail_choice import (
    HIGHEST,
    LOWEST,
    MOST_EXTREME,
    MOST_TYPICAL,
    TYPICAL,
    choose,
)
from pipelines.thumbnails import LONGEST_SIDE, MOST_BYTES, make_thumbnails, read_thumbnails, write_thumbnails
from splitting.errors import DataError, RunDirectoryError
from tests.support.files import picture, reader_of, write_files
from validation.profile.sample import Sample

VALUES = st.lists(
    st.tuples(st.sampled_from(["dev", "train"]), st.floats(0, 1) | st.none(), st.floats(0, 9) | st.none()),
    min_size=1,
    max_size=40,
)


def sample_of(rows: list[tuple[str, float | None, float | None]]) -> Sample:
    """A sample of images with two looks; every other row was measured as one of the target."""
    about = pl.DataFrame(
        {
            "split": [f"{split}:target" if i % 2 else split for i, (split, _, _) in enumerate(rows)],
            "source": ["web" if i % 2 else "app" for i in range(len(rows))],
            "key": pl.Series([(i * 7919) % 101 for i in range(len(rows))], dtype=pl.UInt64),
            "group": pl.Series([0] * len(rows), dtype=pl.UInt64),
        }
    )
    looks = pl.DataFrame(
        {
            "path": [f"{i}.jpg" for i in range(len(rows))],
            "brightness": pl.Series([row[1] for row in rows], dtype=pl.Float64),
            "sharpness": pl.Series([row[2] for row in rows], dtype=pl.Float64),
            "user_column": pl.Series([float(i) for i in range(len(rows))]),
        }
    )
    return Sample(100, about, looks)


def test_typical_is_near_every_median_and_extreme_is_at_the_ends() -> None:
    rows = [("dev", 0.5 + (i - 20) / 100, 3 + abs(i - 20) / 10) for i in range(41)]
    chosen = choose(sample_of(rows), ["dev"], ["dev"], ["sharpness", "user_column", "brightness"])
    by = {(one.place, one.column): [] for one in chosen}
    for one in chosen:
        by[one.place, one.column].append(one.row)
    assert all(5 < abs(row - 20) < 15 for row in by[TYPICAL, ""])  # the median of sharpness is 10 rows from the middle
    assert by[LOWEST, "brightness"] == [0, 1, 2]
    assert by[HIGHEST, "brightness"] == [38, 39, 40]
    assert 20 in by[LOWEST, "sharpness"]
    assert set(by[HIGHEST, "sharpness"]) <= {0, 1, 39, 40}
    assert next(one.column for one in chosen if one.column) == "sharpness"
    assert not [one for one in chosen if one.column == "user_column"]


def test_typical_images_show_as_many_labels_and_groups_as_there_are() -> None:
    """Of the quarter nearest to the middle; the nearest of each."""
    rows = [("dev", 0.5 + i / 1_000, 3.0) for i in range(-48, 48)]
    sample = sample_of(rows)
    labels = pl.Series(
        "label", ["cat" if abs(i) < 8 or i % 2 else ["dog", "fox", "owl"][i % 3] for i in range(-48, 48)]
    )
    labelled = Sample(100, sample.about, sample.rows.with_columns(labels))
    chosen = [one.row for one in choose(labelled, ["dev"], [], [], "label")]
    assert set(labels[chosen]) == {"cat", "dog", "fox", "owl"}
    assert max(labels[chosen].value_counts()["count"]) == 2
    assert all(36 <= row <= 60 for row in chosen)
    plain = [one.row for one in choose(labelled, ["dev"], [], [])]
    assert set(labels[plain]) == {"cat"}

    users = pl.Series("group", [i // 6 for i in range(96)], dtype=pl.UInt64)
    grouped = Sample(100, sample.about.with_columns(users), sample.rows)
    of_users = [one.row for one in choose(grouped, ["dev"], [], [])]
    assert len(set(users[of_users])) >= 4, "those of the 24 images in the middle"


@given(VALUES)
def test_every_choice_is_of_its_split_and_bounded(rows: list[tuple[str, float | None, float | None]]) -> None:
    sample = sample_of(rows)
    chosen = choose(sample, ["train", "dev"], ["train", "dev"], ["brightness", "sharpness"])
    assert all(rows[one.row][0] == one.split for one in chosen)
    for split in ("train", "dev"):
        typical = [one.row for one in chosen if one.split == split and one.place == TYPICAL]
        assert len(set(typical)) == len(typical) <= MOST_TYPICAL
        of_split = [row for row in rows if row[0] == split and (row[1] is not None or row[2] is not None)]
        assert bool(typical) == bool(of_split)
        for column, at in (("brightness", 1), ("sharpness", 2)):
            ends = {place: [one.row for one in chosen if (one.split, one.place, one.column) == (split, place, column)]
                    for place in (LOWEST, HIGHEST)}  # fmt: skip
            assert len(ends[LOWEST]) == len(ends[HIGHEST]) <= MOST_EXTREME
            assert not set(ends[LOWEST]) & set(ends[HIGHEST])
            values = [rows[row][at] for row in (*ends[LOWEST], *ends[HIGHEST])]
            assert None not in values
            assert values == sorted(values, key=lambda value: value or 0.0)


@given(VALUES, st.randoms(use_true_random=False))
def test_the_order_of_the_sample_decides_nothing(
    rows: list[tuple[str, float | None, float | None]], random: object
) -> None:
    sample = sample_of(rows)
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]
    mixed = Sample(sample.size, sample.about[order], sample.rows[order])
    asked = (["train", "dev"], ["dev"], ["sharpness"])
    first = [(one.split, one.place, sample.rows["path"][one.row]) for one in choose(sample, *asked)]
    assert [(one.split, one.place, mixed.rows["path"][one.row]) for one in choose(mixed, *asked)] == first


def test_without_images_nothing_is_chosen() -> None:
    sample = sample_of([("dev", 0.5, 1.0)])
    assert choose(Sample(9, sample.about, sample.rows.select("path")), ["dev"], ["dev"], ["sharpness"]) == ()
    assert choose(Sample.empty(), ["dev"], ["dev"], ["sharpness"]) == ()


def decode(data: bytes, longest: int) -> Image.Image | None:
    if data == b"broken":
        return None
    image = Image.open(io.BytesIO(data)).convert("RGB")
    image.thumbnail((longest, longest))
    return image


@pytest.fixture
def located(tmp_path: Path) -> Sample:
    """A sample whose rows point to files; one is broken, one gone."""
    files = {f"{i}.jpg": picture(i, "JPEG", (400, 200)) for i in range(12)}
    files["3.jpg"] = b"broken"
    write_files(tmp_path / "app", files)
    write_files(tmp_path / "web", files)
    for name in ("app", "web"):
        (tmp_path / name / "4.jpg").unlink()
    sample = sample_of([("dev", i / 12, i / 3) for i in range(12)])
    none = pl.lit(None, dtype=pl.Int64)
    rows = sample.rows.with_columns(image_uri="path", image_offset=none, image_size=none, image_row=none)
    return Sample(sample.size, sample.about, rows)


def read_or_tell(rows: pa.Table, base: str) -> list[bytes]:
    try:
        return [(Path(base) / uri).read_bytes() for uri in rows.column("image_uri").to_pylist()]
    except OSError as error:
        raise DataError(str(error)) from error


def test_pictures_are_small_jpeg_files_and_what_cannot_be_read_is_left_out(
    tmp_path: Path, located: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = reader_of({"app": tmp_path / "app", "web": tmp_path / "web"})
    object.__setattr__(files, "read", read_or_tell)
    monkeypatch.setattr(module, "mismatch_columns", lambda _document: (("dev",), ("sharpness",)))
    found = make_thumbnails(located, ["dev"], {}, files, decode)
    assert {one.place for one in found} == {TYPICAL, LOWEST, HIGHEST}
    assert not {"3.jpg", "4.jpg"} & {one.path for one in found}
    for one in found:
        with Image.open(io.BytesIO(one.data)) as image:
            assert image.format == "JPEG"
            assert image.size == (one.width, one.height) == (LONGEST_SIDE, LONGEST_SIDE // 2)
    run = RunDirectory.at(str(tmp_path / "RUN"))
    assert read_thumbnails(run) == ()
    write_thumbnails(run, found)
    assert read_thumbnails(run) == found
    (tmp_path / "RUN" / "profile" / "thumbnails.parquet").write_bytes(b"no table")
    with pytest.raises(RunDirectoryError, match=r"thumbnails\.parquet cannot be read"):
        read_thumbnails(run)


def test_all_pictures_together_are_bounded(tmp_path: Path, located: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    files = reader_of({"app": tmp_path / "app", "web": tmp_path / "web"})
    object.__setattr__(files, "read", read_or_tell)
    monkeypatch.setattr(module, "mismatch_columns", lambda _document: (("dev",), ("sharpness", "brightness")))
    noise = Image.effect_noise((LONGEST_SIDE, LONGEST_SIDE), 120).convert("RGB")
    monkeypatch.setattr(module, "MOST_BYTES", 20_000)
    found = make_thumbnails(located, ["dev"], {}, files, lambda _data, _longest: noise)
    assert found
    assert sum(len(one.data) for one in found) <= 20_000 < MOST_BYTES


def test_the_page_says_what_each_picture_is() -> None:
    def one(split: str, place: str, column: str = "", value: float | None = None) -> Thumbnail:
        return Thumbnail(split, place, column, value, 'a"<b', "x\u202e<i>.jpg", 96, 72, b"jpeg")

    assert pictures_view([]) is None
    view = pictures_view(
        [
            one("train", TYPICAL),
            one("dev", TYPICAL),
            one("dev", LOWEST, "sharpness", 1.25),
            one("dev", HIGHEST, "sharpness", 812.5),
        ]
    )
    assert view is not None
    assert [row.split for row in view.typical] == ["train", "dev"]
    ((column, meaning, (row,)),) = view.extremes
    assert meaning
    assert (column, row.split, [place for place, _ in row.groups]) == ("sharpness", "dev", [LOWEST, HIGHEST])
    lowest = row.groups[0][1][0]
    assert lowest.words == 'a"<b: x\\u202e<i>.jpg, sharpness 1.25, lowest of dev'
    assert lowest.caption == "1.25"
    assert base64.b64decode(lowest.address.removeprefix("data:image/jpeg;base64,")) == b"jpeg"
