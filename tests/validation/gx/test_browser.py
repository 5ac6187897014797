"""Data Docs in a real browser that reaches no network: whole, quiet, and harmless."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.validation.gx.test_store import STARTED, judgements
from validation.gx.store import write_docs

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed here")
TROUBLE = ("Error", "Failed", "Refused", "Uncaught", "hacked")  # Great Expectations logs other things there, too
OWN_HOSTS = ("google.com", "googleapis.com", "gvt1.com", "gstatic.com")  # a browser's own calls home


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    write_docs(judgements(), folder, "run", STARTED)
    return folder / "data_docs"


def opened(page: Path, folder: Path) -> tuple[str, list[str], set[str]]:
    """The page after its scripts ran, what its console said, and the hosts that were asked for."""
    assert BROWSER is not None
    log = folder / "net.json"
    done = subprocess.run(
        [
            BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
            "--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr",
            "--virtual-time-budget=5000", f"--user-data-dir={folder / 'profile'}", f"--log-net-log={log}",
            "--dump-dom", page.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    console = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
    text = log.read_text(errors="replace").rstrip().rstrip(",")
    events = json.loads(text if text.endswith("}") else text + "]}")["events"]
    urls = [str(event.get("params", {}).get("url", "")) for event in events]
    hosts = {urlsplit(url).hostname or "" for url in urls if url.startswith("http")}
    return done.stdout, console, {host for host in hosts if not host.endswith(OWN_HOSTS)}


def test_pages_open_without_a_network_and_nothing_in_them_runs(site: Path, tmp_path: Path) -> None:
    pages = [site / "index.html", *sorted(site.rglob("validations/**/*.html"))]
    assert len(pages) == 3
    charts = 0
    for number, page in enumerate(pages):
        (tmp_path / str(number)).mkdir()
        dom, console, hosts = opened(page, tmp_path / str(number))
        assert [line for line in console if any(word in line.split(", source:")[0] for word in TROUBLE)] == []
        assert hosts == set()
        assert "<script>hacked" not in dom
        assert "<img src=x" not in dom
        charts += dom.count("vega-embed ")
    assert charts > 0
