"""The label of a file: from the folder that it lies in, or from what lies beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

ARCHIVE = ".tar"
LabelOrigin = Literal["directory", "cls"]


@dataclass(frozen=True)
class LabelRule:
    """Where the label of a file comes from.

    Attributes:
        column: the name of the label column.
        origin: `directory`, the name of a folder in its path; `cls`, the member of that ending beside it in an archive.
        level: which folder: -1 the one that the file lies in, 0 the first in its path.
    """

    column: str
    origin: LabelOrigin = "directory"
    level: int = -1

    def of(self, paths: Sequence[str], beside: Sequence[str | None]) -> list[str | None]:
        """The labels of members.

        Args:
            paths: of the members.
            beside: the labels that lie beside them.

        Returns:
            A label each; null where there is none, as of a file in no folder. An archive is no folder.

        Examples:
            >>> LabelRule("label").of(["cat/a.jpg", "b.jpg", "s.tar/c.jpg", "s.tar/dog/d.jpg"], [None] * 4)
            ['cat', None, None, 'dog']
        """
        return list(beside) if self.origin == "cls" else [self._folder(path) for path in paths]

    def _folder(self, path: str) -> str | None:
        folders = [part for part in path.split("/")[:-1] if not part.lower().endswith(ARCHIVE)]
        return folders[self.level] if -len(folders) <= self.level < len(folders) else None
