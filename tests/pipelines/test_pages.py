"""Pages that commands write are opened where that can be, and where it cannot, that is told."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from pipelines.cli.results import show_page


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: not found.append(address))
    return found


def test_a_page_is_opened_by_its_address(tmp_path: Path, asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "a b#c" / "report.html"
    show_page(str(page), opened=True)
    assert asked == [page.as_uri()]
    assert capsys.readouterr().out == f"{page}\n"


def test_it_is_opened_only_where_that_is_asked(asked: list[str]) -> None:
    show_page("RUN/report.html", opened=False)
    assert not asked


def test_where_there_is_no_browser_that_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webbrowser.open", lambda _: False)
    with pytest.raises(click.UsageError, match=r"no browser was found here; open .*report\.html yourself"):
        show_page(str(tmp_path / "report.html"), opened=True)


def test_a_page_in_a_store_is_not_opened(asked: list[str]) -> None:
    with pytest.raises(click.UsageError, match="is not on this machine"):
        show_page("s3://bucket/RUN/report.html", opened=True)
    assert not asked
