"""What the fields of a spec say together: everything that is wrong is told at once, in the order of the file."""

from __future__ import annotations

import re

import pytest

from pipelines.spec.checks import INDEX_COLUMNS, RESERVED_SPLITS
from pipelines.spec.loading import parse_spec
from splitting.errors import Problem, SpecError

FIELDS = {
    "name": "small",
    "salt": "s",
    "sources": "{app: {path: a.csv}, web: {path: w.csv}}",
    "key": "id",
    "target": "{source: app}",
    "splits": "{dev: 10, test: 10}",
}


def document(**changes: str) -> str:
    return "".join(f"{field}: {value}\n" for field, value in {**FIELDS, **changes}.items())


def problems(text: str) -> list[Problem]:
    with pytest.raises(SpecError) as caught:
        parse_spec(text)
    return list(caught.value.problems)


def only_problem(**changes: str) -> Problem:
    found = problems(document(**changes))
    assert len(found) == 1, found
    return found[0]


def test_everything_that_can_be_known_is_told_at_once_in_the_order_of_the_file() -> None:
    text = """\
name: 12
sources:
  app: {path: a.csv, fromat: csv}
  web: {path: a.csv}
  cam: {path: 7}
key: [id, id]
target: {source: ap, where: "a = (select 1)"}
key: other
stratify: [{column: a, edges: [2, 1]}]
splits:
  Dev: 0.2
  test: 60%
  more: 60%
  night: {size: 2_500, from: "sum(a) = 1"}
  far: {size: 5, from: {source: wbe}}
on_shortfall: fil
"""
    found = [(problem.path, problem.message) for problem in problems(text)]
    assert [path for path, _ in found] == [
        "salt", "name", "sources.app.fromat", "sources.web.path", "sources.cam.path", "key", "key", "target.source",
        "target.where", "stratify[0].edges", "splits", "splits.Dev.size", "splits.Dev", "splits.night.size",
        "splits.night.from", "splits.far.from.source", "on_shortfall",
    ]  # fmt: skip
    told = dict(found)
    assert told["target.source"] == "line 7: there is no source 'ap'; did you mean 'app'?"
    assert "did you mean 'web'?" in told["splits.far.from.source"]
    assert told["salt"].startswith("is missing")
    assert told["splits.night.from"].startswith("line 14: 'sum(a) = 1': function sum() is not allowed")
    assert "stands twice, first in line 6, the second time in line 8" in str(found)


def test_a_value_that_is_told_by_yaml_is_not_told_again() -> None:
    assert only_problem(splits="{dev: 2_500}").path == "splits.dev"
    assert (
        only_problem(target="{source: app, where: }").message == "line 5: is empty; write a value, or take the line out"
    )


def test_names_of_sources_and_splits_that_are_words_of_the_models_are_shown() -> None:
    found = problems(document(sources="{str: {path: 1}, csv: {pth: x}}", target="{source: str}"))
    assert [problem.path for problem in found] == ["sources.str.path", "sources.csv.path", "sources.csv.pth"]
    assert 'did you mean "path"?' in found[2].message


@pytest.mark.parametrize(
    ("changes", "path", "part"),
    [
        ({"target": "{source: [], where: a = 1}"}, "target.source", "is empty, expected at least one entry"),
        ({"target": "{source: app, where: '  '}"}, "target.where", "blank; write a text, or take the line out"),
        ({"target": "{source: app, where: ''}"}, "target.where", "blank"),
        ({"target": "{source: [app, app]}"}, "target.source", "source 'app' stands more than once"),
        ({"splits": "{dev: {size: 5, from: ' '}}"}, "splits.dev.from", "blank"),
        ({"salt": "' '"}, "salt", "blank"),
        ({"name": "' '"}, "name", "expected letters"),
        ({"group": ""}, "group", "is empty; write a value"),
        ({"sources": "{app: {path: ' '}}"}, "sources.app.path", "expected a file, folder or glob"),
        (
            {"sources": "{app: {path: a.parquet, csv: {delimiter: ;}}}"},
            "sources.app",
            "has csv: options, but is parquet; take csv: out",
        ),
        ({"sources": "{app: {path: a, format: jsonl, csv: {}}}"}, "sources.app", "has csv: options, but is jsonl"),
        (
            {"sources": "{app: {path: a, csv: {column_types: {source: string}}}}"},
            "sources.app.csv.column_types.source",
            "tells each row's source",
        ),
        (
            {"sources": "{app: {path: a, csv: {column_types: {where: int32}}}}", "source_column": "where"},
            "sources.app.csv.column_types.where",
            "set source_column:",
        ),
        (
            {"sources": "{app: {path: a, csv: {column_types: {x: str}}}}"},
            "sources.app.csv.column_types.x",
            "got type 'str', expected one of",
        ),
        ({"sources": "{app: {path: a}, web: {path: [b, a]}}"}, "sources.web.path[1]", "stands in source 'app' already"),
        ({"sources": "{app: {path: d/a}, web: {path: ./d//a/}}"}, "sources.web.path", "stands in source 'app' already"),
        ({"sources": "{app: {path: [a, a]}}"}, "sources.app.path[1]", "stands in this source already"),
        ({"splits": "{Dev: 10, dev: 10}"}, "splits.Dev", "dev stands here too: keep one of them"),
        ({"splits": "{Dev: 10}"}, "splits.Dev", "did you mean dev?"),
        ({"splits": "{dev-night: 10}"}, "splits.dev-night", "did you mean dev_night?"),
        ({"splits": "{a/b: 10}"}, "splits.a/b", "did you mean a_b?"),
        ({"splits": "{../x: 10}"}, "splits.../x", "a-z, 0-9 and _"),
        ({"splits": "{é: 10}"}, "splits.é", "rename it"),
        ({"splits": '{"a\\n": 10}'}, "splits.a\n", "did you mean a?"),
        ({"splits": f"{{{'d' * 41}: 10}}"}, f"splits.{'d' * 41}", "is 41 characters long, expected at most 40"),
        ({"splits": "{train: rest}"}, "splits", "has no evaluation split"),
        ({"splits": "{train: 5, dev: 5}"}, "splits.train", "train is what is left"),
        ({"splits": "{train: {size: rest, from: target}, dev: 5}"}, "splits.train", "train is what is left"),
        ({"splits": "{test: rest}"}, "splits.test", "only train can be what is left"),
        ({"splits": "{dev: 60%, test: {size: 60%, from: target}}"}, "splits", "120% of one pool"),
        ({"splits": "{dev: 60%, test: {size: 60%, from: {source: app}}}"}, "splits", "120% of one pool"),
        ({"splits": "{" + ", ".join(f"d{i}: 1" for i in range(25)) + "}"}, "splits", "got 25 splits beside train"),
        ({"group": "row"}, "group", "the whole row"),
        ({"sources": '{"a\\nb": {path: x}}', "target": "{where: a = 1}"}, "sources.a\nb", "printable"),
    ],
)
def test_what_means_nothing_is_refused_with_one_message(changes: dict[str, str], path: str, part: str) -> None:
    found = only_problem(**changes)
    assert found.path == path
    assert part in found.message


