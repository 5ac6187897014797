"""Settings of the process, made before anything is imported: they cost nothing and change no result."""

from __future__ import annotations

import ctypes
import gc
import os
import sys

# Imports make a million objects that stay; looking through them again and again takes half a second of every command.
_OBJECTS_BETWEEN_COLLECTIONS = 100_000
_ENVIRONMENT = {
    # polars' allocator (jemalloc) gives memory back after half a second, and asks for it again at once: a fifth of a
    # second of page faults for every second of reading.
    "_RJEM_MALLOC_CONF": "background_thread:true,dirty_decay_ms:10000,muzzy_decay_ms:0",
    # OpenBLAS starts a thread a core that spins, and nothing here multiplies large matrices.
    "OPENBLAS_NUM_THREADS": "1",
}
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGE, _KEPT = 2 * 2**20, 32 * 2**20


def tune_process() -> None:
    """Sets the garbage collector and the allocators; what the environment sets already stays."""
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    if sys.platform != "linux":
        return
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if "MALLOC_MMAP_THRESHOLD_" not in os.environ:
        _give_large_blocks_back()


def _give_large_blocks_back() -> None:
    """Has glibc give large blocks back when they are freed; by itself it would come to keep those of up to 32 MB.

    What batches of rows take is smaller, and stays.
    """
    try:
        c_library = ctypes.CDLL(None)
        c_library.mallopt(_M_MMAP_THRESHOLD, _LARGE)
        c_library.mallopt(_M_TRIM_THRESHOLD, _KEPT)
    except (OSError, AttributeError):  # another C library, with other habits
        return
