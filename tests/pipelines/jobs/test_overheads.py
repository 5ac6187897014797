"""The embedded runner waits for nothing, and asks once; what it finds out is the same."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass

import apache_beam as beam
import pytest
from apache_beam.runners.worker import bundle_processor, statesampler
from apache_beam.transforms import userstate
from apache_beam.utils.counters import CounterFactory

from pipelines.jobs.overheads import spare_overheads


@pytest.fixture(autouse=True)
def _spared() -> None:
    spare_overheads()


def test_a_sampler_looks_often_and_still_measures() -> None:
    sampler = statesampler.StateSampler("a bundle", CounterFactory())
    assert sampler.sampling_period_ms < 10
    state = sampler.scoped_state("a step", "process")
    sampler.start()
    with state:
        time.sleep(0.1)
    sampler.stop()
    assert 0 < state.sampled_msecs_int() < 5_000


def test_the_samplers_of_a_job_are_made_here() -> None:
    assert bundle_processor.statesampler.StateSampler is statesampler.StateSampler


class _Plain(beam.DoFn):
    def process(self, element: int) -> Iterator[int]:
        yield element


class _Counting(beam.DoFn):
    STATE = userstate.CombiningValueStateSpec("seen", sum)

    def process(self, element: int, seen: object = beam.DoFn.StateParam(STATE)) -> Iterator[int]:
        yield element


def test_whether_steps_keep_state_is_told_as_before_and_found_out_once() -> None:
    plain, counting = _Plain(), _Counting()
    for _ in range(2):
        assert not userstate.is_stateful_dofn(plain)
        assert userstate.is_stateful_dofn(counting)
        assert userstate.get_dofn_specs(counting) == ({_Counting.STATE}, set())
    assert userstate.get_dofn_specs(plain) is userstate.get_dofn_specs(plain)
    assert not userstate.is_stateful_dofn(_Plain())


@dataclass
class _Unhashable(_Plain):
    """Two of these are equal, and have no hash."""

    name: str = "a"


class _AsNamed(beam.DoFn):
    """Equal by name, whatever it does."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _AsNamed)

    def __hash__(self) -> int:
        return 1


class _PlainAsNamed(_AsNamed, _Plain):
    """Without state."""


class _CountingAsNamed(_AsNamed, _Counting):
    """With state."""


def test_steps_that_are_equal_or_have_no_hash_are_told_apart() -> None:
    for _ in range(2):
        assert not userstate.is_stateful_dofn(_Unhashable())
        assert not userstate.is_stateful_dofn(_PlainAsNamed())
        assert userstate.is_stateful_dofn(_CountingAsNamed())


def test_steps_are_not_held_by_what_is_remembered_of_them() -> None:
    step = _Plain()
    userstate.get_dofn_specs(step)
    held = weakref.ref(step)
    del step
    gc.collect()
    assert held() is None


def test_what_is_spared_is_spared_once() -> None:
    known = userstate.get_dofn_specs
    spare_overheads()
    assert userstate.get_dofn_specs is known
