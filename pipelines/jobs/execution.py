"""Builds and runs a job: options, runner, progress, and errors of workers told as our own."""

from __future__ import annotations

import difflib
import io
import logging
import os
import re
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr
from typing import TypeAlias

import apache_beam as beam
import grpc
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, PortableOptions, StandardOptions
from apache_beam.runners.runner import PipelineResult

from pipelines.jobs.counting import counters
from pipelines.jobs.loopback import keep_to_loopback
from splitting.errors import DataError, SpecError

JobOptions: TypeAlias = PipelineOptions
EMBEDDED = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"
_CONNECT_SECONDS = 20
_LEAVE_MAIN = ("--no_save_main_session",)
"""Beam would send the launcher's main module to every worker; nothing of ours is there."""
_DIRECT = ("direct", "directrunner", "fnapirunner")
_ARGUMENTS = "options after --"
_USER_ERROR = re.compile(r"^(?:[\w.]+\.)?(?:DataError|ShortfallError): (?P<text>.*)", re.DOTALL | re.MULTILINE)
_AFTER_ERROR = re.compile(r"\n\s*\n(?:During handling of|The above exception)|\nTraceback \(most recent")


def job_options(arguments: Sequence[str]) -> PipelineOptions:
    """Beam's options of a job.

    Args:
        arguments: what the user hands to Beam, as in `--runner=FlinkRunner`. Without a runner, and with
            `DirectRunner` (which would first look for another program to download), the embedded one runs in this
            process, in threads on all cores unless `--direct_...` options say otherwise. Beam's own mode `in_memory`
            is those threads, whatever its warning says; `multi_threading` would send every element through a socket.

    Returns:
        The options.

    Raises:
        SpecError: an argument is not an option, has a wrong value, or names no runner. Options that Beam itself does
            not know are refused for the embedded runner; other runners may know them.
    """
    _check_shape(arguments)
    given = _parsed(arguments)
    runner = str(given["runner"] or "")
    if runner and not _is_embedded(runner):
        _check_runner(runner)
        return PipelineOptions([*_LEAVE_MAIN, *arguments])
    _check_known(given)
    named = {argument.split("=")[0] for argument in arguments}
    chosen = [*arguments, f"--runner={EMBEDDED}"]
    if "--direct_num_workers" not in named:
        chosen.append(f"--direct_num_workers={_cores()}")
    return PipelineOptions(chosen)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _is_embedded(runner: str) -> bool:
    return runner == EMBEDDED or runner.lower() in _DIRECT


def _check_shape(arguments: Sequence[str]) -> None:
    value_may_follow = False
    for argument in arguments:
        is_option = re.fullmatch(r"--[A-Za-z][A-Za-z0-9_-]*(=.*)?", argument, re.DOTALL) is not None
        if not is_option and (argument.startswith("-") or not value_may_follow):
            raise SpecError(f"got {argument!r}, expected an option of Beam, written --name=value", _ARGUMENTS)
        value_may_follow = is_option and "=" not in argument


def _parsed(arguments: Sequence[str]) -> dict[str, object]:
    """The options as Beam understands them, unknown ones included."""
    said = io.StringIO()
    try:
        with redirect_stderr(said), _quiet_logs(logging.CRITICAL):
            options: dict[str, object] = PipelineOptions(list(arguments)).get_all_options(retain_unknown_options=True)
    except SystemExit:
        lines = said.getvalue().strip().splitlines() or ["Beam cannot read them"]
        raise SpecError(lines[-1].partition("error: ")[2] or lines[-1], _ARGUMENTS) from None
    return options


def _check_known(given: dict[str, object]) -> None:
    known = PipelineOptions([]).get_all_options()
    unknown = [name for name in given if name not in known]
    if unknown:
        close = difflib.get_close_matches(unknown[0], known, 1)
        hint = f"; did you mean --{close[0]}?" if close else ""
        raise SpecError(f"Beam knows no option --{unknown[0]}{hint}", _ARGUMENTS)


