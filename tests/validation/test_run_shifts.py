"""Two runs compared by their profiles: a planted shift is found where it is, and no other."""

from __future__ import annotations

import numpy as np
import polars as pl

from validation.measures import IN_TARGET
from validation.profile.profile import Profile, ProfileOptions
from validation.run_shifts import MeasuredSplits, compare_runs
from validation.settings import CheckSettings, ColumnRoles


def measured(seed: int, *, shift: float = 0.0, more: str = "", sources: tuple[str, ...] = ("app",)) -> MeasuredSplits:
    random = np.random.default_rng(seed)

    def rows(count: int, moved: float) -> pl.DataFrame:
        frame = pl.DataFrame(
            {
                "id": random.integers(0, 10**9, count),
                "width": random.normal(moved, 1, count),
                "kind": ["a", "b"] * (count // 2),
            }
        )
        return frame.with_columns(pl.lit(1.5).alias(more)) if more else frame

    options = ProfileOptions(names=("id",))
    parts = [
        Profile.of(split, source, rows(count, shift if split.startswith("dev") else 0.0), options)
        for split, count in (("train", 4_000), (f"dev{IN_TARGET}", 1_000))
        for source in (sources if split == "train" else sources[:1])
    ]
    return MeasuredSplits(Profile.merge(parts), ("dev",), ColumnRoles(key=("id",)), {"dev": 1.0})


def test_what_is_the_same_shows_no_shift() -> None:
    found = compare_runs(measured(1), measured(2), CheckSettings(), "salt")
    assert found.shifts == ()
    assert found.splits == ("target pool", "train", "dev")
    assert (found.columns, found.came, found.went) == (2, (), ())
    assert found.compared >= 6


def test_a_shift_is_found_in_its_split_and_in_the_target_alone() -> None:
    found = compare_runs(measured(1), measured(2, shift=1.0, more="extra"), CheckSettings(), "salt")
    assert {(one.split, one.comparison.column) for one in found.shifts} == {("target pool", "width"), ("dev", "width")}
    assert "old dev and new dev differ in `width`: mean" in {one.split: one.sentence for one in found.shifts}["dev"]
    assert (found.came, found.went) == (("extra",), ())
    assert found == compare_runs(measured(1), measured(2, shift=1.0, more="extra"), CheckSettings(), "salt")


def test_other_shares_of_sources_are_a_shift_of_train() -> None:
    found = compare_runs(measured(1), measured(2, sources=("app", "web")), CheckSettings(), "salt")
    assert [(one.split, one.comparison.column) for one in found.shifts] == [("train", "source")]
