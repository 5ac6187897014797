"""The models of a spec. Frozen; unknown keys are errors; what users may write in short is spelled out here."""

from __future__ import annotations

import difflib
import re
from dataclasses import asdict
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Any, Literal, TypeAlias

import yaml
from pydantic import (
    AfterValidator,
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

from pipelines.ingest.names import KindName
from pipelines.ingest.rejects import Limits
from pipelines.sources.formats import extension_format
from pipelines.spec.check_models import Checks
from pipelines.spec.ingest_models import INGESTED, Audio, Images, LabelFrom, ListedIn, Share
from pipelines.spec.link_models import IMAGE_LINKS, LinkedBy, link_rules
from pipelines.spec.values import listed, parse_edge, parse_size, shorten, size_text
from splitting.linking.rules import LARGEST_CLUSTER, LinkRule
from splitting.request import TARGET_POOL, TRAIN

Format = Literal["parquet", "csv", "jsonl", "arrow", "orc", "images", "audio"]
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
ROW = "row"
MOST_SAMPLE_ROWS = 20
_YAML_LINE_BREAKS = "\x85\u2028\u2029\ufeff"  # escaped, or YAML would read them as line breaks
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError(f"got {shorten(value)}, which is blank; write a text, or take the line out")
    return value


def _column_type(value: str) -> str:
    if value not in COLUMN_TYPES:
        near = difflib.get_close_matches(value[:40], COLUMN_TYPES, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"got type {shorten(value)}, expected one of {', '.join(COLUMN_TYPES)}{hint}")
    return value


def _parquet_is_data(value: Any) -> Any:
    return "data" if value == "parquet" else value


ColumnType: TypeAlias = Annotated[str, AfterValidator(_column_type)]
Text: TypeAlias = Annotated[str, AfterValidator(_not_blank)]
Columns: TypeAlias = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(listed)]
Names: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(listed)]


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
    column_types: dict[str, ColumnType] = {}
    newlines_in_values: StrictBool = True
    encoding: str = "utf8"

    @field_validator("delimiter")
    @classmethod
    def _one_byte(cls, value: str) -> str:
        if not value.isascii() or value in '"\r\n\0':
            raise ValueError(f'got {value!r}, expected one ASCII character, no quote and no line break, as in ";"')
        return value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            "".encode(value)
        except (LookupError, ValueError):
            raise ValueError(f"got {shorten(value)}, expected an encoding as in utf8 or latin-1") from None
        return value


