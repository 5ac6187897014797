"""The jobs on Apache Beam. Transforms wire; the functions that think are in `splitting` and `validation`."""

from __future__ import annotations

import logging


def _import_beam_quietly() -> None:
    """Imports Beam without its warning about Google clients that this project does not use."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        import apache_beam  # noqa: F401, PLC0415
    finally:
        logging.disable(level)


_import_beam_quietly()
