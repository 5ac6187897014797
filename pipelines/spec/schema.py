"""The JSON Schema of a spec, as users type it: editors complete and check with it.

It refuses nothing that the models accept. What they refuse beyond it is what JSON Schema cannot tell: names that must
agree, SQL, sums, the order of edges, encodings, and 5.0, which is a whole number to it.
"""

from __future__ import annotations

from typing import Any

from pipelines.spec.check_schema import CHECKS
from pipelines.spec.checks import (
    LONGEST_SOURCE_NAME,
    LONGEST_SPLIT_NAME,
    MAX_EVALUATION_SPLITS,
    MAX_SOURCES,
    RESERVED_SPLITS,
    SPLIT_NAME,
)
from pipelines.spec.ingest_models import INGESTED
from pipelines.spec.ingest_schema import AUDIO, IMAGES, LABEL_FROM, LISTED_IN, only_files
from pipelines.spec.link_schema import LINKED_BY
from pipelines.spec.models import COLUMN_TYPES, MOST_SAMPLE_ROWS
from pipelines.spec.schema_parts import END as _END
from pipelines.spec.schema_parts import FULL_TEXT as _FULL_TEXT
from pipelines.spec.schema_parts import NAMES as _NAMES
from pipelines.spec.schema_parts import TEXT as _TEXT
from pipelines.spec.schema_parts import schema_object as _object
from pipelines.spec.schema_parts import told as _told
from splitting.linking.rules import LARGEST_CLUSTER

_PATH = {"type": "string", "pattern": r"^[^\u0000]*[^\s\u0000][^\u0000]*" + _END}
_COUNT = {"type": "integer", "minimum": 1, "title": "a count of rows"}
_PERCENT = {
    "type": "string",
    "pattern": r"^\s*(?!0+(\.0+)?\s*%)(0?[0-9]{1,2}(\.[0-9]{1,20})?|100(\.0{1,20})?)\s*%\s*$",
    "title": "a percentage of the pool, above 0% and at most 100%",
    "examples": ["5%"],
}


_CSV = _object(
    "CSV options",
    "How CSV files are read.",
    [],
    {
        "delimiter": _told(
            {
                "type": "string",
                "minLength": 1,
                "maxLength": 1,
                "pattern": r"[\u0001-\u0009\u000b\u000c\u000e-\u0021\u0023-\u007f]",
                "default": ",",
            },
            "One ASCII character.",
        ),
        "null_values": _told(
            {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}], "default": [""]},
            "Unquoted texts that mean null.",
            ["", "NA"],
        ),
        "column_types": _told(
            {"type": "object", "additionalProperties": {"enum": list(COLUMN_TYPES)}},
            "Types of columns that are not to be guessed.",
            {"zip": "string"},
        ),
        "newlines_in_values": _told({"type": "boolean", "default": True}, "Quoted values may hold line breaks."),
        "encoding": _told({"type": "string", "default": "utf8"}, "Of the files.", "latin-1"),
    },
)
_SOURCE = {
    **_object(
        "a source",
        "A named input.",
        ["path"],
        {
            "path": _told(
                {"anyOf": [_PATH, {"type": "array", "items": _PATH, "minItems": 1}]},
                "A file, folder, glob, or a list of them; local, s3://, gs://, hdfs:// or abfs://.",
                "data/web/*.parquet",
            ),
            "format": _told(
                {"enum": ["parquet", "csv", "jsonl", "arrow", "orc", *INGESTED]},
                "Of the files; by default, what their names end in. images and audio are files that are measured.",
            ),
            "csv": _CSV,
            "label": LABEL_FROM,
            "table": LISTED_IN,
        },
    ),
    "allOf": [
        {
            "if": {"required": ["csv", "format"]},
            "then": {"properties": {"format": {"const": "csv"}}},
        },
        {
            "if": {"anyOf": [{"required": ["label"]}, {"required": ["table"]}]},
            "then": {"required": ["format"], "properties": {"format": {"enum": list(INGESTED)}}},
        },
    ],
}
_POOL = {
    **_object(
        "a pool",
        "The examples of these sources that meet this condition.",
        [],
        {
            "source": _told(_NAMES, "One or several sources.", "app"),
            "where": _told(
                _FULL_TEXT, "A SQL condition over the columns.", "captured_at >= '2026-01-01' AND country = 'SE'"
            ),
        },
    ),
    "anyOf": [{"required": ["source"]}, {"required": ["where"]}],
}
_SIZED = _object(
    "a split with its own pool",
    "A size, and where the examples come from.",
    ["size"],
    {
        "size": {"anyOf": [_COUNT, _PERCENT]},
        "from": {
            "description": "target, train (the train mixture), a SQL condition that narrows the target, or a pool.",
            "anyOf": [_FULL_TEXT, _POOL],
            "examples": ["hour >= 20", {"source": "web"}],
        },
    },
)
_REST = {"const": "rest"}
_SIZED_REST = _object("what is left", "The same, written out.", ["size"], {"size": _REST})
_SPLITS = {
    "title": "splits",
    "description": "Sizes by name. train is what is left; train_dev comes from the train mixture, others the target.",
    "type": "object",
    "minProperties": 1,
    "not": {"required": ["train"], "maxProperties": 1},
    "anyOf": [
        {"maxProperties": MAX_EVALUATION_SPLITS},
        {"required": ["train"], "maxProperties": MAX_EVALUATION_SPLITS + 1},
    ],
    "properties": {"train": {"description": "What is left; may be left out.", "anyOf": [_REST, _SIZED_REST]}},
    "propertyNames": {
        "pattern": f"^{SPLIT_NAME}{_END}",
        "maxLength": LONGEST_SPLIT_NAME,
        "not": {"enum": list(RESERVED_SPLITS)},
    },
    "additionalProperties": {"anyOf": [_COUNT, _PERCENT, _SIZED]},
    "examples": [{"test": 2500, "dev": 2500, "train_dev": 2500, "train": "rest"}],
}
_STRATUM = {
    "anyOf": [
        _TEXT,
        _object(
            "a stratified column",
            "A column, binned by edges where it is numeric.",
            ["column"],
            {
                "column": _told(_TEXT, "Its name."),
                "edges": _told(
                    {"type": "array", "items": {"type": "number"}}, "Strictly increasing bin edges.", [18, 40, 65]
                ),
            },
        ),
    ]
}

