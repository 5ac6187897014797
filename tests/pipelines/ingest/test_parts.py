"""Parts: a stream of bounded memory, the same files when done again, and what was measured before is taken over."""

from __future__ import annotations

import os
import re
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pyarrow.parquet as pq
import pytest

from pipelines.ingest import extras, part, walking
from pipelines.ingest.counts import IngestCounts
from pipelines.ingest.extras import check_extra
from pipelines.ingest.file_tables import FileTable
from pipelines.ingest.folders import folder_of
from pipelines.ingest.hashing import content_hash
from pipelines.ingest.kinds import kind_of
from pipelines.ingest.names import IMAGE_ENDINGS, hash_columns, location_columns, place_columns
from pipelines.ingest.part import list_parts
from pipelines.ingest.rejects import Limits
from pipelines.ingest.reuse import earlier_parts
from pipelines.run_directory import RunDirectory
from pipelines.spec.models import Audio, Images
from splitting.errors import SpecError
from tests.support.ingesting import fingerprint, ingest, task_of
from tests.support.pictures import encoded, picture, write, write_pictures

ROOT = Path(__file__).resolve().parents[3]
MANY = 100_000


@dataclass
class Entry:
    name: str

    def is_dir(self, *, follow_symlinks: bool) -> bool:
        return False

    def is_file(self) -> bool:
        return True

    def is_symlink(self) -> bool:
        return False


