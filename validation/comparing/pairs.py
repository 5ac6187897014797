"""Which splits are compared, and what it means when they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from splitting.request import TARGET_POOL, TRAIN, TRAIN_POOL

TARGET = "target pool"
"""The name that all written rows of the target pool are compared under; no split can have it."""

Role = Literal["match", "mismatch"]


@dataclass(frozen=True)
class SplitInfo:
    """One split that was written.

    Attributes:
        name: its name; `train` is what was left.
        pool: what it was drawn from: `target`, `train`, or the name of another pool.
        design_effect: rows that carry the weight of one independent row, at least 1; see `designs`.
    """

    name: str
    pool: str
    design_effect: float = 1.0


@dataclass(frozen=True)
class Pair:
    """Two splits that are compared.

    Attributes:
        reference: the one that the other is measured by.
        observed: the other.
        role: `match`: both were drawn from the same rows, so that a shift means that the draw is wrong. `mismatch`:
            they were drawn from different rows; a shift is measured and is nothing broken.
        why: a sentence.
        by_source: the shares of the sources are compared, too.
    """

    reference: str
    observed: str
    role: Role
    why: str
    by_source: bool = True


def pairs_of(splits: Sequence[SplitInfo], sources: Sequence[str] = ()) -> tuple[Pair, ...]:
    """The pairs of splits that are compared, each once.

    Splits of the same pool must match: the first against each of the others, and each split of the target against all
    rows of the target pool. Splits of other pools are measured against `dev`, or else the first split of the target;
    of the train mixture that is `train_dev`, or where there is none, `train`.

    Args:
        splits: all that were written, `train` included.
        sources: the names of all sources; of one alone there are no shares to compare.

    Returns:
        First those that must match, then those that need not, in the order of the splits.
    """
    pools = _by_pool(splits)
    of_target = pools.pop(TARGET_POOL, [])
    of_train = pools.pop(TRAIN_POOL, [])
    found = [*_same_draw(of_target), *_against_pool(of_target), *_same_mixture(of_train)]
    for members in pools.values():
        found += _same_draw(members)
    if of_target:
        center = "dev" if "dev" in of_target else of_target[0]
        found += _mixture_to_target(of_train, center)
        for members in pools.values():
            found += [Pair(center, name, "mismatch", _OTHER.format(name)) for name in members]
    shares = len(set(sources)) > 1
    return tuple(Pair(pair.reference, pair.observed, pair.role, pair.why, shares) for pair in found)


_SAME = "{} and {} were drawn from the same rows: they differ by chance alone."
_POOL = "{} was drawn from the target pool to look like all of it."
_MIXTURE = "{1} was drawn from the same mixture as {0}: they differ by chance alone."
_MISMATCH = "{} comes from the train mixture and {} from the target: how they differ is the data mismatch."
_OTHER = "{} was drawn from rows of its own: how it differs is what it was made to show."


def _by_pool(splits: Sequence[SplitInfo]) -> dict[str, list[str]]:
    pools: dict[str, list[str]] = {}
    for split in splits:
        pools.setdefault(TRAIN_POOL if split.name == TRAIN else split.pool, []).append(split.name)
    for members in pools.values():
        members.sort(key=lambda name: name not in ("dev", TRAIN))
    return pools


def _same_draw(members: list[str]) -> list[Pair]:
    return [Pair(members[0], name, "match", _SAME.format(members[0], name)) for name in members[1:]]


def _against_pool(members: list[str]) -> list[Pair]:
    return [Pair(TARGET, name, "match", _POOL.format(name)) for name in members]


def _same_mixture(members: list[str]) -> list[Pair]:
    return [Pair(members[0], name, "match", _MIXTURE.format(members[0], name)) for name in members[1:]]


def _mixture_to_target(members: list[str], center: str) -> list[Pair]:
    if not members:
        return []
    evaluation = [name for name in members if name != TRAIN]
    name = "train_dev" if "train_dev" in evaluation else (evaluation or members)[0]
    return [Pair(name, center, "mismatch", _MISMATCH.format(name, center))]
