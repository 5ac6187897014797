"""A document that is too large, too deep or a bomb is refused before anything is made of it, with one message."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipelines.spec.loading import MAX_BYTES, load_spec, parse_spec
from pipelines.spec.models import Spec
from pipelines.spec.strict_yaml import MAX_CHARACTERS, MAX_DEPTH, MAX_VALUES
from splitting.errors import SpecError

START = "name: n\nsalt: s\nkey: id\ntarget: {source: s0}\nsplits: {dev: 10}\n"
SOURCES = "sources:\n" + "".join(f"  s{i}: {{path: x{i}}}\n" for i in range(1_000))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        pytest.param(f"key: [{'a,' * 200_000}]", "400,007 characters long, expected at most 200,000", id="a long list"),
        pytest.param(f"key: [{'a,' * MAX_VALUES}]", "line 1: holds more than 5,000 keys and values", id="a list"),
        pytest.param("".join(f"k{i}: 1\n" for i in range(MAX_VALUES)), "line 2500: holds more than", id="many keys"),
        pytest.param("a: " + "x" * 10**7, "10,000,003 characters long", id="a huge scalar"),
        pytest.param("[" * 100_000, f"nested deeper than {MAX_DEPTH} levels", id="deep lists"),
        pytest.param("- " * 90_000, f"nested deeper than {MAX_DEPTH} levels", id="deep items"),
        pytest.param("a: {" * 40_000, f"nested deeper than {MAX_DEPTH} levels", id="deep mappings"),
        pytest.param("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]", "references", id="an alias bomb"),
        pytest.param("a: &a\n  b: *a", "references", id="a loop"),
        pytest.param('a: "\\ud800"', "not valid Unicode", id="half a character"),
    ],
)
def test_what_is_too_large_is_refused_before_it_is_looked_at(
    text: str, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reached(values: Mapping[str, Any]) -> Spec:
        raise AssertionError("the models got to see it")

    monkeypatch.setattr(Spec, "model_validate", reached)
    with pytest.raises(SpecError) as caught:
        parse_spec(text)
    assert len(caught.value.problems) == 1
    assert part in str(caught.value)


def test_a_file_is_read_no_further_than_a_spec_can_be_long(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_bytes(b"a,b\n" * (MAX_BYTES // 4 + 1))
    with pytest.raises(SpecError, match=r"larger than 800,000 bytes.*give the spec, not the data"):
        load_spec(str(tmp_path / "data.csv"))
    assert MAX_CHARACTERS <= MAX_BYTES


def test_a_thousand_sources_are_a_spec_and_one_more_are_not() -> None:
    assert len(parse_spec(START + SOURCES).sources) == 1_000
    with pytest.raises(SpecError, match=r"got 1,001 sources, expected at most 1,000") as caught:
        parse_spec(START + SOURCES + "  s1000: {path: x1000}\n")
    assert len(caught.value.problems) == 1


def test_of_many_problems_the_first_are_told_and_the_others_counted() -> None:
    wrong = ", ".join(f"t{i}" for i in range(300))
    with pytest.raises(SpecError) as caught:
        parse_spec(START.replace("source: s0", f"source: [{wrong}]") + "sources: {s0: {path: x}}\n")
    assert len(caught.value.problems) == 51
    assert "… and 250 more problems" in caught.value.problems[-1].message


def test_a_file_of_the_largest_size_is_parsed() -> None:
    text = START + "sources: {s0: {path: x}}\n"
    assert parse_spec(text + "#" * (MAX_CHARACTERS - len(text))).name == "n"
