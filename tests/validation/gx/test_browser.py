"""Data Docs in a real browser that reaches no network: whole, quiet, and harmless."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.browser import chromium, needs_browser, opened
from tests.validation.gx.test_store import STARTED, judgements
from validation.gx.store import write_docs

pytestmark = needs_browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    write_docs(judgements(), folder, "run", STARTED)
    return folder / "data_docs"


def test_pages_open_without_a_network_and_nothing_in_them_runs(site: Path) -> None:
    pages = [site / "index.html", *sorted(site.rglob("validations/**/*.html"))]
    assert len(pages) == 3
    charts = 0
    with chromium() as browser:
        for path in pages:
            with opened(browser, path, chatty=True) as page:
                page.wait_for_load_state("networkidle")
                dom = page.content()
            assert "<script>hacked" not in dom
            assert "<img src=x" not in dom
            charts += dom.count("vega-embed ")
    assert charts > 0
