"""Pictures of every section of a page, folds opened, as a laptop and a phone show them, light and dark.

`python -m tests.support.screenshots RUN/report.html OUT` writes `OUT/<width>-<scheme>-<nn>-<section>.png`: look at them
after a change of the report.
"""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser

from tests.support.browser import LAPTOP, PHONE, UNFOLD, chromium, opened

LOOKS = tuple(product((LAPTOP, PHONE), ("light", "dark")))
_TALLEST = 2_400


def take(browser: Browser, path: Path, out: Path, width: int, scheme: str) -> None:
    """Pictures of one page in one look; those of tall sections are cut into several.

    Args:
        browser: that is open.
        path: of the page.
        out: a folder.
        width: of the window.
        scheme: `light` or `dark`.
    """
    with opened(browser, path, width, scheme) as page:
        page.evaluate(UNFOLD)
        for number, section in enumerate(page.locator("header, main > section, footer").all()):
            box = section.bounding_box()
            assert box is not None
            name = section.get_attribute("id") or section.evaluate("one => one.tagName.toLowerCase()")
            for part in range(int(box["height"] // _TALLEST) + 1):
                top, height = box["y"] + part * _TALLEST, min(_TALLEST, box["height"] - part * _TALLEST)
                page.screenshot(
                    path=out / f"{width}-{scheme}-{number:02}-{name}{f'-{part}' if part else ''}.png",
                    full_page=True,
                    clip={"x": 0, "y": top, "width": width, "height": max(1, height)},
                )


def main() -> None:
    """The command."""
    path, out = map(Path, sys.argv[1:3])
    out.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for width, scheme in LOOKS:
            take(browser, path.resolve(), out, width, scheme)


if __name__ == "__main__":
    main()
