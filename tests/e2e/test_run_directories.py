"""Run directories and commands: what is wrong is told in one message, and nothing of others is touched."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines import api
from pipelines.cli.main import run_command
from splitting.errors import TargetsplitError
from tests.support.command import files
from tests.support.corpus import (
    SPEC,
    read_split,
    web_and_app,
    write_parquet,
    write_spec,
)
from tests.support.told import SMALL, run_told, told
from validation.gx import process

pytestmark = pytest.mark.e2e


def test_changed_inputs_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_parquet(tmp_path, web_and_app(300, 200))
    api.plan(str(write_spec(tmp_path, **SMALL)), str(tmp_path / "RUN"))
    write_parquet(tmp_path, web_and_app(301, 200))
    message = told(["apply", str(tmp_path / "RUN")], 1, capsys)
    assert "input files changed after the plan was made" in message
    (tmp_path / "web" / "part.parquet").unlink()
    assert "is gone" in told(["apply", str(tmp_path / "RUN")], 1, capsys)
    assert not (tmp_path / "RUN" / "_SUCCESS").exists()


def test_inputs_that_changed_without_changing_size_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By what was read: nothing else tells a key that was edited in place, or a row that moved to another file."""
    for name, rows in web_and_app(300, 200).items():
        (tmp_path / name).mkdir()
        rows.write_csv(tmp_path / name / "part.csv")
    api.plan(str(write_spec(tmp_path, **SMALL)), str(tmp_path / "RUN"))
    part = tmp_path / "web" / "part.csv"
    text = part.read_text()
    for old, new in (("\nw17,", "\nw1x,"), ("\nw17,u8,", "\nw17,u9,")):
        assert text.count(old) == 1
        part.write_text(text.replace(old, new))
        message = told(["apply", str(tmp_path / "RUN")], 1, capsys)
        assert "source 'web': its keys or groups are not those that were planned" in message
        assert not (tmp_path / "RUN" / "_SUCCESS").exists()
    lines = text.splitlines(keepends=True)
    part.write_text("".join([lines[0], *lines[:0:-1]]))
    assert run_command(["apply", str(tmp_path / "RUN"), "--quiet"]) == 0, "another order is the same data"


def test_a_run_inside_a_source_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_parquet(tmp_path, web_and_app(300, 200))
    spec = str(write_spec(tmp_path, **SMALL))
    for folder in ("web/RUN", "app/runs/first"):
        message = told(["run", spec, "-o", str(tmp_path / folder)], 1, capsys)
        assert "the next run would read what this one wrote" in message
        assert not (tmp_path / folder).exists()


def test_a_changed_plan_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_parquet(tmp_path, web_and_app(300, 200))
    api.plan(str(write_spec(tmp_path, **SMALL)), str(tmp_path / "RUN"))
    plan = tmp_path / "RUN" / "plan" / "plan.json"
    text = plan.read_text()
    for broken in (text.replace('"asked": 20', '"asked": 21'), text[:100], "{}", ""):
        plan.write_text(broken)
        assert "cannot be used" in told(["apply", str(tmp_path / "RUN")], 1, capsys)
        assert "plan again" in told(["show", str(tmp_path / "RUN")], 1, capsys)


def test_what_a_killed_run_was_writing_is_no_foreign_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_parquet(tmp_path, web_and_app(300, 200))
    spec, out = str(write_spec(tmp_path, **SMALL)), tmp_path / "RUN"
    out.mkdir()
    for name in (".metrics.json.0.part", ".spec.yaml.1.part", f"run.json.{'0a' * 16}.part", "._SUCCESS.0.part"):
        (out / name).write_text("half")
    (out / ".thesis.doc.0.part").write_text("mine")
    assert "it holds '.thesis.doc.0.part'; choose" in told(["run", spec, "-o", str(out)], 1, capsys)
    (out / ".thesis.doc.0.part").unlink()
    (out / "data.0.part").write_text("mine")
    assert "it holds 'data.0.part'; choose" in told(["run", spec, "-o", str(out)], 1, capsys)
    (out / "data.0.part").unlink()
    assert run_command(["run", spec, "-o", str(out), "--quiet"]) == 0
    assert not list(out.rglob("*.part"))


