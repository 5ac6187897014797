"""The report in a real browser that reaches no network: whole, quiet, harmless, on a laptop, a phone and paper."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import LAPTOP, PHONE, UNFOLD, WIDE, barriers, chromium, needs_browser, opened, shown, window

pytestmark = needs_browser
LOOKS = [*product((LAPTOP, PHONE), ("light", "dark"))]
FOCUSED = "document.activeElement"
RING = f"(style => style.outlineStyle + ' ' + style.outlineWidth)(getComputedStyle({FOCUSED}))"
FIRST_TAB = "one => one.matches('a[href], summary, input, [tabindex=\"0\"]')"
CUT = """[...document.querySelectorAll('h1, h2, h3, h4, p, li, dd, dt, tbody th, td, summary, figcaption')].filter(
    one => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== 'inline').map(
    one => one.tagName + ': ' + one.textContent.slice(0, 80))"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def path(hostile_run: Path) -> Path:
    return hostile_run / "report.html"


@pytest.fixture
def page(browser: Browser, path: Path) -> Iterator[Page]:
    with opened(browser, path) as found:
        yield found


def test_a_request_or_a_word_on_the_console_fails(browser: Browser, tmp_path: Path) -> None:
    """The witness of all other tests."""
    texts = {
        "img": '<img src="https://example.com/a.png">',
        "css": "<style>body{background:url(http://example.com/b)}</style>",
        "log": "<script>console.log('hello')</script>",
        "throw": "<script>throw Error('no')</script>",
        "ask": "<script>alert(1)</script>",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.html").write_text(f"<!doctype html>{text}")
        with pytest.raises(AssertionError), opened(browser, tmp_path / f"{name}.html"):
            pass


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_it_opens_from_disk_and_fits(browser: Browser, path: Path, width: int, scheme: str) -> None:
    with opened(browser, path, width, scheme) as page:
        assert page.evaluate("innerWidth") == width
        assert page.evaluate(WIDE) <= width
        page.evaluate(UNFOLD)
        assert page.evaluate(WIDE) <= width
        assert page.evaluate(CUT) == []
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(255, 255, 255)") == (scheme == "light")


def test_nothing_of_the_data_runs(page: Page) -> None:
    page.evaluate(UNFOLD)
    assert page.evaluate("document.scripts.length") == 1
    assert page.evaluate("document.images.length") == 0
    handlers = (
        "[...document.querySelectorAll('*')].filter(one => one.getAttributeNames().some(n => n.startsWith('on')))"
    )
    assert page.evaluate(f"{handlers}.length") == 0
    text = page.inner_text("body")
    for told in ("<script>alert('x')</script>", "<img src=x onerror=alert(1)>{{ 7*7 }}", "we<b'b/*.parquet"):
        assert told in text


def test_it_is_read_without_scripts(browser: Browser, path: Path) -> None:
    """Nothing is hidden but the boxes that search, which would do nothing."""
    with window(browser, scripts=False) as page:
        page.goto(path.as_uri())
        expect(page.locator("h1")).to_be_visible()
        fold = page.locator("#provenance details").first
        fold.locator("summary").click()
        expect(fold.locator("pre")).to_be_visible()
        expect(shown(page.get_by_role("searchbox"))).to_have_count(0)
        expect(shown(page.locator("main > section"))).to_have_count(page.locator("main > section").count())


def test_long_parts_fold_and_checks_are_found(page: Page) -> None:
    fold = page.locator("#provenance details").first
    expect(fold.locator("pre")).to_be_hidden()
    fold.locator("summary").click()
    expect(fold.locator("pre")).to_be_visible()
    fold.locator("summary").click()
    expect(fold.locator("pre")).to_be_hidden()

    page.evaluate(UNFOLD)
    rows = shown(page.locator("#other-rows tbody tr"))
    every = rows.count()
    box = page.locator("input[data-filters=other-rows]")
    box.fill("TRAIN_DEV")
    assert 0 < rows.count() < every
    assert all("train_dev" in text.lower() for text in rows.all_inner_texts())
    expect(page.locator("label", has=box).get_by_role("status")).to_have_text(f"{rows.count()} of {every}")
    box.fill("")
    assert rows.count() == every


def test_on_a_phone_tables_are_read_without_scrolling_sideways(browser: Browser, path: Path) -> None:
    """Rows are blocks, each cell after its head."""
    cell = "getComputedStyle(document.querySelector('#match-1 tbody td:nth-child(5)'), '::before').content"
    with opened(browser, path, PHONE) as page:
        page.evaluate(UNFOLD)
        boxes = "[...document.querySelectorAll('.scroll')]"
        assert page.evaluate(f"{boxes}.length") > 8
        assert page.evaluate(f"{boxes}.every(one => one.scrollWidth <= one.clientWidth)")
        assert page.evaluate(cell) == '"95 % interval: "'
    with opened(browser, path) as page:
        assert page.evaluate(cell) == "none"


def test_the_keyboard_reaches_everything_in_the_order_of_the_page(page: Page) -> None:
    """Tab walks through links, folds, boxes and what scrolls, as they stand; what has the focus shows it."""
    wanted = page.evaluate(
        f"[...document.querySelectorAll('*')].filter({FIRST_TAB}).filter(one => one.checkVisibility()).length"
    )
    page.evaluate("window.walked = []")
    for _ in range(wanted):
        page.keyboard.press("Tab")
        assert page.evaluate(RING) == "solid 3px", page.evaluate(f"{FOCUSED}.outerHTML.slice(0, 200)")
        page.evaluate(f"walked.push({FOCUSED})")
    assert page.evaluate("new Set(walked).size") == wanted
    assert page.evaluate("walked.every((one, at) => !at || walked[at - 1].compareDocumentPosition(one) & 4)")


def test_the_skip_link_leads_past_the_top(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate(f"{FOCUSED}.textContent") == "Skip to the content"
    assert page.evaluate(f"{FOCUSED}.getBoundingClientRect().left") >= 0
    page.keyboard.press("Enter")
    assert page.url.endswith("#content")
    page.keyboard.press("Tab")
    assert page.evaluate(f"document.getElementById('content').contains({FOCUSED})")


def test_keys_fold_and_unfold(page: Page) -> None:
    fold = page.locator("#provenance details").first
    fold.locator("summary").focus()
    for key in ("Enter", "Space"):
        page.keyboard.press(key)
        expect(fold.locator("pre")).to_be_visible()
        page.keyboard.press(key)
        expect(fold.locator("pre")).to_be_hidden()


def test_it_prints_with_everything_unfolded(browser: Browser, path: Path) -> None:
    with opened(browser, path, scheme="dark") as page:
        count = "document.querySelectorAll('details:not([open])').length"
        page.evaluate(f"addEventListener('beforeprint', () => {{ window.folded = {count} }})")
        paper = page.pdf(format="A4", print_background=True)
        assert paper.startswith(b"%PDF")
        assert paper.count(b"/Type /Page\n") + paper.count(b"/Type /Page ") > 3
        assert page.evaluate("window.folded") == 0
        assert page.evaluate(count) > 0
        page.emulate_media(media="print")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        expect(page.locator("nav")).to_be_hidden()
        folded = "document.querySelector('#provenance details pre')"
        assert page.evaluate(f"{folded}.getBoundingClientRect().height + 1 > {folded}.scrollHeight"), "the whole spec"
        assert page.evaluate(f"{folded}.getBoundingClientRect().height") > 100


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_axe_finds_no_violation(browser: Browser, path: Path, width: int, scheme: str) -> None:
    with opened(browser, path, width, scheme) as page:
        page.evaluate(UNFOLD)
        assert barriers(page) == []
