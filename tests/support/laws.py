"""The laws that every summary keeps: merging is commutative, associative and exact, and survives being packed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def check_monoid(parts: Sequence[Any], empty: Any) -> None:
    """Merges parts of one class in several orders and nestings; equal summaries must give equal bytes."""
    kind = type(empty)
    whole = kind.merge([empty, *parts]).to_bytes()
    assert kind.merge([*parts[::-1], empty]).to_bytes() == whole, "the order of parts decides"
    cut = len(parts) // 2
    nested = [kind.merge([empty, *parts[:cut]]), kind.merge([empty, *parts[cut:]])]
    assert kind.merge(nested).to_bytes() == whole, "how parts are nested decides"
    packed = [kind.from_bytes(part.to_bytes()) for part in (*parts, empty)]
    assert kind.merge(packed).to_bytes() == whole, "packing changes a part"
    assert kind.from_bytes(whole).to_bytes() == whole, "packing changes the whole"
