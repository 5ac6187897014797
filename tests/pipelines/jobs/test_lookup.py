"""What an earlier run's train holds of rows that look new."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipelines.jobs.lookup import LookupTask, trained_in_file
from pipelines.run_directory import RunDirectory
from splitting.errors import DataError
from splitting.rules import GROUP, KEY, Rules

ROWS = pl.DataFrame({"id": ["a", "b"], "user": ["u", "v"], "n": [1, 2]})


@pytest.mark.parametrize("key", [("id",), ()], ids=["columns", "whole rows"])
@pytest.mark.parametrize("group", [("user",), ()], ids=["groups", "none"])
def test_trained_keys_and_groups_are_found(tmp_path: Path, key: tuple[str, ...], group: tuple[str, ...]) -> None:
    rules = Rules("salt", key, group, row_columns=() if key else tuple(ROWS.columns))
    run = RunDirectory.at(str(tmp_path))
    run.write_frame("data/train-00000-of-00001.parquet", ROWS[:1].with_columns(source=pl.lit("app")))
    other = ROWS.with_columns(id=pl.col("id") + "2")
    fresh = pl.concat([rules.identify(frame, "app").select(GROUP, KEY) for frame in (ROWS, other)])
    found = trained_in_file("data/train-00000-of-00001.parquet", LookupTask(run, fresh, rules))
    trained = rules.identify(ROWS[:1], "app")
    assert found.keys.to_list() == trained[KEY].to_list()
    assert found.groups.to_list() == trained[GROUP].to_list()


def test_an_index_of_whole_rows_cannot_be_continued(tmp_path: Path) -> None:
    rules = Rules("salt", (), row_columns=tuple(ROWS.columns))
    run = RunDirectory.at(str(tmp_path))
    run.write_frame("data/train-00000-of-00001.parquet", pl.DataFrame({"row_key": ["0f"], "source": ["app"]}))
    fresh = rules.identify(ROWS, "app").select(GROUP, KEY)
    with pytest.raises(DataError, match=r"has no column 'id'.*An index of whole rows cannot be continued"):
        trained_in_file("data/train-00000-of-00001.parquet", LookupTask(run, fresh, rules))
