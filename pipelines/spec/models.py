"""The models of a spec. Frozen; unknown keys are errors; what users may write in short is spelled out here."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Any, Literal, TypeAlias

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    Tag,
    field_validator,
    model_validator,
)

from pipelines.spec.messages import shorten
from splitting.request import TARGET_POOL, TRAIN

Format = Literal["parquet", "csv", "jsonl", "arrow", "orc"]
COLUMN_TYPES = [
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float32",
    "float64",
    "string",
    "binary",
    "date32",
    "timestamp[s]",
    "timestamp[ms]",
    "timestamp[us]",
    "timestamp[ns]",
]
RESERVED_SPLITS = frozenset({"held_out", "rejected"})
ROW = "row"
_YAML_LINE_BREAKS = "\x85\u2028\u2029\ufeff"  # escaped, or YAML would read them as line breaks
_PERCENT = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,20}))?\s*%")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SPLIT_NAME = re.compile(r"[a-z][a-z0-9_]*")


def _listed(value: Any) -> Any:
    """One name stands for a list of one."""
    return [value] if isinstance(value, str) else value


def _edge(value: Any) -> Any:
    """A finite number; a text or true is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"got {shorten(value)}, expected a number")
    return value


def _size(value: Any) -> Any:
    """A size as users write it: a count, a percentage, or `rest`."""
    if isinstance(value, bool | float):
        raise ValueError(f'got {shorten(value)}; write a count of rows as in 2500, or a percentage as in "20%"')
    if isinstance(value, int):
        if value < 1:
            raise ValueError(f"got {value}; a split needs at least one row: leave it out if it is not wanted")
        return value
    if isinstance(value, Fraction) or value == "rest":
        return value
    found = _PERCENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f'got {shorten(value)}; expected a count as in 2500, a percentage as in "5%", or rest')
    decimals = found[2] or ""
    share = Fraction(int(found[1] + decimals), 100 * 10 ** len(decimals))
    if not 0 < share <= 1:
        raise ValueError(f"got {value!r}; a percentage is above 0% and at most 100%")
    return share


Columns: TypeAlias = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_listed)]
Names: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, arbitrary_types_allowed=True)


class Csv(_Model):
    """How CSV files are read.

    Attributes:
        delimiter: one character.
        null_values: texts that mean null.
        column_types: types of columns that are not to be guessed.
        newlines_in_values: quoted values may hold line breaks; without them, large files are read in parallel.
        encoding: of the files.
    """

    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    null_values: Names = ("",)
    column_types: dict[str, str] = {}
    newlines_in_values: StrictBool = True
    encoding: str = "utf8"

    @field_validator("delimiter")
    @classmethod
    def _one_byte(cls, value: str) -> str:
        if not value.isascii() or value in '"\r\n\0':
            raise ValueError(f"got {value!r}, expected one ASCII character that is no quote and no line break")
        return value

    @field_validator("column_types")
    @classmethod
    def _known_types(cls, value: dict[str, str]) -> dict[str, str]:
        for column, kind in value.items():
            if kind not in COLUMN_TYPES:
                raise ValueError(f"column {column!r}: got type {kind!r}, expected one of {', '.join(COLUMN_TYPES)}")
        return value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            "".encode(value)
        except LookupError:
            raise ValueError(f"got {value!r}, expected an encoding as in utf8 or latin-1") from None
        return value


class Source(_Model):
    """A named input.

    Attributes:
        path: a file, folder, glob, or a list of them.
        format: of the files; by default, what their names end in.
        csv: how CSV files are read.
    """

    path: Annotated[Names, Field(min_length=1)]
    format: Format | None = None
    csv: Csv = Csv()

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths, in the order of the spec."""
        return self.path

    @field_validator("path")
    @classmethod
    def _not_empty(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(not path.strip() or "\0" in path for path in value):
            raise ValueError("got an empty path, expected a file, folder or glob")
        return value


class Pool(_Model):
    """The examples that a split may be drawn from: of these sources, and meeting this condition.

    Attributes:
        source: one or several sources.
        where: a SQL condition over the columns.
    """

    source: Names | None = None
    where: str | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Pool:
        if not self.source and not (self.where or "").strip():
            raise ValueError("is empty; expected source: NAME and/or where: CONDITION")
        return self


class Stratify(_Model):
    """One column of the strata.

    Attributes:
        column: its name.
        edges: bin edges of a numeric column, strictly increasing; without any, each value is a stratum.
    """

    column: Annotated[str, Field(min_length=1)]
    edges: tuple[Annotated[int | float, BeforeValidator(_edge)], ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value

    @field_validator("edges")
    @classmethod
    def _increasing(cls, value: tuple[int | float, ...]) -> tuple[int | float, ...]:
        if any(not low < high for low, high in pairwise(value)):
            raise ValueError(f"got {list(value)}; edges must be strictly increasing")
        return value


def _origin(value: Any) -> str:
    """Which kind of `from` a value is, so that only the problems of that kind are told."""
    return "none" if value is None else "Pool" if isinstance(value, dict | Pool) else "str"


class Split(_Model):
    """A split.

    Attributes:
        size: a count of rows, a share of the pool, or `rest`.
        from_: `target`, `train` (the train mixture), a SQL condition that narrows the target, or a pool of its own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=False, arbitrary_types_allowed=True)

    size: Annotated[int | Fraction | Literal["rest"], BeforeValidator(_size)]
    from_: Annotated[
        Annotated[Pool, Tag("Pool")] | Annotated[str, Field(min_length=1), Tag("str")] | Annotated[None, Tag("none")],
        Discriminator(_origin),
    ] = Field(default=None, alias="from")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return value if isinstance(value, dict) else {"size": value}


