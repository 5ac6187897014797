"""The JSON Schema of `linked_by`."""

from __future__ import annotations

from pipelines.spec.link_models import DEFAULT_DISTANCE, DEFAULT_PERCENT, DEFAULT_VERIFY_DISTANCE, LEAST_PERCENT
from pipelines.spec.schema_parts import TEXT, schema_object, told
from splitting.linking.rules import MAX_DISTANCE, MAX_LINKS, MAX_VERIFY_DISTANCE

_NEAR_DUPLICATES = {
    **schema_object(
        "near-duplicates",
        "Rows whose 64-bit hashes differ in few bits.",
        ["near_duplicates"],
        {
            "near_duplicates": told(
                TEXT, "The column of the hash: whole numbers of 64 bits, or 16 hexadecimal digits.", "perceptual_hash"
            ),
            "distance": told(
                {"type": "integer", "minimum": 0, "maximum": MAX_DISTANCE, "default": DEFAULT_DISTANCE},
                "Bits in which two hashes may differ.",
            ),
            "verify": told(TEXT, "The column of a second hash, made another way, that must agree.", "difference_hash"),
            "verify_distance": told(
                {"type": "integer", "minimum": 0, "maximum": MAX_VERIFY_DISTANCE, "default": DEFAULT_VERIFY_DISTANCE},
                "Bits in which those may differ.",
            ),
        },
    ),
    "dependentRequired": {"verify_distance": ["verify"]},
}
_SIMILARITY = {"type": "number", "minimum": LEAST_PERCENT / 100, "maximum": 1, "default": DEFAULT_PERCENT / 100}
_NEAR_TEXT = schema_object(
    "near text",
    "Rows whose texts say nearly the same.",
    ["near_text"],
    {
        "near_text": told(TEXT, "The column of the text.", "caption"),
        "similarity": told(_SIMILARITY, "The least Jaccard similarity of their sets of 5-letter shingles."),
    },
)
_LINK = {"anyOf": [TEXT, _NEAR_DUPLICATES, _NEAR_TEXT]}
LINKED_BY = told(
    {"anyOf": [TEXT, {"type": "array", "items": _LINK, "maxItems": MAX_LINKS}]},
    "What joins groups to clusters, closed together: equal values of a column, near-duplicates.",
    ["user_id", {"near_duplicates": "perceptual_hash", "distance": 4}],
)