_REPORT = _object(
    "report",
    "What the report shows beyond figures. Nothing here decides where an example goes.",
    [],
    {
        "sample_rows": _told(
            {"type": "integer", "minimum": 0, "maximum": MOST_SAMPLE_ROWS, "default": 0},
            "Rows of each split to show; none by default, for data can be private.",
            5,
        ),
        "thumbnails": _told(
            {"type": "boolean", "default": True}, "Small pictures of typical and extreme images of each split."
        ),
    },
)
_FOLDER = _object(
    "folder",
    "How output: folder puts files where they go.",
    [],
    {
        "link": _told(
            {"enum": ["copy", "hard"], "default": "copy"},
            "copy writes the bytes anew; hard gives local files a second name, which takes no room.",
        ),
    },
)


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a spec.

    Returns:
        Plain values; the same every time.
    """
    properties = {
        "name": _told(
            {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*" + _END, "maxLength": 100}, "Of the data set."
        ),
        "salt": _told(
            {**_FULL_TEXT, "maxLength": 200},
            "Names the draw; another salt is another draw. Keep it. Of images and audio, it may be left out.",
            "cat-finder-2026",
        ),
        "sources": _told(
            {
                "type": "object",
                "minProperties": 1,
                "maxProperties": MAX_SOURCES,
                "propertyNames": {"pattern": r"\S", "maxLength": LONGEST_SOURCE_NAME},
                "additionalProperties": _SOURCE,
            },
            "The inputs, by name.",
        ),
        "key": _told(
            _NAMES,
            "The columns that name an example for ever, or row for the whole row. Of files: source and path.",
            "image_id",
        ),
        "group": _told(_NAMES, "Columns whose examples are never separated.", "user_id"),
        "linked_by": LINKED_BY,
        "largest_cluster": _told(
            {"type": "integer", "minimum": 2, "default": LARGEST_CLUSTER},
            "Groups that links may join to one cluster; more are refused.",
        ),
        "label": _told(_TEXT, "The column that a model predicts.", "label"),
        "target": _told(_POOL, "Which distribution matters.", {"source": "app"}),
        "stratify": _told(
            {"anyOf": [_TEXT, {"type": "array", "items": _STRATUM}]},
            "Columns whose shares every split keeps.",
            ["label"],
        ),
        "splits": _SPLITS,
        "on_shortfall": _told(
            {"enum": ["error", "fill", "allow"], "default": "error"},
            "Where a stratum cannot give its quota: fail, fill from other strata, or accept a smaller split.",
        ),
        "new_members": _told(
            {"enum": ["hold_out", "join"], "default": "hold_out"},
            "What becomes of new members of a group that is already in an evaluation split.",
        ),
        "output": _told(
            {"enum": ["data", "parquet", "index", "webdataset", "folder"], "default": "data"},
            "data (or parquet) copies the rows, with the files of images; webdataset and folder write those apart; "
            "index points to the rows.",
        ),
        "folder": _FOLDER,
        "source_column": _told({**_TEXT, "default": "source"}, "The name of the column that tells a row's source."),
        "checks": CHECKS,
        "report": _REPORT,
        "images": IMAGES,
        "audio": AUDIO,
    }
    root = _object("targetsplit spec", "What to split, and how.", ["sources", "target", "splits"], properties)
    root |= {"if": only_files(), "else": {"required": ["name", "salt", "key"]}}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **root}
