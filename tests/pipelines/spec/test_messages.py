"""Every mistake of a spec is told in plain words with its path; YAML that people read otherwise is refused."""

import json
import re
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.spec.checks import RESERVED_SPLITS
from pipelines.spec.loading import load_spec, parse_spec
from splitting.errors import SpecError

BASE = {
    "name": "n",
    "salt": "s",
    "sources": "{web: {path: a}, app: {path: b}}",
    "key": "id",
    "target": "{source: app}",
    "splits": "{dev: 10}",
}
JARGON = re.compile(r"Input should|value_error|pydantic|constrained|function-|is-instance|Discriminator|tagged")


def told(text: str) -> str:
    with pytest.raises(SpecError) as caught:
        parse_spec(text)
    assert not JARGON.search(str(caught.value))
    return str(caught.value)


def document(**changes: str) -> str:
    return "".join(f"{field}: {value}\n" for field, value in {**BASE, **changes}.items())


@pytest.mark.parametrize(
    ("field", "value", "parts"),
    [
        ("name", "123", ["got 123, expected a text", "quotes", "@ name"]),
        ("name", "yes", ["got true, expected a text", "@ name"]),
        ("name", "~", ["got nothing, expected a text"]),
        ("salt", "''", ["blank", "@ salt"]),
        ("sources", "{}", ["is empty, expected at least one", "@ sources"]),
        ("sources", "[a]", ["got a list, expected a mapping, as in {app:", "@ sources"]),
        ("sources", "{app: x}", ["got 'x', expected a mapping, as in {path:", "@ sources.app"]),
        ("sources", "{app: {path: 12}}", ["got 12, expected a file, folder or glob", "@ sources.app.path"]),
        (
            "sources",
            "{app: {path: a, csv: {delimitr: x}}}",
            ['did you mean "delimiter"?', "@ sources.app.csv.delimitr"],
        ),
        ("sources", "{app: {path: a, csv: {delimiter: ab}}}", ["at most 1 character"]),
        ("sources", "{app: {path: a, csv: {delimiter: é}}}", ["one ASCII character"]),
        ("sources", "{app: {path: a, csv: {newlines_in_values: 1}}}", ["expected true or false"]),
        ("sources", "{app: {path: a, csv: {encoding: base64}}}", ["expected an encoding"]),
        ("key", "[]", ["is empty", "@ key"]),
        ("key", "[a, 1]", ["got 1, expected a text", "@ key[1]"]),
        ("key", "[row, a]", ["got row, which means the whole row", "@ key"]),
        ("key", "[a, a]", ["'a' stands more than once", "@ key"]),
        ("target", "app", ["got 'app', expected a mapping, as in {source: app}", "@ target"]),
        ("target", "{sorce: app}", ['did you mean "source"?', "@ target.sorce"]),
        ("stratify", "[a, {column: b, edges: [3, 2]}]", ["strictly increasing", "@ stratify[1].edges"]),
        ("stratify", "[{column: b, edges: ['3']}]", ["got '3', expected a number", "@ stratify[0].edges[0]"]),
        ("stratify", "[{column: b, edges: [.nan]}]", ["expected a number"]),
        ("stratify", "[{column: b, edges: [true]}]", ["got true, expected a number"]),
        ("stratify", "[{column: b, egdes: []}]", ['did you mean "edges"?', "@ stratify[0].egdes"]),
        ("splits", "{dev: 0.2}", ["got 0.2", "20%", "@ splits.dev"]),
        ("splits", "{dev: true}", ["got true", "write a count", "@ splits.dev"]),
        ("splits", "{dev: 2_500}", ["got the number 2_500", "plain digits", "1 problem\n"]),
        ("splits", "{dev: 012}", ["got the number 012"]),
        ("splits", "{dev: 1:30}", ["got the number 1:30"]),
        ("splits", "{dev: 1e3}", ["got '1e3'", "expected a count"]),
        ("splits", "{dev: ２%}", ["expected a count"]),
        ("splits", "{dev: 60%, test: 40.01%}", ["dev 60% + test 40.01% are 100.01% of one pool", "@ splits"]),
        ("splits", "{dev: {size: 3, form: x}}", ['did you mean "from"?', "@ splits.dev.form"]),
        ("splits", "{dev: {size: 3, from: 5}}", ["1 problem\n", "got 5, expected a text", "@ splits.dev.from"]),
        ("splits", "{dev: {size: 3, from: {sorce: x}}}", ["1 problem\n", "@ splits.dev.from.sorce"]),
        ("splits", "{dev: {size: 3, from: {source: wb}}}", ["did you mean 'web'?", "@ splits.dev.from.source"]),
        ("on_shortfall", "fil", ["did you mean fill?", "@ on_shortfall"]),
        ("nme", "x", ['unknown key "nme"; did you mean "name"?']),
    ],
)
def test_a_mistake_is_told_in_plain_words(field: str, value: str, parts: list[str]) -> None:
    message = told(document(**{field: value}))
    for part in parts:
        assert part in message


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a: !!python/object:os.system x", "the tag '!!python/object:os.system' is not allowed"),
        ("name: !!str 12", "the tag '!!str' is not allowed"),
        ("name: !own x", "the tag '!own' is not allowed"),
        ("a: &x 1\nb: *x", "references"),
        ("a: 1\na: 2", "stands twice, first in line 1, the second time in line 2"),
        ("? [a]\n: b", "the key in line 1 is a list"),
        ("a: \x01", "not YAML"),
        ("a: " + "9" * 5_000, "plain digits"),
        ("[" * 5_000, "nested deeper"),
        ("- a", "is a list"),
        ("a: 1\n---\nb: 2", "another document"),
    ],
)
def test_what_is_no_plain_yaml_is_refused(text: str, part: str) -> None:
    assert part in told(text)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_bytes(b"name: \xff\xfe")
    with pytest.raises(SpecError, match="not UTF-8 text"):
        load_spec(str(tmp_path / "spec.yaml"))
    with pytest.raises(SpecError, match="no such file"):
        load_spec(str(tmp_path / "none.yaml"))


