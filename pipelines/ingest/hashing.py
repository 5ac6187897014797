"""The name of a file by its bytes."""

from __future__ import annotations

import hashlib


def content_hash(data: bytes) -> str:
    """SHA-256 of the bytes of a file, in hex.

    Examples:
        >>> content_hash(b"")[:16]
        'e3b0c44298fc1c14'
    """
    return hashlib.sha256(data).hexdigest()
