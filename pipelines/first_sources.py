"""Finds sources for a first spec: which files are data, what is left out, which CSV columns must be read as text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from pipelines.sources.filesystems import kind, list_names, locate
from pipelines.sources.formats import ending_of
from pipelines.sources.fragments import Inventory, SourceRequest, take_inventory
from pipelines.sources.listing import list_path
from pipelines.sources.options import CsvOptions
from pipelines.sources.schemas import FileSchema, TypeConflictError

_SHOWN = 5


@dataclass(frozen=True)
class FirstSource:
    """A source.

    Attributes:
        paths: of its files; a folder or, where other files lie in it, a glob for each ending.
        texts: CSV columns that are to be read as text, each with the reason.
    """

    paths: tuple[str, ...]
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass
class FirstSources:
    """What there is to read.

    Attributes:
        sources: by name.
        left_out: what lies beside the data, each with the reason.
    """

    sources: dict[str, FirstSource] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    _taken: set[str] = field(default_factory=set)

    def add(self, name: str, path: str) -> None:
        """Adds a source, unless it is there already, or holds no data."""
        uri = locate(path).uri
        if uri in self._taken:
            return
        self._taken.add(uri)
        paths = self._data_of(path)
        if not paths:
            return
        safe = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_").lower() or "source"
        unique, number = safe, 2
        while unique in self.sources:
            unique, number = f"{safe}_{number}", number + 1
        self.sources[unique] = FirstSource(paths)

    def _data_of(self, path: str) -> tuple[str, ...]:
        """The path itself, or globs for the data in a folder that holds other files, too; nothing of no data."""
        if kind(locate(path)) != "folder":
            return (path,)
        names = [file.file for file in list_path(path)]
        endings = sorted({ending for name in names if (ending := ending_of(name))})
        others = [name for name in names if not ending_of(name)]
        if not endings:
            what = f"holds {_listed(others)}, of no known format" if others else "holds no data"
            self.left_out.append(f"{path} ({what})")
            return ()
        if not others:
            return (path,)
        self.left_out.append(f"{_listed(others)} ({'are' if len(others) > 1 else 'is'} of no known format)")
        return tuple(f"{path.rstrip('/')}/**/*{ending}" for ending in endings)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def find_sources(paths: Sequence[str]) -> FirstSources:
    """Finds the sources.

    Args:
        paths: files, folders or globs. A folder whose sub-folders hold the data gives a source a sub-folder. What is
            given twice counts once.

    Returns:
        Sources, without files and folders of no known format.
    """
    found = FirstSources()
    for path in paths:
        _find(path, found)
    return found


def _find(path: str, found: FirstSources) -> None:
    location = locate(path)
    if kind(location) != "folder":
        found.add(_stem(path), path)
        return
    inner = {name: f"{path.rstrip('/')}/{name}" for name in list_names(location) if not name.startswith((".", "_"))}
    folders = [name for name in inner if kind(locate(inner[name])) == "folder"]
    files = [name for name in inner if ending_of(name) and name not in folders]
    if folders and not files:
        for name in folders:
            found.add(name, inner[name])
    elif len(files) > 1 and len({_stem(name) for name in files}) > 1:
        for name in files:
            found.add(name.split(".")[0], inner[name])
        found.left_out.extend(f"{inner[name]} (a folder beside files)" for name in folders)
    elif inner:
        found.add(PurePosixPath(location.path).name, path)


def _stem(path: str) -> str:
    """What a file or glob is called without its ending and shard number: the folder where that leaves nothing."""
    part = PurePosixPath(path)
    name = re.sub(r"[*?\[\]]", "", part.name).split(".")[0]
    return re.sub(r"[-_]?[0-9]+([-_]of[-_][0-9]+)?$", "", name) or name or part.parent.name


def look_at(found: FirstSources) -> Inventory:
    """Lists what there is to read; CSV columns whose guessed types do not go together become text.

    Args:
        found: the sources; columns that become text are noted in them.

    Returns:
        The inventory.

    Raises:
        DataError: files cannot be read, or do not go together even so.
    """
    try:
        return _inventory(found)
    except TypeConflictError as error:
        if not _note_texts(found, error.columns):
            raise
        return _inventory(found)


def _inventory(found: FirstSources) -> Inventory:
    return take_inventory(
        [
            SourceRequest(name, source.paths, csv=CsvOptions(column_types=tuple((c, "string") for c in source.texts)))
            for name, source in found.sources.items()
        ]
    )


def _note_texts(found: FirstSources, conflicts: Mapping[str, Sequence[FileSchema]]) -> bool:
    """Whether any column is of CSV files, and so can be read as text."""
    for column, files in conflicts.items():
        types: dict[str, str] = {}
        for item in files:
            types.setdefault(str(item.schema.field(column).type), item.file)
        why = ", ".join(f"{guessed} in {file}" for guessed, file in types.items())
        for name in {item.source for item in files if item.format == "csv"}:
            source = found.sources[name]
            found.sources[name] = replace(source, texts={**source.texts, column: f"its types differ: {why}"})
    return any(source.texts for source in found.sources.values())
