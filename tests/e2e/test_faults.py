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
from typing import Any

import polars as pl
import pytest

from pipelines import api
from pipelines.cli.main import run_command
from pipelines.run_directory import CLAIM
from splitting.errors import TargetsplitError
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
from tests.support.users import as_nobody
from validation.gx import process

pytestmark = pytest.mark.e2e
KILLS = int(os.environ.get("TARGETSPLIT_KILLS", "5"))
SMALL = {"test": 20, "dev": 20, "train_dev": 20}


def told(arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> str:
    """The one message of a command that fails."""
    assert run_command(arguments) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(("error: ", "Error: ", "Usage: "))
    for noise in ("Traceback", "apache_beam", "severity", "apitools", "while running", "RuntimeError"):
        assert noise not in captured.err
    return captured.err


def run_told(folder: Path, capsys: pytest.CaptureFixture[str], code: int = 1, text: str = SPEC) -> str:
    """The message of a run over a folder's corpus that fails; it left nothing that looks whole."""
    run = folder / "RUN"
    message = told(["run", str(write_spec(folder, text, **SMALL)), "-o", str(run)], code, capsys)
    assert not (run / "_SUCCESS").exists()
    assert not [path for path in files(run) if path.startswith("_work") or ".part" in path]
    return message


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


# Run directories and commands


def test_changed_inputs_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_parquet(tmp_path, web_and_app(300, 200))
    api.plan(str(write_spec(tmp_path, **SMALL)), str(tmp_path / "RUN"))
    write_parquet(tmp_path, web_and_app(301, 200))
    message = told(["apply", str(tmp_path / "RUN")], 1, capsys)
    assert "input files changed after the plan was made" in message
    (tmp_path / "web" / "part.parquet").unlink()
    assert "is gone" in told(["apply", str(tmp_path / "RUN")], 1, capsys)
    assert not (tmp_path / "RUN" / "_SUCCESS").exists()


def test_inputs_that_changed_without_changing_size_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By what was read: nothing else tells a key that was edited in place, or a row that moved to another file."""
    for name, rows in web_and_app(300, 200).items():
        (tmp_path / name).mkdir()
        rows.write_csv(tmp_path / name / "part.csv")
    api.plan(str(write_spec(tmp_path, **SMALL)), str(tmp_path / "RUN"))
    part = tmp_path / "web" / "part.csv"
    text = part.read_text()
    for old, new in (("\nw17,", "\nw1x,"), ("\nw17,u8,", "\nw17,u9,")):
        assert text.count(old) == 1
        part.write_text(text.replace(old, new))
        message = told(["apply", str(tmp_path / "RUN")], 1, capsys)
        assert "source 'web': its keys or groups are not those that were planned" in message
        assert not (tmp_path / "RUN" / "_SUCCESS").exists()
    lines = text.splitlines(keepends=True)
    part.write_text("".join([lines[0], *lines[:0:-1]]))
    assert run_command(["apply", str(tmp_path / "RUN"), "--quiet"]) == 0, "another order is the same data"


def test_a_run_inside_a_source_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_parquet(tmp_path, web_and_app(300, 200))
    spec = str(write_spec(tmp_path, **SMALL))
    for folder in ("web/RUN", "app/runs/first"):
        message = told(["run", spec, "-o", str(tmp_path / folder)], 1, capsys)
        assert "the next run would read what this one wrote" in message
        assert not (tmp_path / folder).exists()


def test_a_changed_plan_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_parquet(tmp_path, web_and_app(300, 200))
    api.plan(str(write_spec(tmp_path, **SMALL)), str(tmp_path / "RUN"))
    plan = tmp_path / "RUN" / "plan" / "plan.json"
    text = plan.read_text()
    for broken in (text.replace('"asked": 20', '"asked": 21'), text[:100], "{}", ""):
        plan.write_text(broken)
        assert "cannot be used" in told(["apply", str(tmp_path / "RUN")], 1, capsys)
        assert "plan again" in told(["show", str(tmp_path / "RUN")], 1, capsys)


def test_foreign_files_and_finished_runs_are_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_parquet(tmp_path, web_and_app(300, 200))
    spec = str(write_spec(tmp_path, **SMALL))
    out = tmp_path / "RUN"
    out.mkdir()
    (out / "thesis.doc").write_text("mine")
    for overwrite in ([], ["--overwrite"]):
        assert "is not a run directory: it holds 'thesis.doc'" in told(
            ["run", spec, "-o", str(out), *overwrite], 1, capsys
        )
    assert (out / "thesis.doc").read_text() == "mine"
    (out / "thesis.doc").unlink()

    assert run_command(["run", spec, "-o", str(out), "--quiet"]) == 0
    whole = files(out)
    assert "--overwrite" in told(["run", spec, "-o", str(out)], 1, capsys)
    assert "--overwrite" in told(["plan", spec, "-o", str(out)], 1, capsys)
    assert "--overwrite" in told(["apply", str(out)], 1, capsys)
    # A new run that cannot be planned leaves the old one whole.
    larger = str(write_spec(tmp_path, test=200, dev=200, train_dev=20))
    assert "the data cannot give" in told(["run", larger, "-o", str(out), "--overwrite"], 1, capsys)
    assert files(out) == whole

    spec = str(write_spec(tmp_path, **SMALL))
    assert run_command(["apply", str(out), "--overwrite", "--quiet"]) == 0
    assert files(out) == whole
    assert run_command(["run", spec, "-o", str(out), "--overwrite", "--quiet"]) == 0
    assert files(out) == whole


def test_a_file_in_the_place_of_the_run_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_parquet(tmp_path, web_and_app(300, 200))
    (tmp_path / "RUN").write_text("a file")
    told(["run", str(write_spec(tmp_path, **SMALL)), "-o", str(tmp_path / "RUN")], 1, capsys)
    assert (tmp_path / "RUN").read_text() == "a file"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--direct_num_wrokers=2"], "Beam knows no option --direct_num_wrokers; did you mean --direct_num_workers?"),
        (["--runer=FlinkRunner"], "did you mean --runner?"),
        (["--runner=FlnkRunner"], "did you mean FlinkRunner?"),
        (["--runner=nowhere.Runner"], "--runner=nowhere.Runner cannot be used"),
        (["--direct_num_workers=many"], "invalid int value: 'many'"),
        (["--direct_running_mode=magic"], "invalid choice: 'magic'"),
        (["-x"], "got '-x', expected an option of Beam, written --name=value"),
        (["stray"], "got 'stray', expected an option of Beam, written --name=value"),
    ],
)
def test_wrong_beam_options_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    write_parquet(tmp_path, web_and_app(30, 20))
    spec = str(write_spec(tmp_path, test=2, dev=2, train_dev=2))
    assert message in told(["run", spec, "-o", str(tmp_path / "RUN"), "--", *arguments], 2, capsys)


def test_our_own_bugs_show_a_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_parquet(tmp_path, web_and_app(30, 20))
    monkeypatch.setattr("pipelines.jobs.census.FirstLook.add", lambda *_: 1 // 0)
    with pytest.raises(ZeroDivisionError) as raised:
        api.plan(str(write_spec(tmp_path, test=2, dev=2, train_dev=2)), str(tmp_path / "RUN"))
    assert not isinstance(raised.value, TargetsplitError)


def test_groups_that_are_all_too_large_are_told_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = pl.DataFrame({"image_id": [f"a{i // 5}" for i in range(500)], "label": ["x"] * 500})
    write_parquet(tmp_path, {"app": rows, "web": rows.with_columns(image_id="w" + pl.col("image_id"))})
    text = SPEC.replace("group: user_id\n", "").replace(
        "{{test: {test}, dev: {dev}, train_dev: {train_dev}", "{{dev: 3"
    )
    message = run_told(tmp_path, capsys, 1, text)
    assert "dev would be empty: asked 3, and the least group of pool 'target' has 5 rows" in message
    assert "Ask for smaller splits" not in message
    result = api.run(str(write_spec(tmp_path, text + "on_shortfall: allow\n", **SMALL)), str(tmp_path / "RUN"))
    assert result.success
    assert not len(read_split(tmp_path / "RUN", "train").filter(pl.col("source") == "nobody"))
    assert result.plan.rows_of("dev") == 0


def test_a_broken_ledger_or_a_changed_spec_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_parquet(tmp_path, web_and_app())
    spec = str(write_spec(tmp_path, **SMALL))
    run = tmp_path / "RUN"
    api.plan(spec, str(run))
    resolved = (run / "spec.yaml").read_text()
    (run / "spec.yaml").write_text(resolved.replace("size: 20", "size: 30", 1))
    assert "spec.yaml is not the spec of the plan" in told(["apply", str(run)], 1, capsys)
    (run / "spec.yaml").write_text(resolved)
    ledger = (run / "plan" / "ledger.parquet").read_bytes()
    (run / "plan" / "ledger.parquet").write_bytes(ledger[: len(ledger) // 2])
    assert "ledger.parquet cannot be read" in told(["apply", str(run)], 1, capsys)
    assert "ledger.parquet cannot be read" in told(["show", str(run)], 1, capsys)


def test_a_judge_that_somebody_ends_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_parquet(tmp_path, web_and_app())
    honest = process.Judge.judge

    def ended(self: process.Judge, *rest: Any) -> Any:
        self._process.send_signal(signal.SIGKILL)
        return honest(self, *rest)

    monkeypatch.setattr(process.Judge, "judge", ended)
    assert "was ended by signal 9; run the same command again" in run_told(tmp_path, capsys)