class Source(_Model):
    """A named input.

    Attributes:
        path: a file, folder, glob, or a list of them.
        format: of the files; by default, what their names end in.
        csv: how CSV files are read.
        label: where the label of a file comes from; of images and audio.
        table: lists the files, with columns of the user's own; of images and audio.
    """

    path: Annotated[Names, Field(min_length=1)]
    format: Format | None = None
    csv: Csv = Csv()
    label: LabelFrom | None = None
    table: ListedIn | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths, in the order of the spec."""
        return self.path

    @field_validator("path")
    @classmethod
    def _not_empty(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for path in value:
            if not path.strip() or "\0" in path:
                raise ValueError(f"got {shorten(path)}, expected a file, folder or glob, as in data/app")
        return value

    @model_validator(mode="after")
    def _csv_is_used(self) -> Source:
        found = {self.format} if self.format else {extension_format(path) for path in self.path}
        if "csv" in self.model_fields_set and not found & {"csv", None}:
            kind = " and ".join(sorted(map(str, found)))
            raise ValueError(f"has csv: options, but is {kind}; take csv: out, or set format: csv")
        return self

    @model_validator(mode="after")
    def _has_labels(self) -> Source:
        if self.label is not None and self.format not in INGESTED:
            raise ValueError("has label:, which says where files have theirs from; set format: images, or take it out")
        if self.table is not None and self.format not in INGESTED:
            raise ValueError("has table:, which lists files; set format: images, or give the table under path")
        if self.table is not None and len(self.path) > 1:
            raise ValueError("has table: and several paths; give one folder, that the table's names are relative to")
        return self


class Pool(_Model):
    """The examples that a split may be drawn from: of these sources, and meeting this condition.

    Attributes:
        source: one or several sources.
        where: a SQL condition over the columns.
    """

    source: Annotated[Columns, Field(min_length=1)] | None = None
    where: Text | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Pool:
        if self.source is None and self.where is None:
            raise ValueError("is empty; expected source: NAME and/or where: CONDITION")
        return self


class Stratify(_Model):
    """One column of the strata.

    Attributes:
        column: its name.
        edges: bin edges of a numeric column, strictly increasing; without any, each value is a stratum.
    """

    column: Annotated[str, Field(min_length=1)]
    edges: tuple[Annotated[int | float, BeforeValidator(parse_edge)], ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value

    @field_validator("edges")
    @classmethod
    def _increasing(cls, value: tuple[int | float, ...]) -> tuple[int | float, ...]:
        for low, high in pairwise(value):
            if not low < high:
                raise ValueError(f"got {low} before {high}; edges must be strictly increasing, as in [18, 40, 65]")
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

    size: Annotated[int | Fraction | Literal["rest"], BeforeValidator(parse_size)]
    from_: Annotated[
        Annotated[Pool, Tag("Pool")] | Annotated[Text, Tag("str")] | Annotated[None, Tag("none")],
        Discriminator(_origin),
    ] = Field(default=None, alias="from")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return value if isinstance(value, dict) else {"size": value}


class Folder(_Model):
    """How `output: folder` puts files where they go.

    Attributes:
        link: `copy` writes the bytes anew; `hard` gives the files a second name, which takes no room.
    """

    link: Literal["copy", "hard"] = "copy"


class Report(_Model):
    """What the report shows beyond figures.

    Attributes:
        sample_rows: rows of each split to show; none by default, for data can be private.
        thumbnails: small pictures of typical and extreme images of each split.
    """

    sample_rows: Annotated[int, Field(ge=0, le=MOST_SAMPLE_ROWS, strict=True)] = 0
    thumbnails: StrictBool = True


class Spec(_Model):
    """A spec: which sources, what names an example, which distribution matters, which splits.

    Attributes:
        name: of the data set.
        salt: names the draw; another salt is another draw.
        sources: by name.
        key: the columns that name an example, or the word `row`.
        group: columns whose examples are never separated.
        linked_by: columns whose equal values, and near-duplicates that, join groups to clusters; None for the default.
        largest_cluster: groups that links may join to one cluster.
        label: the column that a model predicts.
        target: which distribution matters.
        stratify: columns whose shares every split keeps.
        splits: by name; `train` is what is left.
        on_shortfall: what to do where a stratum cannot give its quota.
        new_members: what becomes of new members of a group that is already in an evaluation split.
        output: copy the data, with the files of images in Parquet, tar shards or folders; or write an index to it.
        folder: how `output: folder` puts files there.
        source_column: the name of the column that tells each row's source.
        checks: how a run is judged.
        report: what the report shows.
        images: how images are read.
        audio: how sounds are read.
    """

    name: Annotated[str, Field(max_length=100)]
    salt: Annotated[Text, Field(min_length=1, max_length=200)]
    sources: Annotated[dict[str, Source], Field(min_length=1)]
    key: Annotated[Columns, Field(min_length=1)]
    group: Annotated[Columns, Field(min_length=1)] | None = None
    linked_by: LinkedBy | None = None
    largest_cluster: Annotated[int, Field(ge=2, strict=True)] = LARGEST_CLUSTER
    label: Annotated[str, Field(min_length=1)] | None = None
    target: Pool
    stratify: Annotated[tuple[Stratify, ...], BeforeValidator(listed)] = ()
    splits: Annotated[dict[str, Split], Field(min_length=1)]
    on_shortfall: Literal["error", "fill", "allow"] = "error"
    new_members: Literal["hold_out", "join"] = "hold_out"
    output: Annotated[Literal["data", "index", "webdataset", "folder"], BeforeValidator(_parquet_is_data)] = "data"
    folder: Folder = Folder()
    source_column: Annotated[str, Field(min_length=1)] = "source"
    checks: Checks = Checks()
    report: Report = Report()
    images: Images = Images()
    audio: Audio = Audio()

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """Where all sources are files of one kind, name, salt and key may be left out: files have names."""
        kind = _ingested(value.get("sources")) if isinstance(value, dict) else None
        if kind is None:
            return value
        return {"name": kind, "salt": kind, "key": [value.get("source_column", "source"), "path"], **value}

    @model_validator(mode="after")
    def _one_kind(self) -> Spec:
        formats = {source.format for source in self.sources.values()}
        if formats & set(INGESTED) and len(formats) > 1:
            told = " and ".join(sorted(str(one or "tables") for one in formats))
            raise ValueError(f"has sources of {told}; expected sources of one kind: make a spec of each kind")
        for kind in INGESTED:
            if kind in self.model_fields_set and self.ingested != kind:
                raise ValueError(f"has {kind}: options, and no source has format: {kind}; take {kind}: out")
        return self

    @field_validator("name")
    @classmethod
    def _plain_name(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            raise ValueError(
                f"got {shorten(value)}; expected letters, digits, dots, dashes and underscores, as in cat-finder"
            )
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
    def ingested(self) -> KindName | None:
        """What the files of the sources are, if they have to be made tables of first."""
        kind = next(iter(self.sources.values())).format
        return kind if kind == "images" or kind == "audio" else None  # noqa: PLR1714, mypy narrows this

    def limits(self) -> Limits:
        """What a file may take to be read."""
        if self.ingested == "audio":
            return Limits(max_bytes=self.audio.max_bytes, max_seconds=self.audio.max_seconds)
        return Limits(self.images.max_pixels, self.images.max_bytes, self.images.mislabelled)

    def max_rejected(self) -> Share:
        """How many files of a source may be rejected."""
        return Share(self.audio.max_rejected if self.ingested == "audio" else self.images.max_rejected)

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

    @property
    def links(self) -> tuple[LinkRule, ...]:
        """What links rows; by default nothing, and images that are near-duplicates."""
        default = IMAGE_LINKS if self.ingested == "images" else ()
        return link_rules(default if self.linked_by is None else self.linked_by)

    def decision(self) -> dict[str, Any]:
        """What decides a split, and nothing about where and how the data is stored."""
        document = self.to_document()
        kept = ["salt", "key", "group", "target", "stratify", "splits", "on_shortfall", "new_members", "source_column"]
        decided = {name: document.get(name) for name in kept} | {"sources": sorted(self.sources)}
        return decided | ({"linked_by": [asdict(rule) for rule in self.links]} if self.links else {})

    def to_document(self) -> dict[str, Any]:
        """The spec, resolved, as plain values that parse to an equal spec."""
        document = self.model_dump(mode="python", exclude_none=True, by_alias=True)
        for name, source in self.sources.items():
            if "csv" not in source.model_fields_set:
                del document["sources"][name]["csv"]
        document["splits"] = {name: _split_document(split) for name, split in self.splits.items()}
        for name in ("checks", "report", "folder", "largest_cluster", *INGESTED):
            if name not in self.model_fields_set:
                del document[name]
            elif name in INGESTED:
                document[name]["max_rejected"] = size_text(self.max_rejected().amount)
        plain: dict[str, Any] = _plain(document)
        return plain

    def to_yaml(self) -> str:
        """The spec, resolved, as YAML that parses to an equal spec."""
        text = yaml.safe_dump(self.to_document(), sort_keys=False, allow_unicode=True)
        if any(mark in text for mark in _YAML_LINE_BREAKS):
            return yaml.safe_dump(self.to_document(), sort_keys=False, allow_unicode=False)
        return text


def _ingested(sources: Any) -> str | None:
    """The one format of all sources, if that is one of files."""
    found = [source.get("format") if isinstance(source, dict) else None for source in _values(sources)]
    return found[0] if found and found[0] in INGESTED and len(set(map(str, found))) == 1 else None


def _values(sources: Any) -> list[Any]:
    return list(sources.values()) if isinstance(sources, dict) else []


def _split_document(split: Split) -> Any:
    if split.size == "rest":
        return "rest"
    origin = split.from_.model_dump(exclude_none=True) if isinstance(split.from_, Pool) else split.from_
    return {"size": size_text(split.size), "from": origin}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value
