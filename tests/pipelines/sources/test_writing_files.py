"""Writing files: whole or not at all, also when attempts die, fail, or run at once."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import pytest
from pyarrow import fs

from pipelines.sources import atomic
from pipelines.sources.filesystems import Location, locate, open_output, write_bytes_atomic
from splitting.errors import DataError

ATTEMPT = """
import sys
from pipelines.sources.filesystems import locate, open_output
with open_output(locate(sys.argv[1])) as sink:
    sink.write(b"half of what a killed attempt writes" * 100)
    sink.flush()
    print("writing", flush=True)
    sys.stdin.read()
"""


def test_a_retry_replaces_what_a_killed_attempt_left(tmp_path: Path) -> None:
    target = tmp_path / "x.parquet"
    attempt = subprocess.Popen(
        [sys.executable, "-c", ATTEMPT, str(target)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ
    )
    assert attempt.stdout is not None
    attempt.stdout.readline()
    (left,) = tmp_path.iterdir()
    write_bytes_atomic(locate(str(target)), b"of one that runs beside it")
    assert target.read_bytes() == b"of one that runs beside it"
    assert left.exists()
    attempt.kill()
    attempt.communicate()
    assert left.exists()
    write_bytes_atomic(locate(str(target)), b"retry")
    assert [path.name for path in tmp_path.iterdir()] == ["x.parquet"]
    assert target.read_bytes() == b"retry"


@pytest.mark.parametrize("locks", [True, False])
def test_attempts_at_once_write_files_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locks: bool
) -> None:
    if not locks:
        monkeypatch.setattr(atomic, "lock_file", lambda _handle: None)
    location = locate(str(tmp_path / "x"))
    with ExitStack() as one, ExitStack() as other:
        first, second = one.enter_context(open_output(location)), other.enter_context(open_output(location))
        first.write(b"first, long")
        second.write(b"second")
        assert len(list(tmp_path.iterdir())) == 2
        one.close()
        assert (tmp_path / "x").read_bytes() == b"first, long"
        other.close()
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").read_bytes() == b"second"


def test_a_name_that_was_renamed_meanwhile_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the opening and the lock, another attempt finishes: its file must not be written over."""
    target, lock = tmp_path / "x", atomic.lock_file
    temporary = tmp_path / ".x.0.part"
    temporary.write_bytes(b"whole")

    def finish_then_lock(handle: int) -> bool | None:
        if temporary.exists() and temporary.read_bytes() == b"whole":
            temporary.replace(target)
        return lock(handle)

    monkeypatch.setattr(atomic, "lock_file", finish_then_lock)
    with open_output(locate(str(target))) as sink:
        sink.write(b"new")
        assert target.read_bytes() == b"whole"
    assert target.read_bytes() == b"new"


def remote(tmp_path: Path, uri: str) -> Location:
    return Location(fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem()), "x", uri)


@pytest.mark.parametrize("uri", ["s3://bucket/x", "hdfs://host/x"])
def test_an_attempt_that_fails_leaves_an_object_as_it_was(tmp_path: Path, uri: str) -> None:
    location = remote(tmp_path, uri)
    write_bytes_atomic(location, b"before")
    with pytest.raises(ZeroDivisionError):
        fail_half_way(location)
    assert (tmp_path / "x").read_bytes() == b"before"
    write_bytes_atomic(location, b"after")
    assert (tmp_path / "x").read_bytes() == b"after"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def fail_half_way(location: Location) -> None:
    with open_output(location) as sink:
        sink.write(b"half")
        sink.flush()
        raise ZeroDivisionError


def loses(monkeypatch: pytest.MonkeyPatch, uploads: Sequence[str]) -> None:
    """From now on the first uploads end as they do where a store loses some; the others end well."""
    copy, left = shutil.copyfileobj, list(uploads)

    def copies(source: BinaryIO, target: BinaryIO, length: int) -> None:
        how = left.pop(0) if left else "well"
        if how == "forgotten":
            raise FileNotFoundError(errno.ENOENT, "no such upload")
        for _ in range({"nothing": 0, "well": 1, "twice": 2}[how]):
            source.seek(0)
            copy(source, target, length)

    monkeypatch.setattr(shutil, "copyfileobj", copies)


@pytest.mark.parametrize("uri", ["gs://bucket/x", "hdfs://host/x"])
def test_an_upload_that_a_store_lost_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    loses(monkeypatch, ["nothing", "forgotten", "twice"])
    write_bytes_atomic(remote(tmp_path, uri), b"all of it")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"all of it"]


@pytest.mark.parametrize("how", ["nothing", "forgotten", "twice"])
def test_a_store_that_loses_every_upload_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    loses(monkeypatch, [how] * 99)
    with pytest.raises(DataError, match="cannot write gs://bucket/x"):
        write_bytes_atomic(remote(tmp_path, "gs://bucket/x"), b"all of it")
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_written_is_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match="the disk is full"):
        write_bytes_atomic(locate(str(tmp_path / "x")), b"data")
    assert not list(tmp_path.iterdir())


def test_an_absolute_path_needs_no_working_directory(tmp_path: Path) -> None:
    """A cluster may take a worker's folder away while it works."""
    (tmp_path / "gone").mkdir()
    script = f"""
import os
os.chdir({str(tmp_path / "gone")!r})
os.rmdir({str(tmp_path / "gone")!r})
from pipelines.sources.filesystems import locate, write_bytes_atomic
write_bytes_atomic(locate({str(tmp_path / "made" / "file")!r}), b"data")
"""
    root = str(Path(__file__).parents[3])
    subprocess.run([sys.executable, "-c", script], check=True, env={**os.environ, "PYTHONPATH": root}, timeout=120)
    assert (tmp_path / "made" / "file").read_bytes() == b"data"
