"""Beam's options of a job, as users give them after `--`: checked before anything runs."""

from __future__ import annotations

import difflib
import io
import logging
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from typing import TypeVar

from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions

from splitting.errors import SpecError

EMBEDDED = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"
ARGUMENTS = "options after --"
_LEAVE_MAIN = ("--no_save_main_session",)
"""Beam would send the launcher's main module to every worker; nothing of ours is there."""
_DIRECT = ("direct", "directrunner", "fnapirunner")
_View = TypeVar("_View", bound=PipelineOptions)


class JobOptions(PipelineOptions):
    """Options whose views are made once: Beam asks for one at every transform, and parses all arguments for each."""

    def view_as(self, cls: type[_View]) -> _View:
        """The options as a kind of options has them; all views share their values."""
        views: dict[type[PipelineOptions], PipelineOptions] = self.__dict__.setdefault("_views", {})
        if cls not in views:
            views[cls] = super().view_as(cls)
        view: _View = views[cls]
        view._all_options = self._all_options
        return view


def job_options(arguments: Sequence[str]) -> JobOptions:
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
    if runner and not is_embedded(runner):
        _check_runner(runner)
        return JobOptions([*_LEAVE_MAIN, *arguments])
    _check_known(given)
    named = {argument.split("=")[0] for argument in arguments}
    chosen = [*arguments, f"--runner={EMBEDDED}"]
    if "--direct_num_workers" not in named:
        chosen.append(f"--direct_num_workers={_cores()}")
    return JobOptions(chosen)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def is_embedded(runner: str) -> bool:
    """Whether a runner is the one in this process."""
    return runner == EMBEDDED or runner.lower() in _DIRECT


def _check_shape(arguments: Sequence[str]) -> None:
    value_may_follow = False
    for argument in arguments:
        is_option = re.fullmatch(r"--[A-Za-z][A-Za-z0-9_-]*(=.*)?", argument, re.DOTALL) is not None
        if not is_option and (argument.startswith("-") or not value_may_follow):
            raise SpecError(f"got {argument!r}, expected an option of Beam, written --name=value", ARGUMENTS)
        value_may_follow = is_option and "=" not in argument


def _parsed(arguments: Sequence[str]) -> dict[str, object]:
    """The options as Beam understands them, unknown ones included."""
    said = io.StringIO()
    try:
        with redirect_stderr(said), quiet_logs(logging.CRITICAL):
            options: dict[str, object] = PipelineOptions(list(arguments)).get_all_options(retain_unknown_options=True)
    except SystemExit:
        lines = said.getvalue().strip().splitlines() or ["Beam cannot read them"]
        raise SpecError(lines[-1].partition("error: ")[2] or lines[-1], ARGUMENTS) from None
    return options


def _check_known(given: dict[str, object]) -> None:
    known = PipelineOptions([]).get_all_options()
    unknown = [name for name in given if name not in known]
    if unknown:
        close = difflib.get_close_matches(unknown[0], known, 1)
        hint = f"; did you mean --{close[0]}?" if close else ""
        raise SpecError(f"Beam knows no option --{unknown[0]}{hint}", ARGUMENTS)


def _check_runner(runner: str) -> None:
    known = list(StandardOptions.KNOWN_RUNNER_NAMES)
    names = {name.lower() for name in known} | {name.lower().removesuffix("runner") for name in known}
    if "." not in runner and runner.lower() not in names:
        close = difflib.get_close_matches(runner, known, 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise SpecError(f"--runner: got {runner!r}, expected one of {', '.join(known)}{hint}", ARGUMENTS)


def runner_of(options: JobOptions) -> str:
    """The name of the runner of a job."""
    return str(options.view_as(StandardOptions).runner).rpartition(".")[2]


@contextmanager
def quiet_logs(level: int) -> Iterator[None]:
    """Beam and what it uses log nothing below a level."""
    loggers = [logging.getLogger("apache_beam"), logging.getLogger()]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(level)
    try:
        yield
    finally:
        for logger, before in zip(loggers, levels, strict=True):
            logger.setLevel(before)
