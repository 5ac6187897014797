"""Merges summaries on Beam. They flow as bytes, so that no coder has to know them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, TypeVar

import apache_beam as beam

from pipelines.run_directory import write_summary

S = TypeVar("S", bound="Summary")
_PENDING = 16


class Summary(Protocol):
    """A monoid that packs itself."""

    def to_bytes(self) -> bytes:
        """Packs the summary."""
        ...

    @classmethod
    def from_bytes(cls: type[S], data: bytes) -> S:
        """Unpacks a summary."""
        ...

    @classmethod
    def merge(cls: type[S], parts: Iterable[Any]) -> S:
        """Merges summaries, in any order."""
        ...


class MergeSummaries(beam.CombineFn):
    """Merges packed summaries of one class; a few wait until a merge pays."""

    def __init__(self, summary: type[Summary]) -> None:
        """Chooses the class.

        Args:
            summary: whose `to_bytes`, `from_bytes` and `merge` to call.
        """
        self._summary = summary

    def create_accumulator(self) -> list[bytes]:
        """Nothing yet."""
        return []

    def add_input(self, accumulator: list[bytes], element: bytes) -> list[bytes]:
        """Adds one packed summary."""
        return self._shrink([*accumulator, element], _PENDING)

    def merge_accumulators(self, accumulators: Iterable[list[bytes]]) -> list[bytes]:
        """Brings together what several workers hold."""
        merged: list[bytes] = []
        for accumulator in accumulators:
            merged = self._shrink([*merged, *accumulator], _PENDING)
        return merged

    def compact(self, accumulator: list[bytes]) -> list[bytes]:
        """Merges what waits before it is sent."""
        return self._shrink(accumulator, 2)

    def extract_output(self, accumulator: list[bytes]) -> bytes:
        """One packed summary of all."""
        return self._shrink(accumulator, 1)[0]

    def _shrink(self, packed: list[bytes], at: int) -> list[bytes]:
        if len(packed) < max(at, 1):
            return packed
        return [self._summary.merge([self._summary.from_bytes(part) for part in packed]).to_bytes()]


class KeepSummary(beam.PTransform):
    """Packed summaries to one of them all, in a file that the launcher reads; none where there are none."""

    def __init__(self, summary: type[Summary], folder: str, name: str) -> None:
        """Chooses what is kept where.

        Args:
            summary: whose packed instances come in.
            folder: URI of the folder.
            name: of the file, without ending.
        """
        super().__init__()
        self._summary, self._folder, self._name = summary, folder, name

    def expand(self, packed: beam.PCollection[bytes]) -> beam.PCollection[str]:
        """Merges, writes."""
        return (
            packed
            | "Merge" >> beam.CombineGlobally(MergeSummaries(self._summary)).without_defaults()
            | "Write" >> beam.Map(write_summary, self._folder, self._name).with_output_types(str)
        )
