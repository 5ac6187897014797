"""What makes a process start quickly: imports are most of what a short command does.

Some modules a library imports and hardly ever uses: they are a quarter of the time that Great Expectations' import
takes, and much of Beam's. They load late, or, in a process of our own, look as if they were not installed.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from types import ModuleType
from typing import Any, TypeVar

_T = TypeVar("_T")
_STACK_SLOTS = 2**16


class _Process:
    """This process."""

    ours = False


def own_process() -> None:
    """Says that this process runs nothing but us, so that its settings are ours to make."""
    _Process.ours = True


class _LateModule(ModuleType):
    """Stands for a module until one of its names is asked for.

    `importlib.util.LazyLoader` does not help: the import statement itself looks into the module, and so loads it.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__version__":  # the import statement looks for these
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        real = importlib.import_module(self.__name__)
        self.__dict__.update(real.__dict__)
        return getattr(real, name)


def load_late(*names: str) -> None:
    """Has modules load when they are used, not when they are imported.

    Args:
        names: of modules; one that is loaded, or not installed, stays as it is.
    """
    for name in names:
        spec = None if name in sys.modules else importlib.util.find_spec(name)
        if spec is not None:
            module = _LateModule(name)
            module.__spec__, module.__file__ = spec, spec.origin
            if spec.submodule_search_locations is not None:
                module.__path__ = list(spec.submodule_search_locations)
            sys.modules[name] = module


class _Absent(MetaPathFinder):
    """Finds that modules are not installed."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)

    def find_spec(self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None) -> None:
        """Lets other finders look, but for these modules."""
        if fullname in self._names:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


@contextmanager
def importing(*unused: str) -> Iterator[None]:
    """Imports in this block are not looked through by the garbage collector: all that they make stays.

    Args:
        unused: modules that what is imported can do without, as can we; in a process of our own they look as if they
            were not installed, to all its threads, until the block ends. One that is loaded stays as it is.
    """
    collects, absent = gc.isenabled(), _Absent(unused if _Process.ours else ())
    sys.meta_path.insert(0, absent)
    gc.disable()
    try:
        yield
    finally:
        sys.meta_path.remove(absent)
        if _Process.ours:
            gc.freeze()
        if collects:
            gc.enable()


def on_one_stack(work: Callable[[], _T]) -> _T:
    """Calls a function so that Python's frames of all its calls lie in one piece of memory.

    Python takes memory for frames in pieces of 16 KiB, and its versions until early in 2026 give one back as soon as it
    is empty: a loop that happens to call at the edge of a piece asks the system for one at each call
    (https://github.com/python/cpython/issues/142183). Imports did, some 50,000 times. A frame as large as the one made
    here takes a piece twice its size.

    Args:
        work: what to do.

    Returns:
        What it returns.
    """
    return _with_large_frame(work)


def _with_large_frame(work: Callable[[], _T]) -> _T:
    return work()


_with_large_frame.__code__ = _with_large_frame.__code__.replace(co_stacksize=_STACK_SLOTS)
