"""One launcher at a time writes a run directory; on disk a lock says so, and goes with its holder."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.claims import claimed
from pipelines.run_directory import RunDirectory
from splitting.errors import DataError, RunDirectoryError
from tests.support.command import environment

_HOLD = """
import sys, time
from pipelines.claims import claimed
from pipelines.run_directory import RunDirectory
with claimed(RunDirectory.at(sys.argv[1]), lambda: None):
    print("held", flush=True)
    time.sleep(600)
"""


def _nothing() -> None:
    return None


def test_a_second_launcher_is_told(tmp_path: Path) -> None:
    run = RunDirectory.at(str(tmp_path / "RUN"))
    with claimed(run, _nothing):
        with pytest.raises(RunDirectoryError, match="another launcher is writing"), claimed(run, _nothing):
            pass
        run.require_free(overwrite=False)  # a claim is no stranger
    with claimed(run, _nothing):
        pass


def test_what_nothing_was_written_to_is_not_left(tmp_path: Path) -> None:
    with claimed(RunDirectory.at(str(tmp_path / "a" / "b" / "RUN")), _nothing):
        assert (tmp_path / "a" / "b" / "RUN").is_dir()
    assert list(tmp_path.iterdir()) == []


def test_what_was_written_stays(tmp_path: Path) -> None:
    run = RunDirectory.at(str(tmp_path / "RUN"))
    with claimed(run, _nothing):
        run.write("spec.yaml", "x")
    assert run.names() == ["spec.yaml"]


def test_a_killed_launcher_holds_nothing(tmp_path: Path) -> None:
    run = RunDirectory.at(str(tmp_path / "RUN"))
    command = [sys.executable, "-c", _HOLD, run.uri]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment(), text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(RunDirectoryError, match="another launcher"), claimed(run, _nothing):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait(timeout=60)
    with claimed(run, _nothing):
        pass
    assert list(tmp_path.iterdir()) == [tmp_path / "RUN"]  # the killed one had made it
    assert run.names() == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot write"), claimed(RunDirectory.at(str(tmp_path / "file/RUN")), _nothing):
        pass
