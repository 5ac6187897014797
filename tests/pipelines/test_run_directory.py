"""Where a run lies, by whatever name it is given."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.run_directory import RunDirectory


@pytest.mark.parametrize(
    "given", ["s3://bucket/runs/first?region=eu-north-1", "s3://bucket/runs/first/?region=eu-north-1"]
)
def test_the_query_of_a_uri_stays_at_its_end(given: str) -> None:
    run = RunDirectory.at(given)
    assert run.uri == "s3://bucket/runs/first?region=eu-north-1"
    place = run.path("plan/plan.json")
    assert place.path == "bucket/runs/first/plan/plan.json"
    assert place.uri == "s3://bucket/runs/first/plan/plan.json?region=eu-north-1"


def test_a_local_folder_is_absolute_and_has_no_slash_at_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = RunDirectory.at("runs/first/")
    assert run.uri == str(tmp_path / "runs" / "first")
    assert run.path("a b?.txt").path == f"{run.uri}/a b?.txt"
