"""What the text formats share: a file is read in blocks, and a line that is no row is kept aside with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa

from pipelines.sources.filesystems import Location, raise_for

BLOCK_BYTES = 16 * 2**20
MAX_TEXT = 10_000
BAD_LINE = "bad line"
_LINE_BYTES = 2**16


@dataclass(frozen=True)
class BadRow:
    """A line that is not a row, or a file that is no example.

    Attributes:
        text: the line, cut to 10,000 characters; of a file, its path.
        reason: why it is none.
        kind: by which it is counted.
    """

    text: str
    reason: str
    kind: str = BAD_LINE


Span = tuple[int, int]
"""Two positions in a file. Its lines are those that begin at the first or later, and before the second."""


def is_compressed(name: str) -> bool:
    """Whether a text file can only be read from its begin."""
    return name.lower().endswith(".gz")


@contextmanager
def open_text(location: Location, span: Span | None = None) -> Iterator[pa.NativeFile]:
    """The bytes of a file, uncompressed where its name ends in .gz.

    Args:
        location: of the file.
        span: whose lines are wanted; None for all.

    Raises:
        DataError: it cannot be read.
    """
    try:
        if span is None:
            with location.filesystem.open_input_stream(location.path, compression="detect") as stream:
                yield stream
            return
        with location.filesystem.open_input_file(location.path) as whole:
            start, end = (_line_start(whole, position) for position in span)
            with whole.get_stream(start, end - start) as stream:
                yield stream
    except pa.ArrowException:
        raise
    except OSError as error:
        raise_for(location, "read", error)


def _line_start(whole: pa.NativeFile, position: int) -> int:
    """Where the first line begins that begins at a position or later; the end of the file where none does."""
    size: int = whole.size()
    at = position - 1  # a line begins behind a line break
    while 0 <= at < size:
        found: int = whole.read_at(min(_LINE_BYTES, size - at), at).find(b"\n")
        if found >= 0:
            return at + found + 1
        at += _LINE_BYTES
    return 0 if position <= 0 else size


def is_utf8(block: bytes) -> bool:
    """Whether bytes are UTF-8."""
    if block.isascii():
        return True
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    return True
