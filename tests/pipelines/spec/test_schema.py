"""The JSON Schema and the models agree: what one accepts the other accepts, but for what JSON Schema cannot tell."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.spec.loading import parse_spec
from pipelines.spec.schema import json_schema
from pipelines.spec.strict_yaml import read_document
from splitting.errors import SpecError

VALIDATOR = jsonschema.Draft202012Validator(json_schema())
FULL = """
name: n
salt: s
sources:
  app: {path: [a.csv, b.csv], format: csv, csv: {delimiter: ";", null_values: [NA], column_types: {zip: string}, newlines_in_values: false, encoding: utf8}}
  web: {path: w, csv: {null_values: NA}}
key: [id, day]
group: user
label: label
target: {source: [app], where: a = 1}
stratify: [label, {column: age, edges: [1, 2.5]}]
splits: {train: rest, dev: 10, test: 5%, far: {size: 5, from: {source: web, where: b = 1}}, near: {size: 1%, from: c = 1}}
on_shortfall: fill
new_members: join
output: index
source_column: origin
checks: {profile: true, probe: false, alpha: 0.01, min_rows: 50, sample: 5000, thresholds: {js_excess: [0.02, 0.1], ks: 0.2, leak_auc: 0.99}, skip: [path], times: made, fail_on: warning}
"""  # noqa: E501, one line a source
BEYOND = re.compile(  # what JSON Schema cannot tell
    r"there is no |stands more than once|stands in |of one pool|strictly increasing|which the index uses|"
    r"tells each row's source|has csv: options|expected an encoding|"
    r"a failure at no less|printable characters|got row, which|"
    r"'.*': |got -?[0-9]+\.0(;|,)|got (nan|inf)"
)


def model_says(values: Any) -> list[str]:
    try:
        parse_spec(json.dumps(values, ensure_ascii=False))
    except SpecError as error:
        return [problem.message for problem in error.problems]
    return []


def agree(values: Any) -> None:
    schema = [error.message for error in VALIDATOR.iter_errors(values)]
    model = model_says(values)
    if schema:
        assert model, f"only the schema refuses {values}: {schema}"
    elif model:
        assert all(BEYOND.search(message) for message in model), f"only the models refuse {values}: {model}"


def full() -> dict[str, Any]:
    values = read_document(FULL, "spec").values
    assert isinstance(values, dict)
    return values


def test_the_full_spec_is_one_for_both() -> None:
    assert not model_says(full())
    VALIDATOR.validate(full())


@pytest.mark.parametrize(
    ("path", "value", "accepted"),
    [
        (("sources", "app", "csv", "null_values"), "NA", True),
        (("sources", "app", "csv", "null_values"), [], True),
        (("sources", "app", "csv", "null_values"), 1, False),
        (("sources", "app", "csv", "delimiter"), "\t", True),
        (("sources", "app", "csv", "delimiter"), '"', False),
        (("sources", "app", "csv", "delimiter"), "é", False),
        (("sources", "app", "csv", "delimiter"), "\n", False),
        (("sources", "app", "csv", "column_types"), {"a": "str"}, False),
        (("sources", "app", "format"), "parquet", False),
        (("sources", "app", "format"), None, False),
        (("sources", "app", "path"), [], False),
        (("sources", "app", "path"), " ", False),
        (("sources", "app", "path"), "a\0", False),
        (("sources", "app", "path"), "a\n", True),
        (("sources",), {}, False),
        (("splits", "dev"), "0%", False),
        (("splits", "dev"), "0.000%", False),
        (("splits", "dev"), "101%", False),
        (("splits", "dev"), "100.1%", False),
        (("splits", "dev"), "200%", False),
        (("splits", "far", "size"), "100.0 %", True),
        (("splits", "far", "size"), "0.5%", True),
        (("splits", "far", "size"), "005%", True),
        (("splits", "far", "size"), "099%", True),
        (("splits", "far", "size"), "0100%", False),
        (("splits", "far", "size"), " 5% ", True),
        (("splits", "far", "size"), "5.%", False),
        (("splits", "far", "size"), "rest", False),
        (("splits", "dev"), 0, False),
        (("splits", "dev"), True, False),
        (("splits", "dev"), 0.5, False),
        (("splits",), {"train": "rest"}, False),
        (("splits",), {}, False),
        (("splits",), {"train": "rest", "dev": 1}, True),
        (("splits",), {"train": {"size": "rest"}, "dev": 1}, True),
        (("splits",), {"train": 5, "dev": 1}, False),
        (("splits",), {"train": {"size": "rest", "from": "target"}, "dev": 1}, False),
        (("splits",), {f"d{i}": 1 for i in range(24)}, True),
        (("splits",), {f"d{i}": 1 for i in range(25)}, False),
        (("splits",), {"train": "rest", **{f"d{i}": 1 for i in range(24)}}, True),
        (("splits",), {"all": 1}, False),
        (("splits",), {"Dev": 1}, False),
        (("splits",), {"dev\n": 1}, False),
        (("target",), {}, False),
        (("target",), {"source": []}, False),
        (("target",), {"source": [], "where": "a = 1"}, False),
        (("target",), {"source": "app", "where": " "}, False),
        (("target",), {"source": "app", "where": None}, False),
        (("key",), [], False),
        (("key",), "row", True),
        (("group",), None, False),
        (("stratify",), [], True),
        (("stratify",), "label", True),
        (("stratify",), [{"column": "a", "edges": []}], True),
        (("stratify",), [{"edges": [1]}], False),
        (("name",), "a b", False),
        (("name",), "a\n", False),
        (("name",), "a" * 101, False),
        (("salt",), " ", False),
        (("output",), "both", False),
        (("more",), 1, False),
    ],
)
def test_both_say_the_same(path: tuple[str, ...], value: object, *, accepted: bool) -> None:
    values = full()
    inner = values
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    assert (not model_says(values)) is accepted
    assert VALIDATOR.is_valid(values) is accepted


TEXTS = ["", " ", "a", "app", "row", "rest", "train", "5%", "0%", "101%", "csv", "parquet", "a = 1"]
LISTS = [[], ["a"], ["a", 1], [[]], [{"column": "a"}]]
MAPPINGS = [{}, {"a": 1}, {"path": "x"}, {"source": "app"}, {"size": 1}, {"column": "a"}]
VALUES = st.sampled_from([None, True, False, 0, 1, -1, 3, 2.5, *TEXTS, *LISTS, *MAPPINGS]).map(copy.deepcopy)
KEYS = st.sampled_from(
    ["a", "app", "dev", "train", "rest", "path", "csv", "size", "from", "where", "Dev", "", "format"]
)


def places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place, *(found for key, item in items for found in places(item, (*place, key)))]


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_both_say_the_same_of_specs_that_were_changed_at_random(data: st.DataObject) -> None:
    values = copy.deepcopy(full())
    for _ in range(data.draw(st.integers(1, 3))):
        *outer, last = data.draw(st.sampled_from([place for place in places(values) if place]))
        inner = values
        for part in outer:
            inner = inner[part]
        change = data.draw(st.sampled_from(["set", "delete", "add"]))
        if change == "delete":
            del inner[last]
        elif change == "add" and isinstance(inner, dict):
            inner[data.draw(KEYS)] = data.draw(VALUES)
        else:
            inner[last] = data.draw(VALUES)
    agree(values)
