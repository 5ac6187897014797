"""Conditions: what passes, what is refused, and that a row's answer does not depend on the rows beside it."""

import datetime as dt
import pickle

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splitting.conditions import (
    FUNCTIONS,
    MAX_CHARACTERS,
    Condition,
    ConditionError,
    check_syntax,
    columns_of,
    cut,
    evaluate,
)
from splitting.errors import DataError

UTC = pl.Datetime("us", "UTC")
STOCKHOLM = pl.Datetime("us", "Europe/Stockholm")
DAYS = [dt.date(2025, 12, 31), dt.date(2026, 1, 1), None]
TIMES = [dt.datetime(2025, 12, 31, 23, 59), dt.datetime(2026, 1, 1), None]
FRAME = pl.DataFrame(
    {"a": [1, 2, None], "s": ["x", "it's", None], "b": [True, False, None], "f": [1.5, float("nan"), None]}
    | {'q"x': [1, 2, 3], "select": [1, 2, 3], "from": [1, 2, 3], "frame": [1, 2, 3], "case": [1, 2, 3]}
    | {"max": [1, 2, 3], "left": [1, 2, 3], "order by": [1, 2, 3], "été": [1, 2, 3], "date": DAYS, "d": DAYS}
    | {"t": TIMES, "z": pl.Series(TIMES).dt.replace_time_zone("UTC")}
    | {"local": pl.Series(TIMES).dt.replace_time_zone("Europe/Stockholm"), "n": [None, None, None]},
    schema_overrides={"a": pl.Int64},
)


def mask(sql: str, frame: pl.DataFrame = FRAME) -> list[bool]:
    return Condition(sql, columns_of(sql, frame.columns)).mask(frame).to_list()


@pytest.mark.parametrize(
    "sql",
    [
        "a = (select 1)",
        "a in (select a from frame)",
        "(select 1) = 1",
        "exists (select 1)",
        "a in (select max(a) from frame)",
        "read_csv('/etc/passwd') = 1",
        "\"read_csv\"('/etc/passwd') = 1",
        "a in read_parquet('x')",
        "unnest(a) = 1",
        "a = 1; drop table frame",
        "a = 1;",
        "a = 1 -- more",
        "a /* x */ = 1",
        "count(*) > 0",
        "max(a) = a",
        '"max"(a) = a',
        "max (a) = a",
        "max\n(a) = a",
        "first(a) = 1",
        "sum(a) over () > 1",
        "row_number() over (order by a) = 1",
        "lag(a) = 1",
        "random() < 0.5",
        "now() > z",
        "current_date > d",
        "current_timestamp > z",
        "*",
        "a = *",
        "frame.a = 1",
        "a[1] = 1",
        "a::int = 1",
        "`a` = 1",
        "[a] = 1",
        "$1 = 1",
        "? = 1",
        "@a = 1",
        "$$x$$ = s",
        "a & 1 = 1",
        "a == 1",
        "a = 1, a = 2",
        "a = 1) or (a = 2",
        "a = 1) as x, (a = 2",
        "a = 1) from frame union select (a = 2",
        "a = 1 as x",
        "b is not true",
        "b is true",
        "a as s",
        "(a = 1",
        "a = 1)",
        "cast(a as struct) = 1",
        "try_cast(s as int) = 1",
        "a in (a)",
        "a in (1, a + 1)",
        "a = 1x",
        "a = 0x10",
        "a = 1_000",
        "a = 1.",
        "s = 'x",
        's = "x"',
        's = "',
        '"" = 1',
        "nope = 1",
        "A = 1",
        "ａ = 1",
        "а = 1",
        "a ＝ 1",
        "a = １",
        "s = ‘x’",
        "a\u200b = 1",
        "a\0 = 1",
        "",
        " \n ",
        "(" * 31 + "a = 1" + ")" * 31,
        "(" * 50_000,
        " or ".join(["a = 1"] * 101),
        "true or " * 300 + "true",
        "not " * 5_000 + "b",
        "- " * 5_000 + "a = 1",
        "case " * 5_000,
        "a between 1 and " * 9 + "1",
        "nullif(" * 9 + "a" + ", 1)" * 9 + " = 1",
        "s = '" + "x" * MAX_CHARACTERS + "'",
        "x" * (MAX_CHARACTERS + 1),
    ],
)
def test_a_hostile_condition_is_refused(sql: str) -> None:
    with pytest.raises((ConditionError, pl.exceptions.PolarsError)):
        evaluate(sql, FRAME)
    with pytest.raises((ConditionError, pl.exceptions.PolarsError)):
        evaluate(sql, FRAME.drop("select", "from", "frame", "max"))


