"""Suites of users: judged on splits and sources over every row, wrong ones refused before any data is read."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import jsonschema
import polars as pl
import pytest

from pipelines import api
from pipelines.api import RunResult
from pipelines.cli.main import run_command
from splitting.errors import RunDirectoryError, SpecError
from tests.support.corpus import FULL_SPEC, web_and_app, write_parquet

pytestmark = pytest.mark.e2e
SIZES: dict[str, Any] = {"test": 100, "dev": 100, "train_dev": 100}


def expectation(kind: str, severity: str = "critical", **kwargs: Any) -> dict[str, Any]:
    return {"type": f"expect_{kind}", "severity": severity, "kwargs": kwargs}


def write_suite(folder: Path, name: str, *expectations: dict[str, Any]) -> None:
    (folder / f"{name}.json").write_text(json.dumps({"expectations": expectations}))


def spec(folder: Path, checks: str, name: str = "spec.yaml") -> Path:
    values = {"web": folder / "web", "app": folder / "app", **SIZES}
    (folder / name).write_text(FULL_SPEC.format(**values) + f"checks: {checks}\n")
    return folder / name


def run(folder: Path, checks: str, out: str = "RUN") -> RunResult:
    if not (folder / "web").exists():
        write_parquet(folder, web_and_app())
    return api.run(str(spec(folder, checks)), str(folder / out), overwrite=True)


def told(result: RunResult) -> dict[str, bool]:
    """By table, kind and column, whether it holds."""
    found = [verdict for verdict in result.judgement.verdicts if verdict.check.role == "suite"]
    return {f"{v.check.table} {v.check.expectation.removeprefix('expect_')} {v.check.column}": v.success for v in found}


def written(folder: Path, split: str = "*") -> pl.DataFrame:
    return pl.read_parquet(folder / "RUN" / "data" / f"{split}-*.parquet")


def test_suites_are_judged_on_every_row_of_their_tables(tmp_path: Path) -> None:
    write_suite(
        tmp_path,
        "widths",
        expectation("column_values_to_be_between", "warning", column="width", min_value=0, max_value=3_000),
        expectation("column_values_to_not_be_null", "info", column="user_id"),
        expectation("column_values_to_be_in_set", column="source", value_set=["app"]),
        expectation("table_row_count_to_equal", value=100),
    )
    result = run(tmp_path, "{probe: false, suites: [{path: widths.json, on: [splits.dev, sources.web, all]}]}")
    assert told(result)["splits.dev column_values_to_be_in_set source"]
    assert told(result)["splits.dev table_row_count_to_equal None"]
    assert not told(result)["sources.web column_values_to_be_in_set source"]
    rows = written(tmp_path)
    web = rows.filter(pl.col("source") == "web")
    for table, part in (("splits.dev", written(tmp_path, "dev")), ("sources.web", web), ("all", rows)):
        (wide,) = (
            verdict.check.observed
            for verdict in result.judgement.verdicts
            if verdict.check.table == table and verdict.check.column == "width" and verdict.check.role == "suite"
        )
        assert wide["element_count"] == len(part)
        assert wide["unexpected_count"] == part.filter(pl.col("width") > 3_000).height
        assert wide["counted"] == "every row"
    sentences = [finding.sentence for finding in result.judgement.findings]
    assert any(line.startswith("sources.web: `source`: expected values to be in set") for line in sentences)
    assert not result.success
    kept = json.loads((tmp_path / "RUN" / "validation.json").read_text())
    assert sum(check["role"] == "suite" for check in kept["results"]) == 12
    pages = [page.name for page in (tmp_path / "RUN" / "data_docs" / "validations" / "widths").rglob("*.html")]
    assert len(pages) == 3


def test_a_first_suite_holds_where_it_was_made(tmp_path: Path) -> None:
    run(tmp_path, "{probe: false}")
    tables = ("all", "splits.dev", "sources.web")
    for table in tables:
        suite = api.starter_suite(str(tmp_path / "RUN"), table)
        assert len(suite["expectations"]) > 8
        (tmp_path / f"{table}.json").write_text(json.dumps(suite))
    suites = ", ".join(f"{{path: {table}.json, on: {table}}}" for table in tables)
    asked = spec(tmp_path, f"{{probe: false, suites: [{suites}]}}", "again.yaml")
    with pytest.raises(RunDirectoryError, match="--rescan"):
        api.validate(str(tmp_path / "RUN"), str(asked))
    result = api.validate(str(tmp_path / "RUN"), str(asked), rescan=True)
    assert all(told(result).values())
    metrics = (tmp_path / "RUN" / "profile" / "metrics.bin").read_bytes()
    document = (tmp_path / "RUN" / "validation.json").read_bytes()
    api.run(str(asked), str(tmp_path / "RUN2"))
    assert (tmp_path / "RUN2" / "profile" / "metrics.bin").read_bytes() == metrics
    assert (tmp_path / "RUN2" / "validation.json").read_bytes() == document
    moved = web_and_app()
    moved["web"] = moved["web"].with_columns(width=pl.col("width") + 5_000, label=pl.lit("wolf"))
    write_parquet(tmp_path, moved)
    result = api.run(str(asked), str(tmp_path / "RUN3"))
    assert not told(result)["sources.web column_values_to_be_between width"]
    assert not told(result)["sources.web column_values_to_be_in_set label"]


def test_suites_that_are_wrong_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    write_parquet(tmp_path, web_and_app())
    write_suite(tmp_path, "empty")
    write_suite(
        tmp_path,
        "wrong",
        expectation("column_values_to_be_in_sett", column="label", value_set=[]),
        expectation("column_values_to_not_be_null", column="widht"),
        expectation("column_values_to_not_be_null", "criticla", column="width"),
        expectation("column_mean_to_be_between", column="width", min_valeu=1),
        expectation("column_values_to_be_increasing", column="width"),
    )
    (tmp_path / "torn.json").write_text('{"expectations": [')
    (tmp_path / "run.json").write_text("{}")
    names = ["empty", "wrong", "torn"]
    with pytest.raises(SpecError) as caught:
        run(tmp_path, f"{{suites: [{', '.join(f'{{path: {name}.json}}' for name in names)}]}}")
    message = str(caught.value)
    for part in (
        "empty.json: has no expectation",
        "did you mean 'expect_column_values_to_be_in_set'?",
        "no column 'widht'; did you mean 'width'?",
        "severity 'criticla' is not one of",
        "did you mean 'min_value'?",
        "expect_column_values_to_be_increasing cannot be judged",
        "torn.json: is no JSON",
        "expectations[1].kwargs.column",
    ):
        assert part in message
    with pytest.raises(SpecError, match=r"(?s)absent.json.*'run' is the name of the project's own"):
        run(tmp_path, "{suites: [{path: absent.json}, {path: run.json}]}")
    assert not (tmp_path / "RUN").exists()
    for checks, part in (
        ("{suites: [{path: empty.json, on: splits.devv}]}", "did you mean splits.dev?"),
        ("{suites: [{path: empty.json, on: dev}]}", "expected all, splits.NAME or sources.NAME"),
        ("{profile: false, suites: [{path: empty.json}]}", "need the profile"),
        ("{thresholds: {js_excess: big}}", "thresholds.js_excess"),
        ("{actions: [{type: slack, slack_webhook: 'https://hooks.example.org/secret'}]}", "is a secret"),
    ):
        with pytest.raises(SpecError, match="(?s)" + part.replace("?", r"\?")):
            run(tmp_path, checks)


def test_actions_that_are_wrong_are_refused(tmp_path: Path) -> None:
    for action, part in (
        ("{type: slak, slack_webhook: '${HOOK}'}", "did you mean 'slack'"),
        ("{type: slack, slack_webhook: '${HOOK}', rendrer: 1}", r"actions\[0\].rendrer"),
        ("{type: slack, slack_webhook: '${HOOK}', renderer: {module_name: os}}", "names code to load"),
        ("{type: slack, slack_webhook: '${HOOK}'}", "environment has no variable HOOK"),
        ("{type: api, url: 'https://me:pw@host/x'}", "holds a name and a password"),
    ):
        with pytest.raises(SpecError, match=part):
            run(tmp_path, f"{{profile: false, actions: [{action}]}}")


@contextmanager
def web_server(status: int) -> Iterator[tuple[str, list[bytes]]]:
    """Answers every message with a status, and keeps it."""
    messages: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            messages.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return None

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/services/SECRET", messages
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("status", [200, 500])
def test_actions_run_when_all_is_written_and_lose_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    monkeypatch.undo()  # a judge of its own, which sees the environment
    write_parquet(tmp_path, web_and_app())
    checks = "{profile: false, actions: [{type: slack, slack_webhook: '${TARGETSPLIT_HOOK}', notify_on: all}]}"
    with web_server(status) as (url, messages):
        from validation.gx.process import Judge

        monkeypatch.setattr(api, "Judge", Judge)
        monkeypatch.setenv("TARGETSPLIT_HOOK", url)
        assert run_command(["run", str(spec(tmp_path, checks)), "-o", str(tmp_path / "RUN"), "--quiet"]) == 0
    (message,) = messages
    assert b"cats" in message
    said = capsys.readouterr().err
    assert "SECRET" not in said
    assert ("action 1 (slack)" in said) == (status == 500)
    assert (tmp_path / "RUN" / "_SUCCESS").exists()
    for path in (tmp_path / "RUN").rglob("*"):
        assert not path.is_file() or b"SECRET" not in path.read_bytes()


def test_the_verdict_is_as_documented(tmp_path: Path) -> None:
    write_suite(
        tmp_path,
        "odd",
        # Captions are no JSON, and it raises.
        expectation("column_values_to_match_json_schema", column="caption", json_schema={"type": "object"}),
        expectation("column_values_to_be_unique", column="image_id"),
    )
    result = run(tmp_path, "{suites: [{path: odd.json}]}")
    schema = json.loads((Path(api.__file__).parents[1] / "docs" / "validation.schema.json").read_text())
    document = json.loads((tmp_path / "RUN" / "validation.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)
    assert document["format"] == schema["properties"]["format"]["const"]
    names = [found["check"] for found in document["results"]]
    assert len(set(names)) == len(names)
    (raised,) = (found for found in document["results"] if found.get("exception"))
    assert raised["severity"] == "critical"
    assert not result.success


@pytest.mark.parametrize("name", ["counts", "statistics", "sample", "repeats", "metrics"])
def test_measures_that_are_broken_are_told(tmp_path: Path, name: str) -> None:
    run(tmp_path, "{probe: false}")
    path = tmp_path / "RUN" / "profile" / f"{name}.bin"
    honest = path.read_bytes()
    head, _, body = honest.partition(b"\n")
    magic, version, digest = head.split(b" ")
    garbage = b"garbage"
    for data, part in (
        (honest[:-1], "was changed or cut"),
        (b"", "was changed or cut"),
        (b" ".join([magic, b"99", digest]) + b"\n" + body, "is of format 99, and this version reads"),
        (b" ".join([magic, version, sha256(garbage).hexdigest().encode()]) + b"\n" + garbage, "cannot be read"),
        (None, f"has no profile/{name}.bin"),
    ):
        if data is None:
            path.unlink()
        else:
            path.write_bytes(data)
        with pytest.raises(RunDirectoryError, match=part):
            api.validate(str(tmp_path / "RUN"))


def test_columns_of_odd_names_and_types_are_judged(tmp_path: Path) -> None:
    tables = {
        name: frame.with_columns(pl.Series("^a$", [1.5] * len(frame)), pl.Series("v", [[1.0, 2.0]] * len(frame)))
        for name, frame in web_and_app().items()
    }
    write_parquet(tmp_path, tables)
    write_suite(
        tmp_path,
        "odd",
        expectation("column_values_to_be_between", column="^a$", min_value=1, max_value=2),
        expectation("column_values_to_be_of_type", "info", column="v", type_="str"),
        {**expectation("column_values_to_be_in_set", column="label", value_set=["cat"]), "kwargs": {
            "column": "label", "value_set": ["cat"], "row_condition": '`^a$` == 1.5', "condition_parser": "pandas"}},
    )  # fmt: skip
    found = told(run(tmp_path, "{probe: false, suites: [{path: odd.json, on: [all, splits.dev]}]}"))
    assert found["all column_values_to_be_between ^a$"]
    assert found["splits.dev column_values_to_be_between ^a$"]
    assert not found["all column_values_to_be_of_type v"]
    assert len(found) == 6


def test_a_pattern_that_is_none_is_refused(tmp_path: Path) -> None:
    write_suite(tmp_path, "wrong", expectation("column_values_to_match_regex", column="label", regex="b("))
    with pytest.raises(SpecError, match=r"is no regular expression: .* @ expectations\[0\].kwargs.regex"):
        run(tmp_path, "{suites: [{path: wrong.json}]}")


def test_a_table_without_rows_is_told(tmp_path: Path) -> None:
    run(tmp_path, "{profile: false}")
    judged = written(tmp_path, "dev").filter(pl.col("user_id").is_not_null()).head(1)
    (tmp_path / "extra").mkdir()
    another = judged.drop("source").with_columns(image_id=pl.lit("another of that user"))
    another.write_parquet(tmp_path / "extra" / "part.parquet")
    write_suite(tmp_path, "rows", expectation("column_values_to_not_be_null", "info", column="width"))
    text = spec(tmp_path, "{probe: false, suites: [{path: rows.json, on: [sources.extra]}]}").read_text()
    (tmp_path / "spec.yaml").write_text(text.replace("key: ", "  extra: {path: extra}\nkey: ", 1))
    result = api.run(str(tmp_path / "spec.yaml"), str(tmp_path / "RUN"), overwrite=True)
    assert "sources.extra holds no row: suites say nothing of it." in [f.sentence for f in result.judgement.findings]
