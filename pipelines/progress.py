"""Tells how far a job is. Workers report rows; where they run in the launcher's process, somebody listens."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_listeners: list[Callable[[int], None]] = []
_lock = threading.Lock()


def report_rows(rows: int) -> None:
    """Called by workers for every batch.

    Args:
        rows: rows done since the last call.
    """
    with _lock:
        for listener in _listeners:
            listener(rows)


@contextmanager
def counting(what: str, total: int | None, progress: Callable[[str, int, int | None], None]) -> Iterator[None]:
    """Adds up what workers in this process report, and tells `progress`.

    Args:
        what: is being done.
        total: rows in all, where that is known.
        progress: told what, rows so far, and the total.
    """
    done = 0

    def add(rows: int) -> None:
        nonlocal done
        done += rows
        progress(what, done, total)

    progress(what, 0, total)
    with listening(add):
        yield


@contextmanager
def listening(listener: Callable[[int], None]) -> Iterator[None]:
    """Hears what workers in this process report.

    Args:
        listener: called with rows done, from any thread, one call at a time.
    """
    with _lock:
        _listeners.append(listener)
    try:
        yield
    finally:
        with _lock:
            _listeners.remove(listener)
