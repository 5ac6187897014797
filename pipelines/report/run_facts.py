"""What a history and a comparison of two runs are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pipelines.report.moves import Moves
from splitting.plan import Plan
from validation.run_shifts import RunShifts

State = Literal["finished", "not finished", "cannot be read"]


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """A finished run, without what was measured.

    Attributes:
        name: of its folder; of a run that was named on the command line, as it was named.
        plan: what was decided.
        document: `validation.json`, parsed.
        spec: resolved, as plain values.
        source_column: the column that tells a row's source.
    """

    name: str
    plan: Plan
    document: Mapping[str, Any]
    spec: Mapping[str, Any]
    source_column: str = "source"


@dataclass(frozen=True, eq=False)
class RunPair:
    """Two runs beside each other.

    Attributes:
        old: the reference.
        new: the other.
        moves: what became of the examples.
        shifts: how the splits differ by what both measured; None where not both did.
        no_shifts: why there are none, in a sentence; empty where there are.
    """

    old: FinishedRun
    new: FinishedRun
    moves: Moves
    shifts: RunShifts | None = None
    no_shifts: str = ""

    @property
    def continues(self) -> bool:
        """The new run was planned with `--previous` of the old one."""
        return self.new.plan.previous is not None and self.new.plan.previous == self.old.plan.fingerprint


@dataclass(frozen=True, eq=False)
class ListedRun:
    """A folder among runs.

    Attributes:
        name: of the folder.
        state: what is there.
        note: what to do about it, or what is wrong; empty for a finished run.
        report: a relative link to its report; None where there is none.
        run: where it is finished and can be read.
    """

    name: str
    state: State
    note: str = ""
    report: str | None = None
    run: FinishedRun | None = None


@dataclass(frozen=True, eq=False)
class HistoryFacts:
    """Runs side by side.

    Attributes:
        name: of the folder that holds them.
        listed: every run, in the order of their names, numbers in them counted as numbers.
        pairs: each finished run but the first beside the one that it continues, or else the one before it; in order.
        others: folders that hold no run.
    """

    name: str
    listed: tuple[ListedRun, ...]
    pairs: tuple[RunPair, ...]
    others: tuple[str, ...] = ()