class Spec(_Model):
    """A spec: which sources, what names an example, which distribution matters, which splits.

    Attributes:
        name: of the data set.
        salt: names the draw; another salt is another draw.
        sources: by name.
        key: the columns that name an example, or the word `row`.
        group: columns whose examples are never separated.
        label: the column that a model predicts.
        target: which distribution matters.
        stratify: columns whose shares every split keeps.
        splits: by name; `train` is what is left.
        on_shortfall: what to do where a stratum cannot give its quota.
        new_members: what becomes of new members of a group that is already in an evaluation split.
        output: copy the data, or write an index that points to it.
        source_column: the name of the column that tells each row's source.
    """

    name: Annotated[str, Field(max_length=100)]
    salt: Annotated[str, Field(min_length=1, max_length=200)]
    sources: Annotated[dict[str, Source], Field(min_length=1)]
    key: Annotated[Columns, Field(min_length=1)]
    group: Annotated[Columns, Field(min_length=1)] | None = None
    label: Annotated[str, Field(min_length=1)] | None = None
    target: Pool
    stratify: Annotated[tuple[Stratify, ...], BeforeValidator(_listed)] = ()
    splits: dict[str, Split]
    on_shortfall: Literal["error", "fill", "allow"] = "error"
    new_members: Literal["hold_out", "join"] = "hold_out"
    output: Literal["data", "index"] = "data"
    source_column: Annotated[str, Field(min_length=1)] = "source"

    @field_validator("name")
    @classmethod
    def _plain_name(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            raise ValueError(f"got {shorten(value)}; expected letters, digits, dots, dashes and underscores")
        return value

    @field_validator("sources")
    @classmethod
    def _printable_sources(cls, value: dict[str, Source]) -> dict[str, Source]:
        for name in value:
            if not name.strip() or not name.isprintable() or len(name) > 100:
                raise ValueError(f"got the name {shorten(name)}; expected up to 100 printable characters")
        return value

    @field_validator("splits")
    @classmethod
    def _sensible_splits(cls, value: dict[str, Split]) -> dict[str, Split]:
        for name, split in value.items():
            if not _SPLIT_NAME.fullmatch(name) or len(name) > 40 or name in RESERVED_SPLITS:
                raise ValueError(
                    f"got a split named {shorten(name)}; expected up to 40 of a-z, 0-9 and _, beginning with a letter, "
                    f"and not {' or '.join(sorted(RESERVED_SPLITS))}"
                )
            if name == TRAIN and (split.size != "rest" or split.from_ is not None):
                raise ValueError(f"{TRAIN} is what is left: write {TRAIN}: rest, or leave it out")
            if name != TRAIN and split.size == "rest":
                raise ValueError(f"{name}: rest; only {TRAIN} can be what is left: write a count or a percentage")
        if not set(value) - {TRAIN}:
            raise ValueError("has no evaluation split; expected at least one, as in dev: 2500")
        return value

    @model_validator(mode="after")
    def _defaults(self) -> Spec:
        splits = {name: split for name, split in self.splits.items() if name != TRAIN}
        for name, split in splits.items():
            if split.from_ is None:
                default = TRAIN if name == "train_dev" else TARGET_POOL
                splits[name] = split.model_copy(update={"from_": default})
        object.__setattr__(self, "splits", {**splits, TRAIN: Split(size="rest")})
        return self

    @property
    def key_is_row(self) -> bool:
        """The whole row names an example."""
        return self.key == (ROW,)

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The columns that name an example; empty where the whole row does."""
        return () if self.key_is_row else self.key

    def evaluation_splits(self) -> dict[str, Split]:
        """Every split but `train`, in the order of the spec."""
        return {name: split for name, split in self.splits.items() if name != TRAIN}

    def decision(self) -> dict[str, Any]:
        """What decides a split, and nothing about where and how the data is stored."""
        document = self.to_document()
        kept = ["salt", "key", "group", "target", "stratify", "splits", "on_shortfall", "new_members", "source_column"]
        return {name: document.get(name) for name in kept} | {"sources": sorted(self.sources)}

    def to_document(self) -> dict[str, Any]:
        """The spec, resolved, as plain values that parse to an equal spec."""
        document = self.model_dump(mode="python", exclude_none=True, by_alias=True)
        document["splits"] = {name: _split_document(split) for name, split in self.splits.items()}
        plain: dict[str, Any] = _plain(document)
        return plain

    def to_yaml(self) -> str:
        """The spec, resolved, as YAML that parses to an equal spec."""
        text = yaml.safe_dump(self.to_document(), sort_keys=False, allow_unicode=True)
        if any(mark in text for mark in _YAML_LINE_BREAKS):
            return yaml.safe_dump(self.to_document(), sort_keys=False, allow_unicode=False)
        return text


def _split_document(split: Split) -> Any:
    if split.size == "rest":
        return "rest"
    origin = split.from_.model_dump(exclude_none=True) if isinstance(split.from_, Pool) else split.from_
    return {"size": size_text(split.size), "from": origin}


def size_text(size: int | Fraction | str) -> int | str:
    """A size as users write it."""
    if not isinstance(size, Fraction):
        return size
    percent = size * 100
    digits = 0
    while (percent * 10**digits).denominator != 1:
        digits += 1
    scaled = str(int(percent * 10**digits)).rjust(digits + 1, "0")
    return f"{scaled[: len(scaled) - digits]}.{scaled[len(scaled) - digits :]}%" if digits else f"{scaled}%"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value
