"""Names of files and folders that are made of texts from the data: safe, distinct, and the same on every machine."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping

import polars as pl

from splitting.hashing import hash_texts

NO_LABEL = "_no_label"
_LONGEST = 80
_KEPT = frozenset(" -_.,+()")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_HASHED = re.compile(r".*-[0-9a-f]{16}", re.DOTALL)
_EXTENSION = re.compile(r"[a-z0-9]{1,8}")


def safe_name(text: str) -> str:
    """A text as one part of a path: it is no `..`, hides no file, and every system can have it.

    Args:
        text: any.

    Returns:
        Letters, digits and ` -_.,+()` of it in NFC, all else as `_`; at most 80 bytes of UTF-8; without blanks and dots
        at its ends; never empty. Different texts can give one name.

    Examples:
        >>> safe_name("../etc/passwd"), safe_name("Golden Retriever"), safe_name("nul.txt"), safe_name("")
        ('_.._etc_passwd', 'Golden Retriever', '_nul.txt', '_')
    """
    plain = "".join(c if c.isalnum() or c in _KEPT else "_" for c in unicodedata.normalize("NFC", text))
    if plain.startswith("."):
        plain = f"_{plain}"
    cut = plain.encode("utf-8", "replace")[:_LONGEST].decode("utf-8", "ignore").strip(" ").rstrip(" .")
    return f"_{cut}" if not cut or _RESERVED.fullmatch(cut) else cut


def label_folders(labels: Iterable[str | None]) -> Mapping[str | None, str]:
    """The folder of each label.

    Args:
        labels: all of a run, distinct; None is a row without a label.

    Returns:
        A name for each, `safe_name` where that is its own. Labels whose names are one, also on file systems that tell
        no `Cat` from `cat`, have a hash at the end, and so has a name that looks as if it had one.

    Examples:
        >>> label_folders(["cat", "red fox", "../x"])
        {'../x': '_.._x', 'cat': 'cat', 'red fox': 'red fox'}
    """
    texts = sorted(labels, key=lambda label: (label is not None, label))
    plain = {label: NO_LABEL if label is None else safe_name(label) for label in texts}
    shared = Counter(_folded(name) for name in plain.values())
    hashes = hash_texts(pl.Series(["" if label is None else f"={label}" for label in texts], dtype=pl.String), 0)
    folders = {}
    for (label, name), digest in zip(plain.items(), hashes, strict=True):
        alone = shared[_folded(name)] == 1 and not _HASHED.fullmatch(name.lower())
        folders[label] = name if alone else f"{name}-{digest:016x}"
    return folders


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKD", name).casefold())


def file_names(paths: pl.Series, identities: pl.Series, extensions: pl.Series) -> list[str]:
    """The names of files, each distinct from all others though none knows them.

    Args:
        paths: String, where the files came from; their last parts begin the names.
        identities: String, what tells a file from every other; a hash of it is in its name.
        extensions: String, without the dot.

    Returns:
        As in `kitten-0f3a5c7e9b1d2f46.jpg`.
    """
    hashes = hash_texts(identities, 0)
    named = zip(paths, hashes, extensions, strict=True)
    return [f"{_stem(path or '')}-{digest:016x}.{extension}" for path, digest, extension in named]


def _stem(path: str) -> str:
    last = re.split(r"[/\\]", path)[-1]
    stem, dot, _ = last.rpartition(".")
    return safe_name(stem if dot and stem else last)


def plain_extension(name: str | None, otherwise: str) -> str:
    """The extension that a file's name ends in, in small letters; another one where it has none that is plain.

    Examples:
        >>> plain_extension("a/b.JPEG", "bin"), plain_extension("a/b", "bin"), plain_extension("a.b/c", "bin")
        ('jpeg', 'bin', 'bin')
    """
    _, dot, ending = re.split(r"[/\\]", name or "")[-1].rpartition(".")
    return ending.lower() if dot and _EXTENSION.fullmatch(ending.lower()) else otherwise
