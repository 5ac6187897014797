"""Does one column alone give the label away? Then it may hold what is not known when a model is used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from validation.modelling.columns import Feature, columns_of
from validation.modelling.features import Dense, Encoder
from validation.modelling.models import one_thread
from validation.modelling.raw import Matrix, RawColumns, read_columns
from validation.modelling.rows import Integers, SampleRows, keyed_folds
from validation.modelling.target import Target, labelled
from validation.seeds import seed_of

ROWS = 5_000
FOLDS = 3
LEAST_GROUPS = 50
LEAVES = 256
_CONTENT = ("text", "vector")
_MANY = (*_CONTENT, "name")


@dataclass(frozen=True)
class LeakColumn:
    """How well one column alone predicts the label.

    Attributes:
        column: its name.
        score: the AUC of each class against the rest, averaged over the classes; of numbers, R2. On rows held out.
        measure: "AUC" or "R2".
        rows: labelled rows it was measured on.
        leaks: whether the score is over the threshold.
        content: it holds texts or vectors, which may be what the label is told from.
    """

    column: str
    score: float
    measure: Literal["AUC", "R2"]
    rows: int
    leaks: bool
    content: bool = False


@one_thread()
def leak_columns(sample: SampleRows, threshold: float, *, rows: int = ROWS) -> tuple[LeakColumn, ...]:
    """How well each column alone predicts the label: a tree for one number, a linear model for texts and vectors.

    Columns that name a row are tried too: a path like `cats/0001.jpg` gives the label away. Times, keys and groups are
    not. The groups of the rows a model is judged on are unlike those it learnt from.

    Args:
        sample: rows of any splits.
        threshold: `Thresholds.leak_auc`; a score over it counts as a leak.
        rows: used at most.

    Returns:
        All columns, the best predictor first. Empty without a label, with fewer than 50 labelled groups, or where the
        label is the same in all rows.
    """
    label = sample.roles.label
    if label is None or label not in sample.rows.columns:
        return ()
    sample = sample.take(labelled(sample.rows[label])).bounded(rows)
    if sample.groups.n_unique() < LEAST_GROUPS or sample.rows[label].n_unique() < 2:
        return ()
    target = Target.fit(sample.rows[label])
    truth = target.encode(sample.rows[label])
    folds = keyed_folds(sample.group_numbers(), target.strata(truth), FOLDS, sample.salt, "leaks")
    found = []
    for feature in columns_of(sample, names_too=True).features:
        score = _score(read_columns(sample.rows, [feature]), feature, truth, folds, target, sample.salt)
        measure: Literal["AUC", "R2"] = "R2" if target.is_number else "AUC"
        content = feature.kind in _CONTENT
        found.append(LeakColumn(feature.name, score, measure, len(sample), score > threshold, content))
    return tuple(sorted(found, key=lambda leak: (-leak.score, leak.column)))


def giving_away(leaks: Sequence[LeakColumn]) -> tuple[str, ...]:
    """The columns that models do without: with one of them, they would need no other, and no shift would cost them.

    Texts and vectors stay: one column of them can be all that there is to tell a label from, as an image is.

    Args:
        leaks: of `leak_columns`.

    Returns:
        Their names, the best predictor first.
    """
    return tuple(leak.column for leak in leaks if leak.leaks and not leak.content)


def one_against_rest(chances: Matrix, truth: Integers) -> float:
    """The AUC of each class against the rest, averaged over the classes that occur and are not alone.

    Args:
        chances: rows by classes, higher where a class is likelier.
        truth: Int64, the class of every row.

    Returns:
        From 0 to 1; .5 where there is nothing to tell apart.
    """
    aucs = []
    for code in np.unique(truth):
        mine = truth == code
        if mine.all() or code >= chances.shape[1]:
            continue
        ranks = rankdata(chances[:, code])
        count = int(mine.sum())
        aucs.append((ranks[mine].sum() - count * (count + 1) / 2) / (count * (len(truth) - count)))
    return float(np.mean(aucs)) if aucs else 0.5


def _score(
    read: RawColumns, feature: Feature, truth: npt.NDArray[Any], folds: Integers, target: Target, salt: str
) -> float:
    """Of one column, over all held-out rows of a fold, averaged over the folds."""
    scores = []
    for fold in range(FOLDS):
        seen, held = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        encoder = Encoder.fit(read.take(seen), salt)
        learnt, asked = encoder.transform(read.take(seen)), encoder.transform(read.take(held))
        if feature.kind in _MANY:
            dense = Dense.fit(learnt, encoder.blocks)
            learnt, asked = dense.transform(learnt), dense.transform(asked)
        model = _model(feature, target, seed_of(salt, "leaks", feature.name, str(fold)) % 2**32)
        model.fit(np.where(np.isnan(learnt), _gap(learnt), learnt), truth[seen])
        asked = np.where(np.isnan(asked), _gap(learnt), asked)
        if target.is_number:
            rest = float(((model.predict(asked) - truth[held]) ** 2).sum())
            whole = float(((truth[held] - truth[held].mean()) ** 2).sum())
            scores.append(1 - rest / whole if whole > 0 else 0.0)
        else:
            chances = np.zeros((len(held), target.count))
            chances[:, model.classes_] = model.predict_proba(asked)
            scores.append(one_against_rest(chances, truth[held]))
    return float(np.mean(scores))


def _gap(learnt: Matrix) -> float:
    """A number apart from all others, for trees: that a value is missing can give the label away too."""
    known = learnt[~np.isnan(learnt)]
    return float(known.min()) - 1.0 - abs(float(known.min())) if len(known) else 0.0


def _model(feature: Feature, target: Target, seed: int) -> Any:
    if feature.kind in _MANY:
        return Ridge(alpha=1.0) if target.is_number else LogisticRegression(C=1.0, max_iter=200)
    settings = {"max_leaf_nodes": LEAVES, "min_samples_leaf": 5, "random_state": seed}
    return DecisionTreeRegressor(**settings) if target.is_number else DecisionTreeClassifier(**settings)
