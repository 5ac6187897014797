"""The layout in which Hugging Face's datasets keep an image or a sound in a table: a struct of bytes and path."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pyarrow as pa

from splitting.errors import DataError

FILE_TYPE = pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])
_KEY = b"huggingface"


def embedding_schema(schema: pa.Schema, column: str, feature: str) -> pa.Schema:
    """A schema with a column of embedded files at its end, which `datasets.load_dataset` decodes with no help.

    Args:
        schema: of the rows.
        column: the name of the new column.
        feature: the type that `datasets` decodes it with, `Image` or `Audio`.

    Returns:
        The schema; features of other columns that its metadata tells are kept.

    Raises:
        DataError: there is such a column already.
    """
    if column in schema.names:
        raise DataError(
            f"the rows have a column {column!r}, and files are written to a column of that name; rename that column, "
            "or set `output: index`"
        )
    metadata = dict(schema.metadata or {})
    known = _features(metadata.get(_KEY))
    metadata[_KEY] = json.dumps({"info": {"features": {**known, column: {"_type": feature}}}}).encode()
    return schema.append(pa.field(column, FILE_TYPE)).with_metadata(metadata)


def _features(data: bytes | None) -> dict[str, object]:
    """The features that metadata of an input tells, as far as it is what it should be."""
    try:
        document = json.loads(data or b"{}")
        features = document["info"]["features"]
    except (ValueError, KeyError, TypeError):
        return {}
    return features if isinstance(features, dict) else {}


def embedded(data: Sequence[bytes], paths: pa.ChunkedArray) -> pa.Array:
    """A column of files.

    Args:
        data: the bytes of each.
        paths: string, where each came from.

    Returns:
        A struct array of `FILE_TYPE`.
    """
    texts = paths.cast(pa.string()).combine_chunks()
    return pa.StructArray.from_arrays([pa.array(data, pa.binary()), texts], fields=list(FILE_TYPE))
