"""Broken data, broken disks, broken users: one clear message, the right exit code, nothing that only looks whole."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from pipelines import api
from pipelines.cli.main import run_command
from pipelines.run_directory import CLAIM
from tests.support.command import call, files, start
from tests.support.corpus import (
    EVALUATION,
    SPEC,
    check_whole,
    read_split,
    split_of,
    web_and_app,
    write_parquet,
    write_spec,
)
from tests.support.told import SMALL, run_told, told
from tests.support.users import as_nobody

pytestmark = pytest.mark.e2e
KILLS = int(os.environ.get("TARGETSPLIT_KILLS", "5"))


# Killed processes


def test_a_killed_run_is_finished_by_the_same_command(tmp_path: Path) -> None:
    """Twenty points instead of five: TARGETSPLIT_KILLS=20."""
    write_parquet(tmp_path, web_and_app(), row_group_size=200)
    spec = write_spec(tmp_path)

    def arguments(out: Path) -> list[str]:
        return ["run", str(spec), "-o", str(out), "--quiet", "--shard-size", "16k"]

    begun = time.monotonic()
    done = call(arguments(tmp_path / "WHOLE"))
    seconds = time.monotonic() - begun
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    whole = files(tmp_path / "WHOLE")
    assert not [path for path in whole if ".part" in path or path.startswith("_work")]
    out = tmp_path / "RUN"
    moments = random.Random(20261122)
    points = sorted(moments.uniform(0.3, 1.0) for _ in range(KILLS))
    left = []
    for point in points:
        killed = start(arguments(out))
        time.sleep(seconds * point)
        os.killpg(killed.pid, signal.SIGKILL)
        killed.communicate(timeout=60)
        left.append(sorted(files(out)) if out.exists() else [])
        if (out / "_SUCCESS").exists():
            # A kill after the last file may come before the lock is taken away: nobody holds it, the next run takes it.
            assert {path: content for path, content in files(out).items() if path != CLAIM} == whole
            (out / "_SUCCESS").unlink()
    assert any(left), "no kill came late enough to leave anything"
    done = call(arguments(out))
    assert (done.returncode, done.stderr) == (0, "")
    assert files(out) == whole


def test_a_killed_apply_is_finished_by_apply(tmp_path: Path) -> None:
    write_parquet(tmp_path, web_and_app(600, 200), row_group_size=100)
    spec = write_spec(tmp_path, **SMALL)
    assert api.run(str(spec), str(tmp_path / "WHOLE"), shard_bytes=4_000).success
    whole = files(tmp_path / "WHOLE")
    api.plan(str(spec), str(tmp_path / "RUN"))
    data = tmp_path / "RUN" / "data"
    data.mkdir()
    (data / ".train-00000-of-00009.parquet.4711.part").write_bytes(b"half")
    (data / "train-00000-of-00099.parquet").write_bytes(b"of another shard size")
    assert api.apply(str(tmp_path / "RUN"), shard_bytes=4_000).success
    assert files(tmp_path / "RUN") == whole


def test_an_interrupt_is_one_line_and_leaves_no_finished_run(tmp_path: Path) -> None:
    write_parquet(tmp_path, web_and_app(60_000, 20_000), row_group_size=1_000)
    spec = write_spec(tmp_path, text=SPEC.replace("salt:", "salt: x"))
    process = start(["run", str(spec), "-o", str(tmp_path / "RUN")])
    while not (tmp_path / "RUN").exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert (out, err.lstrip("\n")) == ("", "interrupted; run the same command again to start over\n")
    assert not (tmp_path / "RUN" / "_SUCCESS").exists()


# Broken files


def test_broken_files_get_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_parquet(tmp_path, web_and_app(300, 200))
    whole = (tmp_path / "web" / "part.parquet").read_bytes()
    (tmp_path / "web" / "part.parquet").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "web" / "empty.parquet").write_bytes(b"")
    message = run_told(tmp_path, capsys)
    assert "2 of 3 files cannot be read" in message
    assert "web/part.parquet" in message
    assert "it may be cut off" in message
    assert "empty (0 bytes)" in message


def test_a_parquet_file_damaged_inside_gets_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_parquet(tmp_path, web_and_app(3_000, 200))
    damaged = bytearray((tmp_path / "web" / "part.parquet").read_bytes())
    damaged[4:2_000] = bytes(1_996)
    (tmp_path / "web" / "part.parquet").write_bytes(damaged)
    message = run_told(tmp_path, capsys)
    assert "web/part.parquet" in message


def test_a_value_deep_in_a_csv_that_does_not_fit_gets_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tables = web_and_app(300, 200)
    write_parquet(tmp_path, {"app": tables["app"]})
    (tmp_path / "web").mkdir()
    head, row = tables["web"].write_csv().splitlines()[:2]
    filler = [row.replace("w0", f"w{i}").replace("a photo", "x" * 300) for i in range(60_000)]
    (tmp_path / "web" / "rows.csv").write_text("\n".join([head, *filler, row.replace(",0,", ",wide,", 1)]) + "\n")
    message = run_told(tmp_path, capsys)
    assert "csv.column_types" in message


def test_bad_lines_are_counted_and_kept(tmp_path: Path) -> None:
    tables = web_and_app(300, 200)
    write_parquet(tmp_path, {"app": tables["app"]})
    (tmp_path / "web").mkdir()
    text = tables["web"].write_csv() + "too,few\nfar,too,many,columns,for,this,file,indeed\n"
    (tmp_path / "web" / "rows.csv").write_text(text)
    result = api.run(str(write_spec(tmp_path, **SMALL)), str(tmp_path / "RUN"))
    assert result.success
    kept = pl.read_parquet(tmp_path / "RUN" / "rejected" / "lines-*.parquet")
    assert kept["reason"].to_list() == ["bad line: expected 6 columns, got 2", "bad line: expected 6 columns, got 8"]
    assert kept["text"][0] == "too,few"
    assert [(item.reason, item.rows) for item in result.plan.rejected] == [("bad line", 2)]
    check_whole_but_lines(tmp_path / "RUN", tables)


def check_whole_but_lines(run: Path, tables: dict[str, pl.DataFrame]) -> None:
    moved = run.parent / "WITHOUT_LINES"
    shutil.copytree(run, moved, ignore=shutil.ignore_patterns("lines-*"))
    check_whole(moved, tables)


def test_a_source_of_empty_files_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables = web_and_app(300, 200)
    write_parquet(tmp_path, {"web": tables["web"], "app": tables["app"][:0]})
    assert "source 'app' has no rows" in run_told(tmp_path, capsys)
    (tmp_path / "app" / "part.parquet").unlink()
    (tmp_path / "app" / "rows.csv").write_text("")
    assert "source 'app' has no rows" in run_told(tmp_path, capsys)
    (tmp_path / "app" / "rows.csv").unlink()
    assert "source 'app'" in run_told(tmp_path, capsys)


def test_a_missing_column_names_the_nearest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_parquet(tmp_path, web_and_app(300, 200))
    assert "did you mean 'user_id'?" in run_told(tmp_path, capsys, 2, SPEC.replace("group: user_id", "group: user"))


def test_a_key_that_one_source_lacks_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables = web_and_app(300, 200)
    write_parquet(tmp_path, {"web": tables["web"], "app": tables["app"].drop("image_id")})
    message = run_told(tmp_path, capsys)
    assert "app/part.parquet (source 'app') has no column 'image_id', which is in the key" in message
    assert "rejected (null key" not in message


def test_a_key_that_one_file_of_a_source_lacks_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables = web_and_app(300, 200)
    write_parquet(tmp_path, tables)
    tables["app"].drop("image_id").write_csv(tmp_path / "app" / "nocol.csv")
    assert "app/nocol.csv (source 'app') has no column 'image_id'" in run_told(tmp_path, capsys)


def test_a_folder_without_permission_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_told(tmp_path, capsys)  # there is no data yet; and Python, which nobody may be allowed to read, is loaded
    write_parquet(tmp_path, web_and_app(300, 200))
    (tmp_path / "web").chmod(0)
    try:
        with as_nobody(tmp_path):
            assert "permission denied" in run_told(tmp_path, capsys)
    finally:
        (tmp_path / "web").chmod(0o755)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    if os.geteuid() != 0 or mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small tmpfs cannot be mounted here (it takes root and CAP_SYS_ADMIN)")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)


def test_a_full_disk_is_told(tmp_path: Path, tiny_disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    noise = random.Random(1)
    tables = {
        name: frame.with_columns(caption=pl.Series([noise.randbytes(400).hex() for _ in range(len(frame))]))
        for name, frame in web_and_app(1_500, 300).items()
    }
    write_parquet(tmp_path, tables)
    spec = str(write_spec(tmp_path, **SMALL))
    run = tiny_disk / "RUN"
    assert "the disk is full" in told(["run", spec, "-o", str(run)], 1, capsys)
    assert not (run / "_SUCCESS").exists()
    assert not list((run / "data").glob("train-*"))


def test_a_full_device_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As above where nothing can be mounted: the operating system says no in the middle of the writing."""
    write_parquet(tmp_path, web_and_app(300, 200))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    api.plan(str(write_spec(tmp_path, **SMALL)), str(tmp_path / "RUN"))
    monkeypatch.setattr(os, "fsync", full)
    message = told(["apply", str(tmp_path / "RUN")], 1, capsys)
    assert "the disk is full" in message
    assert not files(tmp_path / "RUN" / "data")
    monkeypatch.undo()
    assert run_command(["apply", str(tmp_path / "RUN"), "--quiet"]) == 0


