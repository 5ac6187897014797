"""Thumbnails as the report shows them: typical images of each split, and the extremes of what differs."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from pipelines.report.terms import LOOKS
from pipelines.report.words import number, shown

_LONGEST_PATH = 120


@dataclass(frozen=True)
class Thumbnail:
    """A small picture of one image.

    Attributes:
        split: of the image.
        place: `typical`, `lowest` or `highest`.
        column: of which it is an extreme; empty for a typical one.
        value: of that column; None for a typical one.
        source: of the image.
        path: of the image in its source.
        width: of the picture, pixels.
        height: of the picture, pixels.
        data: a JPEG file of our own making.
    """

    split: str
    place: str
    column: str
    value: float | None
    source: str
    path: str
    width: int
    height: int
    data: bytes


@dataclass(frozen=True)
class PictureView:
    """One picture on the page.

    Attributes:
        address: a data URI.
        words: what it is, for those who do not see it.
        caption: below it; empty for none.
        width: pixels.
        height: pixels.
    """

    address: str
    words: str
    caption: str
    width: int
    height: int


@dataclass(frozen=True)
class PictureRow:
    """Some pictures of one split.

    Attributes:
        split: its name.
        groups: what they are, and they.
    """

    split: str
    groups: tuple[tuple[str, tuple[PictureView, ...]], ...]


@dataclass(frozen=True)
class PicturesView:
    """All pictures.

    Attributes:
        typical: a row a split.
        extremes: by column, what it measures and a row a split.
    """

    typical: tuple[PictureRow, ...]
    extremes: tuple[tuple[str, str, tuple[PictureRow, ...]], ...]


def pictures_view(thumbnails: Sequence[Thumbnail]) -> PicturesView | None:
    """The section of the pictures.

    Args:
        thumbnails: in the order in which they are shown.

    Returns:
        Its view; None without any.
    """
    if not thumbnails:
        return None
    extremes = groupby((one for one in thumbnails if one.column), key=lambda one: one.column)
    return PicturesView(
        tuple(_rows(one for one in thumbnails if not one.column)),
        tuple((shown(column), LOOKS.get(column, ""), tuple(_rows(found))) for column, found in extremes),
    )


def _rows(thumbnails: Iterator[Thumbnail]) -> Iterator[PictureRow]:
    for split, of_split in groupby(thumbnails, key=lambda one: one.split):
        by_place = groupby(of_split, key=lambda one: one.place)
        yield PictureRow(split, tuple((place, tuple(map(_picture, found))) for place, found in by_place))


def _picture(one: Thumbnail) -> PictureView:
    path = f"{shown(one.source)}: {shown(one.path, _LONGEST_PATH)}"
    told = f"{one.place} of {one.split}"
    if one.column:
        told = f"{shown(one.column)} {number(one.value)}, {told}"
    return PictureView(
        address="data:image/jpeg;base64," + base64.b64encode(one.data).decode(),
        words=f"{path}, {told}",
        caption=number(one.value) if one.column else "",
        width=one.width,
        height=one.height,
    )
