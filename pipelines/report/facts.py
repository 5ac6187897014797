"""What a report is made from: all of it lies in the run directory, so that a report can be made again at any time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.report.pictures import Thumbnail
from splitting.plan import Plan
from splitting.request import TRAIN
from validation.comparing.pairs import TARGET
from validation.measures import IN_TARGET
from validation.profile.profile import Profile
from validation.profile.values import ColumnProfile


@dataclass(frozen=True)
class SampleTable:
    """Some rows of one split, as texts.

    Attributes:
        split: their split.
        columns: names, `source` first.
        rows: a text or None a column.
        of: how many rows the split holds.
    """

    split: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    of: int


@dataclass(frozen=True, eq=False)
class RunFacts:
    """What is known of a finished run.

    Attributes:
        plan: what was decided.
        document: `validation.json`, parsed.
        spec: the spec's own text.
        label: the column that a model predicts; None without one.
        source_column: the column that tells a row's source; it differs by design, and is not counted among columns.
        packages: versions that the run was made with, by name.
        python: the version of Python.
        profile: statistics of its columns; None where nothing was measured.
        samples: rows to show; empty where they are not to be shown.
        thumbnails: of images to show; likewise.
    """

    plan: Plan
    document: Mapping[str, Any]
    spec: str
    label: str | None = None
    source_column: str = "source"
    packages: Mapping[str, str] = field(default_factory=dict)
    python: str = ""
    profile: Profile | None = None
    samples: tuple[SampleTable, ...] = ()
    thumbnails: tuple[Thumbnail, ...] = ()

    @property
    def results(self) -> Sequence[Mapping[str, Any]]:
        """Every check with what was expected and observed."""
        found: Sequence[Mapping[str, Any]] = self.document["results"]
        return found

    @property
    def splits(self) -> tuple[str, ...]:
        """Every split, `train` first."""
        return (TRAIN, *(split.name for split in self.plan.splits))

    def of_role(self, *roles: str) -> list[Mapping[str, Any]]:
        """The results of some roles, in their order."""
        return [result for result in self.results if result["role"] in roles]

    def source_shares(self, split: str) -> Mapping[str, float]:
        """The share of each source in a split that has rows, as planned."""
        rows = Counter[str]()
        for cell in self.plan.cells:
            rows[cell.source] += cell.rows * (cell.split == split)
        return {source: count / rows.total() for source, count in rows.items()}

    def column(self, name: str, split: str) -> ColumnProfile | None:
        """What is known of a column of a split, or of the target pool; None where nothing is."""
        if self.profile is None or name not in self.profile.names():
            return None
        parts = [f"{one}{IN_TARGET}" for one in self.splits] if split == TARGET else [split, f"{split}{IN_TARGET}"]
        found = self.profile.column(name, parts)
        return found if found.rows else None


def told_cost(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """What `validation.json` says of the mismatch's cost for a model; nothing where no model was asked."""
    models: Mapping[str, Any] = (document.get("mismatch") or {}).get("models") or {}
    cost: Mapping[str, Any] = models.get("cost") or {}
    return cost