@pytest.mark.parametrize("name", RESERVED_SPLITS)
def test_reserved_names_of_splits_are_refused(name: str) -> None:
    assert f"'{name}' is reserved" in only_problem(splits=f"{{dev: 1, {name}: 10}}").message


@pytest.mark.parametrize("column", INDEX_COLUMNS)
def test_an_index_has_columns_of_its_own(column: str) -> None:
    found = only_problem(output="index", source_column=column)
    assert found.path == "source_column"
    assert "which the index uses itself" in found.message
    assert parse_spec(document(source_column=column)).source_column == column


@pytest.mark.parametrize(
    ("sql", "part"),
    [
        ("a = (select 1)", "sub-queries"),
        ("a in (select a from frame)", "sub-queries"),
        ("read_csv('/etc/passwd') = 1", "function read_csv() is not allowed"),
        ("count(*) > 0", "function count() is not allowed"),
        ("a = 1; drop table frame", "write one condition only"),
        ("a = 1 -- more", "a comment"),
        ("a = 1 b = 2", "stand beside each other"),
        ("a between 1", "not a whole condition"),
        ("nope is true", "after is, only null and not null"),
    ],
)
@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"target": "{where: SQL}"}, "target.where"),
        ({"splits": "{dev_night: {size: 5, from: SQL}}"}, "splits.dev_night.from"),
        ({"splits": "{dev_night: {size: 5, from: {where: SQL}}}"}, "splits.dev_night.from.where"),
    ],
)
def test_sql_that_is_no_condition_is_refused_when_the_spec_is_loaded(
    sql: str, part: str, changes: dict[str, str], path: str
) -> None:
    found = only_problem(**{field: value.replace("SQL", f'"{sql}"') for field, value in changes.items()})
    assert found.path == path
    assert part in found.message


def test_columns_of_a_condition_are_not_known_when_the_spec_is_loaded() -> None:
    assert parse_spec(document(target="{where: nobody_knows = 1}")).target.where == "nobody_knows = 1"


def test_csv_options_may_stand_where_files_may_be_csv() -> None:
    sources = (
        "{a: {path: [x.csv, y.parquet], csv: {}}, b: {path: folder, csv: {}}, c: {path: d.txt, format: csv, csv: {}}}"
    )
    spec = parse_spec(document(sources=sources, target="{source: a}"))
    assert parse_spec(spec.to_yaml()) == spec
    assert "csv:" not in parse_spec(document()).to_yaml()


def test_every_message_says_what_to_do() -> None:
    """Each of the messages above has a part that says what was got or expected, and one that says what to do."""
    advice = re.compile(r"expected|did you mean|write |take |keep |choose |rename|set |mend|name |shorten|make |leave ")
    for changes in ({"name": "12"}, {"salt": "' '"}, {"key": "[a, a]"}, {"splits": "{all: 1}"}, {"splits": "{é: 1}"}):
        assert advice.search(only_problem(**changes).message), changes


@pytest.mark.parametrize("told", ["auc: 0.3", "auc: [0.4, 0.6]", "auc: [0.6, 1.2]", "leak_auc: 0.3"])
def test_an_auc_below_chance_is_no_threshold(told: str) -> None:
    problem = only_problem(checks=f"{{thresholds: {{{told}}}}}")
    assert problem.path == f"checks.thresholds.{told.split(':', maxsplit=1)[0]}"
    assert "from 0.5 (chance) to 1" in problem.message
    fine = parse_spec(document(checks="{thresholds: {auc: [0.5, 1], leak_auc: 0.5}}"))
    assert fine.checks.thresholds.auc == (0.5, 1)
