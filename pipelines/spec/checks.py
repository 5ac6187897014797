"""What no field of a spec can tell alone: names that must agree, sizes that must fit together, conditions.

It looks at the document as it is written, so that these problems are told together with those of the single fields;
what is not of the right kind is passed over, for the models tell that.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import islice
from typing import Any

from pipelines.spec.ingest_models import INGESTED
from pipelines.spec.models import ROW
from pipelines.spec.strict_yaml import Place
from pipelines.spec.values import listed, parse_size, shorten, size_text
from splitting.conditions import ConditionError, check_syntax
from splitting.request import TARGET_POOL, TRAIN
from validation.tables import ON_SOURCES, ON_SPLITS

MAX_SOURCES = 1_000
MAX_EVALUATION_SPLITS = 24
RESERVED_SPLITS = ("all", "held_out", "rejected", "rest", "target")
INDEX_COLUMNS = ("file", "key", "row", "split")
LINK_KINDS = ("near_duplicates", "near_text")
SPLIT_NAME = r"[a-z][a-z0-9_]*"
LONGEST_SPLIT_NAME = 40
LONGEST_SOURCE_NAME = 100
_TRAIN_DEV = "train_dev"
_HINTED = 20

Found = tuple[Place, str]


def cross_problems(document: Mapping[str, Any]) -> Iterator[Found]:
    """Checks the parts of a spec against each other.

    Args:
        document: plain values, of any shape.

    Yields:
        Problems, each with its place; in no order.
    """
    yield from _empty_values(document, ())
    yield from _source_names(document)
    yield from _paths(document)
    yield from _repeated_columns(document)
    yield from _links(document)
    for place, pool in _pools(document):
        yield from _known_sources(place, pool, document)
    for place, sql in _conditions(document):
        try:
            check_syntax(sql)
        except ConditionError as error:
            yield place, f"{shorten(sql, 200)}: {error}"
    yield from _source_column(document)
    yield from _split_names(document)
    yield from _split_sizes(document)
    yield from _suite_places(document)
    yield from _files(document)


def _files(document: Mapping[str, Any]) -> Iterator[Found]:
    """Files are written of sources that are files, one a row, and linked where they are written as files."""
    output = document.get("output")
    if "folder" in document and output != "folder":
        yield ("folder",), "says how output: folder puts files there; set that, or take this out"
    if output not in ("webdataset", "folder"):
        return
    for name, source in _mapping(document.get("sources")).items():
        kind = _mapping(source).get("format")
        if kind not in INGESTED and isinstance(source, dict):
            told = f"output: {output} writes files, and this source is a table; use output: data, or format: images"
            yield ("sources", name), told


def _suite_places(document: Mapping[str, Any]) -> Iterator[Found]:
    """Suites are judged on splits and sources that there are."""
    suites = _mapping(document.get("checks")).get("suites")
    known = [f"{ON_SPLITS}{name}" for name in dict.fromkeys([*_splits(document), TRAIN])]
    known += [f"{ON_SOURCES}{name}" for name in _mapping(document.get("sources"))]
    for i, suite in enumerate(suites if isinstance(suites, list) else []):
        for place in _texts(_mapping(suite).get("on")):
            if place.startswith((ON_SPLITS, ON_SOURCES)) and place not in known:
                near = difflib.get_close_matches(place[:LONGEST_SOURCE_NAME], known, 1)
                hint = f"did you mean {near[0]}?" if near else f"expected one of all, {', '.join(known[:_HINTED])}"
                yield ("checks", "suites", i, "on"), f"there is no {shorten(place)}; {hint}"


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> list[str]:
    """One text, or the texts of a list; nothing of anything else."""
    value = listed(value)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _empty_values(value: Any, place: Place) -> Iterator[Found]:
    """Keys with nothing behind them: a value that was forgotten, or taken out by half."""
    if value is None:
        yield place, "is empty; write a value, or take the line out"
    for key, item in value.items() if isinstance(value, dict) else ():
        yield from _empty_values(item, (*place, key))


def _source_names(document: Mapping[str, Any]) -> Iterator[Found]:
    sources = _mapping(document.get("sources"))
    for name in sources:
        if not name.strip() or not name.isprintable() or len(name) > LONGEST_SOURCE_NAME:
            told = f"got the name {shorten(name)}, expected 1 to {LONGEST_SOURCE_NAME} printable characters; rename it"
            yield ("sources", name), told
    if len(sources) > MAX_SOURCES:
        told = f"got {len(sources):,} sources, expected at most {MAX_SOURCES:,}; name several files under one source"
        yield ("sources",), told


def _paths(document: Mapping[str, Any]) -> Iterator[Found]:
    """A file in two sources would give each of its rows twice, to both. Two lists of files may share a folder."""
    seen: dict[tuple[str, ...], str] = {}
    for name, source in _mapping(document.get("sources")).items():
        path, table = _mapping(source).get("path"), _mapping(source).get("table")
        listed_by = _mapping(table).get("path", table)
        for i, text in enumerate(_texts(path)):
            place: Place = ("sources", name, "path", i) if isinstance(path, list) else ("sources", name, "path")
            plain = tuple(
                re.sub(r"(?<![:/])/+", "/", one.removeprefix("./")).rstrip("/") for one in (text, *_texts(listed_by))
            )
            if plain in seen:
                where = "this source" if seen[plain] == name else f"source {shorten(seen[plain])}"
                told = f"{shorten(text)} stands in {where} already, and no row may be read twice; take it out of one"
                yield place, told
            seen.setdefault(plain, name)


def _repeated_columns(document: Mapping[str, Any]) -> Iterator[Found]:
    stratify = listed(document.get("stratify"))
    strata = [_mapping(item).get("column", item) for item in stratify] if isinstance(stratify, list) else []
    for field, names in (
        ("key", _texts(document.get("key"))),
        ("group", _texts(document.get("group"))),
        ("stratify", _texts(strata)),
    ):
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            yield (field,), f"column {shorten(twice[0])} stands more than once; keep one"
    key, group = _texts(document.get("key")), _texts(document.get("group"))
    if group == [ROW] or (ROW in key and len(key) > 1):
        field = "group" if group == [ROW] else "key"
        told = f"got {ROW}, which means the whole row, and stands alone under key; name columns here"
        yield (field,), told


def _links(document: Mapping[str, Any]) -> Iterator[Found]:
    """Links that stand twice, or that would link every row of a source."""
    links = listed(document.get("linked_by"))
    seen: set[str] = set()
    for i, link in enumerate(links if isinstance(links, list) else []):
        place: Place = ("linked_by", i) if isinstance(document.get("linked_by"), list) else ("linked_by",)
        names = [link] if isinstance(link, str) else [_mapping(link).get(kind) for kind in LINK_KINDS]
        for name in names:
            if name == document.get("source_column", "source"):
                yield place, f"{shorten(name)} tells each row's source, and would link all of its rows; take it out"
            elif isinstance(name, str) and f"{type(link)} {name}" in seen:
                yield place, f"column {shorten(name)} stands more than once; keep one"
            seen.add(f"{type(link)} {name}")


def _splits(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The splits, those in short written out."""
    found = _mapping(document.get("splits"))
    return {name: split if isinstance(split, dict) else {"size": split} for name, split in found.items()}


