"""Two launchers never write one run directory at once: whoever begins claims it, and a second one is told so.

On a local disk the claim is a lock, which the system lets go of however its holder ends. Object stores have no locks:
there a claim is an object that its holder writes again every few seconds, and one that stays as it is for some time is
that of a holder that died.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from pipelines.run_directory import CLAIM, RunDirectory
from pipelines.sources.atomic import lock_file
from splitting.errors import DataError, RunDirectoryError

BEAT_SECONDS = 4.0
LEASE_SECONDS = 30.0
_WAITING, _WORKING = "waiting", "working"


_held: dict[str, threading.Event] = {}
"""By run directory, the claims of this process on object stores; an event is set where a claim was lost."""


def check_claim(run: RunDirectory) -> None:
    """Makes sure that this process may still write; called before a run is called finished.

    Args:
        run: claimed by this process.

    Raises:
        RunDirectoryError: another launcher took the claim for that of a dead one, and works now.
    """
    lost = _held.get(run.uri)
    if lost is not None and lost.is_set():
        raise RunDirectoryError(
            f"{run.uri}: another launcher took over while this one did not answer for {LEASE_SECONDS:.0f} s, and what "
            "it writes counts"
        )


@contextmanager
def claimed(run: RunDirectory, waiting: Callable[[], None]) -> Iterator[None]:
    """Claims a run directory for as long as the block runs.

    Args:
        run: the run directory; made where there is none, and taken away again where nothing was written.
        waiting: called where it takes long: a claim is there whose holder may be dead.

    Raises:
        RunDirectoryError: another launcher holds it.
    """
    if run.path("").is_local:
        with _locked(run):
            yield
    else:
        with _leased(run, waiting):
            yield


def _refuse(run: RunDirectory) -> RunDirectoryError:
    return RunDirectoryError(f"another launcher is writing {run.uri}; wait until it is done, or choose another folder")


@contextmanager
def _locked(run: RunDirectory) -> Iterator[None]:
    folder = Path(run.path("").path)
    made = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    path = folder / CLAIM
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = _take(path)
    except OSError as error:
        raise DataError(f"cannot write {run.uri}: {error.strerror or error}") from error
    if handle is None:
        raise _refuse(run)
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()
        os.close(handle)
        with suppress(OSError):  # those that are not empty stay
            for parent in made:
                parent.rmdir()


def _take(path: Path) -> int | None:
    """The locked file; None where another process holds it."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        if lock_file(handle) is False:
            os.close(handle)
            return None
        # Its holder may have deleted it between the opening and the lock: then it is the lock of nothing.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), path.stat()):
                return handle
        os.close(handle)


@contextmanager
def _leased(run: RunDirectory, waiting: Callable[[], None]) -> Iterator[None]:
    name = f"{CLAIM}-{uuid.uuid4().hex}"
    try:
        _await_turn(run, name, waiting)
        lost, done = threading.Event(), threading.Event()
        run.write(name, f"{_WORKING} 0")
        beats = threading.Thread(target=_beat, args=(run, name, lost, done), daemon=True)
        beats.start()
        _held[run.uri] = lost
        try:
            yield
        finally:
            del _held[run.uri]
            done.set()
            beats.join()
    finally:
        with suppress(DataError):
            run.clear([name])


def _await_turn(run: RunDirectory, own: str, waiting: Callable[[], None]) -> None:
    """Returns when the own claim is the only one.

    Whoever lists last of two sees both claims, as stores list what was written before. Of two that wait, the lesser
    name stays. A claim that changes is that of a living launcher.
    """
    seen: dict[str, tuple[str, float]] = {}
    for number in count():
        run.write(own, f"{_WAITING} {number}")
        others = [name for name in run.names() if name.startswith(f"{CLAIM}-") and name != own]
        if not others:
            return
        for other in others:
            text, now = _text(run, other), time.monotonic()
            before, since = seen.setdefault(other, (text, now))
            if text and text != before:
                if text.startswith(_WORKING) or other < own:
                    raise _refuse(run)
                seen[other] = (text, now)
            elif now - since > LEASE_SECONDS:
                run.clear([other])
        if not number:
            waiting()
        time.sleep(BEAT_SECONDS / 4)


def _text(run: RunDirectory, name: str) -> str:
    try:
        return run.read(name).decode(errors="replace")
    except DataError:
        return ""


def _beat(run: RunDirectory, name: str, lost: threading.Event, done: threading.Event) -> None:
    for number in count(1):
        if done.wait(BEAT_SECONDS):
            return
        try:
            if not run.has(name):
                lost.set()
                return
            run.write(name, f"{_WORKING} {number}")
        except DataError:
            continue  # the store does not answer: the next beat tries again
