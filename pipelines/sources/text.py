"""What the text formats share: a file is read in blocks, and a line that is no row is kept aside with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa

from pipelines.sources.filesystems import Location, raise_for

BLOCK_BYTES = 16 * 2**20
MAX_TEXT = 10_000


@dataclass(frozen=True)
class BadRow:
    """A line that is not a row.

    Attributes:
        text: the line, cut to 10,000 characters.
        reason: why it is none.
    """

    text: str
    reason: str


@contextmanager
def open_text(location: Location) -> Iterator[pa.NativeFile]:
    """The bytes of a file, uncompressed where its name ends in .gz.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with location.filesystem.open_input_stream(location.path, compression="detect") as stream:
            yield stream
    except pa.ArrowException:
        raise
    except OSError as error:
        raise_for(location, "read", error)


def is_utf8(block: bytes) -> bool:
    """Whether bytes are UTF-8."""
    if block.isascii():
        return True
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    return True