@pytest.mark.parametrize(
    ("sql", "parts"),
    [
        ("", ["is empty", "country = 'SE'"]),
        ("a = 1 -- x", ["a comment (--)", "at character 7", "take it out"]),
        ("sum(a) = 1", ["function sum() is not allowed", "abs, ceil"]),
        ("aa = 1", ["there is no column 'aa'", "did you mean 'a'?"]),
        ("zzz = 1", ["there is no column 'zzz'", "the columns are"]),
        ('s = "x"', ["there is no column 'x'", "texts stand in single quotes"]),
        ("a == 1", ["write ="]),
        ("a = (select 1)", ["sub-queries", "one row"]),
        ("a in (select a from frame)", ["sub-queries"]),
        ("exists (select 1)", ["sub-queries"]),
        ("a = 1 b", ["1 and b stand beside each other", "operator"]),
        ("a = 1 or or b", ["before or a value is missing"]),
        ("a in (1,)", ["between , and ) a value is missing"]),
        ("a in ()", ["brackets hold nothing"]),
        ("a = ", ["ends with =", "write what comes after it"]),
        ("greatest() = 1", ["greatest() got 0 argument(s), expected 1 to"]),
        ("left(s) = 'x'", ["left() got 1 argument(s), expected 2"]),
        ("a; b", ["';' at character 2", "one condition only"]),
        ("a = 1 & b", ["'&' at character 7", "write and"]),
        ("a = 1x", ["'1x' at character 5"]),
        ("b is true", ["got is true", "write a boolean column by itself, or not x"]),
        ("s = 'x", ["quote ' at character 5", "not closed"]),
        ("a ; 1", ["';' at character 3"]),
        ("((a = 1)", ["1 bracket is not closed"]),
        ("a = 1, a = 2", ["comma", "AND or OR"]),
        ("cast(a as json) = 1", ["type json is not allowed", "bigint"]),
        ("x" * 100_001, ["100,001 characters long", "at most 100,000"]),
        (" or ".join(["a = 1"] * 101), ["101 columns", "at most 100", "in (…)"]),
    ],
)
def test_the_message_says_what_and_what_to_do(sql: str, parts: list[str]) -> None:
    with pytest.raises(ConditionError) as caught:
        columns_of(sql, FRAME.columns)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    "sql",
    [
        "a between 1",
        "case when a then",
        "not",
        "a = ",
        "= a",
        "a not b",
        "cast(a) = 1",
        "case end",
        "in in in",
        "x'ab'",
        "a = 'x' 'y'",
        "date_part('yeer', d) = 1",
        "greatest() = 1",
        "coalesce() = 1",
        "a = (select 1)",
        "(a)(b)",
        "lower(a, s)",
        "a = 1 from",
        "a = 1 as x",
        "null null",
        "a = 1; b = 2",
        "sum(a) = 1",
    ],
)
def test_what_is_no_condition_is_refused_without_its_columns(sql: str) -> None:
    with pytest.raises(ConditionError):
        check_syntax(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "zzz = 1",
        "select = 1",
        "from = 1 and frame = 1",
        "left = 1 and left(s, 1) = 'x'",
        "not not b",
        "- -a = 1",
        "null",
        "date >= date '2026-01-01'",
        "cast(a as int) = 1 and b",
        "a not in (1, 2) and s is not null",
        "case a when 1 then b end",
        "a between 1 and 2 and (b or not b)",
        "ltrim(s, 'x') = trim(s)",
        "a in (-1, +1)",
        '"where" = 1',
    ],
)
def test_what_is_one_passes_without_its_columns(sql: str) -> None:
    check_syntax(sql)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("a = 1", "TFF"),
        ("not a = 1", "FTF"),
        ("a <> 1", "FTF"),
        ("a is null", "FFT"),
        ("a is not null", "TTF"),
        ("a = null", "FFF"),
        ("null", "FFF"),
        ("a = 1 or null", "TFF"),
        ("a in (1, 3)", "TFF"),
        ("a not in (1, null)", "FFF"),
        ("a between 1 and 2", "TTF"),
        ("b", "TFF"),
        ("not b", "FTF"),
        ("coalesce(b, false) = false", "FTT"),
        ("n = 1", "FFF"),
        ("n is null", "TTT"),
        ("coalesce(a, 0) = 0", "FFT"),
        ("case when a = 1 then true else false end", "TFF"),
        ("1 = 1", "TTT"),
        ("1 = 0", "FFF"),
        ("TRUE", "TTT"),
        ("s = 'it''s'", "FTF"),
        ("s = 'a\\' or 'x' = 'x'", "TTT"),
        ("s like 'it%'", "FTF"),
        ("s not like 'it%'", "TFF"),
        ("s ilike 'X'", "TFF"),
        ("s || '!' = 'x!'", "TFF"),
        ("f > 1", "TTF"),
        ("a / 2 = 0.5", "TFF"),
        ("a = 1e0", "TFF"),
        ('"q""x" = 2', "FTF"),
        ('"order by" = 2', "FTF"),
        ('"select" = 1', "TFF"),
        ("select = 1", "TFF"),
        ("from = 1 and frame = 1", "TFF"),
        ('"case" = 1', "TFF"),
        ("max = 1 and left = 1", "TFF"),
        ("left(s, 1) = 'i'", "FTF"),
        ("été = 1", "TFF"),
        ("\ta\n=\r\n1", "TFF"),
        ("a in (" + ", ".join(map(str, range(2, 15_000))) + ")", "FTF"),
        (" or ".join(["a = 1"] * 100), "TFF"),
        ("(" * 30 + "a = 1" + ")" * 30, "TFF"),
    ],
)
def test_what_a_condition_means(sql: str, expected: str) -> None:
    assert mask(sql) == [letter == "T" for letter in expected]


