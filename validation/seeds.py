"""Seeds of everything that draws: a function of the salt and the purpose, and of nothing else."""

from __future__ import annotations

import hashlib


def seed_of(salt: str, *purpose: str) -> int:
    """A seed, the same in every process and on every machine.

    Args:
        salt: of the spec.
        purpose: what is drawn, as in `"null", "label"`.

    Returns:
        An integer from 0 to 2^64 - 1: the first eight bytes of SHA-256 over the length-prefixed texts.

    Examples:
        >>> seed_of("s", "a", "b") == seed_of("s", "ab")
        False
    """
    digest = hashlib.sha256()
    for text in (salt, *purpose):
        data = text.encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return int.from_bytes(digest.digest()[:8], "big")
