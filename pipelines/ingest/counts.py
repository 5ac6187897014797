"""What an ingest counted, by source. A monoid."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

PARTS, TAKEN, REUSED, REJECTED = "parts", "taken", "reused", "rejected"


@dataclass(frozen=True)
class IngestCounts:
    """Counts.

    Attributes:
        counts: `(source, what, detail)` with its count, sorted. `what` is `parts`, `taken` (members that are rows now),
            `reused` (rows that were not decoded again), or `rejected`, of which `detail` is the kind.
    """

    counts: tuple[tuple[tuple[str, str, str], int], ...] = ()

    @classmethod
    def of(cls, source: str, taken: int, reused: int, rejected: Iterable[str]) -> IngestCounts:
        """Those of one part.

        Args:
            source: its name.
            taken: how many members are rows.
            reused: how many of them were not decoded again.
            rejected: the kind of each rejected member.
        """
        found = Counter({(source, PARTS, ""): 1, (source, TAKEN, ""): taken, (source, REUSED, ""): reused})
        found.update((source, REJECTED, kind) for kind in rejected)
        return cls._from(found)

    @classmethod
    def _from(cls, found: Counter[tuple[str, str, str]]) -> IngestCounts:
        return cls(tuple(sorted((key, count) for key, count in found.items() if count)))

    @classmethod
    def empty(cls) -> IngestCounts:
        """Nothing."""
        return cls()

    @classmethod
    def merge(cls, parts: Iterable[IngestCounts]) -> IngestCounts:
        """Sums, in any order."""
        total: Counter[tuple[str, str, str]] = Counter()
        for part in parts:
            total.update(dict(part.counts))
        return cls._from(total)

    def to_bytes(self) -> bytes:
        """Packs the counts."""
        return json.dumps([[*key, count] for key, count in self.counts]).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> IngestCounts:
        """Unpacks counts."""
        return cls(tuple(((source, what, kind), count) for source, what, kind, count in json.loads(data)))

    def total(self, source: str, what: str) -> int:
        """The count of a source, over all details."""
        return sum(count for key, count in self.counts if key[:2] == (source, what))

    def rejected(self, source: str) -> dict[str, int]:
        """Rejected members of a source by kind, the commonest first."""
        found = {kind: count for (name, what, kind), count in self.counts if (name, what) == (source, REJECTED)}
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