# Odd keys and groups


def test_repeated_keys_stay_together(tmp_path: Path) -> None:
    tables = web_and_app(400, 200)
    app = tables["app"].with_columns(user_id=pl.lit(None, dtype=pl.String))
    twice = {"web": tables["web"], "app": pl.concat([app, app.with_columns(caption=pl.lit("again"))])}
    write_parquet(tmp_path, twice)
    result = api.run(str(write_spec(tmp_path, **SMALL)), str(tmp_path / "RUN"))
    assert result.success, result.judgement.critical
    check_whole(tmp_path / "RUN", twice)
    for name in ("dev", "test"):
        counts = read_split(tmp_path / "RUN", name)["image_id"].value_counts()
        assert set(counts["count"]) == {2}, "both rows of a key are in the same split"
    assert any("more than one row" in note for note in result.plan.notes)


def test_a_key_in_two_sources_is_one_example(tmp_path: Path) -> None:
    tables = web_and_app(400, 200)
    both = {"web": pl.concat([tables["web"], tables["app"]]), "app": tables["app"]}
    write_parquet(tmp_path, both)
    result = api.run(str(write_spec(tmp_path, **SMALL)), str(tmp_path / "RUN"))
    assert result.success, result.judgement.critical
    check_whole(tmp_path / "RUN", both)
    assert any("more than one source" in note for note in result.plan.notes)
    parts = pl.concat(
        [read_split(tmp_path / "RUN", name).select("image_id", split=pl.lit(name)) for name in ("train", *EVALUATION)]
    )
    assert parts.group_by("image_id").agg(pl.col("split").n_unique())["split"].max() == 1