def test_dates_and_numbers_may_be_names_of_columns_in_quotes() -> None:
    spec = parse_spec(document(key="['1', 'yes']", salt="2026-01-01"))
    assert (spec.key, spec.salt) == (("1", "yes"), "2026-01-01")


@pytest.mark.parametrize(
    ("text", "share"), [("2.5%", (1, 40)), ("33.33%", (3333, 10_000)), ("100%", (1, 1)), ("0.001 %", (1, 100_000))]
)
def test_percentages_are_exact(text: str, share: tuple[int, int]) -> None:
    spec = parse_spec(document(splits=f"{{dev: {text}}}"))
    assert spec.splits["dev"].size == Fraction(*share)
    assert parse_spec(spec.to_yaml()) == spec


NAMES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12)
QUOTE = "'"
SPLITS = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: name not in ("train", *RESERVED_SPLITS)
)
SIZES = st.integers(1, 10**9) | st.integers(1, 5_000).map(lambda n: f"{n // 1000}.{n % 1000:03}%")


@given(
    st.lists(NAMES, min_size=1, max_size=3, unique=True),
    st.lists(NAMES, min_size=1, max_size=3, unique=True).filter(lambda key: "row" not in key),
    st.dictionaries(
        SPLITS,
        SIZES.filter(lambda s: s != "0.000%"),
        min_size=1,
        max_size=4,
    ),
    NAMES,
)
def test_a_spec_comes_back_from_its_yaml(
    sources: list[str], key: list[str], splits: dict[str, int | str], salt: str
) -> None:
    def typed(value: object) -> str:
        return json.dumps(value, ensure_ascii=False)

    spec = parse_spec(
        document(
            sources=typed({name: {"path": name} for name in sources}),
            key=typed(key),
            target=typed({"source": sources[0], "where": f"a = '{salt.replace(QUOTE, QUOTE * 2)}'"}),
            splits=typed(splits),
            salt=typed(salt),
        )
    )
    assert parse_spec(spec.to_yaml()) == spec