def test_foreign_files_and_finished_runs_are_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_parquet(tmp_path, web_and_app(300, 200))
    spec = str(write_spec(tmp_path, **SMALL))
    out = tmp_path / "RUN"
    out.mkdir()
    (out / "thesis.doc").write_text("mine")
    for overwrite in ([], ["--overwrite"]):
        assert "is not a run directory: it holds 'thesis.doc'" in told(
            ["run", spec, "-o", str(out), *overwrite], 1, capsys
        )
    assert (out / "thesis.doc").read_text() == "mine"
    (out / "thesis.doc").unlink()

    assert run_command(["run", spec, "-o", str(out), "--quiet"]) == 0
    whole = files(out)
    assert "--overwrite" in told(["run", spec, "-o", str(out)], 1, capsys)
    assert "--overwrite" in told(["plan", spec, "-o", str(out)], 1, capsys)
    assert "--overwrite" in told(["apply", str(out)], 1, capsys)
    # A new run that cannot be planned leaves the old one whole.
    larger = str(write_spec(tmp_path, test=200, dev=200, train_dev=20))
    assert "the data cannot give" in told(["run", larger, "-o", str(out), "--overwrite"], 1, capsys)
    assert files(out) == whole

    spec = str(write_spec(tmp_path, **SMALL))
    assert run_command(["apply", str(out), "--overwrite", "--quiet"]) == 0
    assert files(out) == whole
    assert run_command(["run", spec, "-o", str(out), "--overwrite", "--quiet"]) == 0
    assert files(out) == whole


def test_a_file_in_the_place_of_the_run_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_parquet(tmp_path, web_and_app(300, 200))
    (tmp_path / "RUN").write_text("a file")
    told(["run", str(write_spec(tmp_path, **SMALL)), "-o", str(tmp_path / "RUN")], 1, capsys)
    assert (tmp_path / "RUN").read_text() == "a file"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--direct_num_wrokers=2"], "Beam knows no option --direct_num_wrokers; did you mean --direct_num_workers?"),
        (["--runer=FlinkRunner"], "did you mean --runner?"),
        (["--runner=FlnkRunner"], "did you mean FlinkRunner?"),
        (["--runner=nowhere.Runner"], "--runner=nowhere.Runner cannot be used"),
        (["--direct_num_workers=many"], "invalid int value: 'many'"),
        (["--direct_running_mode=magic"], "invalid choice: 'magic'"),
        (["-x"], "got '-x', expected an option of Beam, written --name=value"),
        (["stray"], "got 'stray', expected an option of Beam, written --name=value"),
    ],
)
def test_wrong_beam_options_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    write_parquet(tmp_path, web_and_app(30, 20))
    spec = str(write_spec(tmp_path, test=2, dev=2, train_dev=2))
    assert message in told(["run", spec, "-o", str(tmp_path / "RUN"), "--", *arguments], 2, capsys)


def test_our_own_bugs_show_a_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_parquet(tmp_path, web_and_app(30, 20))
    monkeypatch.setattr("pipelines.jobs.census.FirstLookTaker.add", lambda *_: 1 // 0)
    with pytest.raises(ZeroDivisionError) as raised:
        api.plan(str(write_spec(tmp_path, test=2, dev=2, train_dev=2)), str(tmp_path / "RUN"))
    assert not isinstance(raised.value, TargetsplitError)


def test_groups_that_are_all_too_large_are_told_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = pl.DataFrame({"image_id": [f"a{i // 5}" for i in range(500)], "label": ["x"] * 500})
    write_parquet(tmp_path, {"app": rows, "web": rows.with_columns(image_id="w" + pl.col("image_id"))})
    text = SPEC.replace("group: user_id\n", "").replace(
        "{{test: {test}, dev: {dev}, train_dev: {train_dev}", "{{dev: 3"
    )
    message = run_told(tmp_path, capsys, 1, text)
    assert "dev would be empty: asked 3, and the least group of pool 'target' has 5 rows" in message
    assert "Ask for smaller splits" not in message
    result = api.run(str(write_spec(tmp_path, text + "on_shortfall: allow\n", **SMALL)), str(tmp_path / "RUN"))
    assert result.success
    assert not len(read_split(tmp_path / "RUN", "train").filter(pl.col("source") == "nobody"))
    assert result.plan.rows_of("dev") == 0


def test_a_broken_ledger_or_a_changed_spec_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_parquet(tmp_path, web_and_app())
    spec = str(write_spec(tmp_path, **SMALL))
    run = tmp_path / "RUN"
    api.plan(spec, str(run))
    resolved = (run / "spec.yaml").read_text()
    (run / "spec.yaml").write_text(resolved.replace("size: 20", "size: 30", 1))
    assert "spec.yaml is not the spec of the plan" in told(["apply", str(run)], 1, capsys)
    (run / "spec.yaml").write_text(resolved)
    ledger = (run / "plan" / "ledger.parquet").read_bytes()
    (run / "plan" / "ledger.parquet").write_bytes(ledger[: len(ledger) // 2])
    assert "ledger.parquet cannot be read" in told(["apply", str(run)], 1, capsys)
    assert "ledger.parquet cannot be read" in told(["show", str(run)], 1, capsys)


def test_a_judge_that_somebody_ends_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_parquet(tmp_path, web_and_app())
    honest = process.Judge.judge

    def ended(self: process.Judge, *rest: Any) -> Any:
        self._process.send_signal(signal.SIGKILL)
        return honest(self, *rest)

    monkeypatch.setattr(process.Judge, "judge", ended)
    assert "was ended by signal 9; run the same command again" in run_told(tmp_path, capsys)
