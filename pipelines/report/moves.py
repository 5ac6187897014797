"""Where the examples of two runs are: who stayed, came, left or was held out, and who moved. Pure: frames to counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from splitting.assign import HELD_OUT
from splitting.plan import SPLIT, Plan
from splitting.request import TRAIN
from splitting.rules import KEY

Basis = Literal["files", "ledgers", "none"]
PLACE = "place"
_WAS, _BEFORE, _AFTER, _DECIDED = "was", "before", "after", "decided"
_NAMES = ("salt", "hash", "key")


@dataclass(frozen=True)
class SplitMoves:
    """The examples of one evaluation split, in two runs.

    Attributes:
        split: its name.
        before: examples that the old run has there.
        after: examples that the new run has there.
        stayed: that are there in both.
        came: that are new there, and were neither in `train` nor in another split.
        left: that the new run does not have at all; None where files were not read.
        held_out: that the new run holds out; None likewise.
        moved_in: that were in `train`, or in another evaluation split.
        moved_out: that are now in `train`, or in another evaluation split.
    """

    split: str
    before: int
    after: int
    stayed: int
    came: int
    left: int | None
    held_out: int | None
    moved_in: int
    moved_out: int


@dataclass(frozen=True)
class Moves:
    """What became of the examples, each key counted once.

    Attributes:
        basis: `files`: looked up in the written files of both runs. `ledgers`: between evaluation splits alone, for a
            ledger does not list `train`. `none`: the two runs give examples other names, so nothing is compared.
        why: why it is not `files`; empty where it is.
        between: examples of one evaluation split that are in another now; None for `none`.
        to_train: examples of an evaluation split that are in `train` now; None unless `files`.
        from_train: examples of `train` that are in an evaluation split now; None unless `files`.
        splits: by evaluation split of either run.
    """

    basis: Basis
    why: str
    between: int | None = None
    to_train: int | None = None
    from_train: int | None = None
    splits: tuple[SplitMoves, ...] = ()

    @property
    def moved(self) -> int | None:
        """All that moved, as far as was looked; None where nothing was."""
        counts = (self.between, self.to_train, self.from_train)
        return None if self.between is None else sum(count or 0 for count in counts)


def incomparable(old: Plan, new: Plan) -> str:
    """Why the names of two runs' examples cannot be compared; empty where they can.

    Args:
        old: of the old run.
        new: of the new one.

    Returns:
        A sentence. Names come from salt, hash and key alone: other groups change no example's name.
    """
    differing = [name for name in _NAMES if old.identity.get(name) != new.identity.get(name)]
    if not differing:
        return ""
    told = "; ".join(f"the {name} was {_said(old, name)} and is {_said(new, name)}" for name in differing)
    return f"The two runs give examples other names, so it cannot be said whether any moved: {told}."


def _said(plan: Plan, name: str) -> str:
    value = plan.identity.get(name)
    return ", ".join(map(repr, value)) if isinstance(value, list) else repr(value)


def evaluation_keys(*plans: Plan) -> pl.Series:
    """The keys of every evaluation example that the ledgers know, sorted and distinct.

    Args:
        plans: with their ledgers.

    Returns:
        UInt64.
    """
    return pl.concat([plan.ledger.get_column(KEY) for plan in plans]).drop_nulls().unique().sort()


def moves_in_files(old: Plan, before: pl.DataFrame, new: Plan, after: pl.DataFrame) -> Moves:
    """What became of the examples, by where the written files have them.

    Args:
        old: of the old run.
        before: `_key` and `place` (a split, `train` or `held_out`) of the keys that the old run has, each once; of all
            `evaluation_keys` of both plans.
        new: of the new run.
        after: likewise.

    Returns:
        The counts. An example that the old run held out or did not have, and whose split its ledger remembers, moved
        where the new run has it elsewhere.
    """
    return _counted(old, new, before, after, "files", "")


def moves_in_ledgers(old: Plan, new: Plan, why: str) -> Moves:
    """What became of the examples, as far as the ledgers know: those of evaluation splits.

    Args:
        old: of the old run.
        new: of the new run.
        why: why the files were not read, in a sentence.

    Returns:
        The counts. A ledger keeps examples whose rows are gone, so those that left are not told.
    """
    return _counted(old, new, _members(old, all_splits=False), _members(new, all_splits=False), "ledgers", why)


def _members(plan: Plan, *, all_splits: bool) -> pl.DataFrame:
    """`_key` and `place` of a ledger's examples; without `all_splits` only of the splits that the plan asks for."""
    members = plan.ledger.filter(pl.col(KEY).is_not_null())
    if not all_splits:
        members = members.filter(pl.col(SPLIT).is_in([split.name for split in plan.splits]))
    return members.select(KEY, pl.col(SPLIT).alias(PLACE)).unique(KEY, keep="first", maintain_order=True)


