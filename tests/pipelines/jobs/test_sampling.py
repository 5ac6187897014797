"""Bundles of the embedded runner end when their work is done."""

from __future__ import annotations

import time

from apache_beam.runners.worker import statesampler
from apache_beam.utils.counters import CounterFactory

from pipelines.jobs.sampling import sample_briskly


def test_a_sampler_that_has_run_for_long_ends_at_once() -> None:
    sample_briskly()
    sampler = statesampler.StateSampler("a bundle", CounterFactory())
    assert sampler.sampling_period_ms < 10
    with sampler.scoped_state("a step", "process") as state:
        sampler.start()
        time.sleep(0.05)
    sampler.stop()
    assert 0 < state.sampled_msecs_int() < 5_000


def test_the_samplers_of_a_job_are_made_here() -> None:
    from apache_beam.runners.worker import bundle_processor  # noqa: PLC0415

    sample_briskly()
    assert bundle_processor.statesampler.StateSampler is statesampler.StateSampler
