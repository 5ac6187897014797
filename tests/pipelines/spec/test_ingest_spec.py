"""Specs of images and sounds: what may be left out, what goes together, and one answer of models and schema."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pipelines.spec.ingest_models import EmbeddingOf, Images
from pipelines.spec.loading import parse_spec
from pipelines.spec.strict_yaml import read_document
from splitting.errors import SpecError
from tests.pipelines.spec.test_schema import agree, model_says

FULL = """
sources:
  web: {path: photos/web, format: images, label: {from: directory, level: -2}}
  app: {path: photos/app, format: images, table: {path: labels.csv, file: photo, columns: [label, price]}}
  shards: {path: "shards/*.tar", format: images, label: {from: cls}}
  list: {path: photos/list, format: images, table: list.csv}
target: {source: app}
splits: {dev: 5}
images: {max_pixels: 1000000, max_bytes: 1000000, mislabelled: accept, max_rejected: 5%, embedding: {function: "a.b:c", size: 64}}
"""  # noqa: E501, one line
NAMED = "name: n\nsalt: s\nkey: k\n"
PLAIN = "target: {source: a}\nsplits: {dev: 5}\n"


def full() -> dict[str, Any]:
    values = read_document(FULL, "spec").values
    assert isinstance(values, dict)
    return values


def put(values: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    inner: Any = values
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    return values


def test_a_whole_spec_comes_back_as_it_was() -> None:
    spec = parse_spec(FULL)
    assert (spec.name, spec.salt, spec.key, spec.ingested) == ("images", "images", ("source", "path"), "images")
    assert parse_spec(spec.to_yaml()) == spec
    agree(full())


def test_what_is_given_counts_before_defaults() -> None:
    spec = parse_spec(FULL + "name: mine\nsalt: s\nkey: content_hash\nsource_column: origin\n")
    assert (spec.name, spec.salt, spec.key) == ("mine", "s", ("content_hash",))
    assert parse_spec(FULL + "source_column: origin\n").key == ("origin", "path")


def test_tables_still_need_name_salt_and_key() -> None:
    told = model_says(read_document(f"sources: {{a: {{path: a.csv}}}}\n{PLAIN}", "spec").values)
    assert len(told) == 3
    agree(read_document(f"sources: {{a: {{path: a.csv}}}}\n{PLAIN}", "spec").values)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("sources", "web", "label"), "directory"),
        (("sources", "web", "label"), {"from": "name"}),
        (("sources", "web", "label", "level"), 1.5),
        (("sources", "app", "table"), {"file": "x"}),
        (("sources", "app", "table", "columns"), "label"),
        (("images", "max_pixels"), 0),
        (("images", "max_pixels"), 178_956_971),
        (("images", "max_pixels"), "many"),
        (("images", "max_rejected"), 0),
        (("images", "max_rejected"), 50),
        (("images", "max_rejected"), -1),
        (("images", "max_rejected"), "101%"),
        (("images", "max_rejected"), True),
        (("images", "mislabelled"), "keep"),
        (("images", "embedding"), {"onnx": "m.onnx"}),
        (("images", "embedding"), {}),
        (("images", "embedding"), {"onnx": "m.onnx", "function": "a:b"}),
        (("images", "embedding"), {"function": "no colon"}),
        (("images", "unknown"), 1),
        (("name",), "other"),
    ],
)
def test_models_and_schema_agree(path: tuple[str, ...], value: Any) -> None:
    agree(put(full(), path, value))


def test_two_lists_may_name_files_of_one_folder() -> None:
    one, other = "{path: p, format: images, table: a.csv}", "{path: p, format: images, table: {path: b.csv}}"
    assert parse_spec(f"sources: {{a: {one}, b: {other}}}\n{PLAIN}").sources["b"].table is not None
    with pytest.raises(SpecError, match=r"'p' stands in source 'a' already"):
        parse_spec(f"sources: {{a: {one}, b: {one}}}\n{PLAIN}")


@pytest.mark.parametrize("written", ["5", "rest", "1/20", "0.05"])
def test_a_bound_on_what_is_rejected_is_a_count_or_a_percentage(written: str) -> None:
    told = re.escape(f"""got '{written}'; expected a count as in 0 or 50, or a percentage as in "5%" @""")
    with pytest.raises(SpecError, match=told):
        parse_spec(f"sources: {{a: {{path: a, format: images}}}}\nimages: {{max_rejected: '{written}'}}\n{PLAIN}")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "sources: {a: {path: a, format: images}, b: {path: b.csv}}\nname: n\nsalt: s\nkey: k\n",
            "sources of one kind",
        ),
        (
            "sources: {a: {path: a, format: images}, b: {path: b, format: audio}}\nname: n\nsalt: s\nkey: k\n",
            "one kind",
        ),
        ("sources: {a: {path: a.csv, label: {from: directory}}}\nname: n\nsalt: s\nkey: k\n", "set format: images"),
        ("sources: {a: {path: a.csv, table: b.csv}}\nname: n\nsalt: s\nkey: k\n", "which lists files"),
        ("sources: {a: {path: [a, b], format: images, table: b.csv}}\n", "and several paths"),
        ("sources: {a: {path: a, format: images}}\naudio: {max_seconds: 5}\n", "no source has format: audio"),
        (
            "sources: {a: {path: a.csv}}\nimages: {max_pixels: 5}\nname: n\nsalt: s\nkey: k\n",
            "no source has format: images",
        ),
        ("sources: {a: {path: a, format: images, csv: {delimiter: ';'}}}\n", "has csv: options"),
    ],
)
def test_what_does_not_go_together_is_told(text: str, told: str) -> None:
    with pytest.raises(SpecError, match=told):
        parse_spec(text + PLAIN)


def test_the_specs_of_the_document_are_specs() -> None:
    text = (Path(__file__).resolve().parents[3] / "docs/images.md").read_text()
    first, limits = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert parse_spec(first).ingested == "images"
    assert parse_spec(first + limits).images == Images()
    (embedding,) = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    assert parse_spec(first + embedding).images.embedding == EmbeddingOf(function="vectors:embed")
