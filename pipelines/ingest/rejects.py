"""Files that are no examples: each has a kind, by which it is counted, and a reason, which tells the case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

REJECT_SCHEMA = pa.schema(
    [
        pa.field("path", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
    ]
)
MAX_REASON = 300

EMPTY, MISSING, UNREADABLE, LARGE_FILE = "empty file", "missing file", "unreadable file", "file too large"
UNSAFE_NAME = "unsafe name"


@dataclass(frozen=True)
class Limits:
    """What a file may take to be read.

    Attributes:
        max_pixels: of an image, width times height as its header says.
        max_bytes: of a file.
        mislabelled: what becomes of an image whose name ends in another format's ending: `reject` or `accept`.
        max_seconds: of a sound.
    """

    max_pixels: int = 89_478_485
    max_bytes: int = 2**28
    mislabelled: str = "reject"
    max_seconds: int = 3_600


def escaped(name: str) -> str:
    r"""A name as UTF-8 can hold it: bytes that are none stand as `\udc80`, say.

    Examples:
        >>> escaped("caf\udce9.jpg")
        'caf\\udce9.jpg'
    """
    return name.encode("utf-8", "backslashreplace").decode()


class UnreadableError(Exception):
    """A file is no example.

    Attributes:
        kind: by which it is counted, as in `broken image`.
        reason: what was found; one line, cut.
    """

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(f"{kind}: {reason}")
        self.kind = kind
        self.reason = " ".join("".join(c if c.isprintable() else " " for c in reason).split())[:MAX_REASON]

    def __reduce__(self) -> tuple[type[UnreadableError], tuple[str, str]]:
        return UnreadableError, (self.kind, self.reason)


def check_size(size: int, limits: Limits) -> None:
    """Refuses files that are empty or too large to be read.

    Raises:
        UnreadableError: it is.
    """
    if not size:
        raise UnreadableError(EMPTY, "0 bytes")
    if size > limits.max_bytes:
        raise UnreadableError(LARGE_FILE, f"{size:,} bytes, more than max_bytes {limits.max_bytes:,}")


def check_ending(found: str, name: str, endings: Mapping[str, str], kind: str, limits: Limits) -> None:
    """Refuses files whose name ends in another format's ending, where the limits say so.

    Args:
        found: the format that the file has.
        name: of the file.
        endings: the format that each ending tells, in lower case and with its dot.
        kind: by which such a file is counted.
        limits: see there.

    Raises:
        UnreadableError: it does.
    """
    ending = "." + name.rpartition(".")[2].lower()
    if limits.mislabelled == "reject" and endings.get(ending) not in (None, found):
        raise UnreadableError(kind, f"is {found}, and its name ends in {ending}")
