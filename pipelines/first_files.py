"""Finds folders of images or sounds for a first spec: which folders are sources, and whether folders are labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath

from pipelines.ingest.names import AUDIO_ENDINGS, IMAGE_ENDINGS, KindName
from pipelines.ingest.walking import walk
from pipelines.sources.filesystems import kind, locate
from pipelines.sources.formats import ending_of

MOST_FILES = 100_000
"""So many files are looked at, by name, before the guess is made."""
_KINDS: dict[KindName, tuple[str, ...]] = {"images": tuple(IMAGE_ENDINGS), "audio": tuple(AUDIO_ENDINGS)}


@dataclass(frozen=True)
class FileSource:
    """A folder of files of a kind.

    Attributes:
        path: of the folder.
        files: how many were seen in it, at most 100,000.
        labels: the folders in it that hold them; empty where they lie in the folder itself.
        tables: files beside them that may list them.
    """

    path: str
    files: int
    labels: tuple[str, ...]
    tables: tuple[str, ...]


def find_files(paths: Sequence[str]) -> tuple[KindName, dict[str, FileSource]] | None:
    """Finds the sources, where the paths are folders of images or sounds.

    One path whose folders hold folders of files gives a source a folder, and so does one whose folders hold the files
    themselves; of several paths, each is a source. Folders in a source are labels.

    Args:
        paths: as they were given.

    Returns:
        The kind and the sources by path; None where the paths are something else, or most files are of another kind.
    """
    names: dict[str, list[str]] = {}
    for path in paths:
        location = locate(path)
        if kind(location) != "folder":
            return None
        names[path] = [walked.path for walked in islice(walk(location), MOST_FILES)]
    every = [name for found in names.values() for name in found]
    what = next((one for one, endings in _KINDS.items() if 2 * _count(every, endings) > len(every)), None)
    if what is None:
        return None
    sources: dict[str, list[str]] = {}
    for path, found in names.items():
        if len(names) == 1 and all("/" in name for name in found if name.lower().endswith(_KINDS[what])):
            for name in found:
                folder, slash, inner = name.partition("/")
                if slash:
                    sources.setdefault(f"{path.rstrip('/')}/{folder}", []).append(inner)
        else:
            sources[path] = found
    made = {path: _source(path, found, _KINDS[what]) for path, found in sources.items()}
    return what, {path: source for path, source in made.items() if source.files}


def source_names(paths: Sequence[str]) -> dict[str, str]:
    """Names of sources by path: those of the folders, numbered where two share one."""
    taken: Counter[str] = Counter()
    found = {}
    for path in paths:
        name = "".join(c if c.isalnum() and c.isascii() else "_" for c in PurePosixPath(locate(path).path).name)
        name = name.strip("_").lower() or "source"
        taken[name] += 1
        found[path] = name if taken[name] == 1 else f"{name}_{taken[name]}"
    return found


def _source(path: str, found: Sequence[str], endings: tuple[str, ...]) -> FileSource:
    files = [name for name in found if name.lower().endswith(endings)]
    labels = sorted({name.rpartition("/")[0].rpartition("/")[2] for name in files} - {""})
    tables = tuple(name for name in found if ending_of(name))
    return FileSource(path, len(files), tuple(labels), tables)


def _count(names: Sequence[str], endings: tuple[str, ...]) -> int:
    return sum(name.lower().endswith(endings) for name in names)