def _check_runner(runner: str) -> None:
    known = list(StandardOptions.KNOWN_RUNNER_NAMES)
    names = {name.lower() for name in known} | {name.lower().removesuffix("runner") for name in known}
    if "." not in runner and runner.lower() not in names:
        close = difflib.get_close_matches(runner, known, 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise SpecError(f"--runner: got {runner!r}, expected one of {', '.join(known)}{hint}", _ARGUMENTS)


def runner_of(options: PipelineOptions) -> str:
    """The name of the runner of a job."""
    return str(options.view_as(StandardOptions).runner).rpartition(".")[2]


def run_job(options: PipelineOptions, build: Callable[[beam.Pipeline], None]) -> dict[str, int]:
    """Runs a job to its end.

    Args:
        options: from `job_options`.
        build: adds the job's transforms to a pipeline.

    Returns:
        The job's counters, by name.

    Raises:
        DataError: a worker met data that it cannot read; the message is the worker's own.
        SpecError: the runner cannot be made from the options, or cannot be reached.
    """
    runner = str(options.view_as(StandardOptions).runner)
    embedded = _is_embedded(runner)
    with ExitStack() as stack:
        stack.enter_context(_quiet_logs(logging.CRITICAL if embedded else logging.WARNING))
        if embedded:
            keep_to_loopback()
            stack.enter_context(_worker_output_hidden())
            if options.view_as(DirectOptions).direct_running_mode == "multi_processing":
                stack.enter_context(_child_output_hidden())
        pipeline = _pipeline(options, runner)
        build(pipeline)
        try:
            result = pipeline.run() if embedded else _submitted(pipeline, options, runner)
            result.wait_until_finish()
        except Exception as error:
            told = _user_error(error)
            if told is None:
                raise
            raise DataError(told) from error
    return counters(result)


def _pipeline(options: PipelineOptions, runner: str) -> beam.Pipeline:
    try:
        return beam.Pipeline(options=options)
    except (ImportError, AttributeError, ValueError) as error:
        raise SpecError(f"--runner={runner} cannot be used: {' '.join(str(error).split())}", _ARGUMENTS) from error


def _submitted(pipeline: beam.Pipeline, options: PipelineOptions, runner: str) -> PipelineResult:
    """Hands a job to a runner outside this process; that it cannot be reached is no bug of ours."""
    endpoint = str(options.view_as(PortableOptions).job_endpoint or "")
    if re.fullmatch(r"[^/]+:\d+", endpoint):
        _check_answers(endpoint)
    try:
        return pipeline.run()
    except (RuntimeError, NotImplementedError, OSError, grpc.RpcError, grpc.FutureTimeoutError) as error:
        if _user_error(error) is not None:
            raise
        said = " ".join(str(error).split()) or "it did not answer in time"
        raise SpecError(f"--runner={runner} cannot be used: {said}", _ARGUMENTS) from error


def _check_answers(endpoint: str) -> None:
    """Beam waits for minutes for a job server that is not there."""
    host, _, port = endpoint.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SpecError(f"--job_endpoint={endpoint}: no job server answers there ({said})", _ARGUMENTS) from error


@contextmanager
def _quiet_logs(level: int) -> Iterator[None]:
    loggers = [logging.getLogger("apache_beam"), logging.getLogger()]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(level)
    try:
        yield
    finally:
        for logger, before in zip(loggers, levels, strict=True):
            logger.setLevel(before)


@contextmanager
def _worker_output_hidden() -> Iterator[None]:
    """Workers in this process print the traceback of every error; the launcher tells it once, and better."""
    with redirect_stderr(io.StringIO()):
        yield


@contextmanager
def _child_output_hidden() -> Iterator[None]:
    """Workers in processes of their own write their logs to this process's standard error."""
    sys.stderr.flush()
    shown = os.dup(2)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123, a device
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(shown, 2)
        os.close(shown)


def _user_error(error: BaseException) -> str | None:
    """The message of a worker's DataError, wherever the runner wrapped it."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, DataError):
            return _without_place(str(seen))
        seen = seen.__cause__ or seen.__context__
    found = _USER_ERROR.search(str(error))
    return _without_place(_AFTER_ERROR.split(found["text"])[0]) if found else None


def _without_place(text: str) -> str:
    """A message without the name of the step that Beam puts after it."""
    return re.sub(r" \[while running '[^']*'\]\s*$", "", text).strip()
