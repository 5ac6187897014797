"""Progress on the terminal: what is being done, rows, rate, time left. On standard error, and only for people."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.cli.logs import json_log

if TYPE_CHECKING:
    from pipelines.api import Progress

_EVERY_SECONDS = 0.2
_LOG_EVERY_SECONDS = 30


@contextmanager
def shown_progress(*, quiet: bool) -> Iterator[Progress]:
    """A progress line while a job runs.

    Args:
        quiet: show nothing; a log in JSON is kept all the same.

    Yields:
        What the verbs of the API tell their progress to.
    """
    log = json_log()
    if log is not None:
        yield log.progress
        return
    if quiet:
        yield lambda _what, _done, _total: None
        return
    line = _Line(is_terminal=sys.stderr.isatty())
    try:
        yield line.show
    finally:
        line.end()


class _Line:
    def __init__(self, *, is_terminal: bool) -> None:
        self._is_terminal = is_terminal
        self._screen = sys.stderr
        self._what = ""
        self._started = self._shown = 0.0
        self._width = 0

    def show(self, what: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if what != self._what:
            self.end()
            self._what, self._started, self._shown = what, now, now if not self._is_terminal else 0.0
        pause = _EVERY_SECONDS if self._is_terminal else _LOG_EVERY_SECONDS
        if now - self._shown < pause:
            return
        self._shown = now
        self._print(progress_text(what, done, total, now - self._started))

    def _print(self, text: str) -> None:
        if self._is_terminal:
            self._screen.write("\r" + text.ljust(self._width))
            self._width = len(text)
        else:
            self._screen.write(text + "\n")
        self._screen.flush()

    def end(self) -> None:
        if self._is_terminal and self._width:
            self._screen.write("\r" + " " * self._width + "\r")
            self._screen.flush()
        self._width = 0


def progress_text(what: str, done: int, total: int | None, seconds: float) -> str:
    """One line of progress.

    Args:
        what: is being done.
        done: rows so far.
        total: rows in all, where known.
        seconds: since it began.

    Returns:
        The line.

    Examples:
        >>> progress_text("writing", 2_000_000, 8_000_000, 4.0)
        'writing: 2,000,000 of 8,000,000 rows (25%), 500,000 rows/s, 12 s left'
    """
    if not done:
        return f"{what} …"
    rate = done / seconds if seconds > 0 else 0.0
    speed = f", {rate:,.0f} rows/s" if rate else ""
    if not total:
        return f"{what}: {done:,} rows{speed}"
    left = f", {max(0, total - done) / rate:,.0f} s left" if rate else ""
    return f"{what}: {done:,} of {total:,} rows ({100 * done // total}%){speed}{left}"
