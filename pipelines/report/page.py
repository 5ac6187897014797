"""Fills the templates: a view becomes one HTML file that needs nothing else."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from pipelines.report.palette import DARK, LIGHT, SERIES, variables

if TYPE_CHECKING:
    from jinja2 import Environment

    from pipelines.report.history_view import HistoryView
    from pipelines.report.view import ReportView

_CODE = re.compile(r"``(.+?)``(?!`)|`([^`]+)`")
_CSS = re.compile(r"[^\w .,%/’-]")


def report_page(view: ReportView) -> str:
    """The page of a run.

    Args:
        view: what it shows.

    Returns:
        HTML; the same for the same view.
    """
    return render("report.html", view=view)


def history_page(view: HistoryView) -> str:
    """The page of runs side by side.

    Args:
        view: what it shows.

    Returns:
        HTML; the same for the same view.
    """
    return render("history.html", view=view)


def render(template: str, **values: object) -> str:
    """Fills a template, escaping everything that is not markup of our own.

    Args:
        template: its name.
        values: that it uses.

    Returns:
        HTML that ends with a line break, without empty lines.
    """
    page = _environment().get_template(template).render(**values)
    return "".join(f"{line}\n" for line in page.splitlines() if line.strip())


def coded(text: str) -> Markup:
    """A sentence whose names in backticks are set as code.

    Args:
        text: it may hold texts from the data.

    Returns:
        HTML in which everything of the text is escaped; a backtick without its second stays one, and between double
        ones single ones are part of the name.

    Examples:
        >>> coded("most in `a<b`")
        Markup('most in <code><bdi>a&lt;b</bdi></code>')
    """
    pieces, at = [], 0
    for found in _CODE.finditer(text):
        pieces += [escape(text[at : found.start()]), f"<code><bdi>{escape(found[1] or found[2])}</bdi></code>"]
        at = found.end()
    return Markup("").join(Markup(piece) for piece in [*pieces, escape(text[at:])])  # noqa: S704, all were escaped


def css_text(text: str) -> str:
    r"""A text as a string of CSS, every character that could end it spelt as its code.

    Examples:
        >>> css_text("rows read"), css_text("'};")
        ("'rows read'", "'\\27 \\7d \\3b '")
    """
    return "'" + _CSS.sub(lambda found: f"\\{ord(found[0]):x} ", text) + "'"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415, not before a page is made

    loader = PackageLoader("pipelines.report")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["count"] = lambda value: f"{value:,}"
    environment.filters["coded"] = coded
    environment.filters["css_text"] = css_text
    environment.globals["style"] = _style(loader.get_source(environment, "style.css")[0])
    environment.globals["script"] = Markup(loader.get_source(environment, "search.js")[0])  # noqa: S704, our own file
    return environment


def _style(text: str) -> Markup:
    """The style sheet with both themes and a class for each colour."""
    series = "".join(
        f".f-{name}{{fill:var(--{name})}}.b-{name}{{background:var(--{name});color:var(--ink-{name})}}"
        f".i-{name}{{fill:var(--ink-{name})}}"
        for name in (*SERIES, "other")
    )
    dark = f"@media screen and (prefers-color-scheme:dark){{:root{{color-scheme:dark;{variables(DARK)}}}}}"
    return Markup(f":root{{color-scheme:light;{variables(LIGHT)}}}{dark}{series}{text}")  # noqa: S704, our own file
