"""Logs for machines: every line is JSON, with the id of the call; texts are those that people get."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli.logs import JsonLog, json_log
from pipelines.cli.main import run_command
from tests.support.corpus import SPEC, web_and_app, write_parquet, write_spec


def _lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_run_tells_what_it_does_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_parquet(tmp_path, web_and_app())
    spec = write_spec(tmp_path, SPEC)
    assert run_command(["--log-format", "json", "plan", str(spec), "-o", str(tmp_path / "RUN"), "-q"]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = _lines(captured.err)
    assert [line["event"] for line in lines[:2]] == ["start", "planning"]
    assert lines[-1]["event"] == "end"
    assert lines[-1]["exit_code"] == 0
    assert len({line["run_id"] for line in lines}) == 1
    assert json_log() is None


def test_an_error_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARGETSPLIT_LOG_FORMAT", "json")
    assert run_command(["show", str(tmp_path)]) == 1
    error = _lines(capsys.readouterr().err)[1]
    assert (error["level"], error["event"]) == ("ERROR", "error")
    assert "holds no plan" in error["message"]
    assert run_command(["show"]) == 2
    assert "Missing argument" in _lines(capsys.readouterr().err)[-2]["message"]


def test_progress_is_told_when_something_begins_and_not_at_every_batch() -> None:
    said: list[str] = []
    log = JsonLog(said.append)
    for done in range(1000):
        log.progress("writing", done, 1000)
    log.progress("checking", 0, None)
    assert [(line["event"], line["rows"], line["of"]) for line in _lines("".join(said))] == [
        ("writing", 0, 1000),
        ("checking", 0, None),
    ]


def test_what_libraries_log_is_json_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from pipelines.cli.logs import end_json_log, start_json_log

    handlers = list(logging.getLogger().handlers)
    start_json_log()
    try:
        logging.getLogger("some.library").warning("a line\nand another")
    finally:
        end_json_log()
        logging.getLogger().handlers[:] = handlers
    (line,) = _lines(capsys.readouterr().err)
    assert (line["logger"], line["message"]) == ("some.library", "a line\nand another")
