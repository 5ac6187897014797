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
