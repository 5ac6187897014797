"""The command line as people and orchestrators meet it: exit codes, what goes to which stream, odd names."""

from __future__ import annotations

import importlib
import io
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines import api
from pipelines.cli.main import run_command
from pipelines.cli.progress import shown_progress
from tests.support.command import COMMAND, ROOT, call, environment
from tests.support.corpus import read_split, web_and_app, write_parquet, write_spec

pytestmark = pytest.mark.e2e
COMMANDS = ("init", "plan", "apply", "run", "show", "history", "diff", "schema")
HOSTILE = ("[red]cat[/red]", "\x1b[31mdog\x07", "<script>alert(1)</script>", "line\nbreak\ttab", "漢字", "x" * 90)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the plain corpus: base/RUN; its plan alone: base/PLAN."""
    folder = tmp_path_factory.mktemp("base")
    write_parquet(folder, web_and_app(900, 300), row_group_size=300)
    spec = str(write_spec(folder, test=20, dev=20, train_dev=20))
    assert api.run(spec, str(folder / "RUN")).success
    api.plan(spec, str(folder / "PLAN"))
    return folder


def test_a_process_that_runs_a_spec(base: Path, tmp_path: Path) -> None:
    """A short job with no terminal: tables on standard output, and not a line of progress or logs."""
    done = call(["run", str(base / "spec.yaml"), "-o", "RUN", "--", "--direct_num_workers=1"], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Verdict: passed" in done.stdout
    assert done.stdout.endswith("To look at:  RUN/report.html\n")
    assert (tmp_path / "RUN" / "_SUCCESS").exists()


def test_plan_and_show_print_the_same_tables(base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "RUN")
    assert run_command(["plan", str(base / "spec.yaml"), "-o", out]) == 0
    planned = capsys.readouterr()
    assert run_command(["show", out]) == 0
    shown = capsys.readouterr()
    assert planned.out == shown.out + f"\nThe plan is in {out}/plan. Write the data with: targetsplit apply {out}\n"
    assert planned.err == shown.err == ""
    assert "strata against their quotas" in shown.out
    assert not (tmp_path / "RUN" / "data").exists()

    assert run_command(["apply", out]) == 0
    applied = capsys.readouterr()
    assert applied.out.startswith(shown.out)
    assert applied.err == ""


@pytest.mark.parametrize("command", ["plan", "run", "apply", "show"])
def test_json_is_one_document(base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    wants_spec = command in {"plan", "run"}
    run = str(tmp_path / "RUN" if wants_spec else base / ("PLAN" if command == "apply" else "RUN"))
    arguments = [str(base / "spec.yaml"), "-o", run] if wants_spec else [run]
    assert run_command([command, *arguments, "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    document = json.loads(captured.out)
    assert document["run"] == run
    assert document["plan"]["fingerprint"] == api.show(str(base / "RUN")).fingerprint
    if command in {"run", "apply"}:
        assert document["success"] is True
        assert all(r["success"] for r in document["validation"]["results"] if r["severity"] == "critical")


def test_quiet_prints_nothing(base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "RUN")
    assert run_command(["plan", str(base / "spec.yaml"), "-o", out, "--quiet"]) == 0
    assert run_command(["apply", out, "-q"]) == 0
    assert run_command(["show", out, "--quiet"]) == 0
    assert run_command(["run", str(base / "spec.yaml"), "-o", out, "--overwrite", "--quiet"]) == 0
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_shard_size(base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for size in ("lots", "0", "-1", "64X", ""):
        assert run_command(["run", str(base / "spec.yaml"), "-o", str(tmp_path / "R"), "--shard-size", size]) == 2
        assert "expected a size as in 64M" in capsys.readouterr().err
    assert run_command(["run", str(base / "spec.yaml"), "-o", str(tmp_path / "R"), "--shard-size", "4k", "-q"]) == 0
    names = sorted(path.name for path in (tmp_path / "R" / "data").glob("train-*"))
    assert len(names) > 1
    assert names[0] == f"train-00000-of-{len(names):05d}.parquet"
    assert sum(len(read_split(tmp_path / "R", name)) for name in ("train", "dev")) > 0


# Exit codes


@pytest.mark.parametrize(
    "arguments", [["pln"], ["plan"], ["run", "spec.yaml"], ["show"], ["run", "a", "-o"], ["--nope"]]
)
def test_wrong_use_is_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err


def test_a_spec_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["plan", str(tmp_path / "no.yaml"), "-o", str(tmp_path / "RUN")]) == 2
    assert "no.yaml" in capsys.readouterr().err


def test_a_run_that_is_not_there_is_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("show", "apply"):
        assert run_command([command, str(tmp_path / "nothing")]) == 1
        assert "holds no plan" in capsys.readouterr().err
    assert not (tmp_path / "nothing").exists()


def spoil(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plants a fault where shards are written: one dev row is a copy of the row before it."""
    module = importlib.import_module("pipelines.jobs.write")
    honest = module.write_evaluation_shard

    def faulty(split: str, shard: int, parts: Any, task: Any) -> Any:
        tally = honest(split, shard, parts, task)
        if split == "dev":
            path = next(Path(task.run.uri).glob("data/dev-*"))
            train = next(Path(task.run.uri).glob("data/train-*"))
            rows = pl.read_parquet(path)
            pl.concat([rows[1:], pl.read_parquet(train)[:1].cast(rows.schema)]).write_parquet(path)
        return tally

    monkeypatch.setattr(module, "write_evaluation_shard", faulty)


