"""Lists the files of a source: a file, a folder, a glob, or several of them. Sorted.

Left out: names that begin with `.` or `_`, and, in a folder, documents beside the data (README.md, LICENSE, …).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pyarrow import fs

from pipelines.sources.filesystems import Location, is_uri, kind, locate, raise_for
from splitting.errors import DataError

_NOT_DATA = re.compile(r".*\.(md|txt|rst|html|ya?ml|crc|log)|LICEN[CS]E.*|COPYING|NOTICE", re.IGNORECASE)
_MAGIC = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class ListedFile:
    """A file of a source.

    Attributes:
        uri: absolute path or URI.
        file: how it is shown: relative to the base where it lies under it, with `/`.
        bytes: its size.
    """

    uri: str
    file: str
    bytes: int


def list_source(name: str, paths: Sequence[str], base: str | None) -> tuple[ListedFile, ...]:
    """The files of a source.

    Args:
        name: of the source.
        paths: files, folders or globs (`*`, `?`, `[…]`, `**`).
        base: the folder that relative paths are against.

    Returns:
        Distinct files, sorted by URI.

    Raises:
        DataError: a path matches nothing, or a folder cannot be read.
    """
    found: dict[str, ListedFile] = {}
    for path in paths:
        matches = list(_expand(path, base))
        if not matches:
            raise DataError(
                f"source {name!r}: no file at {path}"
                + (f" (in {locate(base).uri})" if base else "")
                + "; check the path (names that begin with . or _ are left out)"
            )
        found.update((match.uri, match) for match in matches)
    return tuple(found[uri] for uri in sorted(found))


def _expand(path: str, base: str | None) -> Iterator[ListedFile]:
    location = locate(path, base)
    root = locate(base or ".").uri
    found = kind(location)
    if found == "file":
        info = location.filesystem.get_file_info(location.path)
        yield _listed(location, location.path, info.size, root)
    elif found == "folder":
        yield from _walk(location, root, None)
    elif _MAGIC.search(path):
        fixed = location.path[: _MAGIC.search(location.path).start()].rpartition("/")[0] or "/"  # type: ignore[union-attr]
        folder = Location(location.filesystem, fixed, location.uri)
        if kind(folder) == "folder":
            yield from _walk(folder, root, glob_pattern(location.path))


def _walk(folder: Location, root: str, pattern: re.Pattern[str] | None) -> Iterator[ListedFile]:
    try:
        infos = folder.filesystem.get_file_info(fs.FileSelector(folder.path, recursive=True))
    except OSError as error:
        raise_for(folder, "list", error)
    for info in infos:
        inner = info.path[len(folder.path) :].strip("/")
        hidden = any(part.startswith((".", "_")) for part in inner.split("/"))
        if info.type != fs.FileType.File or hidden:
            continue
        if pattern is None and _NOT_DATA.fullmatch(info.base_name):
            continue
        if pattern is None or pattern.fullmatch(info.path):
            yield _listed(folder, info.path, info.size, root)


def _listed(near: Location, path: str, size: int, root: str) -> ListedFile:
    uri = path if near.is_local else f"{near.uri.split('://')[0]}://{path}"
    shown = uri[len(root) + 1 :] if uri.startswith(root.rstrip("/") + "/") and not is_uri(uri) else uri
    return ListedFile(uri, shown, size)


def glob_pattern(pattern: str) -> re.Pattern[str]:
    """A glob as a regular expression: `*` and `?` stay within a folder, `**` does not.

    Examples:
        >>> bool(glob_pattern("a/*.csv").fullmatch("a/b/c.csv"))
        False
        >>> bool(glob_pattern("a/**/*.csv").fullmatch("a/b/c.csv"))
        True
    """
    out, i = "", 0
    while i < len(pattern):
        if pattern.startswith("**/", i):
            out, i = out + "(?:.*/)?", i + 3
        elif pattern.startswith("**", i):
            out, i = out + ".*", i + 2
        elif pattern[i] == "*":
            out, i = out + "[^/]*", i + 1
        elif pattern[i] == "?":
            out, i = out + "[^/]", i + 1
        elif pattern[i] == "[" and (end := pattern.find("]", i + 2)) > 0:
            body = pattern[i + 1 : end].replace("\\", "\\\\")
            body = "^" + body[1:] if body.startswith("!") else body
            out, i = out + f"[{body}]", end + 1
        else:
            out, i = out + re.escape(pattern[i]), i + 1
    return re.compile(out, re.DOTALL)
