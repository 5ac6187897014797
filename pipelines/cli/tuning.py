"""Settings of the process, made before anything is imported: they cost nothing and change no result."""

from __future__ import annotations

import ctypes
import gc
import os
import sys

from validation.startup import own_process

# Imports make a million objects that stay; looking through them again and again takes half a second of every command.
_OBJECTS_BETWEEN_COLLECTIONS = 100_000
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_LARGE, _KEPT = 8 * 2**20, 32 * 2**20


def tune_process() -> None:
    """Sets the garbage collector and the allocators; what the environment sets already stays."""
    own_process()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    if sys.platform != "linux":  # other systems have other allocators
        return
    cores = len(os.sched_getaffinity(0))
    # OpenBLAS starts a thread a core that spins, and nothing here multiplies large matrices.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # polars' allocator (jemalloc) has four arenas a core, each with freed memory of its own; and gives that back after
    # half a second, to ask for it again at once. After three seconds costs little time, and holds little.
    jemalloc = f"narenas:{cores},background_thread:true,dirty_decay_ms:3000,muzzy_decay_ms:0"
    os.environ.setdefault("_RJEM_MALLOC_CONF", jemalloc)
    if "MALLOC_MMAP_THRESHOLD_" not in os.environ:
        _tune_c_library(cores)


def _tune_c_library(cores: int) -> None:
    """Has glibc give large blocks back when they are freed; by itself it would come to keep those of up to 32 MB.

    What batches of rows take is smaller, and stays. An arena a core is enough, too, where it has eight.
    """
    try:
        c_library = ctypes.CDLL(None)
        c_library.mallopt(_M_MMAP_THRESHOLD, _LARGE)
        c_library.mallopt(_M_TRIM_THRESHOLD, _KEPT)
        c_library.mallopt(_M_ARENA_MAX, cores)
    except (OSError, AttributeError):  # another C library, with other habits
        return