def test_a_critical_check_that_fails_is_three(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch)
    out = tmp_path / "RUN"
    assert run_command(["run", str(base / "spec.yaml"), "-o", str(out)]) == 3
    captured = capsys.readouterr()
    assert "failed" in captured.out
    assert "1 row of train has a key that is also in dev." in captured.out
    assert re.fullmatch(r"failed checks: .*no key in both train and dev.*; see .*/validation\.json\n", captured.err)
    document = json.loads((out / "validation.json").read_text())
    assert document["success"] is False
    assert json.loads((out / "_SUCCESS").read_text())["success"] is False
    assert "Verdict: failed" in (out / "README.md").read_text()

    assert run_command(["run", str(base / "spec.yaml"), "-o", str(out), "--overwrite", "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["success"] is False
    assert run_command(["run", str(base / "spec.yaml"), "-o", str(out), "--overwrite", "--quiet"]) == 3
    assert capsys.readouterr().out == ""


# Help


def test_help_of_every_command_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from pipelines.cli.main import run_command\n"
        f"codes = [run_command(['--help'])] + [run_command([c, '--help']) for c in {COMMANDS!r}]\n"
        "heavy = {'apache_beam', 'great_expectations', 'polars', 'pyarrow', 'pandas', 'rich'} & set(sys.modules)\n"
        "print('codes', codes, 'heavy', sorted(heavy))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == f"codes {[0] * (1 + len(COMMANDS))} heavy []"
    assert done.stderr == ""
    for command in COMMANDS:
        assert f"Usage: targetsplit {command} " in done.stdout
    assert "Exit codes: 0 done, 1 failed, 2 the spec or the command line is wrong" in done.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], *([command, "--help"] for command in COMMANDS)])
