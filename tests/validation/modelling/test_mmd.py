"""The maximum mean discrepancy of vectors: the formula, its null, groups."""

from __future__ import annotations

import numpy as np
import pytest

from validation.modelling.mmd import MmdResult, mmd


def numbered(rows: int, start: int = 0) -> np.ndarray:
    return np.arange(start, start + rows, dtype=np.uint64)


def of(first: np.ndarray, second: np.ndarray, **settings: int) -> MmdResult:
    groups = (numbered(len(first)), numbered(len(second), len(first)))
    return mmd(first, second, groups, "salt", "test", **settings)


def by_the_book(first: np.ndarray, second: np.ndarray) -> float:
    """The double sums of the definition, in loops."""
    both = np.vstack([first, second])
    both = (both - both.mean(axis=0)) / both.std(axis=0)
    squared = ((both[:, None] - both[None]) ** 2).sum(axis=2)
    kernel = np.exp(-squared / (2 * np.median(squared[np.triu_indices(len(both), 1)])))
    own, other = len(first), len(second)
    same = sum(kernel[i, j] for i in range(own) for j in range(own) if i != j) / (own * (own - 1))
    rest = sum(kernel[own + i, own + j] for i in range(other) for j in range(other) if i != j) / (other * (other - 1))
    across = sum(kernel[i, own + j] for i in range(own) for j in range(other)) / (own * other)
    return float(same + rest - 2 * across)


def test_formula() -> None:
    draws = np.random.default_rng(1)
    first, second = draws.normal(size=(20, 3)), draws.normal(size=(15, 3)) + 0.7
    result = of(first, second, permutations=19)
    assert result.mmd2 == pytest.approx(by_the_book(first, second), abs=1e-12)
    assert result.distance == pytest.approx(np.sqrt(max(0, result.mmd2)))


def test_p_is_spread_evenly_where_nothing_shifts_and_small_where_it_does() -> None:
    draws = np.random.default_rng(2)
    null = [of(draws.normal(size=(60, 5)), draws.normal(size=(40, 5)), permutations=99).p for _ in range(40)]
    assert sum(p <= 0.1 for p in null) <= 10
    assert sum(p > 0.5 for p in null) >= 10
    shifted = of(draws.normal(size=(200, 5)), draws.normal(size=(200, 5)) + 0.5)
    assert shifted.p == 1 / 500
    assert shifted.mmd2 > shifted.null_95


def test_groups_are_permuted_whole() -> None:
    # Twenty rows of a group are the same vector: as rows they look far from chance, as groups they are chance.
    rejected = {"groups": 0, "rows": 0}
    for seed in range(20):
        draws = np.random.default_rng(seed)
        first, second = (np.repeat(draws.normal(size=(12, 3)), 20, axis=0) for _ in "ab")
        groups = (np.repeat(numbered(12), 20), np.repeat(numbered(12, 12), 20))
        rejected["groups"] += mmd(first, second, groups, "salt", permutations=99).p <= 0.05
        rejected["rows"] += of(first, second, permutations=99).p <= 0.05
    assert rejected["groups"] <= 4
    assert rejected["rows"] >= 15


def test_gaps_bounds_and_few_rows() -> None:
    draws = np.random.default_rng(3)
    first, second = draws.normal(size=(2_300, 2)), draws.normal(size=(50, 2))
    first[5] = np.nan
    result = of(first, second, permutations=9)
    assert result.rows == (2_000, 50)
    assert of(first, second, permutations=9) == result
    few = of(first[:8], second)
    assert few.mmd2 is None
    assert few.reason == "fewer than 10 groups with vectors on a side"


def test_vectors_that_are_all_the_same() -> None:
    same = of(np.ones((30, 2)), np.ones((30, 2)), permutations=9)
    assert same.mmd2 == pytest.approx(0)
    assert same.p == 1
