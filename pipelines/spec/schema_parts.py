"""What the parts of the JSON Schema are made of."""

from __future__ import annotations

from typing import Any

END = r"(?!\n)$"  # some engines let $ stand before a last line break
TEXT = {"type": "string", "minLength": 1}
FULL_TEXT = {"type": "string", "pattern": r"\S"}
NAMES = {"anyOf": [TEXT, {"type": "array", "items": TEXT, "minItems": 1}]}


def schema_object(title: str, description: str, required: list[str], properties: dict[str, Any]) -> dict[str, Any]:
    """The schema of a mapping that takes no other keys.

    Args:
        title: what it is.
        description: what it is for.
        required: keys that must be there.
        properties: schemas by key.

    Returns:
        Plain values.
    """
    return {
        "title": title,
        "description": description,
        "type": "object",
        "additionalProperties": False,
        "required": required,
        "properties": properties,
    }


def told(schema: dict[str, Any], description: str, *examples: Any) -> dict[str, Any]:
    """A schema with its description and examples."""
    return {**schema, "description": description, **({"examples": list(examples)} if examples else {})}
