"""What models say of a run: are splits told apart, what does the mismatch cost, which column gives the label away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl

from splitting.request import TRAIN
from validation.checking import Check
from validation.comparing.pairs import Pair
from validation.evidence import Evidence
from validation.measures import IN_TARGET
from validation.modelling.columns import NOT_READ, LeftOut
from validation.modelling.domain import DomainResult, domain_classifier
from validation.modelling.leaks import LeakColumn, leak_columns
from validation.modelling.mmd import MmdResult, mmd
from validation.modelling.probe import HarmResult, probe
from validation.modelling.rows import SampleRows
from validation.modelling.transfer import TransferTable, transfer
from validation.settings import CheckSettings
from validation.verdict import Finding

_CARRIED = 5
_GRADES = ("no cost seen", "too small to tell")
_TELL_APART = {0: "not told apart", 1: "told apart now and then", 2: "told apart"}


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


def measure_harm(evidence: Evidence, settings: CheckSettings) -> Harm | None:
    """Fits the models.

    Args:
        evidence: with measures.
        settings: least rows, thresholds.

    Returns:
        What they say; None where there is no mismatch to measure, or too few rows of either side.
    """
    pair = next((pair for pair in evidence.pairs() if pair.role == "mismatch"), None)
    if pair is None or evidence.measures is None:
        return None
    sample = sample_rows(evidence)
    first, second = sample.select(pair.reference), sample.select(pair.observed)
    if min(len(first), len(second), len(sample.select(TRAIN))) < settings.min_rows:
        return None
    return Harm(
        pair=pair,
        probe=probe(sample, home=pair.reference, away=pair.observed),
        domain=domain_classifier(first, second, purpose=f"{pair.reference} {pair.observed}"),
        transfer=transfer(sample),
        vectors=_vectors(first, second),
        leaks=leak_columns(sample.select(TRAIN), settings.thresholds.leak_auc),
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


def harm_checks(harm: Harm, evidence: Evidence, settings: CheckSettings) -> Iterator[Check]:
    """What models say, as checks.

    Args:
        harm: what they say.
        evidence: of the run.
        settings: thresholds.

    Yields:
        One of the cost, where there is a label; one of each column that could give the label away.
    """
    pair, gap = harm.pair, harm.probe.gap
    if harm.probe.grade is not None and gap is not None:
        yield Check(
            name=f"cost of {pair.observed} against {pair.reference}",
            role="harm",
            table=f"{pair.observed} against {pair.reference}",
            column=None,
            description="What the mismatch costs a model: its error on the target less its error where it learnt.",
            severity="info",
            expectation="expect_mismatch_harmless",
            kwargs={"reference": pair.reference, "observed": pair.observed, "allowed": list(_GRADES)},
            observed={"grade": harm.probe.grade, "cost": gap.gap, "interval": [gap.low, gap.high], **asdict(gap)},
        )
    for leak in harm.leaks:
        if leak.measure != "AUC":
            continue
        yield Check(
            name=f"{leak.column} does not give the label away",
            role="leakage",
            table=TRAIN,
            column=leak.column,
            description=f"{leak.column} alone does not predict the label nearly perfectly.",
            severity="warning",
            expectation="expect_no_leak_column",
            kwargs={"label": evidence.roles.label, "max_auc": settings.thresholds.leak_auc},
            observed={"auc": leak.score, "rows": leak.rows},
        )


def harm_findings(harm: Harm, settings: CheckSettings) -> list[Finding]:
    """What models say, in sentences."""
    pair = harm.pair
    found = []
    if cost := _cost(harm.probe, pair):
        found.append(Finding("info", cost))
    domain = harm.domain
    if domain.auc is not None and domain.low is not None and domain.high is not None:
        carriers = [one.column for one in domain.importances if one.fall > settings.alpha][:_CARRIED]
        by = f", most by {', '.join(f'`{name}`' for name in carriers)}" if carriers else ""
        level = sum(domain.auc >= limit for limit in settings.thresholds.auc)
        told = (
            f"{pair.reference} and {pair.observed} are {_TELL_APART[level]} by a classifier: AUC {domain.auc:.3f} "
            f"({domain.low:.3f} to {domain.high:.3f}){by}. Told apart is not the same as harmed."
        )
        found.append(Finding("info", told))
    if harm.domain.left_out and (unseen := _unseen(harm.domain.left_out)):
        found.append(Finding("info", unseen))
    if harm.transfer.reason and harm.transfer.column is not None and len(harm.sources) > 1:
        found.append(Finding("info", f"Models were not carried from source to source: {harm.transfer.reason}."))
    leaks = [leak for leak in harm.leaks if leak.leaks and leak.measure == "AUC"]
    found += [
        Finding(
            "warning",
            f"`{leak.column}` alone predicts the label (AUC {leak.score:.3f}): if it is known only after the label, "
            "leave it out of the features.",
            (f"{leak.column} does not give the label away",),
        )
        for leak in leaks
    ]
    return found


def _unseen(left_out: Sequence[LeftOut]) -> str:
    """Says which columns no model saw though their roles would let it: what they hold may tell splits apart, too."""
    why: dict[str, list[str]] = {}
    for one in left_out:
        if one.reason in NOT_READ:
            why.setdefault(one.reason, []).append(f"`{one.name}`")
    told = "; ".join(f"{_some(names)} {'each ' * (len(names) > 1)}{reason}" for reason, names in why.items())
    return f"Models did not see {told}." if told else ""


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _CARRIED:,} more" if len(names) > _CARRIED else ""
    return f"{', '.join(names[:_CARRIED])}{more}, which"


def _cost(result: HarmResult, pair: Pair) -> str | None:
    gap = result.gap
    if gap is None:
        told = f"What the mismatch costs could not be measured: {result.reason}." if result.reason else None
        return told if result.confidence_fall is None else f"{told} {_without_labels(result, pair)}"
    unit = "errors" if result.measure.startswith("error rate") else "standard deviations of error"
    told = (
        f"{gap.gap:+.3f} ({gap.low:+.3f} to {gap.high:+.3f}) {unit} from {pair.reference} to {pair.observed}, "
        f"{gap.home:.3f} to {gap.away:.3f}"
    )
    if result.measure.startswith("error rate, "):
        told += f" ({result.measure.removeprefix('error rate, ')})"
    if result.grade == "costs":
        return f"The mismatch costs: a model that learns on {TRAIN} makes {told}."
    if result.grade == "no cost seen":
        return f"No cost of the mismatch was seen: {told}; a cost of {gap.detectable:.3f} would have been."
    if result.grade == "too small to tell":
        return f"Too few examples to tell what the mismatch costs: {told}; only {gap.detectable:.3f} would be seen."
    return f"Without a label, {result.column!r} stood in for it: {told}; no cost is claimed."


def _without_labels(result: HarmResult, pair: Pair) -> str:
    """The figures that need no label away, under their own names."""
    assert result.confidence_fall is not None  # noqa: S101, the caller looked
    told = f"Without them, the models' confidence moves by {-result.confidence_fall:+.3f} from {pair.reference} to "
    told += f"{pair.observed}"
    if result.thresholded_confidence is not None:
        told += f", and average thresholded confidence foresees {result.thresholded_confidence:+.3f} errors"
    return f"{told}; no cost is claimed."