@pytest.mark.parametrize("column", ["d", "t", "z", "local", "date"])
@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("{} >= '2026-01-01'", [False, True, False]),
        ("'2026-01-01' <= {}", [False, True, False]),
        ("not ({} >= '2026-01-01')", [True, False, False]),
        ("{} between '2026-01-01' and '2026-01-31'", [False, True, False]),
        ("{} in ('2026-01-01')", [False, True, False]),
        ("date_part('year', {}) = 2026", [False, True, False]),
        ("{} >= date '2026-01-01'", [False, True, False]),
    ],
)
def test_dates_compare_with_texts_in_the_columns_own_zone(column: str, sql: str, expected: list[bool]) -> None:
    assert mask(sql.format(column)) == expected


def test_columns_named_like_types_and_functions_are_columns() -> None:
    assert columns_of("date >= date '2026-01-01' and left(s, 1) = 'x' and left = 1", FRAME.columns) == (
        "date",
        "left",
        "s",
    )
    assert columns_of("case when b then 1 else 2 end = 1", FRAME.columns) == ("b",)


def test_tokens_keep_texts_whole() -> None:
    assert [token.kind for token in cut('a>=\'--;\' and "q""x"<>1.5e3')] == (
        ["word", "mark", "text", "word", "quoted", "mark", "number"]
    )


def test_a_mask_of_no_rows_is_empty() -> None:
    for sql in ("a = 1", "1 = 1", "null", "coalesce(1, a) = 1"):
        assert Condition(sql, columns_of(sql, FRAME.columns)).mask(FRAME.head(0)).to_list() == []


def test_a_cast_that_fails_is_the_datas_fault() -> None:
    with pytest.raises(DataError, match=r"'cast\(s as int\) = 1' cannot be evaluated: .*clean the data"):
        mask("cast(s as int) = 1")


def test_a_condition_pickles() -> None:
    condition = Condition("a = 1", ("a",))
    again = pickle.loads(pickle.dumps(condition))
    assert again == condition
    assert again.mask(FRAME).to_list() == condition.mask(FRAME).to_list()


