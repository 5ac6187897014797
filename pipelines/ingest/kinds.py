"""The kinds of files that are ingested: what is measured of each, and how."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib import metadata
from typing import Any

import pyarrow as pa

from pipelines.ingest.extras import check_extra
from pipelines.ingest.names import AUDIO_ENDINGS, IMAGE_ENDINGS, KindName
from pipelines.ingest.rejects import Limits

_MEASURES = 3
"""Raised with every change of what is measured, so that nothing measured otherwise is taken over."""


@dataclass(frozen=True)
class Kind:
    """A kind of files.

    Attributes:
        name: as specs write it.
        schema: of what is measured.
        read: bytes, name and limits to a value for each column, or for some and what gives the rest; raises
            UnreadableError.
        finish: what `read` left of several files to the values of the other columns of each.
        packages: whose versions decide what is measured.
        endings: of file names that promise such a file.
    """

    name: KindName
    schema: pa.Schema = field(repr=False)
    read: Callable[[bytes, str, Limits], tuple[dict[str, Any], Any]] = field(repr=False)
    finish: Callable[[Sequence[Any]], list[dict[str, Any]]] = field(repr=False)
    packages: tuple[str, ...]
    endings: frozenset[str] = field(repr=False)

    def fingerprint(self, limits: Limits) -> str:
        """A digest of what decides a measure beside the bytes: versions and limits."""
        versions = {name: _version(name) for name in self.packages}
        told = json.dumps([_MEASURES, self.name, versions, asdict(limits)], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:32]


@cache
def _version(package: str) -> str:
    """Of an installed package; to look it up takes a millisecond."""
    return metadata.version(package)


@cache
def kind_of(name: KindName) -> Kind:
    """A kind by its name.

    Raises:
        SpecError: its extra is not installed.
    """
    check_extra(name)
    if name == "images":
        from pipelines.ingest.images import MEASURED, measure_small, read_image  # noqa: PLC0415, an extra

        return Kind(
            "images",
            MEASURED,
            read_image,
            measure_small,
            ("pillow", "imagehash", "numpy", "scipy"),
            frozenset(IMAGE_ENDINGS),
        )
    from pipelines.ingest.audio import MEASURED as SOUND  # noqa: PLC0415, an extra
    from pipelines.ingest.audio import nothing_left, read_audio  # noqa: PLC0415

    return Kind("audio", SOUND, read_audio, nothing_left, ("soundfile", "numpy"), frozenset(AUDIO_ENDINGS))
