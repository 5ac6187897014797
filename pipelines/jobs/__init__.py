"""The jobs on Apache Beam. Transforms wire; the functions that think are in `splitting` and `validation`."""

from __future__ import annotations

import gc
import logging

from validation.late import load_late


def _import_beam_quickly() -> None:
    """Imports Beam without its warning about Google clients, and without Amazon's client: nothing here uses either.

    The collector would look through some hundred thousand new objects again and again, all of which stay.
    """
    load_late("boto3")
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
