"""Great Expectations as a library: it logs, captures warnings and shows progress bars of its own accord."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet() -> Iterator[None]:
    """Silences its log inside the block, and gives Python its warnings back, which the import takes away."""
    logger = logging.getLogger("great_expectations")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logging.captureWarnings(capture=False)
        logger.setLevel(level)
