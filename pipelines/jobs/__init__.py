"""The jobs on Apache Beam. Transforms wire; the functions that think are in `splitting` and `validation`."""

from __future__ import annotations

import logging

import pyarrow as pa

from validation.startup import importing, load_late


def _import_beam_quickly() -> None:
    """Imports Beam without its warning about Google clients, and without what nothing of ours uses.

    Beam would load pandas to convert its frames, and a client of MongoDB to read from there; and pyarrow, at its first
    array, pandas again. What it finds then it remembers; functions of users may need another answer, and
    `pipelines/ingest/embedding.py` has it look again.
    """
    load_late("boto3")
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with importing("pandas", "pymongo", "bson"):
            import apache_beam  # noqa: F401, PLC0415

            pa.array([])
    finally:
        logging.disable(level)


_import_beam_quickly()