def test_help_is_zero(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(arguments) == 0
    out = capsys.readouterr().out
    assert out
    assert max(map(len, out.splitlines())) <= 80


def test_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["properties"]["salt"]


# Odd names and narrow terminals


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A planned run whose sources and labels are no plain words."""
    folder = tmp_path_factory.mktemp("hostile")
    for name, rows in (("web", 120), ("app", 120)):
        (folder / name).mkdir()
        number = pl.int_range(rows, eager=True).alias("number").to_frame()
        labels = pl.col("number").map_elements(lambda i: HOSTILE[i % len(HOSTILE)], return_dtype=pl.String)
        number.select(key=pl.format(name + "{}", "number"), label=labels).write_parquet(folder / name / "r.parquet")
    (folder / "spec.yaml").write_text("""
name: odd
salt: odd
sources: {"[bold]web <b>": {path: web}, app: {path: app}}
key: key
label: label
target: {source: app}
stratify: [label]
splits: {test: 12, dev: 12, train_dev: 12}
""")
    api.run(str(folder / "spec.yaml"), str(folder / "RUN"))
    return folder


def harmless(text: str) -> bool:
    return all(c.isprintable() or c == "\n" for c in text)


@pytest.mark.parametrize("columns", [40, 60, 80, 200])
def test_tables_fit_any_terminal_and_cut_no_number(
    base: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert run_command(["show", str(base / "RUN")]) == 0
    out = capsys.readouterr().out
    assert harmless(out)
    if columns >= 60:
        assert max(map(len, out.splitlines())) <= columns
        assert "…" not in out
        plan = api.show(str(base / "RUN"))
        assert f"{plan.rows_of('train'):,}" in out
        assert re.search(r"test +target +20", out)


@pytest.mark.parametrize("columns", [60, 80])
def test_odd_names_are_shown_and_obeyed_by_nothing(
    hostile: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert run_command(["show", str(hostile / "RUN")]) == 0
    out = capsys.readouterr().out
    assert harmless(out)
    for shown in ("[red]cat[/red]", r"\x1b[31mdog\x07", "<script>alert(1)</script>", r"line\nbreak\ttab", "漢字"):
        assert shown in "".join(out.split())
    assert "[bold]web <b>" in out
    assert "x" * 31 + "…" in "".join(out.split())

    card = (hostile / "RUN" / "README.md").read_text()
    assert "<b>" not in card
    assert "\x1b" not in card
    assert run_command(["show", str(hostile / "RUN"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["plan"]["name"] == "odd"


def test_errors_are_printable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_parquet(tmp_path, web_and_app(30, 20))
    (tmp_path / "web" / "evil\x1b[31m.parquet").write_bytes(b"no parquet")
    spec = write_spec(tmp_path, test=2, dev=2, train_dev=2)
    assert run_command(["plan", str(spec), "-o", str(tmp_path / "RUN")]) == 1
    told = capsys.readouterr().err
    assert harmless(told)
    assert r"evil\x1b[31m.parquet" in told


def test_a_terminal_of_plain_ascii_and_a_closed_pipe(hostile: Path) -> None:
    done = call(["show", str(hostile / "RUN")], PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C")
    assert (done.returncode, done.stderr) == (0, "")
    assert "odd: 240 rows" in done.stdout
    command = shlex.join([*COMMAND, "show", str(hostile / "RUN"), "--json"])
    piped = subprocess.run(
        ["sh", "-c", f"{command} | true"],
        cwd=ROOT, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert piped.stderr == ""


# Progress


class Screen(io.StringIO):
    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_for_people_and_cleans_up(monkeypatch: pytest.MonkeyPatch, terminal: bool) -> None:
    screen, clock = Screen(terminal=terminal), iter(range(0, 1_000, 10))
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr("time.monotonic", lambda: float(next(clock)))
    with shown_progress(quiet=False) as progress:
        for done in range(0, 8_000, 1_000):
            progress("writing", done, 10_000)
    text = screen.getvalue()
    if terminal:
        assert "writing: 2,000 of 10,000 rows (20%), 100 rows/s, 80 s left" in text
        assert text.endswith("\r")
        assert "\n" not in text
    else:
        lines = text.splitlines()
        assert lines[0] == "writing: 3,000 of 10,000 rows (30%), 100 rows/s, 70 s left"
        assert len(lines) == 2, "a line every half minute"


def test_quiet_progress_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen(terminal=True)
    monkeypatch.setattr(sys, "stderr", screen)
    with shown_progress(quiet=True) as progress:
        progress("writing", 10, 10)
    assert screen.getvalue() == ""