SCHEMA = {"a": pl.Int64, "s": pl.String, "b": pl.Boolean, "f": pl.Float64, "d": pl.Date, "z": UTC}
ROWS = st.fixed_dictionaries(
    {
        "a": st.none() | st.integers(-3, 3),
        "s": st.none() | st.sampled_from(["", "x", "It's", "éa", "2026-01-01"]),
        "b": st.none() | st.booleans(),
        "f": st.none() | st.sampled_from([0.0, -0.0, 1.5, -2.5, float("nan"), float("inf")]),
        "d": st.none() | st.sampled_from([dt.date(2025, 12, 31), dt.date(2026, 1, 1)]),
        "z": st.none()
        | st.sampled_from([dt.datetime(2025, 12, 31, tzinfo=dt.UTC), dt.datetime(2026, 1, 1, tzinfo=dt.UTC)]),
    }
)
CONDITIONS = [
    "a = 1",
    "a in (1, 2, null)",
    "a / 2 > 0.4 or a % 2 = 1",
    "coalesce(a, f, 1) > 0",
    "greatest(a, 1) = least(f, 2)",
    "nullif(a, 1) is null",
    "reverse(s) = s",
    "upper(s) = 'X' or lower(s) like '%s'",
    "length(s) > 1 and left(s, 2) = 'at'",
    "concat(s, a) = 'x1'",
    "replace(s, 'x', 'y') = 'y' or substr(s, 1, 1) = 'I'",
    "starts_with(s, 'é') or ends_with(s, 'a')",
    "trim(s) = ltrim(rtrim(s)) and right(s, 1) = left(s, 1)",
    "round(f) = ceil(f) or floor(f) = sign(f) or abs(f) = 1.5",
    "d >= '2026-01-01'",
    "z >= '2026-01-01' and not b",
    "date_part('month', z) = 12",
    "case when b then a when s = 'x' then 1 end = 1",
    "cast(a as varchar) = '1' or cast(d as text) = '2026-01-01'",
    "coalesce(b, false) = false",
    "1 = 1",
    "null",
]


@given(st.lists(st.lists(ROWS, max_size=4), max_size=4), st.sampled_from(CONDITIONS))
@settings(max_examples=150, deadline=None)
def test_a_row_has_one_answer_whatever_rows_are_beside_it(batches: list[list[dict[str, object]]], sql: str) -> None:
    frames = [pl.DataFrame(rows, schema=SCHEMA, orient="row") for rows in batches]
    condition = Condition(sql, columns_of(sql, list(SCHEMA)))
    apart = [met for frame in frames for met in condition.mask(frame)]
    together = condition.mask(pl.concat([pl.DataFrame(schema=SCHEMA), *frames])).to_list()
    assert apart == together


def test_every_allowed_function_is_one_that_the_law_above_covers() -> None:
    called = {token.characters.lower() for sql in CONDITIONS for token in cut(sql) if token.kind == "word"}
    assert called >= FUNCTIONS


@pytest.mark.parametrize(
    ("sql", "dtype", "values", "expected"),
    [
        ("n - 10 < 0", pl.UInt8, [0, 9, 10, 255, None], [True, True, False, False, False]),
        ("n + 1 = 256", pl.UInt8, [255, 0], [True, False]),
        ("n * 4 > 0", pl.Int64, [2**62, -(2**62)], [True, False]),
        ("n + 1 > 18446744073709551615", pl.UInt64, [2**64 - 1, 1], [True, False]),
        ("-n < 0", pl.UInt16, [1, 0], [True, False]),
        ("n % 0 = 1", pl.Int8, [1, 0], [False, False]),
    ],
)
def test_whole_numbers_do_not_wrap_around(
    sql: str, dtype: pl.DataType, values: list[int | None], expected: list[bool]
) -> None:
    frame = pl.DataFrame({"n": pl.Series(values, dtype=dtype)})
    assert Condition(sql, columns_of(sql, ["n"])).mask(frame).to_list() == expected


def test_every_function_of_null_is_unknown() -> None:
    frame = pl.DataFrame(
        {"s": [None], "x": [None], "d": [None]}, schema={"s": pl.String, "x": pl.Float64, "d": pl.Date}
    )
    known = {"coalesce", "concat", "greatest", "least"}  # these pass over nulls, as in other databases
    arguments = {"date_part": "'year', d", "nullif": "s, 'a'", "replace": "s, 'a', 'b'", "substr": "s, 1, 1"}
    arguments |= dict.fromkeys(["ends_with", "starts_with"], "s, 'a'") | dict.fromkeys(["left", "right"], "s, 1")
    arguments |= dict.fromkeys(["abs", "ceil", "floor", "round", "sign"], "x")
    for name in set(FUNCTIONS) - known:
        assert evaluate(f"{name}({arguments.get(name, 's')})", frame).to_list() == [None], name
