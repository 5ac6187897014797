"""What models say of a run: are splits told apart, what does the mismatch cost, which column gives the label away."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from splitting.request import TRAIN
from validation.comparing.pairs import Pair
from validation.evidence import Evidence
from validation.measures import IN_TARGET
from validation.modelling.domain import DomainResult, domain_classifier
from validation.modelling.leaks import LeakColumn, giving_away, leak_columns
from validation.modelling.mmd import MmdResult, mmd
from validation.modelling.probe import HarmResult, probe
from validation.modelling.rows import SampleRows
from validation.modelling.transfer import TransferTable, transfer
from validation.settings import CheckSettings


@dataclass(frozen=True)
class Harm:
    """What models say of a run.

    Attributes:
        pair: the mismatch that was measured.
        probe: what it costs.
        domain: whether its splits are told apart.
        transfer: models of each source, judged on each.
        vectors: by column of vectors, how far they lie apart.
        leaks: columns, by how well each alone predicts the label.
        sources: of the rows that models could learn from.
    """

    pair: Pair
    probe: HarmResult
    domain: DomainResult
    transfer: TransferTable
    vectors: dict[str, MmdResult]
    leaks: tuple[LeakColumn, ...]
    sources: tuple[str, ...] = ()

    def to_document(self) -> dict[str, Any]:
        """All of it in plain values."""
        return {
            "reference": self.pair.reference,
            "observed": self.pair.observed,
            "cost": asdict(self.probe),
            "domain": asdict(self.domain),
            "transfer": self.transfer.frame().to_dicts(),
            "vectors": {name: asdict(result) for name, result in self.vectors.items()},
            "leaks": [asdict(leak) for leak in self.leaks],
        }


@dataclass(frozen=True)
class TooFewRows:
    """Why no model was fitted.

    Attributes:
        pair: the mismatch that would have been measured.
        split: the smallest of train and the two.
        rows: of it in the sample.
    """

    pair: Pair
    split: str
    rows: int

    def to_document(self) -> None:
        """Nothing was measured."""
        return


def measure_harm(evidence: Evidence, settings: CheckSettings) -> Harm | TooFewRows | None:
    """Fits the models.

    Columns that give the label away are found first. What predicts the label does without them: with one of them models
    need no other column, and no shift of the others could cost them anything. The domain classifier sees them, for a
    shift can show in them as in any column.

    Args:
        evidence: with measures.
        settings: least rows, thresholds.

    Returns:
        What they say, or why they say nothing; None where there is no mismatch to measure.
    """
    pair = next((pair for pair in evidence.pairs() if pair.role == "mismatch"), None)
    if pair is None or evidence.measures is None:
        return None
    sample = sample_rows(evidence)
    first, second = sample.select(pair.reference), sample.select(pair.observed)
    sizes = {pair.reference: len(first), pair.observed: len(second), TRAIN: len(sample.select(TRAIN))}
    smallest = min(sizes, key=lambda split: sizes[split])
    if sizes[smallest] < settings.min_rows:
        return TooFewRows(pair, smallest, sizes[smallest])
    leaks = leak_columns(sample.select(TRAIN), settings.thresholds.leak_auc)
    predicting = replace(sample, roles=replace(sample.roles, leaks=giving_away(leaks)))
    return Harm(
        pair=pair,
        probe=probe(predicting, home=pair.reference, away=pair.observed),
        domain=domain_classifier(first, second, purpose=f"{pair.reference} {pair.observed}"),
        transfer=transfer(predicting),
        vectors=_vectors(first, second),
        leaks=leaks,
        sources=tuple(sample.source_names()),
    )


def sample_rows(evidence: Evidence) -> SampleRows:
    """The keyed sample with the names of the splits, those of the target pool among them."""
    assert evidence.measures is not None  # noqa: S101, the caller looked
    sample = evidence.measures.sample
    about = sample.about.with_columns(pl.col("split").str.strip_suffix(IN_TARGET))
    skipped = [name for name in sample.rows.columns if name in evidence.roles.skip]
    rows = sample.rows.drop(skipped)
    counts = {
        (split, source): count
        for split in evidence.splits
        for source, count in evidence.source_counts(split).items()
        if count
    }
    return SampleRows.of(rows, about, evidence.roles, evidence.salt, counts)


def _vectors(first: SampleRows, second: SampleRows) -> dict[str, MmdResult]:
    found = {}
    for name, kind in first.rows.schema.items():
        if not isinstance(kind, pl.List):
            continue
        parts = [_matrix(part.rows.get_column(name).alias("value"), part.group_numbers()) for part in (first, second)]
        (left, groups), (right, others) = parts
        if left.shape[1] and left.shape[1] == right.shape[1]:
            found[name] = mmd(left, right, (groups, others), first.salt, name)
    return found


def _matrix(values: pl.Series, groups: np.ndarray[Any, np.dtype[np.uint64]]) -> tuple[Any, Any]:
    """The vectors of one column as a matrix, with their groups; of no columns where they are of several lengths."""
    known = values.is_not_null().to_numpy()
    vectors = values.filter(values.is_not_null())
    lengths = vectors.list.len().unique().to_list()
    if len(lengths) != 1 or not lengths[0]:
        return np.zeros((0, 0)), groups[:0]
    matrix = vectors.explode().cast(pl.Float64).to_numpy().reshape(len(vectors), lengths[0])
    finite = np.isfinite(matrix).all(axis=1)
    return matrix[finite], groups[known][finite]
