"""The report in a real browser that reaches no network: whole, quiet, harmless, on a laptop, a phone and paper."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from tests.support.chromium import BROWSER, Chromium

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed here")
AXE = Path(os.environ.get("TARGETSPLIT_AXE", "node_modules/axe-core/axe.min.js"))
LOOKS = [*product((1400, 375), ("light", "dark"))]
UNFOLD = "document.querySelectorAll('details').forEach(one => { one.open = true })"
WIDE = "document.scrollingElement.scrollWidth"
VIOLATIONS = """axe.run(document, {resultTypes: ['violations']}).then(found => found.violations.map(
    one => one.id + ': ' + one.nodes.map(node => node.html.slice(0, 200)).join(' | ')))"""


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture(scope="module")
def page(hostile_run: Path) -> Path:
    return hostile_run / "report.html"


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_it_opens_from_disk_quietly_and_fits(tab: Chromium, page: Path, width: int, scheme: str) -> None:
    tab.look(width, scheme)
    tab.open(page)
    assert tab.requests() == [page.as_uri()]
    assert tab.trouble() == []
    assert tab.value("innerWidth") == width
    assert tab.value(WIDE) <= width
    tab.value(UNFOLD)
    assert tab.value(WIDE) <= width
    ground = tab.value("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") == (scheme == "light")


def test_nothing_of_the_data_runs(tab: Chromium, page: Path) -> None:
    tab.look(1400, "light")
    tab.open(page)
    tab.value(UNFOLD)
    assert tab.value("document.scripts.length") == 1
    assert tab.value("document.images.length") == 0
    handlers = (
        "[...document.querySelectorAll('*')].filter(one => one.getAttributeNames().some(n => n.startsWith('on')))"
    )
    assert tab.value(f"{handlers}.length") == 0
    text = tab.value("document.body.innerText")
    for shown in ("<script>alert('x')</script>", "<img src=x onerror=alert(1)>{{ 7*7 }}"):
        assert shown in text
    assert "we<b'b/*.parquet" in text
    assert tab.trouble() == []


def test_long_parts_fold_and_columns_are_found(tab: Chromium, page: Path) -> None:
    tab.look(1400, "light")
    tab.open(page)
    fold = "document.querySelector('#provenance details')"
    assert not tab.value(f"{fold}.open")
    tab.value(f"{fold}.querySelector('summary').click()")
    assert tab.value(f"{fold}.open")
    tab.value(UNFOLD)
    rows = "[...document.querySelectorAll('#other-rows tbody tr')].filter(row => row.offsetParent !== null)"
    every = tab.value(f"{rows}.length")
    look = "document.querySelector('input[data-filters=other-rows]')"
    tab.value(f"{look}.value = 'TRAIN_DEV', {look}.dispatchEvent(new Event('input'))")
    assert 0 < tab.value(f"{rows}.length") < every
    assert tab.value(f"{rows}.every(row => row.textContent.toLowerCase().includes('train_dev'))")
    assert tab.value(f"{look}.parentNode.querySelector('[role=status]').textContent").endswith(f"of {every}")
    tab.value(f"{look}.value = '', {look}.dispatchEvent(new Event('input'))")
    assert tab.value(f"{rows}.length") == every


def test_the_search_finds_columns_among_cards_and_rows(tab: Chromium, page: Path) -> None:
    tab.look(1400, "light")
    tab.open(page)
    look = "document.querySelector('input[data-filters^=cards-1]')"
    seen = "[...document.querySelectorAll('{}')].filter(one => getComputedStyle(one).display !== 'none')"
    cards, rows = (seen.format(one) for one in ("#cards-1 > .card", "#rows-1 tbody tr"))
    every = [tab.value(f"{part}.length") for part in (cards, rows)]
    tab.value(f"{look}.value = 'score', {look}.dispatchEvent(new Event('input'))")
    left = [tab.value(f"{part}.length") for part in (cards, rows)]
    assert 0 < left[1] < every[1]
    assert left[0] < every[0]
    assert tab.value(f"{rows}.every(row => row.textContent.includes('score'))")
    tab.value(f"{look}.value = '', {look}.dispatchEvent(new Event('input'))")
    assert [tab.value(f"{part}.length") for part in (cards, rows)] == every


def test_on_a_phone_tables_are_read_without_scrolling_sideways(tab: Chromium, page: Path) -> None:
    """Rows are blocks, each cell after its head; only rows of the data and counts by source scroll."""
    tab.look(375, "light")
    tab.open(page)
    tab.value(UNFOLD)
    boxes = "[...document.querySelectorAll('.scroll:has(> table.stack)')]"
    assert tab.value(f"{boxes}.length") > 8
    assert tab.value(f"{boxes}.every(one => one.scrollWidth <= one.clientWidth)")
    cell = "document.querySelector('#match-1 tbody td:nth-child(5)')"
    assert tab.value(f"getComputedStyle({cell}, '::before').content") == '"95 % interval: "'
    tab.look(1400, "light")
    assert tab.value(f"getComputedStyle({cell}, '::before').content") == "none"


def test_keys_reach_the_content_first(tab: Chromium, page: Path) -> None:
    tab.look(1400, "light")
    tab.open(page)
    for kind in ("keyDown", "keyUp"):
        tab.ask("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
    assert tab.value("document.activeElement.textContent") == "Skip to the content"
    assert tab.value("document.activeElement.getBoundingClientRect().left") >= 0
    assert tab.value("[...document.querySelectorAll('.scroll')].every(one => one.tabIndex === 0)")


def test_it_prints_with_everything_unfolded(tab: Chromium, page: Path) -> None:
    tab.look(1400, "dark")
    tab.open(page)
    tab.value("addEventListener('beforeprint', () => { window.folded = document.querySelectorAll("
              "'details:not([open])').length })")  # fmt: skip
    paper = tab.pdf()
    assert paper.startswith(b"%PDF")
    assert paper.count(b"/Type /Page\n") + paper.count(b"/Type /Page ") > 3
    assert tab.value("window.folded") == 0
    assert tab.value("document.querySelectorAll('details:not([open])').length") > 0
    tab.ask("Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    assert tab.value("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert tab.value("getComputedStyle(document.querySelector('nav')).display") == "none"
    folded = "document.querySelector('#provenance details pre')"
    assert tab.value(f"{folded}.getBoundingClientRect().height + 1 > {folded}.scrollHeight"), "the whole spec, unfolded"
    assert tab.value(f"{folded}.getBoundingClientRect().height") > 100
    tab.ask("Emulation.setEmulatedMedia", media="")


@pytest.mark.skipif(not AXE.is_file(), reason="no axe-core: npm pack axe-core, and TARGETSPLIT_AXE=.../axe.min.js")
@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_axe_finds_no_violation(tab: Chromium, page: Path, width: int, scheme: str) -> None:
    tab.look(width, scheme)
    tab.open(page)
    tab.value(UNFOLD)
    tab.value(AXE.read_text() + ";0")
    assert tab.value(VIOLATIONS) == []
