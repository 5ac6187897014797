"""Compares two runs by their profiles: how each split, and the target pool, differs from what it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from splitting.request import TRAIN
from validation.comparing.columns import compare_all
from validation.comparing.comparison import Comparison, judged
from validation.comparing.pairs import TARGET, Pair
from validation.comparing.sentences import sentence, weight
from validation.comparing.sources import compare_sources
from validation.measures import IN_TARGET
from validation.profile.families import length_of
from validation.profile.profile import Profile
from validation.seeds import seed_of
from validation.settings import CheckSettings, ColumnRoles

OLD, NEW = "old", "new"
_WHY = "The same split of two runs: how it changed is measured, and nothing broken."


@dataclass(frozen=True, eq=False)
class MeasuredSplits:
    """What one of the two runs measured.

    Attributes:
        profile: of its columns.
        evaluation: its evaluation splits.
        roles: of its columns.
        group_sizes: by evaluation split, `Σ size² / rows`; see `Evidence`.
    """

    profile: Profile
    evaluation: tuple[str, ...]
    roles: ColumnRoles
    group_sizes: Mapping[str, float]

    def parts(self, split: str) -> tuple[str, ...]:
        """The names under which the rows of a split, or of the target pool, were measured."""
        if split == TARGET:
            return tuple(f"{name}{IN_TARGET}" for name in (TRAIN, *self.evaluation))
        return (split, f"{split}{IN_TARGET}")

    def group_size(self, split: str) -> float:
        """The design effect that a split can have at most: the size of groups; of what is not counted, the largest."""
        return self.group_sizes.get(split, max(self.group_sizes.values(), default=1.0))

    @property
    def compared(self) -> tuple[str, ...]:
        """The columns that are compared: no key, group, source, place or hash of a file, none that the spec skips."""
        roles = self.roles
        left_out = roles.not_compared
        left_out |= {length_of(name) for name in left_out}
        left_out |= {length_of(name) for name in self.profile.names() if self.profile.kind(name) == "category"}
        return tuple(name for name in self.profile.names() if name not in left_out)


@dataclass(frozen=True)
class RunShift:
    """One shift between two runs.

    Attributes:
        split: the split, or the target pool, that changed.
        comparison: judged; `reference` is the old run.
        sentence: of it.
    """

    split: str
    comparison: Comparison
    sentence: str


@dataclass(frozen=True)
class RunShifts:
    """How two runs' splits differ.

    Attributes:
        splits: that were compared, the target pool first.
        columns: how many columns were compared.
        compared: comparisons that were made.
        shifts: those where a shift was found, the heaviest first.
        came: columns that only the new run has.
        went: columns that only the old run has.
    """

    splits: tuple[str, ...]
    columns: int
    compared: int
    shifts: tuple[RunShift, ...]
    came: tuple[str, ...]
    went: tuple[str, ...]


def compare_runs(old: MeasuredSplits, new: MeasuredSplits, settings: CheckSettings, salt: str) -> RunShifts:
    """Compares every column of every split that both runs have, and of the target pool.

    The tests take the two for independent samples. Examples that are in both make them more alike than that, so that
    what is called a shift is one, and a small one can be missed.

    Args:
        old: the reference.
        new: the other.
        settings: thresholds, alpha, least rows: of the new run.
        salt: keys the draws that tell what chance gives.

    Returns:
        The shifts; q-values are corrected over all comparisons.
    """
    splits = (TARGET, TRAIN, *(name for name in new.evaluation if name in old.evaluation))
    both = [name for name in new.compared if name in set(old.compared)]
    found = [(split, one) for split in splits for one in _of_split(split, both, old, new, settings, salt)]
    whole = judged([one for _, one in found], settings)
    shifted = [(split, one) for (split, _), one in zip(found, whole, strict=True) if one.shifted]
    shifted.sort(key=lambda pair: (-weight(pair[1]), splits.index(pair[0]), pair[1].column, pair[1].about))
    shifts = tuple(RunShift(split, one, _sentence(split, one, old, new)) for split, one in shifted)
    made = sum(one.effect is not None for one in whole)
    came, went = (_only(first, second) for first, second in ((new, old), (old, new)))
    return RunShifts(splits, len(both), made, shifts, came, went)


def _only(first: MeasuredSplits, second: MeasuredSplits) -> tuple[str, ...]:
    there = set(second.profile.names())
    return tuple(name for name in first.profile.names() if name not in there)


def _of_split(
    split: str, columns: list[str], old: MeasuredSplits, new: MeasuredSplits, settings: CheckSettings, salt: str
) -> Iterator[Comparison]:
    pair = Pair(f"{OLD} {split}", f"{NEW} {split}", "mismatch", _WHY)
    designs = old.group_size(split), new.group_size(split)
    for name in columns:
        first, second = old.profile.column(name, old.parts(split)), new.profile.column(name, new.parts(split))
        seed = seed_of(salt, "between runs", split, name)
        yield from compare_all(first, second, settings, seed, pair=pair, designs=designs)
    counts = [run.profile.source_counts(run.parts(split)) for run in (old, new)]
    yield compare_sources(counts[0], counts[1], settings, pair=pair, column=new.roles.source, designs=designs)


def _sentence(split: str, comparison: Comparison, old: MeasuredSplits, new: MeasuredSplits) -> str:
    if comparison.effect is not None and comparison.effect.name == "share_excess":
        return sentence(comparison, None, None)
    columns = [run.profile.column(comparison.column, run.parts(split)) for run in (old, new)]
    return sentence(comparison, columns[0], columns[1])
