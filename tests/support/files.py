"""Rows that point to files, as an ingest leaves them, without any ingest: for tests of what writes files."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
from PIL import Image

from pipelines.output.media.files import FileReader


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def picture(number: int, kind: str = "JPEG", size: tuple[int, int] = (24, 16)) -> bytes:
    """A small picture, another for each number."""
    sink = io.BytesIO()
    colour = (number * 37 % 256, number * 59 % 256, number * 83 % 256)
    Image.new("RGB", size, colour).save(sink, kind)
    return sink.getvalue()


def read_folder(rows: pa.Table, base: str) -> list[bytes]:
    return [(Path(base) / uri).read_bytes() for uri in rows.column("image_uri").to_pylist()]


def local_paths(rows: pa.Table, base: str) -> list[str]:
    return [str(Path(base) / uri) for uri in rows.column("image_uri").to_pylist()]


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def rows_of(files: Mapping[str, bytes], source: str, labels: Sequence[str | None], formats: Sequence[str]) -> pa.Table:
    """A row a file, with the columns that say where it lies and what it is."""
    frame = pl.DataFrame(
        {
            "path": list(files),
            "label": pl.Series(labels, dtype=pl.String),
            "format": list(formats),
            "bytes": pl.Series([len(data) for data in files.values()], dtype=pl.Int64),
            "brightness": [number / 8 for number in range(len(files))],
            "content_hash": [digest(data) for data in files.values()],
            "image_uri": list(files),
            "image_offset": pl.repeat(None, len(files), dtype=pl.Int64, eager=True),
            "image_size": pl.repeat(None, len(files), dtype=pl.Int64, eager=True),
            "image_row": pl.repeat(None, len(files), dtype=pl.Int64, eager=True),
            "source": [source] * len(files),
        }
    )
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())


def reader_of(bases: Mapping[str, Path]) -> FileReader:
    return FileReader({name: str(path) for name, path in bases.items()}, read_folder, digest, "source")