def _counted(old: Plan, new: Plan, before: pl.DataFrame, after: pl.DataFrame, basis: Basis, why: str) -> Moves:
    splits = tuple(dict.fromkeys(split.name for plan in (new, old) for split in plan.splits))
    kept = [TRAIN, *splits]
    was = _members(old, all_splits=True).rename({PLACE: _WAS})
    joined = (
        pl.DataFrame({KEY: evaluation_keys(old, new)})
        .join(was, on=KEY, how="left")
        .join(before.rename({PLACE: _BEFORE}), on=KEY, how="left")
        .join(after.rename({PLACE: _AFTER}), on=KEY, how="left")
    )
    decided = pl.when(pl.col(_BEFORE).is_in(kept)).then(_BEFORE).otherwise(_WAS)
    steps = joined.with_columns(decided.alias(_DECIDED)).group_by(_BEFORE, _AFTER, _DECIDED).len("n")
    moved = pl.col(_AFTER).is_in(kept) & (pl.col(_DECIDED) != pl.col(_AFTER))
    moved_steps = steps.filter(moved.fill_null(value=False))
    in_files = basis == "files"
    to_train = _sum(moved_steps, pl.col(_AFTER) == TRAIN)
    from_train = _sum(moved_steps, pl.col(_DECIDED) == TRAIN)
    return Moves(
        basis,
        why,
        between=_sum(moved_steps) - to_train - from_train,
        to_train=to_train if in_files else None,
        from_train=from_train if in_files else None,
        splits=tuple(_of_split(name, steps, moved_steps, in_files=in_files) for name in splits),
    )


def _of_split(name: str, steps: pl.DataFrame, moved: pl.DataFrame, *, in_files: bool) -> SplitMoves:
    there, here = pl.col(_BEFORE) == name, pl.col(_AFTER) == name
    after, stayed, moved_in = _sum(steps, here), _sum(steps, there & here), _sum(moved, here)
    return SplitMoves(
        split=name,
        before=_sum(steps, there),
        after=after,
        stayed=stayed,
        came=after - stayed - moved_in,
        left=_sum(steps, there & pl.col(_AFTER).is_null()) if in_files else None,
        held_out=_sum(steps, there & (pl.col(_AFTER) == HELD_OUT)) if in_files else None,
        moved_in=moved_in,
        moved_out=_sum(moved, pl.col(_DECIDED) == name),
    )


def _sum(steps: pl.DataFrame, *wanted: pl.Expr) -> int:
    return int(steps.filter(*wanted).get_column("n").sum()) if wanted else int(steps.get_column("n").sum())


def places(keys: pl.Series, codes: Sequence[int], names: Sequence[str]) -> pl.DataFrame:
    """A frame of places from a code a key.

    Args:
        keys: UInt64, distinct.
        codes: 0 for nowhere, else one more than the position in `names`; a code a key.
        names: of places.

    Returns:
        `_key` and `place` of the keys that are somewhere.
    """
    numbered = pl.DataFrame({KEY: keys, "code": pl.Series(codes, dtype=pl.Int32)}).filter(pl.col("code") > 0)
    named = pl.DataFrame({"code": range(1, len(names) + 1), PLACE: list(names)}, schema_overrides={"code": pl.Int32})
    return numbered.join(named, on="code", how="left").select(KEY, pl.col(PLACE).cast(pl.String))
