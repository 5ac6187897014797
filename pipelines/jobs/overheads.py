"""Spares the embedded runner what takes time and changes nothing; Beam has no options for it.

While a bundle runs, a thread of its own looks now and then which step the worker is in; between two looks it sleeps for
up to a fifth of a second, and at its end the bundle waits until that thread wakes.

Whether a step keeps state Beam reads off the signatures of all methods of its DoFn, a dozen times for each step; they
are what they were the first time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import ref

from apache_beam.runners.worker import statesampler
from apache_beam.transforms import userstate

_PERIOD_MS = 5


class _BriskSampler(statesampler.StateSampler):
    """A sampler that never sleeps long."""

    def __init__(self, prefix: str, counter_factory: Any, sampling_period_ms: int = _PERIOD_MS) -> None:
        super().__init__(prefix, counter_factory, sampling_period_ms)


class _RememberedSpecs:
    """What state and timers DoFns have, found out once for each: for the very object, whatever it says it equals."""

    def __init__(self, find: Callable[[Any], Any]) -> None:
        self._find = find
        self._found: dict[int, tuple[ref[Any], Any]] = {}

    def __call__(self, dofn: Any) -> Any:
        known = self._found.get(id(dofn))
        if known is not None and known[0]() is dofn:
            return known[1]
        specs, number = self._find(dofn), id(dofn)
        self._found[number] = ref(dofn, lambda _: self._found.pop(number, None)), specs
        return specs


def spare_overheads() -> None:
    """Has jobs in this process go without these, from here on, whoever made them."""
    statesampler.StateSampler = _BriskSampler
    if not isinstance(userstate.get_dofn_specs, _RememberedSpecs):
        userstate.get_dofn_specs = _RememberedSpecs(userstate.get_dofn_specs)
