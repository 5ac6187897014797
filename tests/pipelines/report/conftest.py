"""A run that is out to break the page."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from pipelines import api
from tests.support.corpus import web_and_app, write_parquet, write_spec

HOSTILE = "<script>alert('x')</script>\"'&\u202e"
_SHOUT = "<img src=x onerror=alert(1)>{{ 7*7 }}"
_SPEC = """
name: cats
salt: "salt</pre><script>alert(2)</script>"
sources:
  {source}: {{path: "we<b'b/*.parquet"}}
  app: {{path: app}}
key: image_id
group: user_id
label: label
target: {{source: app}}
stratify: [label]
splits: {{test: 150, dev: 140, train_dev: 160, train: rest}}
checks: {{probe: false, suites: [{{path: suite.json, on: [splits.dev, {table}]}}]}}
report: {{sample_rows: 3}}
"""


@pytest.fixture(scope="session")
def hostile_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hostile labels, columns, sources, paths, names and notes of a suite; the page shows rows."""
    folder = tmp_path_factory.mktemp("report")
    tables = {
        name: frame.with_columns(
            label=pl.col("label").replace({"cat": HOSTILE, "dog": "x" * 10_000, "fox": "🦊"}), note=pl.lit("")
        ).rename({"width": f"width{HOSTILE}"})
        for name, frame in web_and_app(1_500, 600).items()
    }
    write_parquet(folder, {"we<b'b": tables["web"], "app": tables["app"]})
    told = {
        "type": "expect_column_values_to_not_be_null", "severity": "warning", "notes": _SHOUT, "description": _SHOUT,
        "meta": {"notes": {"format": "markdown", "content": [_SHOUT]}}, "kwargs": {"column": "user_id"},
    }  # fmt: skip
    (folder / "suite.json").write_text(json.dumps({"expectations": [told]}))
    source = json.dumps("web" + _SHOUT)
    spec = write_spec(folder, _SPEC, source=source, table=json.dumps("sources.web" + _SHOUT))
    assert api.run(str(spec), str(folder / "RUN")).success
    return folder / "RUN"
