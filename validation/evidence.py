"""All that a verdict rests on: the plan, the counts, the measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from splitting.plan import Plan
from splitting.request import TARGET_POOL, TRAIN, TRAIN_POOL
from validation.comparing.pairs import TARGET, Pair, SplitInfo, pairs_of
from validation.measures import IN_TARGET, Measures
from validation.profile.values import ColumnKind, ColumnProfile
from validation.settings import ColumnRoles
from validation.tally import Tally


@dataclass(frozen=True)
class Evidence:
    """What is known of a run when it is judged.

    Attributes:
        plan: what was decided.
        tally: counts of what was written.
        roles: what the columns are for.
        has_groups: keys and groups could both be looked up in what was written.
        group_sizes: by evaluation split, the mean size of the group that a row finds itself in: `Σ size² / rows`.
        measures: of what was written; None where nothing was measured.
        links: by their number, the names of the links that could be looked up in what was written.
    """

    plan: Plan
    tally: Tally
    roles: ColumnRoles
    has_groups: bool
    group_sizes: Mapping[str, float]
    measures: Measures | None = None
    links: Mapping[int, str] = field(default_factory=dict)

    @property
    def salt(self) -> str:
        """What every draw of the checks is keyed by."""
        return str(self.plan.identity.get("salt", ""))

    @property
    def splits(self) -> tuple[str, ...]:
        """Every split, `train` first."""
        return (TRAIN, *(split.name for split in self.plan.splits))

    @property
    def sources(self) -> tuple[str, ...]:
        """Every source, in the order of the spec."""
        return tuple(source.name for source in self.plan.sources)

    def pairs(self) -> tuple[Pair, ...]:
        """The splits that are compared."""
        infos = [SplitInfo(split.name, split.pool) for split in self.plan.splits]
        return pairs_of([SplitInfo(TRAIN, TRAIN_POOL), *infos], self.sources)

    def parts(self, split: str) -> tuple[str, ...]:
        """The names under which the rows of a split, or of the target pool, were measured."""
        if split == TARGET:
            return tuple(f"{name}{IN_TARGET}" for name in self.splits)
        return (split, f"{split}{IN_TARGET}")

    def column(self, name: str, split: str) -> ColumnProfile:
        """What is known of a column of a split, or of the target pool."""
        assert self.measures is not None  # noqa: S101, asked for only where there are measures
        return self.measures.profile.column(name, self.parts(split))

    def kind(self, name: str) -> ColumnKind:
        """The kind of a column."""
        assert self.measures is not None  # noqa: S101
        return self.measures.profile.kind(name)

    def source_counts(self, split: str) -> dict[str, int]:
        """Rows of each source in a split, or in the target pool."""
        assert self.measures is not None  # noqa: S101
        parts = [self.measures.profile.source_counts(part) for part in self.parts(split)]
        return {source: sum(part.get(source, 0) for part in parts) for source in self.sources}

    def group_size(self, split: str) -> float:
        """Rows that a row of a split finds in its group, itself among them; of what is not counted, the largest."""
        return self.group_sizes.get(split, max(self.group_sizes.values(), default=1.0))

    def drawn_from_target(self, split: str) -> bool:
        """The split was drawn from the whole target pool."""
        return any(planned.name == split and planned.pool == TARGET_POOL for planned in self.plan.splits)
