"""Options of reading."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CsvOptions:
    """How CSV files are read.

    Attributes:
        delimiter: one character; files named .tsv are read with tabs where it is a comma.
        null_values: unquoted texts that mean null.
        column_types: types of columns that are not to be guessed, as pairs of a name and an Arrow type.
        newlines_in_values: quoted values may hold line breaks.
        encoding: of the files.
    """

    delimiter: str = ","
    null_values: tuple[str, ...] = ("",)
    column_types: tuple[tuple[str, str], ...] = ()
    newlines_in_values: bool = True
    encoding: str = "utf8"