def test_a_folder_of_many_files_is_a_stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of members would take some 50 MB."""

    @contextmanager
    def scandir(_place: str) -> Iterator[Iterator[Entry]]:
        yield (Entry(f"{number * 7_919 % MANY:07d}.jpg") for number in range(MANY))

    info = SimpleNamespace(st_size=100, st_mtime_ns=0, st_ctime_ns=0)
    task = task_of(tmp_path, ".")
    write(tmp_path / "0.jpg", b"")
    assert len(list(list_parts(task))) == 1  # what this imports is no part of the list
    fake = SimpleNamespace(scandir=scandir, stat=lambda _path: info, path=os.path)
    monkeypatch.setattr(walking, "os", fake)
    tracemalloc.start()
    files, last = 0, ""
    for one in list_parts(task):
        paths = one.members["_path"].to_pylist()
        assert last < paths[0]
        files, last = files + len(paths), paths[-1]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (files, last) == (MANY, f"{MANY - 1:07d}.jpg")
    assert peak < 10_000_000


def tables(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_part_done_twice_writes_the_same_files(tmp_path: Path) -> None:
    write_pictures(tmp_path / "photos", 8)
    write(tmp_path / "photos/broken.jpg", b"\xff\xd8")
    task = task_of(tmp_path, "photos")
    ingest(task)
    first = tables(Path(task.folder))
    assert list(first) == ["rejected-00000.parquet", "stamps-00000.parquet", "table-00000.parquet"]
    ingest(task)
    assert tables(Path(task.folder)) == first


def test_a_file_that_was_mended_is_no_longer_rejected(tmp_path: Path) -> None:
    path = write(tmp_path / "photos/a.jpg", b"\xff\xd8")
    task = task_of(tmp_path, "photos")
    assert list(ingest(task).rejected) == ["a.jpg"]
    write(path, encoded(picture(1)))
    found = ingest(task)
    assert not found.rejected
    assert len(found.rows) == 1


def test_what_was_measured_is_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = write_pictures(tmp_path / "photos", 6)
    task = task_of(tmp_path, "photos", base=str(tmp_path / "photos"), limits=Limits())
    run = RunDirectory.at(str(tmp_path / "run"))
    task = replace(task, folder=run.path(folder_of("s")).uri)
    fresh = ingest(task)
    again = replace(task, earlier=tuple(earlier_parts(run, "s", fingerprint(task))))
    assert len(again.earlier) == 1
    os.utime(files[0], ns=(5, 5))
    write(files[1], encoded(picture(77)))
    read: list[str] = []
    original = kind_of("images").read

    def counted(data: bytes, name: str, limits: Limits) -> tuple[dict[str, object], object]:
        read.append(name)
        return original(data, name, limits)

    monkeypatch.setattr(part, "kind_of", lambda name: replace(kind_of(name), read=counted))
    found = ingest(again)
    changed = str(files[1].relative_to(tmp_path / "photos"))
    assert read == [changed]
    assert found.rows.filter(pl.col("path") != changed).equals(fresh.rows.filter(pl.col("path") != changed))
    assert found.counts.total("s", "reused") == 5


@pytest.mark.parametrize("listed", [True, False])
def test_other_bytes_of_the_same_size_and_time_are_measured_anew(tmp_path: Path, *, listed: bool) -> None:
    """As `cp -p` and `rsync -t` leave them."""
    files = write_pictures(tmp_path / "photos", 4)
    old, new = (encoded(picture(seed, 16, 16), "BMP") for seed in (1, 2))
    for file in files:
        write(file, old)
    names = [str(file.relative_to(tmp_path / "photos")) for file in files]
    write(tmp_path / "list.csv", "\n".join(["file", *names]).encode())
    run = RunDirectory.at(str(tmp_path / "run"))
    limits, table = Limits(mislabelled="accept"), FileTable("list.csv") if listed else None
    task = task_of(tmp_path, "photos", base=str(tmp_path / "photos"), limits=limits, table=table)
    task = replace(task, folder=run.path(folder_of("s")).uri)
    ingest(task)
    found = files[2].stat()
    write(files[2], new)
    os.utime(files[2], ns=(found.st_atime_ns, found.st_mtime_ns))
    again = ingest(replace(task, earlier=tuple(earlier_parts(run, "s", fingerprint(task)))))
    assert again.rows.sort("path")["content_hash"].to_list()[1] == content_hash(new)
    assert again.counts.total("s", "reused") == 3


def test_nothing_is_taken_over_from_other_versions_or_limits(tmp_path: Path) -> None:
    write_pictures(tmp_path / "photos", 2)
    run = RunDirectory.at(str(tmp_path / "run"))
    task = replace(task_of(tmp_path, "photos"), folder=run.path(folder_of("s")).uri)
    ingest(task)
    assert list(earlier_parts(run, "s", fingerprint(task)))
    assert not list(earlier_parts(run, "s", fingerprint(replace(task, limits=Limits(max_pixels=7)))))
    assert not list(earlier_parts(run, "other", fingerprint(task)))
    write(Path(task.folder) / "stamps-00000.parquet", b"damaged")
    assert not list(earlier_parts(run, "s", fingerprint(task)))


def test_row_groups_and_schema_of_a_table(tmp_path: Path) -> None:
    write_pictures(tmp_path / "photos", 300)
    task = task_of(tmp_path, "photos")
    assert ingest(task).parts == 4
    schemas = {str(pq.read_schema(path)) for path in Path(task.folder).glob("table-*.parquet")}
    assert len(schemas) == 1


def test_counts_are_a_monoid() -> None:
    one, two = IngestCounts.of("a", 3, 1, ["x", "x", "y"]), IngestCounts.of("b", 1, 0, [])
    three = IngestCounts.of("a", 2, 2, ["y", "y"])
    merged = IngestCounts.merge([one, two, three])
    assert merged == IngestCounts.merge([IngestCounts.merge([three, IngestCounts.empty()]), two, one])
    assert IngestCounts.from_bytes(merged.to_bytes()) == merged
    assert merged.rejected("a") == {"y": 3, "x": 2}
    assert (merged.total("a", "taken"), merged.total("a", "parts"), merged.total("b", "reused")) == (5, 2, 0)


def test_no_two_sources_share_a_folder() -> None:
    names = ["web", "Web", "WEB", "web-2", "web/2", "web 2", "ä", "ö", "a" * 100, "a" * 99, "..", "."]
    folders = [folder_of(name).lower() for name in names]
    assert len(set(folders)) == len(names)
    assert all(re.fullmatch(r"ingest/[a-z0-9][a-z0-9_-]*", folder) for folder in folders)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(extras.importlib, "import_module", missing)
    for kind in ("images", "audio"):
        with pytest.raises(SpecError, match=rf"format: {kind} needs .*pip install 'targetsplit\[{kind}\]'"):
            check_extra(kind)


def test_the_document_has_every_column_kind_and_limit() -> None:
    text = (ROOT / "docs/images.md").read_text()
    for kind in ("images", "audio"):
        for name in kind_of(kind).schema.names:
            assert f"`{name}`" in text, name
        assert set(hash_columns(kind)) <= set(kind_of(kind).schema.names)
        assert place_columns(kind)[1:] == location_columns(kind)
    assert all(f"`{name}`" in text for name in location_columns("images"))
    images, audio = Images(), Audio()
    for value in (images.max_pixels, images.max_bytes, audio.max_seconds):
        assert f": {value}" in text
    assert (Limits().max_pixels, Limits().max_bytes, Limits().max_seconds) == (
        images.max_pixels,
        images.max_bytes,
        audio.max_seconds,
    )
    for name in set(IMAGE_ENDINGS.values()) - {"HEIF", "WEBP"}:
        assert name in text
