"""The jobs on Apache Beam. Transforms wire; the functions that think are in `splitting` and `validation`."""

from __future__ import annotations

import gc
import logging


def _import_beam_quickly() -> None:
    """Imports Beam, without its warning about Google clients that this project does not use.

    The collector would look through some hundred thousand new objects again and again, all of which stay.
    """
    level, collects = logging.root.manager.disable, gc.isenabled()
    logging.disable(logging.WARNING)
    gc.disable()
    try:
        import apache_beam  # noqa: F401, PLC0415
    finally:
        logging.disable(level)
        if collects:
            gc.enable()


_import_beam_quickly()
