"""Runs side by side: three generations, a new start, one not finished, hostile names; and two runs compared."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines import api, run_pairs
from pipelines.cli.main import run_command
from pipelines.history import read_history
from pipelines.report.history_lead import Lead, history_lead
from pipelines.report.history_view import history_view
from pipelines.report.moves import Moves
from pipelines.run_directory import RunDirectory
from splitting.errors import RunDirectoryError
from tests.support.browser import LAPTOP, PHONE, UNFOLD, WIDE, barriers, chromium, needs_browser, opened
from tests.support.corpus import (
    EVALUATION,
    FULL_SPEC,
    SPEC,
    read_split,
    split_of,
    web_and_app,
    write_parquet,
    write_spec,
)

pytestmark = pytest.mark.e2e
HOSTILE = "0 <img src=x onerror=alert(1)>\"'&\u202e"
ALLOW = "on_shortfall: allow\n"
QUICK, TEXT = SPEC + ALLOW, FULL_SPEC + ALLOW + "checks: {{probe: false}}\n"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`RUNS`: 9, 10 and 11 are generations, the third with other widths and fewer rows; `anew` continues none.

    Nothing was measured of 9 and of `anew`.
    """
    folder = tmp_path_factory.mktemp("history")
    sizes = {"test": 150, "dev": 120, "train_dev": 110}
    for name, rows, previous in (("9", 800, None), ("10", 1_000, "9"), ("11", 1_200, "10"), ("anew", 1_300, None)):
        tables = web_and_app(2 * rows, rows)
        if name == "11":
            wider = tables["app"].with_columns(width=pl.col("width") + 3_000)
            tables = {"web": tables["web"], "app": wider[100:]}
        write_parquet(folder / name, tables)
        spec = write_spec(
            folder / name, TEXT if name in {"10", "11"} else QUICK, **(sizes | ({"dev": 140} if name == "11" else {}))
        )
        earlier = str(folder / "RUNS" / previous) if previous else None
        assert api.run(str(spec), str(folder / "RUNS" / name), previous=earlier).success
    return folder / "RUNS"


def places(run: Path) -> dict[object, str]:
    """Where every key of a run is, read from its files."""
    held = [pl.read_parquet(path, columns=["image_id"]) for path in sorted((run / "held_out").glob("rows-*"))]
    aside = {key: "held_out" for frame in held for key in frame["image_id"]}
    return aside | split_of(run)


@pytest.mark.parametrize(("old", "new"), [("9", "10"), ("10", "11"), ("9", "11"), ("11", "9"), ("9", "anew")])
def test_diff_counts_what_the_files_hold(runs: Path, old: str, new: str) -> None:
    before, after = places(runs / old), places(runs / new)
    pair = api.diff(runs / old, runs / new)
    assert pair.moves.basis == "files"
    assert pair.continues == ((old, new) in {("9", "10"), ("10", "11")})
    for row in pair.moves.splits:
        here = {key for key, place in before.items() if place == row.split}
        there = {key for key, place in after.items() if place == row.split}
        assert (row.before, row.after, row.stayed) == (len(here), len(there), len(here & there))
        assert row.left == sum(key not in after for key in here)
        assert row.held_out == sum(after.get(key) == "held_out" for key in here)
    steps = Counter((before[key], after[key]) for key in before.keys() & after.keys() if before[key] != after[key])
    assert pair.moves.to_train == sum(steps[name, "train"] for name in EVALUATION)
    assert pair.moves.from_train == sum(steps["train", name] for name in EVALUATION)
    assert pair.moves.between == sum(steps[a, b] for a in EVALUATION for b in EVALUATION)
    assert (pair.moves.moved == 0) == (new != "anew")


def test_what_is_not_in_the_files_is_said(runs: Path, tmp_path: Path) -> None:
    """Rows or a file of train are gone: the ledgers alone are left, and they do not tell of train."""
    shutil.copytree(runs / "10", tmp_path / "10")
    cut = next((tmp_path / "10" / "data").glob("train-*"))
    rows = pl.read_parquet(cut)
    rows[:-1].write_parquet(cut)
    moves = api.diff(runs / "9", tmp_path / "10").moves
    assert (moves.basis, moves.moved, moves.to_train, moves.from_train) == ("ledgers", 0, None, None)
    assert f"holds {len(rows) - 1:,} rows of train, and its plan says {len(rows):,}" in moves.why
    cut.unlink()
    assert "lacks the data files of train" in api.diff(runs / "9", tmp_path / "10").moves.why
    assert api.diff(runs / "9", runs / "10", scan=False).moves.basis == "ledgers"


