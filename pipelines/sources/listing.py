"""Lists the files of a source: a file, a folder, a glob, or several of them. Sorted.

Left out: names that begin with `.` or `_`, and, in a folder, documents beside the data (README.md, LICENSE, …).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pyarrow import fs

from pipelines.sources.filesystems import Location, kind, locate, raise_for
from pipelines.sources.uris import is_uri, join, shown, split_query, split_root
from splitting.errors import DataError

_NOT_DATA = re.compile(r".*\.(md|txt|rst|html|ya?ml|crc|log)|LICEN[CS]E.*|COPYING|NOTICE", re.IGNORECASE)
_MAGIC = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class ListedFile:
    """A file of a source.

    Attributes:
        uri: absolute path or URI.
        file: how it is shown: relative to the base where it lies under it, with `/`; a URI without its query.
        bytes: its size.
    """

    uri: str
    file: str
    bytes: int


def list_source(name: str, paths: Sequence[str], base: str | None) -> tuple[ListedFile, ...]:
    """The files of a source.

    Args:
        name: of the source.
        paths: files, folders or globs (`*`, `?`, `[…]`, `**`). A glob that matches a folder takes all that is in it.
        base: the folder that relative paths are against.

    Returns:
        Distinct files, sorted by URI.

    Raises:
        DataError: a path matches nothing, or a folder cannot be read.
    """
    found: dict[str, ListedFile] = {}
    for path in paths:
        matches = list_path(path, base)
        if not matches:
            raise DataError(
                f"source {name!r}: no file at {path}"
                + (f" (in {locate(base).uri})" if base else "")
                + "; check the path (left out are names that begin with . or _, and in a folder documents such as "
                ".md and .txt; those are read by name, or by a glob as in *.txt)"
            )
        found.update((match.uri, match) for match in matches)
    return tuple(found[uri] for uri in sorted(found))


def check_read_once(listed: Sequence[tuple[str, ListedFile]]) -> None:
    """Makes sure that no file is listed twice, under one name or, by a symbolic link, under two.

    Args:
        listed: files, each with its source.

    Raises:
        DataError: one is; names both listings.
    """
    seen: dict[str, tuple[str, ListedFile]] = {}
    for source, file in listed:
        real = file.uri if is_uri(file.uri) else os.path.realpath(file.uri)
        if real in seen:
            other, first = seen[real]
            raise DataError(
                f"{file.file} (source {source!r}) and {first.file} (source {other!r}) are the same file, and no row "
                "may be read twice; take it out of one, or give narrower paths"
            )
        seen[real] = source, file


def takes(path: str, base: str | None, uri: str) -> bool:
    """Whether a file would be listed, were it there.

    Args:
        path: of a source: a file, folder or glob.
        base: the folder that relative paths are against.
        uri: absolute path or URI of the file.

    Returns:
        True where `list_source` would find it.
    """
    folder, glob = locate(path, base), None
    if kind(folder) != "folder":
        if not is_glob(path):
            return folder.uri == uri
        folder, glob = split_glob(path, base)
    stem, start = split_query(uri)[0], split_query(folder.uri)[0].rstrip("/") + "/"
    return stem.startswith(start) and _is_wanted(stem.removeprefix(start).split("/"), glob)


def list_path(path: str, base: str | None = None) -> list[ListedFile]:
    """The files at one path of a source, in any order; none where there are none.

    Raises:
        DataError: a folder cannot be read.
    """
    return list(_expand(path, base))


def is_glob(path: str) -> bool:
    """Whether a path has characters of a glob."""
    return _MAGIC.search(split_query(path)[0]) is not None


def is_document(name: str) -> bool:
    """Whether a file name is that of a document beside the data."""
    return _NOT_DATA.fullmatch(name) is not None


def _expand(path: str, base: str | None) -> Iterator[ListedFile]:
    location = locate(path, base)
    root = locate(base or ".").uri
    found = kind(location)
    if found == "file":
        info = location.filesystem.get_file_info(location.path)
        yield _listed(location.uri, info.size, root)
    elif found == "folder":
        yield from _walk(location, root, None)
    elif is_glob(path):
        folder, pattern = split_glob(path, base)
        if kind(folder) == "folder":
            yield from _walk(folder, root, pattern)


def split_glob(path: str, base: str | None) -> tuple[Location, str]:
    """The folder below which a glob matches, and the glob within it.

    Args:
        path: a glob.
        base: the folder that relative paths are against.

    Returns:
        The folder and the glob. A part that is the name of a folder, brackets and all, is that folder.
    """
    stem, query = split_query(path)
    start, rest = "", stem.removeprefix("file://")
    if is_uri(rest):
        start, rest = split_root(rest)
    if start or rest.startswith("/"):
        start = f"{start}/"
    parts = [part for part in rest.split("/") if part not in ("", ".")]
    fixed = 0
    while fixed < len(parts) - 1:
        if _MAGIC.search(parts[fixed]) and kind(locate(start + "/".join(parts[: fixed + 1]) + query, base)) != "folder":
            break
        fixed += 1
    return locate(start + "/".join(parts[:fixed]) + query, base), "/".join(parts[fixed:])


def _walk(folder: Location, root: str, glob: str | None) -> Iterator[ListedFile]:
    """The files of a folder and the folders in it; with a glob, those that it matches, or that lie in what it matches.

    Documents are left out unless the glob names their ending.
    """
    try:
        infos = folder.filesystem.get_file_info(fs.FileSelector(folder.path, recursive=True))
    except OSError as error:
        raise_for(folder, "list", error)
    for info in infos:
        inner = info.path[len(folder.path.rstrip("/")) :].strip("/")
        if info.type == fs.FileType.File and _is_wanted(inner.split("/"), glob):
            yield _listed(info.path if folder.is_local else join(folder.uri, inner), info.size, root)


def _is_wanted(parts: Sequence[str], glob: str | None) -> bool:
    """Whether a file in a folder, as the parts of its path below it, is data of a source."""
    if any(part.startswith((".", "_")) for part in parts):
        return False
    pattern = glob_pattern(glob) if glob is not None else None
    if pattern is not None and not any(pattern.fullmatch("/".join(parts[:n])) for n in range(len(parts), 0, -1)):
        return False
    return not _NOT_DATA.fullmatch(parts[-1]) or _names_ending(glob, parts[-1])


def _names_ending(glob: str | None, name: str) -> bool:
    """Whether a glob asks for such files, as `*.txt` does for notes.txt, and `*` does not."""
    ending = name.rpartition(".")[2].lower()
    return glob is not None and glob.lower().endswith(ending)


def _listed(uri: str, size: int, root: str) -> ListedFile:
    under = root.rstrip("/") + "/"
    return ListedFile(uri, uri[len(under) :] if uri.startswith(under) and not is_uri(uri) else shown(uri), size)


@lru_cache(maxsize=64)
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
            body = re.sub(r"([\\\[&|~])", r"\\\1", pattern[i + 1 : end])
            body = "^" + body[1:] if body.startswith("!") else body
            out, i = out + f"[{body}]", end + 1
        else:
            out, i = out + re.escape(pattern[i]), i + 1
    return re.compile(out, re.DOTALL)
