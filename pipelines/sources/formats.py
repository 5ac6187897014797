"""The formats that are read, and the names that they go by."""

from __future__ import annotations

from typing import Literal

from splitting.errors import DataError

Format = Literal["parquet", "csv", "jsonl", "arrow", "orc", "rejects"]
"""`rejects` are files that an ingest took for no examples, each with its reason; no spec names it."""
EXTENSIONS: dict[str, Format] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".csv.gz": "csv",
    ".tsv.gz": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".jsonl.gz": "jsonl",
    ".ndjson.gz": "jsonl",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".orc": "orc",
}


def ending_of(name: str) -> str | None:
    """The ending of a file name that tells a format, as it is written; None where it has none such."""
    lower = name.lower()
    lengths = [len(ending) for ending in EXTENSIONS if lower.endswith(ending)]
    return name[-max(lengths) :] if lengths else None


def extension_format(name: str) -> Format | None:
    """The format that a file name's ending tells; None where it tells none."""
    ending = ending_of(name)
    return EXTENSIONS[ending.lower()] if ending else None


def format_of(name: str, given: Format | None) -> Format:
    """The format of a file.

    Args:
        name: of the file.
        given: what the spec says, which counts first.

    Returns:
        The format.

    Raises:
        DataError: neither tells.
    """
    told = given or extension_format(name)
    if told is None:
        raise DataError(
            f"{name}: the ending tells no format; set format: to one of parquet, csv, jsonl, arrow, orc "
            f"(known endings: {', '.join(EXTENSIONS)})"
        )
    return told