def _pools(document: Mapping[str, Any]) -> Iterator[tuple[Place, dict[str, Any]]]:
    yield ("target",), _mapping(document.get("target"))
    for name, split in _splits(document).items():
        yield ("splits", name, "from"), _mapping(split.get("from"))


def _known_sources(place: Place, pool: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[Found]:
    known = document.get("sources")
    if not isinstance(known, dict) or not known:
        return
    counts = Counter(_texts(pool.get("source")))
    where = (*place, "source")
    for i, name in enumerate(name for name in counts if name not in known):
        near = difflib.get_close_matches(name, known, 1) if i < _HINTED and len(name) <= LONGEST_SOURCE_NAME else []
        more = ", …" if len(known) > _HINTED else ""
        hint = f"did you mean {near[0]!r}?" if near else f"the sources are {', '.join([*known][:_HINTED])}{more}"
        yield where, f"there is no source {shorten(name)}; {hint}"
    for name, count in counts.items():
        if count > 1 and name in known:
            yield where, f"source {shorten(name)} stands more than once; keep one"


def _conditions(document: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    for place, pool in _pools(document):
        if isinstance(pool.get("where"), str) and pool["where"].strip():
            yield (*place, "where"), pool["where"]
    for name, split in _splits(document).items():
        sql = split.get("from")
        if isinstance(sql, str) and sql.strip() and sql not in (TARGET_POOL, TRAIN):
            yield ("splits", name, "from"), sql


def _source_column(document: Mapping[str, Any]) -> Iterator[Found]:
    column = document.get("source_column", "source")
    if not isinstance(column, str):
        return
    for name, source in _mapping(document.get("sources")).items():
        if column in _mapping(_mapping(_mapping(source).get("csv")).get("column_types")):
            told = (
                f"column {shorten(column)} is the one that tells each row's source; take it out, or set source_column: "
                "to another name"
            )
            yield ("sources", name, "csv", "column_types", column), told
    if document.get("output") == "index" and column in INDEX_COLUMNS:
        told = f"got {shorten(column)}, which the index uses itself ({', '.join(INDEX_COLUMNS)}); choose another name"
        yield ("source_column",), told


def _split_names(document: Mapping[str, Any]) -> Iterator[Found]:
    splits = _splits(document)
    for name in splits:
        if name in RESERVED_SPLITS:
            told = f"is reserved ({', '.join(RESERVED_SPLITS)}); choose another name"
        elif len(name) > LONGEST_SPLIT_NAME:
            told = f"is {len(name)} characters long, expected at most {LONGEST_SPLIT_NAME}; shorten it"
        elif not re.fullmatch(SPLIT_NAME, name):
            told = f"is not made of a-z, 0-9 and _, beginning with a letter (it names files){_plainer(name, splits)}"
        else:
            continue
        yield ("splits", name), f"the split's name {shorten(name)} {told}"
    evaluation = len(set(splits) - {TRAIN})
    if splits and not evaluation:
        yield ("splits",), f"has no evaluation split, only {TRAIN}; expected at least one more, as in dev: 2500"
    if evaluation > MAX_EVALUATION_SPLITS:
        told = f"got {evaluation} splits beside {TRAIN}, expected at most {MAX_EVALUATION_SPLITS}; take some out"
        yield ("splits",), told


def _plainer(name: str, splits: Mapping[str, Any]) -> str:
    """A name that could be meant; none where another split has it, for some file systems tell no `Dev` from `dev`."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    if plain and plain in splits:
        return f"; {plain} stands here too: keep one of them, or choose another name"
    usable = re.fullmatch(SPLIT_NAME, plain) and plain not in RESERVED_SPLITS
    return f"; did you mean {plain}?" if usable else "; rename it, as in dev_night"


def _split_sizes(document: Mapping[str, Any]) -> Iterator[Found]:
    shares: dict[str, dict[str, Fraction]] = {}
    for name, split in _splits(document).items():
        size = split.get("size")
        if name == TRAIN:
            if size != "rest" or "from" in split:
                yield ("splits", name), f"{TRAIN} is what is left: write {TRAIN}: rest, or leave it out"
            continue
        if size == "rest":
            yield ("splits", name), f"got rest, and only {TRAIN} can be what is left; write a count or a percentage"
        elif isinstance(size, str):
            try:
                share = parse_size(size)
            except ValueError:
                continue
            assert isinstance(share, Fraction)  # noqa: S101, a text is a percentage or rest
            origin = split.get("from", TRAIN if name == _TRAIN_DEV else TARGET_POOL)
            pool = TARGET_POOL if origin == document.get("target") else repr(origin)
            shares.setdefault(pool.strip("'"), {})[name] = share
    for found in shares.values():
        total = sum(found.values(), Fraction(0))
        if total > 1:
            told = " + ".join(f"{name} {size_text(share)}" for name, share in islice(found.items(), _HINTED))
            told += " + …" if len(found) > _HINTED else ""
            yield ("splits",), f"{told} are {size_text(total)} of one pool, expected at most 100%; make them smaller"
