"""The models of `linked_by`: what links rows so that no split parts them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from pipelines.spec.values import listed, shorten
from splitting.linking.rules import (
    MAX_DISTANCE,
    MAX_LINKS,
    MAX_VERIFY_DISTANCE,
    EqualValues,
    LinkRule,
    NearHashes,
    NearTexts,
)

DEFAULT_DISTANCE, DEFAULT_VERIFY_DISTANCE, DEFAULT_PERCENT, LEAST_PERCENT = 4, 10, 80, 60


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


Name: TypeAlias = Annotated[str, Field(min_length=1)]


def _percent(value: Any) -> Any:
    """A similarity as whole percent, read from its decimal digits: 0.8 is 80."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return value
    try:
        percent = Decimal(str(value)) * 100
    except InvalidOperation:
        percent = Decimal(-1)
    if percent != percent.to_integral_value() or not LEAST_PERCENT <= percent <= 100:
        raise ValueError(f"got {shorten(value)}, expected a similarity from 0.60 to 1, with at most two decimals")
    return float(value)


class NearDuplicates(_Model):
    """Rows whose 64-bit hashes are near each other.

    Attributes:
        near_duplicates: the column of the hash that is searched.
        distance: bits in which two hashes may differ.
        verify: the column of a second hash that must agree.
        verify_distance: bits in which those may differ; 10 by default.
    """

    near_duplicates: Name
    distance: Annotated[int, Field(ge=0, le=MAX_DISTANCE, strict=True)] = DEFAULT_DISTANCE
    verify: Name | None = None
    verify_distance: Annotated[int, Field(ge=0, le=MAX_VERIFY_DISTANCE, strict=True)] | None = None

    @model_validator(mode="after")
    def _verifies(self) -> NearDuplicates:
        if self.verify is None and self.verify_distance is not None:
            raise ValueError("has verify_distance, but no verify; name the column of a second hash, or take it out")
        if self.verify == self.near_duplicates:
            raise ValueError(f"verifies {shorten(self.verify)} by itself; name another column, or take verify out")
        return self

    def rule(self) -> LinkRule:
        """What the core calls it."""
        if self.verify is None:
            return NearHashes(self.near_duplicates, self.distance)
        allowed = DEFAULT_VERIFY_DISTANCE if self.verify_distance is None else self.verify_distance
        return NearHashes(self.near_duplicates, self.distance, self.verify, allowed)


class NearText(_Model):
    """Rows whose texts say nearly the same.

    Attributes:
        near_text: the column of the text.
        similarity: the least Jaccard similarity of their shingles.
    """

    near_text: Name
    similarity: Annotated[float, BeforeValidator(_percent)] = DEFAULT_PERCENT / 100

    def rule(self) -> LinkRule:
        """What the core calls it."""
        return NearTexts(self.near_text, int(Decimal(str(self.similarity)) * 100))


def _kind(value: Any) -> str:
    """Which kind of link a value is, so that only the problems of that kind are told."""
    if isinstance(value, NearText) or (isinstance(value, Mapping) and "near_text" in value):
        return "NearText"
    return "NearDuplicates" if isinstance(value, Mapping | NearDuplicates) else "str"


Link: TypeAlias = Annotated[
    Annotated[Name, Tag("str")]
    | Annotated[NearDuplicates, Tag("NearDuplicates")]
    | Annotated[NearText, Tag("NearText")],
    Discriminator(_kind),
]
LinkedBy: TypeAlias = Annotated[tuple[Link, ...], BeforeValidator(listed), Field(max_length=MAX_LINKS)]
IMAGE_LINKS: tuple[str | NearDuplicates, ...] = (
    "pixel_hash",
    NearDuplicates(near_duplicates="perceptual_hash", verify="difference_hash"),
)


def link_rules(linked_by: tuple[str | NearDuplicates | NearText, ...]) -> tuple[LinkRule, ...]:
    """What links rows, in the terms of the core."""
    return tuple(EqualValues(link) if isinstance(link, str) else link.rule() for link in linked_by)
