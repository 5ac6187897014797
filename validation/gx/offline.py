"""Makes built Data Docs open without a network, and texts from the data harmless in them.

Great Expectations puts some texts into its pages as they are. So before rendering, characters that mean something in
HTML or in scripts are exchanged for code points that mean nothing and stand in no text (`guarded`); in the finished
pages they become what shows the character (`offline_page`).
"""

from __future__ import annotations

import ast
import json
import re
import shutil
from importlib import resources
from pathlib import Path
from typing import Any

_CHARACTERS = "<>&\"'$"
_GUARDS = dict(zip(_CHARACTERS, map(chr, range(0xFDD0, 0xFDD0 + len(_CHARACTERS))), strict=True))
_TO_GUARDS = str.maketrans(_GUARDS)
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;", '"': "&quot;", "'": "&#39;", "$": "&#36;"}

_VENDORED = {
    "https://unpkg.com/bootstrap-table@1.19.1/dist/bootstrap-table.min.css": ("css/bootstrap-table.min.css",),
    "https://maxcdn.bootstrapcdn.com/bootstrap/4.3.1/css/bootstrap.min.css": ("css/bootstrap.min.css",),
    "https://unpkg.com/bootstrap-table@1.19.0/dist/extensions/filter-control/bootstrap-table-filter-control.css": (
        "css/bootstrap-table-filter-control.min.css",
    ),
    "https://unpkg.com/bootstrap-table@1.19.0/dist/extensions/filter-control/bootstrap-table-filter-control.min.css": (
        "css/bootstrap-table-filter-control.min.css",
    ),
    "https://cdnjs.cloudflare.com/ajax/libs/bootstrap-datepicker/1.9.0/css/bootstrap-datepicker.min.css": (
        "css/bootstrap-datepicker.min.css",
    ),
    "https://cdnjs.cloudflare.com/ajax/libs/font-awesome/6.6.0/css/all.min.css": (
        "css/fontawesome.min.css",
        "css/solid.min.css",
        "css/regular.min.css",
    ),
    "https://cdn.jsdelivr.net/npm/vega@5": ("js/vega.min.js",),
    "https://cdn.jsdelivr.net/npm/vega-lite@5": ("js/vega-lite.min.js",),
    "https://cdn.jsdelivr.net/npm/vega-embed@6": ("js/vega-embed.min.js",),
    "https://code.jquery.com/jquery-3.7.1.min.js": ("js/jquery.min.js",),
    "https://cdnjs.cloudflare.com/ajax/libs/popper.js/1.12.9/umd/popper.min.js": ("js/popper.min.js",),
    "https://stackpath.bootstrapcdn.com/bootstrap/4.3.1/js/bootstrap.min.js": ("js/bootstrap.min.js",),
    "https://unpkg.com/bootstrap-table@1.19.1/dist/bootstrap-table.min.js": ("js/bootstrap-table.min.js",),
    "https://unpkg.com/bootstrap-table@1.19.1/dist/extensions/filter-control/bootstrap-table-filter-control.min.js": (
        "js/bootstrap-table-filter-control.min.js",
    ),
    "https://cdnjs.cloudflare.com/ajax/libs/bootstrap-datepicker/1.9.0/js/bootstrap-datepicker.min.js": (
        "js/bootstrap-datepicker.min.js",
    ),
}
_FOLDER = "static/vendor"
_LOADED = re.compile(
    r'<link\b[^>]*\bhref="(https?://[^"]*)"[^>]*>|<script\b[^>]*\bsrc="(https?://[^"]*)"[^>]*></script>'
)
_LOGO = re.compile(r"https://great-expectations-web-assets\.s3\.us-east-2\.amazonaws\.com/[\w-]+\.png(\?[^\"')]*)?")
_OWN_LOGO = "static/images/logo-long.png"
"""Which Great Expectations writes beside its pages; those that it loads from its bucket it does not."""
_ICON = re.compile(r'(?<=href=")(\.\./)*(?=static/images/favicon\.ico")')  # its way up is too short
_FOOTER = re.compile(r"<footer>\s*<p>Stay current.*?</footer>", re.DOTALL)
_CLOCK = re.compile(r"\?d=\d{8}T\d{6}\.\d+Z(&dataContextId=[\w-]*)?")
UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b")
_SCRIPT = re.compile(r"(<script\b[^>]*>)(.*?)(</script>)", re.DOTALL)
_CHART = re.compile(r"^(\s*vlSpec = )(\{.*\});\s*$", re.MULTILINE)
_POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'self\' file: data: blob:; '
    "script-src 'self' file: 'unsafe-inline' 'unsafe-eval'; style-src 'self' file: 'unsafe-inline'; "
    "connect-src 'none'\">"
)


