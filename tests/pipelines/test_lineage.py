"""OpenLineage: nothing unless asked for; then what was read and written, and what the checks say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines import api
from pipelines.cli.main import run_command
from pipelines.lineage import folder_of
from pipelines.sources.fragments import SourceFile
from tests.support.corpus import SPEC, web_and_app, write_parquet, write_spec


@pytest.fixture
def events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the client writes events to."""
    path = tmp_path / "events.jsonl"
    monkeypatch.setenv("TARGETSPLIT_LINEAGE", "true")
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__TYPE", "file")
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__LOG_FILE_PATH", str(path))
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__APPEND", "true")
    return path


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_run_tells_its_inputs_its_output_and_its_checks(tmp_path: Path, events: Path) -> None:
    write_parquet(tmp_path, web_and_app())
    result = api.run(write_spec(tmp_path, SPEC), tmp_path / "RUN")
    start, complete = _read(events)
    assert (start["eventType"], complete["eventType"]) == ("START", "COMPLETE")
    assert start["run"]["runId"] == complete["run"]["runId"]
    assert start["job"] == complete["job"]
    rows = {item["name"]: item["inputFacets"]["inputStatistics"]["rowCount"] for item in complete["inputs"]}
    assert rows == {str(tmp_path / "web/part.parquet"): 3_000, str(tmp_path / "app/part.parquet"): 600}
    (output,) = complete["outputs"]
    assert (output["namespace"], output["name"]) == ("file", str(tmp_path / "RUN" / "data"))
    held_out = sum(item.rows for item in result.plan.held_out)
    assert output["outputFacets"]["outputStatistics"]["rowCount"] == 3_600 - held_out
    told = {item["name"]: item["success"] for item in output["facets"]["dataQualityAssertions"]["assertions"]}
    assert told == {verdict.check.name: verdict.success for verdict in result.judgement.verdicts}
    assert {item["name"] for item in output["facets"]["schema"]["fields"]} >= {"image_id", "user_id", "label"}


def test_a_failure_is_told_with_its_message(tmp_path: Path, events: Path) -> None:
    write_parquet(tmp_path, web_and_app(30, 6))
    assert run_command(["plan", str(write_spec(tmp_path, SPEC)), "-o", str(tmp_path / "RUN")]) == 1
    start, fail = _read(events)
    assert (start["eventType"], fail["eventType"]) == ("START", "FAIL")
    assert "rows" in fail["run"]["facets"]["errorMessage"]["message"]


def test_nothing_is_told_unless_asked_for(tmp_path: Path, events: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TARGETSPLIT_LINEAGE")
    write_parquet(tmp_path, web_and_app())
    api.plan(write_spec(tmp_path, SPEC), tmp_path / "RUN")
    assert not events.exists()


def test_who_does_not_listen_fails_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TARGETSPLIT_LINEAGE", "true")
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__TYPE", "http")
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__URL", "http://127.0.0.1:9")  # nobody answers on this port
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__RETRY", '{"total": 1, "backoff_factor": 0.1}')
    write_parquet(tmp_path, web_and_app())
    api.plan(write_spec(tmp_path, SPEC), tmp_path / "RUN")
    assert "OpenLineage did not take an event" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("uris", "folder"),
    [
        (["/data/web/a.parquet"], "/data/web/a.parquet"),
        (["/data/web/a.parquet", "/data/web/ab.parquet"], "/data/web"),
        (["s3://bucket/web/1/a", "s3://bucket/web/2/a"], "s3://bucket/web"),
    ],
)
def test_a_source_is_the_folder_of_its_files(uris: list[str], folder: str) -> None:
    files = [SourceFile("web", uri, uri, "parquet", 1, 1) for uri in uris]
    assert folder_of(files) == folder
