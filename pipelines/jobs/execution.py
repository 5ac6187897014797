"""Runs a job: runner, progress, and errors of workers told as our own."""

from __future__ import annotations

import gc
import io
import logging
import os
import re
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr

import apache_beam as beam
import grpc
from apache_beam.options.pipeline_options import DirectOptions, PortableOptions, StandardOptions
from apache_beam.runners.runner import PipelineResult

from pipelines.jobs.counting import counters
from pipelines.jobs.loopback import keep_to_loopback
from pipelines.jobs.options import ARGUMENTS, JobOptions, is_embedded, quiet_logs
from pipelines.jobs.overheads import spare_overheads
from splitting.errors import DataError, SpecError

Build = Callable[[beam.Pipeline], None]
"""Adds a job's transforms to a pipeline."""

_CONNECT_SECONDS = 20
_USER_ERROR = re.compile(r"^(?:[\w.]+\.)?(?:DataError|ShortfallError): (?P<text>.*)", re.DOTALL | re.MULTILINE)
_AFTER_ERROR = re.compile(r"\n\s*\n(?:During handling of|The above exception)|\nTraceback \(most recent")


def run_job(options: JobOptions, build: Build) -> dict[str, int]:
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
    embedded = is_embedded(runner)
    with ExitStack() as stack:
        stack.enter_context(quiet_logs(logging.CRITICAL if embedded else logging.WARNING))
        if embedded:
            keep_to_loopback()
            spare_overheads()
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
    counted = counters(result)
    if embedded:
        gc.collect(1)  # Beam leaves circles of objects that hold the largest values of the job
    return counted


def _pipeline(options: JobOptions, runner: str) -> beam.Pipeline:
    try:
        return beam.Pipeline(options=options)
    except (ImportError, AttributeError, ValueError) as error:
        raise SpecError(f"--runner={runner} cannot be used: {' '.join(str(error).split())}", ARGUMENTS) from error


def _submitted(pipeline: beam.Pipeline, options: JobOptions, runner: str) -> PipelineResult:
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
        raise SpecError(f"--runner={runner} cannot be used: {said}", ARGUMENTS) from error


def _check_answers(endpoint: str) -> None:
    """Beam waits for minutes for a job server that is not there."""
    host, _, port = endpoint.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SpecError(f"--job_endpoint={endpoint}: no job server answers there ({said})", ARGUMENTS) from error


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
