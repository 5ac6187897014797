"""What a run says of a mismatch that was made on purpose: what it costs, what hides the cost, what kind it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import polars as pl
import pytest

from pipelines import api
from pipelines.api import RunResult

pytestmark = pytest.mark.e2e

SPEC = """
name: turned
salt: turned-2026
sources: {{app: {{path: app.parquet}}, web: {{path: web.parquet}}}}
key: id
label: label
target: {{source: app}}
splits: {{dev: 500, test: 300, train_dev: {train_dev}}}
checks: {checks}
"""


@pytest.fixture(autouse=True)
def one_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """The laws hold for one round of folds as for three, in a third of the time."""
    monkeypatch.setattr("validation.modelling.probe.rounds_for", lambda _: 1)


def turned(rows: int, source: str, *, by: int = 1, known: bool = True) -> pl.DataFrame:
    """A label that follows the sign of x, from the app that of -x; and a column that is the label, nearly.

    By -1: the app's follows that of x, too. Not known: the label follows nothing.
    """
    draws = np.random.default_rng(len(source) + ord(source[0]))
    x = draws.normal(size=rows)
    follows = (x * by > 0) if source == "app" else (x < 0)
    label = (follows != (draws.random(rows) < 0.1)) if known else draws.random(rows) < 0.5
    frame = {
        "id": [f"{source}{row}" for row in range(rows)],
        "label": label.astype(int),
        "x": x,
        "z": draws.normal(size=rows),
        "leak": label.astype(float) + 0.01 * draws.normal(size=rows),
    }
    return pl.DataFrame(frame)


def run(folder: Path, checks: str = "{}", train_dev: int = 400, **made: Any) -> RunResult:
    for source, rows in (("web", 2_000), ("app", 1_200)):
        turned(rows, source, **made).write_parquet(folder / f"{source}.parquet")
    (folder / "spec.yaml").write_text(SPEC.format(checks=checks, train_dev=train_dev))
    return api.run(str(folder / "spec.yaml"), str(folder / "RUN"))


def sentences(result: RunResult, severity: str | None = None) -> str:
    found = [one for one in result.judgement.findings if severity in (None, one.severity)]
    return "\n".join(finding.sentence for finding in found)


def test_a_column_that_gives_the_label_away_hides_no_cost(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert result.judgement.mismatch is not None
    models = result.judgement.mismatch["models"]
    assert models["cost"]["grade"] == "costs"
    assert models["cost"]["gap"]["low"] > 0.4
    assert {"name": "leak", "reason": "gives the label away"} in models["cost"]["left_out"]
    assert max(cell["error"] for cell in models["transfer"]) > 0.4
    assert "leak" in [one["column"] for one in models["domain"]["importances"]]
    told = sentences(result)
    assert "The mismatch costs" in told
    assert "The models did without `leak`, which alone predicts the label." in told
    assert "`leak` alone predicts the label (AUC 1.000, n " in told
    assert "The mismatch costs" in sentences(result, "warning")
    (cost,) = (verdict for verdict in result.judgement.verdicts if verdict.check.role == "harm")
    assert (cost.success, cost.severity) == (False, "warning")
    assert result.judgement.status == "passed with warnings"
    again = api.validate(str(tmp_path / "RUN"), fail_on="warning")
    assert not again.success


def test_models_that_know_nothing_see_no_cost_and_deny_none(tmp_path: Path) -> None:
    result = run(tmp_path, "{skip: leak}", known=False)
    (cost,) = (verdict for verdict in result.judgement.verdicts if verdict.check.role == "harm")
    assert (cost.success, cost.severity) == (True, "info")
    assert cost.check.observed["grade"] == "too small to tell"
    assert "learn nothing from these columns" in sentences(result)
    assert "No cost" not in sentences(result)


def test_a_shift_within_the_label_is_told_where_no_column_moves_alone(tmp_path: Path) -> None:
    result = run(tmp_path, "{skip: leak, probe: false}")
    told = sentences(result)
    assert (
        "Apart from the source, train_dev and dev differ in none of 3 columns by more than the thresholds, each taken "
        "alone; taken with the label they do, in `x`." in told
    )
    assert "Within-label shift from train_dev to dev in `x` (`x`: Jensen-Shannon distance beyond chance " in told
    assert "relabel, or collect labelled rows of the target" in told
    assert result.judgement.mismatch is not None
    (kind,) = result.judgement.mismatch["kinds"]
    assert (kind["column"], kind["shift"]) == ("x", "within-label shift")
    assert kind["alone"]["effect"] < 0.05
    assert min(kind["given_label"]["effect"], kind["label_given"]["effect"]) > 0.4
    assert max(kind["given_label"]["q"], kind["label_given"]["q"]) < 1e-6
    schema = json.loads((Path(api.__file__).parents[1] / "docs" / "validation.schema.json").read_text())
    jsonschema.validate(json.loads((tmp_path / "RUN" / "validation.json").read_text()), schema)


def test_where_nothing_shifts_none_is_told(tmp_path: Path) -> None:
    result = run(tmp_path, "{skip: leak, probe: false}", by=-1)
    assert result.judgement.mismatch is not None
    assert result.judgement.mismatch["kinds"] == []
    told = "Apart from the source, train_dev and dev differ in none of 3 columns by more than the thresholds."
    assert told in sentences(result)
    assert "within" not in sentences(result).lower()


def test_too_few_rows_for_models_are_told(tmp_path: Path) -> None:
    result = run(tmp_path, train_dev=60)
    assert result.judgement.mismatch is not None
    assert result.judgement.mismatch["models"] is None
    told = sentences(result)
    assert "which columns give the label away were not measured: of train_dev there are 60 sampled rows," in told
    assert "Make train_dev larger, or set `checks: {min_rows: 60}` and read wide intervals." in told
    asked = tmp_path / "again.yaml"
    asked.write_text(SPEC.format(checks="{min_rows: 60}", train_dev=60))
    again = api.validate(str(tmp_path / "RUN"), str(asked))
    assert "were not measured" not in sentences(again)
    assert "`leak` alone predicts the label" in sentences(again)
    assert "The mismatch costs" in sentences(again)
