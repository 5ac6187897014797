"""The Chromium of this machine without a network, driven by Playwright; what a page asks for and says is witnessed.

No browser is downloaded: Debian's package, or any Chromium or Chrome on the PATH, is what runs.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, sync_playwright

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed here")
UNFOLD = "document.querySelectorAll('details').forEach(one => { one.open = true })"
"""Opens every fold of a page."""
WIDE = "document.scrollingElement.scrollWidth"
"""How wide a page is, in CSS pixels; wider than the window is one that scrolls sideways."""
LAPTOP, PHONE = 1400, 375
_NARROW = 600
_FLAGS = ("--no-sandbox", "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser of our own, closed on leaving."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Witness:
    """What the pages of a window asked for and said.

    Attributes:
        asked: the addresses, in order; those of data within the page are none.
        said: what they wrote to the console, errors that nothing caught, dialogs, requests that failed.
    """

    def __init__(self, window: BrowserContext) -> None:
        self.asked: list[str] = []
        self.said: list[str] = []
        window.on("request", lambda request: self.asked.append(request.url))
        window.on("requestfailed", lambda request: self.said.append(f"failed: {request.url}"))
        window.on("console", lambda told: self.said.append(f"{told.type}: {told.text} {told.location['url']}"))
        window.on("weberror", lambda error: self.said.append(f"error: {error.error}"))
        window.on("dialog", lambda dialog: (self.said.append(f"dialog: {dialog.message}"), dialog.dismiss()))

    def strangers(self) -> list[str]:
        """Addresses that are no file."""
        return [address for address in self.asked if not address.startswith("file://")]


@contextmanager
def window(
    browser: Browser, width: int = LAPTOP, scheme: str = "light", *, scripts: bool = True, chatty: bool = False
) -> Iterator[Page]:
    """An empty page in a window without a network; on leaving it, a page that asked for anything but files fails.

    Args:
        browser: of `chromium`.
        width: in CSS pixels; a narrow one is a phone's.
        scheme: what the system says, `light` or `dark`.
        scripts: of the page are run.
        chatty: libraries of the page may log and warn; errors fail all the same.

    Yields:
        The page; nothing it showed may have written to the console, failed or asked a question.
    """
    phone = width < _NARROW
    context = browser.new_context(
        offline=True,
        viewport={"width": width, "height": 812 if phone else 900},
        is_mobile=phone,
        has_touch=phone,
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=scripts,
    )
    witness = Witness(context)
    try:
        yield context.new_page()
        assert witness.strangers() == []
        said = [told for told in witness.said if not (chatty and told.startswith(("log: ", "warning: ")))]
        assert said == []
    finally:
        context.close()


@contextmanager
def opened(
    browser: Browser, path: Path, width: int = LAPTOP, scheme: str = "light", *, chatty: bool = False
) -> Iterator[Page]:
    """As `window`, with a file in it that is whole."""
    with window(browser, width, scheme, chatty=chatty) as page:
        page.goto(path.as_uri())
        yield page


def barriers(page: Page) -> list[tuple[str, list[str]]]:
    """What axe-core finds to violate its rules for accessible pages: each rule with where."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found]


def shown(items: Locator) -> Locator:
    """Those that can be seen."""
    return items.filter(visible=True)
