"""The JSON Schema of the parts of a spec that are for sources of files."""

from __future__ import annotations

from typing import Any

from pipelines.spec.ingest_models import INGESTED, MOST_BYTES, MOST_PIXELS
from pipelines.spec.schema_parts import END, TEXT, schema_object, told

_MOST = {
    "anyOf": [
        {"type": "integer", "minimum": 0},
        {
            "type": "string",
            "pattern": r"^\s*(?!0+(\.0+)?\s*%)(0?[0-9]{1,2}(\.[0-9]{1,20})?|100(\.0{1,20})?)\s*%\s*$",
        },
    ],
    "default": "10%",
}
_REJECTED = told(_MOST, "A source with more rejected files fails the run: a count, or a share of its files.", "5%")


def _bound(most: int, default: int, description: str) -> dict[str, Any]:
    return told({"type": "integer", "minimum": 1, "maximum": most, "default": default}, description)


LABEL_FROM = schema_object(
    "labels of files",
    "Where the label of a file comes from; of images and audio.",
    ["from"],
    {
        "from": told(
            {"enum": ["directory", "cls"]},
            "directory: the name of a folder in its path; cls: what lies beside it in a tar archive.",
        ),
        "level": told(
            {"type": "integer", "minimum": -100, "maximum": 100, "default": -1},
            "Which folder: -1 the one that the file lies in, -2 the one above it; 0 the first in its path.",
        ),
    },
)
LISTED_IN = {
    "description": "A table that lists the files, with columns of your own; of images and audio.",
    "anyOf": [
        TEXT,
        schema_object(
            "a list of files",
            "A table, and the column that names the files.",
            ["path"],
            {
                "path": told(TEXT, "Of the table: CSV, JSON Lines, Parquet, …", "labels.csv"),
                "file": told(TEXT, "The column that names a file, relative to the source's folder.", "file_name"),
                "columns": told(
                    {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}, "Those that are taken over; by default all."
                ),
            },
        ),
    ],
    "examples": ["labels.csv"],
}
_EMBEDDING = {
    **schema_object(
        "an embedding",
        "What makes a vector of each image: a column embedding.",
        [],
        {
            "function": told(
                {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*" + END},
                "From an array of images (uint8, n by size by size by 3) to an array of n vectors.",
                "vectors:embed",
            ),
            "onnx": told(TEXT, "Path of an ONNX model.", "model.onnx"),
            "size": told(
                {"type": "integer", "minimum": 8, "maximum": 1_024, "default": 224},
                "Images are brought to a square of so many pixels.",
            ),
        },
    ),
    "oneOf": [{"required": ["function"]}, {"required": ["onnx"]}],
}
IMAGES = schema_object(
    "images",
    "How images are read.",
    [],
    {
        "max_pixels": _bound(MOST_PIXELS, 89_478_485, "Images of more, by their header, are rejected."),
        "max_bytes": _bound(MOST_BYTES, 2**28, "Files of more are rejected."),
        "mislabelled": told(
            {"enum": ["reject", "accept"], "default": "reject"},
            "What becomes of images whose names end in another format's ending.",
        ),
        "max_rejected": _REJECTED,
        "embedding": _EMBEDDING,
    },
)
AUDIO = schema_object(
    "audio",
    "How sounds are read.",
    [],
    {
        "max_seconds": _bound(100_000, 3_600, "Sounds that are longer, by their header, are rejected."),
        "max_bytes": _bound(MOST_BYTES, 2**28, "Files of more are rejected."),
        "max_rejected": _REJECTED,
    },
)


def only_files() -> dict[str, Any]:
    """The schema of a spec whose sources are files of one kind."""
    return {
        "required": ["sources"],
        "anyOf": [{"properties": {"sources": {"additionalProperties": _of_kind(kind)}}} for kind in INGESTED],
    }


def _of_kind(kind: str) -> dict[str, Any]:
    return {"required": ["format"], "properties": {"format": {"const": kind}}}
