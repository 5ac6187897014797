"""The peers' own cases: our draw is never less balanced than scikit-learn's splitter on the same input.

A cross-validation of k folds is k - 1 splits of an equal share each; the rest is the last fold. Imbalance is
counted in whole numbers: the sum over folds and classes of `(k * rows - rows of the class) ** 2`.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    StratifiedGroupKFold,
    StratifiedShuffleSplit,
)

from splitting.draw import DrawRequest, draw
from splitting.rounding import apportion, controlled_rounding

Labels = Sequence[Any] | np.ndarray
SIX_SIX = [1] * 6 + [0] * 12
MIXES = [(0.4, 0.6), (0.3, 0.7), (0.2, 0.8), (0.8, 0.2)]
# Thirty-eight rows of thirty people, in a scrambled order: one with three rows, six with two.
NAMES = [f"person {i * 11 % 38 % 30 if i * 11 % 38 < 37 else 0}" for i in range(38)]


def codes(values: Labels) -> np.ndarray:
    return np.unique(np.asarray(values), return_inverse=True)[1]


def parts(y: Labels, groups: Labels, sizes: Sequence[int], seed: int = 0) -> np.ndarray:
    """The split of each row (the last number is the rest); the seed stands for the salt."""
    strata, names = codes(y), codes(groups)
    u = np.random.RandomState(seed).permutation(names.max() + 1)[names]
    cells = pl.DataFrame({"u": u, "stratum": strata}).group_by("u", "stratum").agg(pl.len().alias("rows"))
    quotas = controlled_rounding(np.bincount(strata).tolist(), sizes)
    splits = tuple(str(i) for i in range(len(sizes)))
    drawn = draw(cells, DrawRequest(splits, tuple(map(tuple, quotas)), (True,) * len(quotas)))
    where = {group: int(split) for group, split in drawn.taken.iter_rows()}
    return np.array([where.get(int(group), len(sizes)) for group in u])


def folds(y: Labels, groups: Labels, k: int, seed: int = 0) -> np.ndarray:
    return parts(y, groups, apportion(len(y), [1] * k)[:-1], seed)


def peer_folds(splitter: Any, y: Labels, groups: Labels) -> np.ndarray:
    result = np.zeros(len(y), dtype=int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for fold, (_, test) in enumerate(splitter.split(np.ones(len(y)), codes(y), codes(groups))):
            result[test] = fold
    return result


def table(y: Labels, fold: np.ndarray, k: int) -> np.ndarray:
    cells = np.zeros((k, codes(y).max() + 1), dtype=int)
    np.add.at(cells, (fold, codes(y)), 1)
    return cells


def imbalance(y: Labels, fold: np.ndarray, k: int) -> int:
    return int(((k * table(y, fold, k) - np.bincount(codes(y))) ** 2).sum())


def entropy(y: Labels, fold: np.ndarray, k: int, mix: Sequence[float]) -> float:
    """The mean divergence of the folds' classes from the mix: scikit-learn's own measure."""
    return float(np.mean([stats.entropy(row / row.sum(), qk=mix) for row in table(y, fold, k)]))


def assert_whole_groups(groups: Labels, fold: np.ndarray) -> None:
    assert all(len(np.unique(fold[codes(groups) == group])) == 1 for group in np.unique(codes(groups)))


def assert_no_empty(fold: np.ndarray, k: int) -> None:
    assert np.bincount(fold, minlength=k).min() > 0


TRIVIAL = [1, 2, 3, 4, 5, 6, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]
APPROXIMATE = [1, 2, 3, 3, 4, 4, 1, 1, 2, 2, 3, 4, 5, 5, 5, 6, 6, 6]
SHUFFLED = [1, 1, 3, 3, 3, 4, 5, 5, 5, 5, 7, 7, 2, 2, 6, 6, 8, 8]


@pytest.mark.parametrize(
    ("y", "groups"),
    [
        (SIX_SIX, TRIVIAL),
        (SIX_SIX, APPROXIMATE),  # theirs is known to miss the perfect answer here
        ([0] * 6 + [1] * 6, [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]),
        ([0] * 9 + [1] * 3, [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 5, 6]),
    ],
)
@pytest.mark.parametrize("seed", range(10))
def test_stratified_group_k_fold_small_cases_are_perfect(y: list[int], groups: list[int], seed: int) -> None:
    fold = folds(y, groups, 3, seed)
    assert_whole_groups(groups, fold)
    assert imbalance(y, fold, 3) == 0
    assert np.bincount(fold).tolist() == [len(y) // 3] * 3


def test_the_case_that_scikit_learn_documents_as_missed() -> None:
    assert imbalance(SIX_SIX, peer_folds(StratifiedGroupKFold(3), SIX_SIX, APPROXIMATE), 3) > 0
    assert imbalance(SIX_SIX, folds(SIX_SIX, APPROXIMATE, 3), 3) == 0


def test_stratification_survives_every_salt() -> None:
    y = [0] * 12 + [1] * 6
    found = [folds(y, SHUFFLED, 3, seed) for seed in range(100)]
    assert {imbalance(y, fold, 3) for fold in found} == {0}
    assert len({tuple(fold) for fold in found}) > 1


@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("count", [5, 30, 70])
def test_against_stratified_and_plain_group_k_fold(mix: tuple[float, float], count: int) -> None:
    rng = np.random.RandomState(0)
    y = rng.choice(2, size=1000, p=mix)
    groups = rng.choice(count, 1000)
    # Five groups in five folds: some are larger than a fifth, and no split of ours exceeds its size.
    sizes = [int(np.bincount(groups).max())] * 4 if count == 5 else [200] * 4
    fold = parts(y, groups, sizes)
    assert_whole_groups(groups, fold)
    assert_no_empty(fold, 5)
    for peer in (StratifiedGroupKFold(5), GroupKFold(5)):
        other = peer_folds(peer, y, groups)
        assert imbalance(y, fold, 5) <= imbalance(y, other, 5)
        assert entropy(y, fold, 5, mix) <= entropy(y, other, 5, mix) + 1e-12
    if count > 5:
        assert np.bincount(fold).tolist() == [200] * 5


@pytest.mark.parametrize("seed", range(12))
def test_group_k_fold_of_fifteen_random_groups(seed: int) -> None:
    groups = np.random.RandomState(seed).randint(0, 15, 1000)
    y = np.ones(1000, dtype=int)
    fold = folds(y, groups, 5, seed)
    assert_whole_groups(groups, fold)
    assert np.abs(np.bincount(fold, minlength=5) - 200).max() <= 50
    for peer in (GroupKFold(5), StratifiedGroupKFold(5)):
        assert imbalance(y, fold, 5) <= imbalance(y, peer_folds(peer, y, groups), 5)


def test_group_k_fold_of_names() -> None:
    y = np.ones(len(NAMES), dtype=int)
    for seed in range(10):
        fold = folds(y, NAMES, 5, seed)
        assert_whole_groups(NAMES, fold)
        assert np.ptp(np.bincount(fold, minlength=5)) <= 1
        assert imbalance(y, fold, 5) <= imbalance(y, peer_folds(GroupKFold(5), y, NAMES), 5)


@pytest.mark.parametrize(
    "groups",
    [
        [1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
        [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3],
        [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2],
        [1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4],
        ["1", "1", "1", "1", "2", "2", "2", "3", "3", "3", "3", "3"],
    ],
)
def test_group_shuffle_split_counts_rows_not_groups(groups: list[Any]) -> None:
    """Its sizes count groups (#13369); ours count rows, and come as near as whole groups can."""
    y, size = np.ones(len(groups), dtype=int), len(groups) // 3
    sums = {sum(c) for c in product(*[(0, n) for n in np.bincount(codes(groups)).tolist()])}
    best = max(total for total in sums if total <= size)
    for seed in range(6):
        fold = parts(y, groups, [size], seed)
        assert_whole_groups(groups, fold)
        ours = int((fold == 0).sum())
        assert ours == best
    peer = GroupShuffleSplit(6, test_size=1 / 3, random_state=0)
    found = [len(test) for _, test in peer.split(y, y, groups)]
    assert abs(ours - size) <= max(abs(rows - size) for rows in found)


VECTORS: list[Labels] = [
    [1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
    [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3],
    [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2] * 2,
    [1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4],
    [-1] * 800 + [1] * 50,
    np.repeat(np.arange(11), np.arange(100, 111)),
    np.array([1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]),
    ["1", "1", "1", "1", "2", "2", "2", "3", "3", "3", "3", "3"],
]


@pytest.mark.parametrize("y", VECTORS)
def test_stratified_shuffle_split_vectors(y: Labels) -> None:
    size = -(-33 * len(y) // 100)
    counts = np.bincount(codes(y))
    splitter = StratifiedShuffleSplit(6, test_size=0.33, random_state=0)
    peers = [np.bincount(codes(y)[test]) for _, test in splitter.split(np.ones(len(y)), codes(y))]
    worst = min(int(np.abs(len(y) * peer - size * counts).max()) for peer in peers)
    for seed in range(6):
        rows = table(y, parts(y, np.arange(len(y)), [size], seed), 2)
        assert rows[0].sum() == size
        assert rows.min() > 0
        assert (rows[0] >= size * counts // len(y)).all()
        assert (rows[0] <= -(-size * counts // len(y))).all()
        assert np.abs(len(y) * rows[0] - size * counts).max() <= worst


@pytest.mark.parametrize("count", [6, 22])
def test_stratified_shuffle_split_even(count: int) -> None:
    """Over salts, every row is drawn with the same chance."""
    y, salts, size = np.array([0, 1] * (count // 2)), 400, -(-count // 5)
    drawn = sum((parts(y, np.arange(count), [size], seed) == 0).astype(int) for seed in range(salts))
    assert drawn.sum() == salts * size
    for label in (0, 1):
        among = drawn[y == label]
        share = among.sum() / salts / len(among)
        assert stats.binom(salts, share).pmf(among).min() > 0.05 / salts


def test_train_and_test_do_not_overlap_6121() -> None:
    y = [0, 1, 2, 3] * 3 + [4, 5] * 5
    rows = table(y, parts(y, np.arange(len(y)), [11]), 2)
    assert rows.sum(axis=1).tolist() == [11, 11]
    assert np.abs(rows[0] - rows[1]).max() <= 1


def test_no_fold_is_empty_34828() -> None:
    y, groups = [0, 1, 1, 0, 0, 1, 1, 1, 1], [0, 1, 2, 3, 0, 0, 1, 2, 0]
    other = peer_folds(StratifiedGroupKFold(4), y, groups)
    for seed in range(24):
        fold = folds(y, groups, 4, seed)
        assert_whole_groups(groups, fold)
        assert_no_empty(fold, 4)
        assert imbalance(y, fold, 4) <= imbalance(y, other, 4)
    assert imbalance(np.ones(9), fold, 4) < imbalance(np.ones(9), other, 4)


@pytest.mark.parametrize("k", [2, 3])
def test_two_groups_cannot_cover_three_classes_28218(k: int) -> None:
    """Every fold has rows, sizes are equal, and no choice of whole groups is better."""
    y, groups = [1, 1, 0, 0, 2, 2], list("abbccd")
    choices = [np.array(choice)[codes(groups)] for choice in product(range(k), repeat=4)]
    equal = [c for c in choices if np.ptp(np.bincount(c, minlength=k)) == 0]
    for seed in range(12):
        fold = folds(y, groups, k, seed)
        assert np.ptp(np.bincount(fold, minlength=k)) == 0
        assert imbalance(y, fold, k) == min(imbalance(y, c, k) for c in equal)


def test_many_rare_labels_18424() -> None:
    """Thirty-four labels with a long tail: sizes exact, cells floor or ceiling, labels of one row allowed."""
    counts = [1, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 7, 8, 9, 11, 13, 15, 18, 21, 25, 30, 36, 43, 52, 63, 76]
    counts += [91, 110, 133, 160, 193, 233, 281, 339]
    y = np.repeat(np.arange(34), counts)
    sizes = [len(y) // 10, len(y) // 5]
    rows = table(y, parts(y, np.arange(len(y)), sizes), 3)
    assert rows.sum(axis=1).tolist()[:2] == sizes
    for split, size in enumerate([*sizes, len(y) - sum(sizes)]):
        quota = size * np.array(counts)
        assert (rows[split] >= quota // len(y)).all()
        assert (rows[split] <= -(-quota // len(y))).all()


def test_ninety_eight_to_two() -> None:
    rows = table([0] * 98 + [1] * 2, parts([0] * 98 + [1] * 2, np.arange(100), [25]), 2)
    assert rows[0].sum() == 25
    assert rows[0, 1] in {0, 1}
