"""Putting a file into a store, which may lose what it is handed."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
from pyarrow import fs

_COPY_BYTES = 8 * 2**20
_TRIES = 5


def upload(collected: Path, filesystem: fs.FileSystem, path: str) -> None:
    """Puts a file, and looks how much of it is there.

    Libraries of stores go on with an upload whose connection broke. One that its store has forgotten must begin anew,
    which is left to their callers, and what is made of parts may lack one or have one twice.

    Args:
        collected: the file.
        filesystem: of the store.
        path: in it.

    Raises:
        OSError: after some tries there is not as much as was put; what is there is deleted.
    """
    size, found = collected.stat().st_size, None
    for left in reversed(range(_TRIES)):
        try:
            _put(collected, filesystem, path)
        except FileNotFoundError:
            if not left:
                raise
            continue
        found = filesystem.get_file_info(path).size
        if found == size:
            return
    with suppress(OSError):
        filesystem.delete_file(path)
    raise OSError(f"{size:,} bytes were put {_TRIES} times, and the store holds {found or 0:,}; try again later")


def _put(collected: Path, filesystem: fs.FileSystem, path: str) -> None:
    target = filesystem.open_output_stream(path, compression=None)
    try:
        with pa.OSFile(str(collected), "rb") as source:
            shutil.copyfileobj(source, target, _COPY_BYTES)
    except BaseException:
        # Closing is the only way to let go of it, and makes what came so far look like a whole file.
        with suppress(OSError):
            target.close()
            filesystem.delete_file(path)
        raise
    target.close()
