"""Logs for machines: `targetsplit --log-format json ...` writes a JSON object a line on standard error."""

from __future__ import annotations

import json
import logging
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

_EVERY_SECONDS = 5.0


class JsonLog:
    """Writes events, each with the time, the level, and the id of this call of the command."""

    def __init__(self, write: Callable[[str], object]) -> None:
        """Begins a log, with an id of its own.

        Args:
            write: takes a line.
        """
        self._write = write
        self.run_id = str(uuid.uuid4())
        self._what, self._shown = "", 0.0

    def event(self, level: str, event: str, **more: object) -> None:
        """Writes an event.

        Args:
            level: as in Python's logging.
            event: what happened, a word or a few.
            more: what else is known; JSON's types, others as text.
        """
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line: Mapping[str, Any] = {"time": now, "level": level, "run_id": self.run_id, "event": event, **more}
        self._write(json.dumps(line, ensure_ascii=False, default=str) + "\n")

    def progress(self, what: str, done: int, total: int | None) -> None:
        """Writes that something begins, and every few seconds how far it is."""
        now = time.monotonic()
        if what == self._what and now - self._shown < _EVERY_SECONDS:
            return
        self._what, self._shown = what, now
        self.event("INFO", what, rows=done, of=total)


class _Handler(logging.Handler):
    """Sends what libraries log the same way."""

    def __init__(self, log: JsonLog) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.event(record.levelname, "log", logger=record.name, message=record.getMessage())


_current: list[JsonLog] = []


def start_json_log() -> None:
    """From here on this process logs in JSON."""
    log = JsonLog(sys.stderr.write)
    _current[:] = [log]
    logging.getLogger().handlers[:] = [_Handler(log)]


def end_json_log() -> None:
    """Back to text."""
    _current.clear()
    root = logging.getLogger()
    root.handlers[:] = [handler for handler in root.handlers if not isinstance(handler, _Handler)]


def json_log() -> JsonLog | None:
    """The log of this process, where it is in JSON."""
    return _current[0] if _current else None
