"""Where the tables of an ingest lie in a run: a folder a source, its files, and what is said of them."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass

from pipelines.run_directory import INGEST, RunDirectory
from splitting.errors import RunDirectoryError

FACTS = "ingest.json"
TABLE, REJECTS, STAMPS = "table", "rejected", "stamps"
_PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")


@dataclass(frozen=True)
class IngestFacts:
    """What is said of a source's tables.

    Attributes:
        kind: `images` or `audio`.
        base: what their locations are relative to: an absolute path or a URI.
        fingerprint: of what measured them: other versions or limits may measure otherwise.
        parts: how many there are.
        taken: rows in them.
        rejected: by kind.
    """

    kind: str
    base: str
    fingerprint: str
    parts: int
    taken: int
    rejected: dict[str, int]


def folder_of(source: str) -> str:
    """The folder of a source in a run; no two sources share one, on any file system.

    Examples:
        >>> folder_of("web")
        'ingest/web'
        >>> folder_of("Web/2")
        'ingest/web-2-2af6c82e'
    """
    if _PLAIN.fullmatch(source):
        return f"{INGEST}/{source}"
    slug = re.sub(r"[^a-z0-9]+", "-", source.lower()).strip("-")[:40] or "source"
    return f"{INGEST}/{slug}-{hashlib.sha256(source.encode()).hexdigest()[:8]}"


def part_name(what: str, number: int) -> str:
    """The name of a part's file.

    Args:
        what: `table`, `rejected` or `stamps`.
        number: of the part.
    """
    return f"{what}-{number:05d}.parquet"


def write_facts(run: RunDirectory, source: str, facts: IngestFacts) -> None:
    """Writes what is said of a source's tables: last, when they are whole."""
    run.write(f"{folder_of(source)}/{FACTS}", json.dumps(asdict(facts), indent=1, ensure_ascii=False) + "\n")


def read_facts(run: RunDirectory, source: str) -> IngestFacts | None:
    """What is said of a source's tables; None where there are none.

    Raises:
        RunDirectoryError: it cannot be read.
    """
    name = f"{folder_of(source)}/{FACTS}"
    if not run.has(name):
        return None
    try:
        return IngestFacts(**json.loads(run.read(name)))
    except (ValueError, TypeError) as error:
        raise RunDirectoryError(f"{run.uri}/{name} cannot be used ({error}); plan again") from error


def source_bases(run: RunDirectory, sources: tuple[str, ...]) -> dict[str, str]:
    """What the locations in the tables of each ingested source are relative to."""
    found = {source: read_facts(run, source) for source in sources}
    return {source: facts.base for source, facts in found.items() if facts is not None}
