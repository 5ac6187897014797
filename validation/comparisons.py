"""Compares every column of every pair of splits: the comparisons table of a run."""

from __future__ import annotations

from collections.abc import Iterator

from validation.comparing.columns import compare_all
from validation.comparing.comparison import Comparison, judged
from validation.comparing.designs import measured_design_effect
from validation.comparing.pairs import Pair
from validation.comparing.sources import compare_sources
from validation.evidence import Evidence
from validation.profile.families import length_of
from validation.seeds import seed_of
from validation.settings import CheckSettings


def compare_splits(evidence: Evidence, settings: CheckSettings) -> tuple[Comparison, ...]:
    """Compares all that is to be compared.

    Args:
        evidence: with measures.
        settings: thresholds, alpha, least rows.

    Returns:
        A row a pair of splits, column and kind of value, judged together: q-values are corrected over all of them.
        In the order of the pairs and of the columns.
    """
    found = [row for pair in evidence.pairs() for row in _of_pair(pair, evidence, settings)]
    return judged(found, settings)


def _of_pair(pair: Pair, evidence: Evidence, settings: CheckSettings) -> Iterator[Comparison]:
    designs = Designs(evidence)
    for name in _compared(evidence):
        reference, observed = evidence.column(name, pair.reference), evidence.column(name, pair.observed)
        seed = seed_of(evidence.salt, "comparison", pair.reference, pair.observed, name)
        effects = designs.of(name, pair.reference), designs.of(name, pair.observed)
        yield from compare_all(reference, observed, settings, seed, pair=pair, designs=effects)
    if pair.by_source:
        counts = [evidence.source_counts(split) for split in (pair.reference, pair.observed)]
        yield compare_sources(counts[0], counts[1], settings, pair=pair, column=evidence.roles.source)


def _compared(evidence: Evidence) -> list[str]:
    assert evidence.measures is not None  # noqa: S101
    roles = evidence.roles
    left_out = roles.not_compared
    names = evidence.measures.profile.names()
    categories = {name for name in names if evidence.kind(name) == "category"}
    left_out |= {length_of(name) for name in (*categories, *left_out)}
    return [name for name in names if name not in left_out]


class Designs:
    """Design effects by column and split, from the keyed sample."""

    def __init__(self, evidence: Evidence) -> None:
        """Reads them off the sample of a run that was measured."""
        self._evidence = evidence

    def of(self, name: str, split: str) -> float:
        """The design effect of a column of a split."""
        size = self._evidence.group_size(split)
        measures = self._evidence.measures
        if size <= 1 or measures is None:
            return 1.0
        rows = measures.sample.select(self._evidence.parts(split))
        if name not in rows.rows.columns or not len(rows.about):
            return size
        return measured_design_effect(rows.rows.get_column(name), rows.about["group"], size)
