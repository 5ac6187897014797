"""What a mismatch costs: cheap models learn on train and are judged at home and on the target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl

from validation.modelling.columns import LeftOut, columns_of
from validation.modelling.gaps import Gap, Skill, gap_of, skill_of
from validation.modelling.judged import Judged, judge
from validation.modelling.models import FAMILIES, Family
from validation.modelling.raw import Matrix
from validation.modelling.rows import SampleRows
from validation.modelling.target import CLASSES, Target, labelled

TRAIN_ROWS = 5_000
JUDGED_ROWS = 5_000
LEAST_GROUPS = 20
"""With fewer groups on a side nothing is fitted."""
LEAST_COST = 0.02
"""A smaller gap is no cost, however sure: 2 of 100 more errors, or .02 standard deviations of a numeric label."""
SEEN_COST = 0.10
"""Where even a gap of this size would have been missed, nothing is said of a cost."""

Grade = Literal["costs", "no cost seen", "too small to tell"]
Basis = Literal["label", "stand-in", "confidence", "none"]


@dataclass(frozen=True)
class FamilyGap:
    """What one kind of model lost.

    Attributes:
        family: its kind.
        home: its error at home.
        away: its error away.
    """

    family: str
    home: float
    away: float

    @property
    def gap(self) -> float:
        """How much larger its error is away."""
        return self.away - self.home


@dataclass(frozen=True)
class HarmResult:
    """What the mismatch between train and the target costs cheap models.

    Attributes:
        basis: what the figures rest on. "label": the label, known on both sides. "stand-in": there is no label, and
            another column was predicted in its place, so no cost is claimed. "confidence": the rows away have no label,
            so there are only the label-free figures. "none": nothing could be fitted, see `reason`.
        column: what was predicted; None where nothing was.
        measure: "error rate", which says so where rare labels were taken as one; or for numbers "root mean squared
            error, in standard deviations of the label in train".
        gap: the errors, their difference, its interval; None without errors.
        grade: None where no cost is claimed or denied.
        families: what every kind of model lost.
        confidence_fall: mean confidence at home less that away; needs no label away. None for numeric labels.
        thresholded_confidence: error away as foreseen by average thresholded confidence (Garg et al. 2022) less the
            error at home; needs no label away. None for numeric labels.
        train_rows: that the models learnt from, a fifth of them held out in turn.
        home_rows: that were judged at home: those of train, held out, and those of train_dev.
        away_rows: that were judged away.
        left_out: columns that the models did not see, and why.
        skill: by how much the models are better at home than an answer that is always the same; None where there is no
            gap.
        reason: why there is no gap, in plain words; empty where there is one.
    """

    basis: Basis
    column: str | None
    measure: str
    gap: Gap | None
    grade: Grade | None
    families: tuple[FamilyGap, ...]
    confidence_fall: float | None
    thresholded_confidence: float | None
    train_rows: int
    home_rows: int
    away_rows: int
    left_out: tuple[LeftOut, ...]
    skill: Skill | None = None
    reason: str = ""


def probe(sample: SampleRows, *, train: str = "train", home: str = "train_dev", away: str = "dev") -> HarmResult:
    """Fits three kinds of cheap models on train and compares their errors at home and away.

    Boosted trees, a linear model and random trees are each fitted on four fifths of the groups of train, five times and
    over (fifteen times for small samples). Errors at home are those on the fifth that was held out and on train_dev,
    which comes from where train comes from; errors away are those on dev. Where train_dev is missing, the rows held out
    stand alone. The sources of each split are in proportion to all their rows.

    Args:
        sample: rows of the splits; others are passed over.
        train: the split that models learn from.
        home: the split of the same distribution; `train` itself where there is none.
        away: the split of the target.

    Returns:
        The gap, its intervals and a grade. "costs": the interval of its own gap lies above 0 and the gap is at least
        .02. "no cost seen": not so, and a gap of .10 would have been seen, as the models are surely better at home than
        an answer that is always the same. "too small to tell": neither.
    """
    at_home = sample.select(home)
    near = at_home.take(np.zeros(0, dtype=np.int64)) if home == train else at_home  # models saw the rows of train
    parts = (sample.select(train), near, sample.select(away))
    basis, column = _what_to_predict(parts[0], parts[2])
    if column is None:
        return _nothing(_no_label(parts[0]))
    needed = (True, True, basis != "confidence")
    learnt, near, far = (
        _about(part, column, only_labelled=need).bounded(most)
        for part, need, most in zip(parts, needed, (TRAIN_ROWS, JUDGED_ROWS, JUDGED_ROWS), strict=True)
    )
    reason = _too_few(learnt, far, column)
    if reason:
        return _nothing(reason, column, (len(learnt), len(near), len(far)))
    target = Target.fit(learnt.rows[column])
    if basis == "confidence" and target.is_number:
        return _nothing(f"{away} has no labels, and numeric predictions have no confidence", column)
    columns = columns_of(learnt)
    if not columns.features:
        nothing = _nothing(f"no column is left to tell {column} by", column, (len(learnt), len(near), len(far)))
        return replace(nothing, left_out=columns.left_out)
    judged = judge(learnt, [near, far], columns.features, target, column, rounds_for(len(learnt)))
    truth = target.encode(pl.concat([learnt.rows[column], near.rows[column]]))
    baseline = target.constant_losses(truth[: len(learnt)], truth)
    return _result(judged, baseline, target, basis, columns.left_out, learnt)


def _about(part: SampleRows, column: str, *, only_labelled: bool) -> SampleRows:
    """The rows, with this column for a label."""
    part = replace(part, roles=replace(part.roles, label=column))
    return part.take(labelled(part.rows[column])) if only_labelled else part


def rounds_for(rows: int) -> int:
    """How often the five folds are gone through: the fewer rows, the more the folds' draw matters."""
    return 3 if rows <= 600 else 2 if rows <= 2_500 else 1