def guarded(value: Any, key: str = "") -> Any:
    """A plain value whose texts mean nothing in HTML, in scripts and in templates, whoever puts them there.

    Args:
        value: of JSON.
        key: under which it stands; conditions on rows, which are parsed again, are left as they are.

    Returns:
        The same with other characters.
    """
    if isinstance(value, str):
        return value if key == "row_condition" else value.translate(_TO_GUARDS)
    if isinstance(value, dict):
        return {guarded(name): guarded(item, name) for name, item in value.items()}
    return [guarded(item, key) for item in value] if isinstance(value, list | tuple) else value


def unguarded(text: str) -> str:
    """JSON text with the characters that `guarded` exchanged."""
    for character, guard in _GUARDS.items():
        shown = json.dumps(character)[1:-1]
        text = text.replace(guard, shown).replace(_escape(guard), shown)
    return text


def make_offline(site: Path) -> int:
    """Rewrites all pages of a site, and puts beside them what they load.

    Args:
        site: the folder with `index.html`.

    Returns:
        How many pages there are.
    """
    assets = resources.files("validation.gx") / "assets"
    with resources.as_file(assets) as folder:
        shutil.copytree(folder, site / _FOLDER, dirs_exist_ok=True)
    pages = sorted(site.rglob("*.html"))
    for page in pages:
        up = "../" * (len(page.relative_to(site).parts) - 1)
        page.write_text(offline_page(page.read_text(encoding="utf-8"), up), encoding="utf-8")
    return len(pages)


def offline_page(text: str, up: str) -> str:
    """One page that loads nothing from the network.

    Args:
        text: the page, as Great Expectations renders it.
        up: the way from it to the root of the site, as in `../../`.

    Returns:
        The page; the same in each run.
    """
    text = _FOOTER.sub("", text)
    text = _CLOCK.sub("", text)
    text = _LOADED.sub(lambda found: _local(found, up), text)
    text = _LOGO.sub(f"{up}{_OWN_LOGO}", text)
    text = _ICON.sub(up, text)
    text = _SCRIPT.sub(lambda found: found[1] + _CHART.sub(_chart, found[2]) + found[3], text)
    text = text.replace("<head>", f"<head>\n    {_POLICY}", 1)
    names: dict[str, str] = {}
    text = UUID.sub(lambda found: names.setdefault(found[0], f"id-{len(names)}"), text)
    for character, guard in _GUARDS.items():
        text = text.replace(guard, _ENTITIES[character]).replace(_escape(guard), _ENTITIES[character])
    return text


def _escape(guard: str) -> str:
    return f"\\u{ord(guard):04x}"


def _local(found: re.Match[str], up: str) -> str:
    """The same from the site itself; nothing for what is not shipped, such as a dark theme."""
    files = _VENDORED.get(found[1] or found[2], ())
    if found[1]:
        return "".join(f'<link rel="stylesheet" href="{up}{_FOLDER}/{file}">' for file in files)
    return "".join(f'<script src="{up}{_FOLDER}/{file}"></script>' for file in files)


def _chart(found: re.Match[str]) -> str:
    """A chart as JSON; it is written as Python prints it."""
    try:
        spec = json.dumps(ast.literal_eval(re.sub(r"\bnan\b|\binf\b", "None", found[2])))
    except (ValueError, SyntaxError):
        spec = "{}"
    for character, guard in _GUARDS.items():
        spec = spec.replace(_escape(guard), f"\\u{ord(character):04x}")
    return f"{found[1]}{spec.replace('</', '<' + chr(92) + '/')};"
