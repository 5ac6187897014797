"""Modules that a library imports and hardly ever uses, loaded when something in them is asked for.

They are a quarter of the time that Great Expectations' import takes, and a seventh of Beam's.
`importlib.util.LazyLoader` does not help: the import statement itself looks into the module, and so loads it.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any


class _LateModule(ModuleType):
    """Stands for a module until one of its names is asked for."""

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
