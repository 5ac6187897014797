"""Bundles of the embedded runner end when their work is done."""

from __future__ import annotations

import time

from apache_beam.runners.worker import bundle_processor, statesampler
from apache_beam.utils.counters import CounterFactory

from pipelines.jobs.sampling import sample_briskly


def test_a_sampler_looks_often_and_still_measures() -> None:
    sample_briskly()
    sampler = statesampler.StateSampler("a bundle", CounterFactory())
    assert sampler.sampling_period_ms < 10
    state = sampler.scoped_state("a step", "process")
    sampler.start()
    with state:
        time.sleep(0.1)
    sampler.stop()
    assert 0 < state.sampled_msecs_int() < 5_000


def test_the_samplers_of_a_job_are_made_here() -> None:
    sample_briskly()
    assert bundle_processor.statesampler.StateSampler is statesampler.StateSampler