def test_an_example_that_moved_though_the_run_is_continued_is_exit_code_3(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dev row is put into train behind the plan's back, in the place of one that was there."""
    shutil.copytree(runs / "10", tmp_path / "10")
    paths = {name: next((tmp_path / "10" / "data").glob(f"{name}-[0-9]*")) for name in ("train", "dev")}
    train, dev = (pl.read_parquet(paths[name]) for name in ("train", "dev"))
    pl.concat([train[1:], dev[:1]]).write_parquet(paths["train"])
    assert run_command(["diff", str(runs / "9"), str(tmp_path / "10"), "--quiet"]) == 3
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("1 example moved: 1 from an evaluation split into train. This must not be")


def test_diff_prints_tables_or_one_document(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [str(runs / "10"), str(runs / "11")]
    assert run_command(["diff", *names]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "No example moved. Counted in the written files of both runs" in told
    assert "splits.dev.size 120 140" in told
    assert "differ in `width`: mean" in told
    assert run_command(["diff", *names, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert run_command(["diff", *names, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["continues"] is True
    assert document["spec"] == [{"path": "splits.dev.size", "old": "120", "new": "140"}]
    assert {"name": "dev", "old": 120, "new": len(read_split(runs / "11", "dev"))} in document["sizes"]
    assert (document["examples"]["basis"], document["examples"]["moved"]) == ("files", 0)
    assert "width" in {shift["column"] for shift in document["shifts"]["found"]}
    assert run_command(["diff", str(runs / "9"), str(runs / "anew")]) == 0
    assert "plan the new run with --previous" in " ".join(capsys.readouterr().out.split())


def test_history_of_all_that_lies_there(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(runs / "11", runs / HOSTILE)
    (runs / "12" / "plan").mkdir(parents=True)
    shutil.copy(runs / "11" / "plan" / "plan.json", runs / "12" / "plan")
    shutil.copytree(runs / "9", runs / "13")
    (runs / "13" / "validation.json").write_text("{")
    shutil.copytree(runs / "9", runs / "14")
    edited = json.loads((runs / "14" / "validation.json").read_text())
    (runs / "14" / "validation.json").write_text(json.dumps({**edited, "results": {}, "status": ["passed"]}))
    (runs / "my <b>notes").mkdir()
    (runs / "my <b>notes" / "todo.txt").write_text("x")
    (runs / "a file").write_text("x")
    assert run_command(["history", str(runs)]) == 0
    assert capsys.readouterr() == (f"{runs}/index.html\n", "")
    page = (runs / "index.html").read_bytes()
    api.history(runs)
    assert (runs / "index.html").read_bytes() == page
    text = page.decode()
    rows = re.findall(
        r'<tr><th scope="row" class="name">(?:<a href="([^"]*)">)?<bdi>([^<]*)</bdi>(?:</a>)?</th><td><span', text
    )
    assert [name for _, name in rows][:6] == ["anew", "14", "13", "12", "11", "10"]
    assert [link for link, _ in rows][4:6] == ["./11/report.html", "./10/report.html"]
    assert all((runs / "11").parent.joinpath(link).is_file() for link, name in rows if name in {"9", "10", "11"})
    assert "./0%20%3Cimg%20src%3Dx%20onerror%3Dalert%281%29%3E%22%27%26%E2%80%AE/report.html" in text
    assert "targetsplit apply RUNS/12" in text
    assert "RUNS/13/validation.json cannot be read" in text
    assert "RUNS/14/validation.json was changed after it was written" in text
    assert "1 folder holds no run and was left out: my &lt;b&gt;notes." in text
    assert "0 between evaluation splits" not in text
    assert "No example moved. Counted in the written files of both runs" in text
    assert "The data was not compared: 9 was not measured (<code><bdi>profile: false</bdi></code>)." in text
    assert "differ in <code><bdi>width</bdi></code>: mean" in text
    assert "<img" not in text
    assert "\u202e" not in text
    assert str(runs.parent) not in text
    assert len(page) < 500_000

    assert run_command(["history", str(runs), "--no-scan"]) == 0
    ledgers = (runs / "index.html").read_text()
    assert "0 between evaluation splits" in ledgers
    assert "The files were not read (--no-scan)." in ledgers
    assert run_command(["history", str(runs), "--scan"]) == 0
    assert (runs / "index.html").read_bytes() == page


def test_every_figure_over_time_has_its_n(runs: Path) -> None:
    trends = {one.title: one for one in history_view(read_history(RunDirectory.at(str(runs)))).trends}
    assert set(trends) == {"Columns that differ", "Effect of the heaviest column, where 1 is large"}
    figures = {name: (figure, n) for name, figure, n in trends["Columns that differ"].rows}
    assert (figures["9"], figures["10"]) == (("–", ""), ("1", "of 5"))
    for title, words in (
        ("Columns that differ", r"of \d+"),
        ("Effect of the heaviest column, where 1 is large", r"n [\d,]+ / [\d,]+"),
    ):
        rows = trends[title].rows
        assert all(bool(re.fullmatch(words, n)) == (figure != "–") for _, figure, n in rows)
        assert trends[title].picture.count("<circle") == sum(figure != "–" for _, figure, _ in rows)


@needs_browser
@pytest.mark.parametrize("width", [LAPTOP, PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_shows_the_history(runs: Path, width: int, scheme: str) -> None:
    api.history(runs)
    with chromium() as browser, opened(browser, runs / "index.html", width, scheme) as page:
        page.evaluate(UNFOLD)
        assert page.evaluate(WIDE) <= width
        assert barriers(page) == []
        page.get_by_role("link", name="10", exact=True).click()
        assert page.url == (runs / "10" / "report.html").as_uri()


def test_the_files_of_a_run_are_read_once(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every run but the ends is compared twice: with the one before it and the one after it."""
    read: list[str] = []
    honest = run_pairs.find_places

    def counted(run: RunDirectory, *given: Any) -> pl.DataFrame:
        read.append(run.uri)
        return honest(run, *given)

    monkeypatch.setattr(run_pairs, "find_places", counted)
    facts = read_history(RunDirectory.at(str(runs)))
    assert len(facts.pairs) >= 3
    assert len(read) == len(set(read)) == len({one.run.name for one in facts.listed if one.run})
    for pair in facts.pairs:
        alone = api.diff(runs / pair.old.name, runs / pair.new.name)
        assert alone.moves == pair.moves


def test_the_lead_says_what_moved_and_what_to_do(runs: Path, tmp_path: Path) -> None:
    """A run that continues none; and one that was changed behind its plan's back, though it continues another."""

    def lead() -> Lead:
        return history_view(read_history(RunDirectory.at(str(tmp_path)))).lead

    for name in ("9", "10"):
        shutil.copytree(runs / name, tmp_path / name)
    assert lead().verdict == "No example moved."
    shutil.copytree(runs / "anew", tmp_path / "11")
    assert (lead().tone, lead().verdict) == ("warn", "Examples moved in 11.")
    assert "plan with --previous" in lead().sentence
    paths = {name: next((tmp_path / "10" / "data").glob(f"{name}-[0-9]*")) for name in ("train", "dev")}
    train, dev = (pl.read_parquet(paths[name]) for name in ("train", "dev"))
    pl.concat([train[1:], dev[:1]]).write_parquet(paths["train"])
    assert (lead().tone, lead().verdict) == ("bad", "Examples moved in 10.")
    assert "do not use it" in lead().sentence


def test_the_lead_says_no_more_than_was_counted(runs: Path, tmp_path: Path) -> None:
    for name in ("9", "10", "11"):
        shutil.copytree(runs / name, tmp_path / name)
    facts = read_history(RunDirectory.at(str(tmp_path)))
    first, last = facts.pairs
    told = history_lead(replace(facts, pairs=(first, replace(last, moves=Moves("none", "Another salt.")))), [last.new])
    assert told.verdict == "No example moved, as far as can be told."
    assert "Examples have other names in 11 than before" in told.sentence
    told = history_lead(replace(facts, pairs=(replace(last, moves=Moves("none", "Another salt.")),)), [last.new])
    assert (told.tone, told.verdict) == ("warn", "Whether examples moved cannot be told.")
    next((tmp_path / "11" / "data").glob("train-*")).unlink()
    view = history_view(read_history(RunDirectory.at(str(tmp_path))))
    assert view.lead.verdict == "No example moved between evaluation splits."
    assert "Of 11 train was not looked at." in view.lead.sentence
    assert [line.moved_tone for line in view.lines] == ["note", "good", "note"]
    (tmp_path / "11" / "validation.json").write_text("{}")
    view = history_view(read_history(RunDirectory.at(str(tmp_path))))
    assert "Cannot be read: 11." in view.lead.sentence
    assert view.lead.tone != "good"


def test_a_folder_without_runs_says_what_to_do(runs: Path, tmp_path: Path) -> None:
    with pytest.raises(RunDirectoryError, match=r"holds no run; .*targetsplit run SPEC -o"):
        api.history(tmp_path)
    with pytest.raises(RunDirectoryError, match="is a run itself"):
        api.history(runs / "9")
    with pytest.raises(RunDirectoryError, match="holds no run; give a folder"):
        api.diff(runs / "9", tmp_path)
    with pytest.raises(RunDirectoryError, match="was given twice"):
        api.diff(runs / "9", runs / "9")
    assert not list(tmp_path.iterdir())
