"""Reports of the wide, the narrow, the many and the empty: whole, within bounds, and on a phone no wider than it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from playwright.sync_api import Browser

from pipelines.report.facts import RunFacts
from pipelines.report.page import report_page
from pipelines.report.splits_view import splits_view
from pipelines.report.view import report_view
from pipelines.reporting import read_facts
from pipelines.run_directory import RunDirectory
from splitting.plan import CellPlan, QuotaPlan, SetAside, SourcePlan, SplitPlan
from splitting.request import TRAIN
from tests.pipelines.report.conftest import HOSTILE
from tests.support.browser import LAPTOP, PHONE, UNFOLD, WIDE, chromium, needs_browser, opened, shown
from validation.profile.profile import Profile
from validation.profile.values import ColumnProfile

MOST_BYTES = 500_000


class Copied:
    """A profile in which every column is a copy of one that was measured."""

    def __init__(self, facts: RunFacts, names: Sequence[str]) -> None:
        assert facts.profile is not None
        self._profile, self._names = facts.profile, tuple(names)
        self._models = ("score", "label", "caption")

    def names(self) -> tuple[str, ...]:
        return self._names

    def column(self, name: str, split: str | Sequence[str]) -> ColumnProfile:
        model = self._models[self._names.index(name) % len(self._models)]
        return replace(self._profile.column(model, split), name=name)


def with_columns(facts: RunFacts, names: Sequence[str]) -> RunFacts:
    """The run as if its data had these columns, every second of which differs between train_dev and dev."""
    document = dict(deepcopy(facts.document))
    compared = [r for r in document["results"] if r["role"] in ("match", "mismatch") and r["column"] == "score"]
    assert compared
    results = [r for r in document["results"] if r["role"] not in ("match", "mismatch")]
    for number, name in enumerate(names):
        for result in deepcopy(compared):
            result |= {"column": name, "check": f"{result['table']}: {name}"}
            if result["role"] == "mismatch":
                effect = {"effect": 0.3 + number / 10_000, "interval": [0.25, 0.45], "verdict": "shift"}
                result["observed"] |= effect if number % 2 == 0 else {}
            results.append(result)
    told = {"severity": "info", "sentence": "; ".join(f"`{name}`" for name in names), "checks": []}
    document |= {"results": results, "findings": [told]}
    return replace(facts, document=document, profile=cast("Profile", Copied(facts, names)))


def with_sources(facts: RunFacts) -> RunFacts:
    names = [f"source {number:02} {HOSTILE}"[:100] for number in range(20)]
    cells = tuple(
        CellPlan(split, source, ("cat",), 10 + number, 0)
        for split in facts.splits
        for number, source in enumerate(names)
    )  # fmt: skip
    sources = tuple(SourcePlan(name, 4 * (10 + number), 0, "0" * 32) for number, name in enumerate(names))
    aside = tuple(SetAside(name, f"no key {HOSTILE}", 3) for name in names)
    return replace(facts, plan=replace(facts.plan, sources=sources, cells=cells, rejected=aside))


def with_labels(facts: RunFacts) -> RunFacts:
    names = [f"{number:05} {HOSTILE}" for number in range(10_000)]
    cells = tuple(CellPlan(split, "app", (name,), 1, 1) for split in facts.splits for name in names)
    quotas = tuple(QuotaPlan("dev", None, (name,), 4, 1, 1) for name in names)
    return replace(facts, plan=replace(facts.plan, cells=cells, quotas=quotas))


def without_train_dev(facts: RunFacts) -> RunFacts:
    """As a run says it whose train_dev is empty: no row, and nothing compared with it."""

    def emptied(split: SplitPlan) -> SplitPlan:
        return split if split.name != "train_dev" else replace(split, rows=0, groups=0, shuffle_target_rows=0)

    plan = facts.plan
    plan = replace(
        plan,
        splits=tuple(emptied(split) for split in plan.splits),
        cells=tuple(cell for cell in plan.cells if cell.split != "train_dev"),
    )
    results = [r for r in facts.document["results"] if "train_dev" not in r["check"]]
    document: Mapping[str, Any] = {**facts.document, "results": results, "mismatch": {}}
    return replace(facts, plan=plan, document=document)


MADE: Mapping[str, Callable[[RunFacts], RunFacts]] = {
    "50 columns": lambda facts: with_columns(facts, [f"column_{number}" for number in range(50)]),
    "1,000 columns": lambda facts: with_columns(facts, [f"column {number} {HOSTILE}" for number in range(1_000)]),
    "2 columns": lambda facts: with_columns(facts, ["", HOSTILE + "w" * 10_000]),
    "20 sources": with_sources,
    "10,000 labels": with_labels,
    "an empty train_dev": without_train_dev,
}


@pytest.fixture(scope="module")
def facts(hostile_run: Path) -> RunFacts:
    return read_facts(RunDirectory.at(str(hostile_run)))


@pytest.fixture(scope="module")
def pages(facts: RunFacts) -> Mapping[str, str]:
    return {name: report_page(report_view(make(facts))) for name, make in MADE.items()}


@pytest.mark.parametrize("name", MADE)
def test_a_page_is_whole_and_obeys_nothing(pages: Mapping[str, str], name: str) -> None:
    page = pages[name]
    assert page.count("<script>") == 1
    assert "\u202e" not in page
    assert "w" * 700 not in page
    assert page.endswith("</html>\n")
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert page.count("<section") == page.count("</section>") == len(re.findall(r"<h2 id=", page))


def test_fifty_columns_stay_under_the_bound(pages: Mapping[str, str]) -> None:
    assert pages["50 columns"].count('class="card"') == 25
    assert len(pages["50 columns"].encode()) < MOST_BYTES


def test_no_page_grows_without_bound(pages: Mapping[str, str]) -> None:
    assert max(len(page.encode()) for page in pages.values()) < 4 * MOST_BYTES
    assert pages["1,000 columns"].count('class="card"') == 30


def test_the_verdict_and_the_section_count_the_same_columns(facts: RunFacts) -> None:
    pair = report_view(MADE["1,000 columns"](facts)).mismatch.pairs[0]
    assert (pair.shifted, pair.compared) == (500, 1_000)
    alike = ["n" * 100 + "1", "n" * 100 + "2"]  # shown alike, for they are cut
    assert report_view(with_columns(facts, alike)).mismatch.pairs[0].compared == 2


def test_what_is_cut_is_counted(facts: RunFacts) -> None:
    splits = splits_view(with_labels(facts))
    assert splits.compositions[1].legend[-1].name == "9,994 others"
    assert len(splits.quotas) + splits.more_quotas == 10_000
    assert splits_view(with_sources(facts)).compositions[0].legend[-1].name == "14 others"


def test_labels_that_are_shown_alike_are_counted_apart(facts: RunFacts) -> None:
    """Cut to what a page shows they are the same text; null is no text at all."""
    names = [("n" * 100 + "1",), ("n" * 100 + "2",), ("(null)",), (None,)]
    cells = tuple(CellPlan("dev", "app", name, 10 * (5 - at), 0) for at, name in enumerate(names))
    composition = splits_view(replace(facts, plan=replace(facts.plan, cells=cells))).compositions[1]
    dev = next(bar for bar in composition.bars if bar.name == "dev")
    assert [count for count, _ in dev.counts] == [50, 40, 30, 20]
    assert [part.name for part in composition.legend] == [*(2 * ["n" * 60 + "… (101 characters)"]), "(null)", "(null)"]


def test_every_composition_has_a_plain_shuffle_beside_it(facts: RunFacts) -> None:
    """By source of all rows that were read; by stratum of those in splits, and what is not known is said."""
    whole = replace(facts.plan, held_out=(), rejected=())
    read = sum(cell.rows for cell in facts.plan.cells)
    whole = replace(whole, sources=(SourcePlan("app", read, 0, "0" * 32),))
    for plan, about in ((whole, "the make-up of all"), (facts.plan, "about the make-up of the")):
        by_stratum = splits_view(replace(facts, plan=plan)).compositions[1]
        last = by_stratum.bars[-1]
        assert (last.name, last.rows) == ("a plain shuffle", read)
        assert sum(count for count, _ in last.counts) == read
        assert f"would give every split {about}" in by_stratum.shuffle
    assert splits_view(facts).compositions[0].bars[-1].rows == facts.plan.rows_read


def test_an_empty_train_dev_says_so(facts: RunFacts) -> None:
    view = report_view(without_train_dev(facts))
    assert view.mismatch.why_none == "Nothing was compared: train_dev holds no rows."
    assert next(row for row in view.splits.rows if row.name == "train_dev").rows == 0
    assert TRAIN in {row.name for row in view.splits.rows}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@needs_browser
@pytest.mark.parametrize("width", [LAPTOP, PHONE])
@pytest.mark.parametrize("name", MADE)
def test_it_fits(browser: Browser, pages: Mapping[str, str], tmp_path: Path, name: str, width: int) -> None:
    (tmp_path / "report.html").write_text(pages[name])
    with opened(browser, tmp_path / "report.html", width, "dark") as page:
        page.evaluate(UNFOLD)
        assert page.evaluate(WIDE) <= width
        assert page.evaluate("document.scripts.length") == 1


@needs_browser
@pytest.mark.parametrize("keys", [False, True], ids=["filled", "typed"])
def test_columns_are_found_among_cards_and_rows(
    browser: Browser, pages: Mapping[str, str], tmp_path: Path, *, keys: bool
) -> None:
    (tmp_path / "report.html").write_text(pages["50 columns"])
    with opened(browser, tmp_path / "report.html") as page:
        page.evaluate(UNFOLD)
        parts = [shown(page.locator(one)) for one in ("#cards-1 > .card", "#rows-1 tbody tr")]
        assert [part.count() for part in parts] == [25, 50]
        box = page.locator("input[data-filters^=cards-1]")
        if keys:
            box.focus()
            page.keyboard.type("Column_4")
        else:
            box.fill("Column_4")
        assert [part.count() for part in parts] == [6, 11]
        assert all("column_4" in text for text in parts[1].all_inner_texts())
        assert page.locator("label", has=box).get_by_role("status").inner_text() == "11 of 50"
        box.press("ControlOrMeta+a")
        box.press("Delete")
        assert [part.count() for part in parts] == [25, 50]