def grade_of(gap: Gap, skill: Skill) -> Grade:
    """What may be said of a gap; see `probe`."""
    if gap.low > 0 and gap.gap >= LEAST_COST:
        return "costs"
    return "no cost seen" if gap.detectable <= SEEN_COST and skill.sure else "too small to tell"


def _what_to_predict(train: SampleRows, away: SampleRows) -> tuple[Basis, str | None]:
    """The label, or the first column of the strata that can stand in for it."""
    label = train.roles.label
    if label is not None and label in train.rows.columns and labelled(train.rows[label]).any():
        return ("label" if labelled(away.rows[label]).any() or not len(away) else "confidence"), label
    for name in train.roles.strata:
        if name in train.rows.columns and name != train.roles.source:
            known = train.rows[name].drop_nulls()
            if 2 <= known.n_unique() <= CLASSES and labelled(away.rows[name]).any():
                return "stand-in", name
    return "none", None


def _no_label(train: SampleRows) -> str:
    label = train.roles.label
    told = f"the label {label!r} is in `checks: skip`" if label in train.roles.skip else "there is no label"
    return f"{told}, and no column to predict in its place"


def _too_few(train: SampleRows, away: SampleRows, column: str) -> str:
    """Why there are too few rows; empty where there are enough."""
    for name, part in (("to learn from", train), ("to judge away", away)):
        if part.groups.n_unique() < LEAST_GROUPS:
            return f"fewer than {LEAST_GROUPS} groups {name}"
    return f"{column} is the same in all rows of train" if train.rows[column].n_unique() < 2 else ""


def _result(
    judged: Mapping[Family, list[Judged]],
    baseline: Matrix,
    target: Target,
    basis: Basis,
    left_out: tuple[LeftOut, ...],
    train: SampleRows,
) -> HarmResult:
    """The figures of the judged rows: held out, home, away."""
    at_home = [judged[family][:2] for family in FAMILIES]
    far = [judged[family][2] for family in FAMILIES]
    known = basis != "confidence"
    gap = gap_of(at_home, far, target, train.salt, "probe") if known else None
    skill = skill_of(at_home, baseline, target, train.salt, "probe") if known else None
    families = tuple(
        FamilyGap(family, target.error(_pooled(parts).mean()), target.error(float(there.losses.mean())))
        for family, parts, there in zip(FAMILIES, at_home, far, strict=True)
        if known
    )
    fall, foreseen = (None, None) if target.is_number else _label_free(at_home, far)
    return HarmResult(
        basis=basis,
        column=train.roles.label,
        measure=_measure(target),
        gap=gap,
        grade=grade_of(gap, skill) if gap is not None and skill is not None and basis == "label" else None,
        families=families,
        confidence_fall=fall,
        thresholded_confidence=foreseen,
        train_rows=len(train),
        home_rows=sum(len(part.losses) for part in at_home[0]),
        away_rows=len(far[0].losses),
        left_out=left_out,
        skill=skill,
        reason="" if known else "the target has no labels",
    )


def _label_free(home: Sequence[Sequence[Judged]], away: Sequence[Judged]) -> tuple[float, float]:
    """Fall of mean confidence, and average thresholded confidence, each the mean over the kinds of model."""
    falls, foreseen = [], []
    for parts, there in zip(home, away, strict=True):
        confidence = np.concatenate([part.confidence for part in parts])
        error = float(_pooled(parts).mean())
        falls.append(float(confidence.mean() - there.confidence.mean()))
        foreseen.append(float((there.confidence < np.quantile(confidence, error)).mean()) - error)
    return float(np.mean(falls)), float(np.mean(foreseen))


def _pooled(parts: Sequence[Judged]) -> Matrix:
    return np.concatenate([part.losses for part in parts])


def _measure(target: Target) -> str:
    if target.is_number:
        return "root mean squared error, in standard deviations of the label in train"
    return f"error rate, all but the {CLASSES} commonest labels taken as one" if target.folded else "error rate"


def _nothing(reason: str, column: str | None = None, rows: tuple[int, int, int] = (0, 0, 0)) -> HarmResult:
    """A result without figures."""
    learnt, near, far = rows
    grade: Grade | None = "too small to tell" if column is not None else None
    return HarmResult("none", column, "", None, grade, (), None, None, learnt, near, far, (), reason=reason)
