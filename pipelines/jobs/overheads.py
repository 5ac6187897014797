"""Spares the embedded runner what takes time and changes nothing: half of a small job. Beam has no options for it.

While a bundle runs, a thread of its own looks now and then which step the worker is in; between two looks it sleeps for
up to a fifth of a second, and at its end the bundle waits until that thread wakes.

Whether a step keeps state Beam reads off the signatures of all methods of its DoFn, a dozen times for each step; they
are what they were the first time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from apache_beam.runners.worker import statesampler
from apache_beam.transforms import userstate

_PERIOD_MS = 5


class _BriskSampler(statesampler.StateSampler):
    """A sampler that never sleeps long."""

    def __init__(self, prefix: str, counter_factory: Any, sampling_period_ms: int = _PERIOD_MS) -> None:
        super().__init__(prefix, counter_factory, sampling_period_ms)


class _RememberedSpecs:
    """What state and timers DoFns have, found out once for each."""

    def __init__(self, find: Callable[[Any], Any]) -> None:
        self._find = find
        self._found: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()

    def __call__(self, dofn: Any) -> Any:
        if dofn not in self._found:
            self._found[dofn] = self._find(dofn)
        return self._found[dofn]


def spare_overheads() -> None:
    """Has jobs in this process go without these, from here on."""
    statesampler.StateSampler = _BriskSampler
    if not isinstance(userstate.get_dofn_specs, _RememberedSpecs):
        userstate.get_dofn_specs = _RememberedSpecs(userstate.get_dofn_specs)
