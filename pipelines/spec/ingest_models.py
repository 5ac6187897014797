"""The parts of a spec for sources of files: where labels come from, and what a file may take."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from pipelines.spec.values import listed, parse_size, shorten, size_text

INGESTED = ("images", "audio")
MOST_PIXELS = 178_956_970
"""Pillow itself refuses images of more than this."""
MOST_BYTES = 2**31


@dataclass(frozen=True)
class Share:
    """How many of some things there may be: a count, or a share of all."""

    amount: int | Fraction

    def of(self, total: int) -> int:
        """How many of so many that is; a share is rounded down."""
        return self.amount if isinstance(self.amount, int) else int(self.amount * total)

    def __str__(self) -> str:
        return str(size_text(self.amount))


def parse_most(value: Any) -> int | Fraction:
    """A bound as users write it: a count from 0, or a percentage.

    Examples:
        >>> parse_most(0), parse_most("5%")
        (0, Fraction(1, 20))
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, Fraction) or (isinstance(value, str) and value.strip().endswith("%")):
        parsed = parse_size(value)
        if isinstance(parsed, Fraction):
            return parsed
    raise ValueError(f'got {shorten(value)}; expected a count as in 0 or 50, or a percentage as in "5%"')


Most = Annotated[int | Fraction, BeforeValidator(parse_most)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=False, arbitrary_types_allowed=True)


class LabelFrom(_Part):
    """Where the label of a file comes from.

    Attributes:
        from_: `directory`, the name of a folder in its path; `cls`, what lies beside it in a tar archive.
        level: which folder: -1 the one that the file lies in, -2 the one above; 0 the first in its path.
    """

    from_: Literal["directory", "cls"] = Field(alias="from")
    level: Annotated[int, Field(ge=-100, le=100, strict=True)] = -1


class ListedIn(_Part):
    """A table that lists the files of a source.

    Attributes:
        path: of the table: CSV, JSON Lines, Parquet, …
        file: the column that names a file, relative to the source's folder.
        columns: those that are taken over; by default all.
    """

    path: Annotated[str, Field(min_length=1)]
    file: Annotated[str, Field(min_length=1)] | None = None
    columns: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(listed)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str) else value


class EmbeddingOf(_Part):
    """What makes a vector of each image.

    Attributes:
        function: `module:function`, from arrays of images to an array of vectors.
        onnx: path of an ONNX model.
        size: images are brought to a square of so many pixels.
    """

    function: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    onnx: Annotated[str, Field(min_length=1)] | None = None
    size: Annotated[int, Field(ge=8, le=1_024, strict=True)] = 224

    @model_validator(mode="after")
    def _is_one(self) -> EmbeddingOf:
        if (self.function is None) == (self.onnx is None):
            raise ValueError("expected either function: module:function, or onnx: model.onnx")
        return self


class Images(_Part):
    """How images are read.

    Attributes:
        max_pixels: images of more, by their header, are rejected.
        max_bytes: files of more are rejected.
        mislabelled: what becomes of images whose names end in another format's ending.
        max_rejected: a source with more rejected files fails the run.
        embedding: what makes a vector of each image; none by default.
    """

    max_pixels: Annotated[int, Field(ge=1, le=MOST_PIXELS, strict=True)] = 89_478_485
    max_bytes: Annotated[int, Field(ge=1, le=MOST_BYTES, strict=True)] = 2**28
    mislabelled: Literal["reject", "accept"] = "reject"
    max_rejected: Most = Fraction(1, 10)
    embedding: EmbeddingOf | None = None


class Audio(_Part):
    """How sounds are read.

    Attributes:
        max_seconds: sounds that are longer, by their header, are rejected.
        max_bytes: files of more are rejected.
        max_rejected: a source with more rejected files fails the run.
    """

    max_seconds: Annotated[int, Field(ge=1, le=100_000, strict=True)] = 3_600
    max_bytes: Annotated[int, Field(ge=1, le=MOST_BYTES, strict=True)] = 2**28
    max_rejected: Most = Fraction(1, 10)