def test_a_key_in_two_groups_is_held_out_of_one(tmp_path: Path) -> None:
    tables = web_and_app(400, 200)
    thief = {"web": pl.concat([tables["web"], tables["app"].with_columns(user_id=pl.lit("thief"))])}
    write_parquet(tmp_path, {**thief, "app": tables["app"]})
    result = api.run(str(write_spec(tmp_path, **SMALL)), str(tmp_path / "RUN"))
    assert result.success, result.judgement.critical
    check_whole(tmp_path / "RUN", {**thief, "app": tables["app"]})
    held = pl.read_parquet(tmp_path / "RUN" / "held_out" / "rows-*.parquet")
    stolen = held.filter(pl.col("user_id") == "thief")
    assert stolen["reason"].str.contains("^same key as an example of (dev|test|train_dev), but in another group$").all()
    where = split_of(tmp_path / "RUN")
    assert len(stolen) == sum(str(key).startswith("a") and split != "train" for key, split in where.items())


def test_null_keys_are_rejected_and_null_groups_counted(tmp_path: Path) -> None:
    tables = web_and_app(400, 200)
    web = tables["web"].with_columns(image_id=pl.when(pl.int_range(pl.len()) % 40 != 0).then("image_id"))
    write_parquet(tmp_path, {**tables, "web": web})
    result = api.run(str(write_spec(tmp_path, **SMALL)), str(tmp_path / "RUN"))
    assert result.success, result.judgement.critical
    rejected = pl.read_parquet(tmp_path / "RUN" / "rejected" / "*.parquet")
    assert rejected["reason"].to_list() == ["null key"] * 10
    assert [(item.source, item.rows) for item in result.plan.rejected] == [("web", 10)]
    lone = {source.name: source.null_groups for source in result.plan.sources}
    assert lone["app"] == tables["app"]["user_id"].null_count()
    assert lone["web"] == web.drop_nulls("image_id")["user_id"].null_count()
    assert f"{sum(lone.values())} rows have a null group; each is a group of one." in result.plan.notes
