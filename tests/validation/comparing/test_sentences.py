"""What people read."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.validation.comparing.building import category, number
from validation.comparing.columns import compare_all, compare_columns
from validation.comparing.pairs import Pair
from validation.comparing.sentences import rank_mismatch, sentence, weight
from validation.comparing.sources import compare_sources
from validation.comparing.words import decimal, percent
from validation.profile.values import ColumnProfile, Histogram
from validation.settings import CheckSettings

SETTINGS = CheckSettings()
MATCH, MISMATCH = Pair("dev", "test", "match", ""), Pair("train_dev", "dev", "mismatch", "")


def told(reference, observed, pair=MATCH):
    return sentence(compare_columns(reference, observed, SETTINGS, 1, pair=pair), reference, observed)


def test_a_shift_of_categories_names_the_largest():
    reference = category({"truck": 1000, "car": 1000, "bus": 500}, "label")
    observed = category({"truck": 200, "car": 1600, "bus": 700}, "label")
    assert told(reference, observed) == (
        "dev and test differ in `label`: 40.0 % `truck` against 8.0 %, and 2 more; Jensen-Shannon distance .33 beyond "
        "chance, allowed .10; n 2,500 and 2,500."
    )


def test_of_a_mismatch_nothing_is_forbidden():
    reference, observed = category({"a": 500, "b": 500}), category({"a": 950, "b": 50})
    assert "distance .45 beyond chance, large from .10; n" in told(reference, observed, MISMATCH)


def test_a_match_tells_what_could_not_have_been_seen():
    reference = category({"a": 1250, "b": 1250}, "label")
    assert told(reference, reference) == (
        "dev and test match in `label`: Jensen-Shannon distance 0 beyond chance, allowed .05; a shift below .06 might "
        "not have been seen; n 2,500 and 2,500."
    )


def test_a_match_of_rows_that_are_worth_nothing_says_so():
    reference = category({"a": 500, "b": 500}, "label")
    found = compare_columns(reference, reference, SETTINGS, 1, pair=MATCH, designs=(500.0, 500.0))
    assert "a shift of any size might not have been seen" in sentence(found, reference, reference)


def test_numbers_are_told_by_their_means_or_their_deviations():
    generator = np.random.default_rng(1)
    plain = generator.normal(0, 1, 5000)
    moved = told(number(plain - plain.mean() + 100, "width"), number(plain - plain.mean() + 103, "width"))
    assert moved.startswith("dev and test differ in `width`: mean 100 against 103;")
    wide = told(number(plain / plain.std(ddof=1)), number(5 * plain / plain.std(ddof=1)))
    assert wide.startswith("dev and test differ in `x`: deviation 1 against 5;")


def test_times_are_told_by_the_day():
    days = Histogram(np.array([0.0, 20_000.0]), np.array([1.0, 20_001.0]), np.array([400, 100]))
    later = replace(days, counts=np.array([100, 400]))
    profiles = [ColumnProfile("made", "time", 500, 0, histogram=part) for part in (days, later)]
    assert "median 1970-01-01 against 2024-10-04" in told(*profiles)


def test_what_was_not_compared_says_why():
    assert told(category({"a": 5}), category({"a": 5})) == (
        "dev and test, `c`: too few rows (At least 100 rows with a value are asked for); n 5 and 5."
    )


def test_missing_values_are_told_as_shares():
    reference, observed = number([1.0] * 900, nulls=100), number([1.0] * 500, nulls=500)
    found = compare_all(reference, observed, SETTINGS, 1, pair=MATCH)[1]
    assert sentence(found, reference, observed).startswith(
        "dev and test differ in `x` (missing): 10.0 % against 50.0 %;"
    )


def test_every_comparison_has_a_sentence_without_profiles():
    found = compare_columns(category({"a": 500}), category({"b": 500}), SETTINGS, 1, pair=MATCH)
    assert sentence(found, None, None).startswith("dev and test differ in `c`: Jensen-Shannon distance")


def test_the_mismatch_is_ranked_by_its_weight_and_holds_nothing_else():
    near = compare_columns(
        category({"a": 500, "b": 500}), category({"a": 600, "b": 400}, "c"), SETTINGS, 1, pair=MISMATCH
    )
    far = compare_columns(category({"a": 500}, "d"), category({"b": 500}, "d"), SETTINGS, 1, pair=MISMATCH)
    same = compare_columns(category({"a": 500}, "e"), category({"a": 500}, "e"), SETTINGS, 1, pair=MISMATCH)
    other = replace(far, role="match")
    assert rank_mismatch([near, same, other, far]) == (far, near)
    night = replace(far, reference="dev", observed="night")
    assert rank_mismatch([near, night], MISMATCH) == (near,)
    assert len(rank_mismatch([near, night])) == 2
    assert weight(far) == pytest.approx(10, abs=0.1)
    assert weight(compare_columns(category({}), category({}), SETTINGS, 1, pair=MISMATCH)) == 0


def test_sources_are_compared_by_the_share_that_differs_most():
    same = compare_sources({"app": 500, "web": 1500}, {"app": 510, "web": 1490}, SETTINGS, pair=MATCH)
    assert same.verdict == "match"
    assert same.smallest > 0.02
    more = compare_sources(
        {"app": 500, "web": 1400, "tv": 100}, {"app": 700, "web": 1200, "tv": 100}, SETTINGS, pair=MATCH
    )
    assert more.verdict == "shift"
    assert more.l_infinity == pytest.approx(0.1)
    low, high = more.effect.interval
    assert low < 0.1 < high
    assert (
        "the share of app differs most: 25.0 % and 35.0 %; largest difference of a share .10 beyond chance, allowed .05"
    ) in sentence(more, None, None)
    alone = compare_sources({"app": 500}, {"app": 400}, SETTINGS, pair=MATCH)
    assert alone.verdict == "match"
    assert compare_sources({}, {"app": 400}, SETTINGS, pair=MATCH).verdict == "no values"
    assert compare_sources({"app": 5}, {"app": 400}, SETTINGS, pair=MATCH).verdict == "too few rows"


def test_sources_of_two_draws_raise_no_alarm():
    generator = np.random.default_rng(1)
    shares = [0.7, 0.2, 0.06, 0.03, 0.01]
    found = [
        compare_sources(
            *(dict(enumerate(map(int, generator.multinomial(n, shares)))) for n in (400, 900)), SETTINGS, pair=MATCH
        )
        for _ in range(300)
    ]
    assert sum(one.shifted for one in found) <= 9


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0 %"), (0.047, "4.7 %"), (1, "100 %"), (0.0004, "0.04 %"), (0.005, "0.5 %")]
)
def test_percent(share, text):
    assert percent(share) == text


def test_decimals_have_no_leading_zero():

    assert decimal(0.1) == ".10"
    assert decimal(-0.25) == "-.25"
    assert not math.isnan(float(decimal(0.00001)))
