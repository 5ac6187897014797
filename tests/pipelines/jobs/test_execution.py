"""Options of Beam are checked before anything runs; a runner that is not there is told in one message."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import DirectOptions, SetupOptions, StandardOptions

from pipelines.jobs.execution import run_job
from pipelines.jobs.options import EMBEDDED, job_options
from splitting.errors import DataError, SpecError


@pytest.mark.parametrize("arguments", [[], ["--runner=DirectRunner"], ["--runner", "direct"]])
def test_without_a_runner_jobs_run_here_on_all_cores(arguments: list[str]) -> None:
    options = job_options(arguments)
    assert options.view_as(StandardOptions).runner == EMBEDDED
    assert options.view_as(DirectOptions).direct_running_mode == "in_memory"
    assert options.view_as(DirectOptions).direct_num_workers >= 1


def test_the_user_says_how_many_threads_there_are() -> None:
    def workers(*arguments: str) -> int:
        return int(job_options(arguments).view_as(DirectOptions).direct_num_workers)

    assert workers() == len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else workers() >= 1
    assert workers("--direct_num_workers=7") == 7


_BOTH_HERE = threading.Event()
_SEEN: set[int] = set()


def _wait_for_another(_: int) -> None:
    _SEEN.add(threading.get_ident())
    if len(_SEEN) > 1:
        _BOTH_HERE.set()
    assert _BOTH_HERE.wait(60)


def test_its_workers_are_threads_that_run_at_once() -> None:
    """Beam warns that they would not."""
    options = job_options(["--direct_num_workers=2"])
    elements = beam.Create(range(8))
    run_job(options, lambda made: made | elements | beam.Reshuffle() | beam.Map(_wait_for_another) and None)


def test_what_the_user_says_of_the_embedded_runner_counts() -> None:
    options = job_options(["--direct_running_mode=multi_processing", "--direct_num_workers=3"])
    assert options.view_as(DirectOptions).direct_running_mode == "multi_processing"
    assert options.view_as(DirectOptions).direct_num_workers == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--direct_num_workrs=2"], "did you mean --direct_num_workers"),
        (["--direct_num_workers=many"], "many"),
        (["--runner=FlinkRuner"], "did you mean FlinkRunner"),
        (["--runner=no.such.Runner"], "cannot be used"),
        (["runner=direct"], "written --name=value"),
        (["--runner=direct", "--", "x"], "written --name=value"),
    ],
)
def test_wrong_options_are_told(arguments: list[str], said: str) -> None:
    with pytest.raises(SpecError) as told:
        run_job(job_options(arguments), lambda _: None)
    assert said in str(told.value)
    assert "options after --" in str(told.value)


def test_a_job_server_that_is_not_there_is_told_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and not listening: nobody else answers there
        options = job_options(["--runner=PortableRunner", f"--job_endpoint=127.0.0.1:{taken.getsockname()[1]}"])
        with pytest.raises(SpecError, match="no job server answers there"):
            run_job(options, lambda pipeline: pipeline | beam.Create([1]) and None)


def test_a_runner_that_lacks_an_option_is_told() -> None:
    with pytest.raises(SpecError, match="must specify a --job_endpoint"):
        run_job(job_options(["--runner=PortableRunner"]), lambda pipeline: pipeline | beam.Create([1]) and None)


def _break(_: int) -> None:
    raise DataError("part.csv is broken:\n  - line 2")


def test_an_error_of_a_worker_is_told_as_it_was_raised() -> None:
    with pytest.raises(DataError) as told:
        run_job(job_options([]), lambda pipeline: pipeline | beam.Create([1]) | beam.Map(_break) and None)
    assert str(told.value) == "part.csv is broken:\n  - line 2"


def _listening(process: int) -> list[str]:
    """The addresses on which a process listens, as the kernel writes them."""
    sockets = {str(path.readlink()) for path in Path(f"/proc/{process}/fd").iterdir() if path.is_symlink()}
    tables = [Path(f"/proc/{process}/net/{name}").read_text() for name in ("tcp", "tcp6")]
    rows = [line.split() for table in tables for line in table.splitlines()]
    return [row[1].partition(":")[0] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets]


def _look(_: int, process: int, path: str) -> None:
    Path(path).write_text("\n".join(_listening(process)))


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="asks Linux which ports are open")
@pytest.mark.parametrize("mode", ["multi_threading", "multi_processing"])
def test_the_embedded_runner_listens_to_this_machine_alone(mode: str, tmp_path: Path) -> None:
    options = job_options([f"--direct_running_mode={mode}", "--direct_num_workers=2"])
    said = tmp_path / "said"
    run_job(options, lambda made: made | beam.Create([1]) | beam.Map(_look, os.getpid(), str(said)) and None)
    found = set(said.read_text().split())
    assert found
    assert found <= {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}


def test_a_bug_is_raised_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        run_job(job_options([]), lambda pipeline: pipeline | beam.Create([0]) | beam.Map(lambda x: 1 // x) and None)


@pytest.mark.parametrize(("more", "sent"), [([], False), (["--save_main_session"], True)])
def test_the_main_module_of_the_launcher_is_not_sent_to_workers(more: list[str], sent: bool) -> None:
    options = job_options(["--runner=PortableRunner", "--job_endpoint=localhost:8099", *more])
    assert options.view_as(SetupOptions).save_main_session is sent


def test_views_of_options_share_their_values() -> None:
    options = job_options([])
    view = options.view_as(DirectOptions)
    view.direct_num_workers = 7
    assert options.view_as(DirectOptions).direct_num_workers == 7
    assert options.view_as(SetupOptions).view_as(DirectOptions).direct_num_workers == 7
    assert options.get_all_options()["direct_num_workers"] == 7
