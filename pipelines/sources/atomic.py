"""Temporary names of local files that are written beside their place: two attempts at once never share one."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

try:
    import fcntl
except ImportError:  # pragma: no cover, not on Windows
    fcntl = None  # type: ignore[assignment]

_TEMPORARY = re.compile(r"\.(.+)\.(?:[0-9]+|[0-9a-f]{32})\.part|(.+)\.[0-9a-f]{32}\.part", re.DOTALL)
"""On a disk, and in a store that renames: nothing shorter, which could be a user's own file."""


@contextmanager
def own_temporary(target: Path) -> Iterator[Path]:
    """A temporary file beside a target, for this attempt alone.

    The names are `.NAME.0.part`, `.NAME.1.part`, …; an attempt takes the first that no living attempt holds a lock
    on. So a retry takes, and writes over, what a killed attempt left, and two attempts at once (a task that Beam runs
    twice) write two files; the one that is renamed last stays. Where the file system has no locks, the name is unique.

    Args:
        target: the file that will be; its folder is there.

    Yields:
        The temporary file, to be opened and emptied. It is deleted at the end unless it was renamed.

    Raises:
        OSError: it cannot be made.
    """
    path, handle = _take(target)
    try:
        yield path
    finally:
        with suppress(OSError):
            if _is_at(handle, path):
                path.unlink()
        os.close(handle)


def target_of(name: str) -> str:
    """The name of the file that a temporary is for, as a killed attempt leaves it; any other name itself.

    Examples:
        >>> target_of(".run.json.0.part"), target_of("run.json"), target_of("data.0.part")
        ('run.json', 'run.json', 'data.0.part')
    """
    found = _TEMPORARY.fullmatch(name)
    return name if found is None else found[1] or found[2]


def _take(target: Path) -> tuple[Path, int]:
    for number in count():
        path = target.with_name(f".{target.name}.{number}.part")
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        locked = lock_file(handle)
        # Its holder may have renamed it between the opening and the lock: then it is no longer a temporary.
        if locked and _is_at(handle, path):
            return path, handle
        os.close(handle)
        if locked is None:
            with suppress(OSError):
                path.unlink()
            break
    path = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")
    return path, os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)


def lock_file(handle: int) -> bool | None:
    """Locks an open file for this process alone.

    Args:
        handle: of the file.

    Returns:
        Whether the lock was free, and is held now; None where the file system has no locks.
    """
    if fcntl is None:  # pragma: no cover, not on Windows
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False
