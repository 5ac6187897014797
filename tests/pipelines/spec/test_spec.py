"""Specs: the documented ones parse, and every mistake is told with its path."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import pytest
import yaml

from pipelines.spec.loading import parse_spec
from pipelines.spec.schema import json_schema
from splitting.errors import SpecError

ROOT = Path(__file__).parents[3]
SMALL = """
name: small
salt: s
sources: {app: {path: a.csv}, web: {path: w.csv}}
key: id
target: {source: app}
splits: {dev: 10, test: 10}
"""


def documented() -> list[str]:
    found = []
    for path in ("docs/spec.md", "README.md"):
        found += re.findall(r"```yaml\n(.*?)```", (ROOT / path).read_text(), re.DOTALL)
    return [*found, (ROOT / "examples/flights/flights.yaml").read_text()]


@pytest.mark.parametrize("text", documented())
def test_documented_specs_parse_and_come_back(text: str) -> None:
    spec = parse_spec(text)
    assert parse_spec(spec.to_yaml()) == spec


@pytest.mark.parametrize("text", documented())
def test_documented_specs_fit_the_schema(text: str) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator(json_schema()).validate(yaml.safe_load(text))


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        (("key:", "kee:"), "kee", 'unknown key "kee"; did you mean "key"?'),
        (("key: id\n", ""), "key", "is missing"),
        (("salt: s\n", ""), "salt", "it names the draw"),
        (("dev: 10", "dev: 0.2"), "splits.dev.size", 'a percentage as in "20%"'),
        (("dev: 10", "dev: true"), "splits.dev.size", "write a count"),
        (("dev: 10", "dev: 0"), "splits.dev.size", "at least one row"),
        (("dev: 10", "dev: rest"), "splits.dev", "only train can be what is left"),
        (("dev: 10", "dev: 101%"), "splits.dev.size", "at most 100%"),
        (("dev: 10, test: 10", "train: rest"), "splits", "has no evaluation split"),
        (("{source: app}", "{source: ap}"), "target.source", "there is no source 'ap'; did you mean 'app'?"),
        (("{source: app}", "{}"), "target", "is empty"),
        (("{path: a.csv}", "{path: a.csv, format: cvs}"), "sources.app.format", "did you mean csv?"),
        (("{path: a.csv}", "{pth: a.csv}"), "sources.app.pth", 'did you mean "path"?'),
        (("name: small", "name: a b"), "name", "expected letters"),
        (("name: small", "name: 7"), "name", "expected a text"),
    ],
)
def test_mistakes_are_told_with_their_path(change: tuple[str, str], path: str, message: str) -> None:
    with pytest.raises(SpecError) as told:
        parse_spec(SMALL.replace(*change))
    assert any(problem.path == path and message in problem.message for problem in told.value.problems), told.value
    assert "Input should" not in str(told.value)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(SpecError) as told:
        parse_spec(SMALL.replace("salt: s\n", "").replace("dev: 10", "dev: -1").replace("key", "kye"))
    assert {"salt", "splits.dev.size", "kye"} <= {problem.path for problem in told.value.problems}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("[1, 2]", "is a list"),
        ("a: [", "is not YAML: line 1"),
        ("name: x\nname: y", "stands twice"),
        ("a: &x [1]\nb: *x", "references"),
        ("!!python/object/apply:os.system [ls]", "the tag '!!python/object/apply:os.system' is not allowed"),
        ("a: " + "[" * 50 + "]" * 50, "nested deeper"),
        ("x" * 2_000_000, "characters long"),
    ],
)
def test_hostile_documents_are_refused(text: str, message: str) -> None:
    with pytest.raises(SpecError) as told:
        parse_spec(text)
    assert message in str(told.value)


def test_percentages_are_exact() -> None:
    spec = parse_spec(SMALL.replace("dev: 10", 'dev: "33.33%"'))
    assert spec.splits["dev"].size == Fraction(3333, 10_000)
    assert "33.33%" in spec.to_yaml()
