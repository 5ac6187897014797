"""Columns and labels at the edge of their types: judged, or refused before any data is read; nothing breaks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipelines import api
from splitting.errors import RunDirectoryError, SpecError
from tests.support.corpus import write_parquet, write_spec

pytestmark = pytest.mark.e2e
SPEC = """
name: odd
salt: odd
sources: {{web: {{path: web}}, app: {{path: app}}}}
key: id
label: label
target: {{source: app}}
splits: {{test: {size}, dev: {size}, train_dev: {size}, train: rest}}
checks: {{sample: 600, {checks}}}
"""
Columns = Callable[[np.random.Generator, int], dict[str, object]]


def run(folder: Path, columns: Columns, size: int = 200, checks: str = "probe: true") -> api.RunResult:
    tables = {}
    for i, (source, rows) in enumerate([("web", 1_200), ("app", 900)]):
        random = np.random.default_rng(i)
        named = {"id": [f"{source}{n}" for n in range(rows)], "label": random.choice(["a", "b"], rows)}
        tables[source] = pl.DataFrame({**named, **columns(random, rows)}, strict=False)
    write_parquet(folder, tables)
    return api.run(str(write_spec(folder, SPEC, size=size, checks=checks)), str(folder / "RUN"))


def told(result: api.RunResult) -> list[str]:
    return [finding.sentence for finding in result.judgement.findings]


def test_numbers_that_models_cannot_square_are_judged(tmp_path: Path) -> None:
    def columns(random: np.random.Generator, rows: int) -> dict[str, object]:
        return {
            "greatest": random.choice([1.7e308, -1.7e308, 1e308], rows),
            "large": random.normal(size=rows) * 1e160,
            "one": [1e40, *random.normal(size=rows - 1)],
            "infinite": random.choice([np.inf, -np.inf, 1.0], rows),
            "unknown": [float("nan")] * rows,
            "vectors": (random.normal(size=(rows, 4)) * 1e200).tolist(),
        }

    result = run(tmp_path, columns)
    assert result.judgement.success
    assert (tmp_path / "RUN" / "_SUCCESS").exists()


def test_a_column_of_nan_alone_is_judged(tmp_path: Path) -> None:
    assert run(tmp_path, lambda _, rows: {"unknown": [float("nan")] * rows}).judgement.success


LABELS: dict[str, Columns] = {
    "fractions": lambda random, rows: {"label": random.normal(size=rows)},
    "huge": lambda random, rows: {"label": random.normal(size=rows) * 1e308},
    "decimals": lambda random, rows: {"label": [Decimal(int(n)) / 100 for n in random.integers(0, 10**6, rows)]},
    "days": lambda random, rows: {
        "label": [date(2000, 1, 1) + timedelta(int(n)) for n in random.integers(0, 9_000, rows)]
    },
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_that_measure_something_need_not_all_be_in_train(tmp_path: Path, kind: str) -> None:
    result = run(tmp_path, lambda random, rows: {**LABELS[kind](random, rows), "x": random.normal(size=rows)})
    assert result.judgement.success
    assert not any("train has no example of" in sentence for sentence in told(result))


def test_many_whole_numbers_as_labels_are_a_warning(tmp_path: Path) -> None:
    result = run(tmp_path, lambda random, rows: {"label": random.integers(0, 10**6, rows)}, checks="probe: false")
    severities = {f.severity for f in result.judgement.findings if "train has no example of" in f.sentence}
    assert severities == {"warning"}


@pytest.mark.parametrize("values", [[[1], [2]], [{"a": 1}, {"a": 2}], [b"\xff", b"\xfe"]])
def test_labels_that_cannot_be_shown_are_refused(tmp_path: Path, values: list[object]) -> None:
    with pytest.raises(SpecError, match="column 'label' is"):
        run(tmp_path, lambda _, rows: {"label": values * (rows // 2)})
    assert not (tmp_path / "RUN").exists()


def test_rows_that_differ_in_nested_columns_alone_are_not_the_same(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        lambda random, rows: {
            "vector": random.normal(size=(rows, 3)).tolist(),
            "point": [{"x": x} for x in random.normal(size=rows)],
        },
        checks="probe: false",
    )
    assert not any("say the same" in sentence for sentence in told(result))


def test_splits_too_small_to_compare_are_named(tmp_path: Path) -> None:
    result = run(tmp_path, lambda random, rows: {"x": random.normal(size=rows)}, 20, "probe: false, min_rows: 100")
    assert any(sentence.startswith("dev and test were not compared") for sentence in told(result))


def test_thresholds_of_nothing_and_broken_inputs(tmp_path: Path) -> None:
    none = "probe: false, thresholds: {source_share: 0, wasserstein_sd: 0, ks: 0, js_excess: 0}"
    run(tmp_path, lambda random, rows: {"x": random.normal(size=rows)}, checks=none)
    out, inputs = str(tmp_path / "RUN"), tmp_path / "RUN" / "plan" / "inputs.json"
    for broken in ("{", "{}", "[]", ""):
        inputs.write_text(broken)
        with pytest.raises(RunDirectoryError, match=r"inputs\.json cannot be used"):
            api.validate(out)


def test_a_target_without_labels_gets_the_figures_that_need_none(tmp_path: Path) -> None:
    def columns(random: np.random.Generator, rows: int) -> dict[str, object]:
        unlabelled = {"label": [None] * rows} if rows == 900 else {}
        return {"x": random.normal(size=rows), **unlabelled}

    (sentence,) = [line for line in told(run(tmp_path, columns)) if "mismatch costs" in line]
    assert "the target has no labels" in sentence
    assert "confidence moves by" in sentence
    assert "no cost is claimed" in sentence


def test_columns_that_no_model_saw_are_named(tmp_path: Path) -> None:
    def columns(random: np.random.Generator, rows: int) -> dict[str, object]:
        letter = "c" if rows == 1_200 else "d"
        codes = [f"{letter}{n}" for n in random.permutation(10**6)[:rows]]
        return {"x": random.normal(size=rows), "code": codes, "photo": [f"a/{n}.jpg" for n in range(rows)]}

    (sentence,) = [line for line in told(run(tmp_path, columns)) if line.startswith("Models did not see")]
    assert "`code`, which is a string unlike in almost every row" in sentence
    assert "`photo`, which is a path" in sentence


def test_times_that_are_numbers_are_placed_and_texts_are_told(tmp_path: Path) -> None:
    def columns(random: np.random.Generator, rows: int) -> dict[str, object]:
        year = 2_000 if rows == 1_200 else 2_030
        return {"year": year + random.integers(0, 10, rows), "era": random.choice(["late", "early"], rows)}

    sentences = told(run(tmp_path, columns, checks="probe: false, times: [year, era]"))
    assert "test lies after train in time, by `year`." not in sentences  # train holds the target's rest
    assert any(line.startswith("`era` is named in `checks: times` and holds no times") for line in sentences)
    kept = (tmp_path / "RUN" / "validation.json").read_text()
    assert "dev against train in time by year" in kept


def test_what_was_decided_while_writing_cannot_be_asked_for_later(tmp_path: Path) -> None:
    run(tmp_path, lambda random, rows: {"x": random.normal(size=rows)}, checks="probe: false, skip: [x]")
    out, again = str(tmp_path / "RUN"), tmp_path / "again.yaml"
    asked = (tmp_path / "spec.yaml").read_text()
    for old, new, message in (
        ("sample: 600", "sample: 700", "sample` was 600, and 700 is asked for"),
        (", skip: [x]", "", "skip` left out x"),
    ):
        again.write_text(asked.replace(old, new))
        with pytest.raises(RunDirectoryError, match=message):
            api.validate(out, str(again))
    again.write_text(asked.replace("skip: [x]", "skip: [x, label]"))
    assert api.validate(out, str(again)).judgement.success
    kept = tmp_path / "RUN" / "spec.yaml"
    kept.write_text(kept.read_text().replace("salt: odd", "salt: even"))
    with pytest.raises(RunDirectoryError, match="is not the spec of the plan"):
        api.validate(out)


def test_a_first_suite_leaves_out_columns_that_no_suite_can_name(tmp_path: Path) -> None:
    run(tmp_path, lambda random, rows: {"": random.normal(size=rows), "x": range(rows)}, checks="probe: false")
    suite = api.starter_suite(str(tmp_path / "RUN"), "splits.dev")
    named = {one["kwargs"].get("column") for one in suite["expectations"]}
    assert "x" in named
    assert "" not in named
