"""Builds and runs a job: options, runner, progress, and errors of workers told as our own."""

from __future__ import annotations

import io
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TypeAlias

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions

from splitting.errors import DataError, SpecError

JobOptions: TypeAlias = PipelineOptions
EMBEDDED = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"
_USER_ERROR = re.compile(r"(?:splitting\.errors\.)?(?:DataError|ShortfallError): (?P<text>.*)", re.DOTALL)


def job_options(arguments: Sequence[str]) -> PipelineOptions:
    """Beam's options of a job.

    Args:
        arguments: what the user hands to Beam, as in `--runner=FlinkRunner`. Without a runner, the embedded one
            runs on all cores of this machine, in threads of this process.

    Returns:
        The options.

    Raises:
        SpecError: Beam does not know an argument.
    """
    chosen = list(arguments)
    if not any(argument.split("=")[0] == "--runner" for argument in chosen):
        chosen.append(f"--runner={EMBEDDED}")
        if not any(argument.split("=")[0].startswith("--direct_") for argument in chosen):
            chosen += ["--direct_running_mode=multi_threading", f"--direct_num_workers={_cores()}"]
    _check_known(chosen)
    return PipelineOptions(chosen)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _check_known(arguments: Sequence[str]) -> None:
    for argument in arguments:
        if not argument.startswith("-"):
            continue
        name = argument.split("=")[0]
        if not re.fullmatch(r"--[A-Za-z][A-Za-z0-9_-]*", name):
            raise SpecError(f"{argument!r} is not a Beam option; write options as --name=value after --", "arguments")


def run_job(options: PipelineOptions, build: Callable[[beam.Pipeline], None]) -> None:
    """Runs a job to its end.

    Args:
        options: from `job_options`.
        build: adds the job's transforms to a pipeline.

    Raises:
        DataError: a worker met data that it cannot read; the message is the worker's own.
    """
    quiet = [logging.getLogger("apache_beam"), logging.getLogger("root")]
    levels = [logger.level for logger in quiet]
    embedded = (options.view_as(StandardOptions).runner or "").endswith("FnApiRunner")
    for logger in quiet:
        logger.setLevel(logging.CRITICAL if embedded else logging.WARNING)
    try:
        with _worker_output_hidden() if embedded else nullcontext():
            pipeline = beam.Pipeline(options=options)
            build(pipeline)
            pipeline.run().wait_until_finish()
    except DataError as error:
        raise DataError(_message_of(error)) from error
    except Exception as error:
        told = _user_error(error)
        if told is None:
            raise
        raise DataError(told) from error
    finally:
        for logger, level in zip(quiet, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def _worker_output_hidden() -> Iterator[None]:
    """Workers in this process print the traceback of every error; the launcher tells it once, and better."""
    shown = sys.stderr
    sys.stderr = io.StringIO()
    try:
        yield
    finally:
        sys.stderr = shown


def _message_of(error: BaseException) -> str:
    return re.sub(r" \[while running '[^']*'\]$", "", str(error))


def _user_error(error: BaseException) -> str | None:
    """The message of a worker's DataError, wherever the runner wrapped it."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, DataError):
            return _message_of(seen)
        seen = seen.__cause__ or seen.__context__
    found = _USER_ERROR.search(str(error))
    if found is None:
        return None
    text = re.split(r"\n\s*\n(?:During handling|The above exception)|\nTraceback", found["text"])[0]
    return re.sub(r" \[while running '[^']*'\].*$", "", text, flags=re.DOTALL).strip()
