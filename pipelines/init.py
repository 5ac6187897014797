"""Looks at files and writes a commented first spec: a guess a line, with the reason for each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import polars as pl
import pyarrow as pa

from pipelines.first_files import MOST_FILES, FileSource, find_files, source_names
from pipelines.first_links import file_link_lines, link_lines
from pipelines.first_sources import FirstSources, find_sources, look_at
from pipelines.first_target import MIN_ROWS, Target, guess_target
from pipelines.ingest.names import KindName
from pipelines.sources.filesystems import locate
from pipelines.sources.fragments import Fragment, Inventory
from pipelines.sources.reading import read_fragment
from pipelines.sources.storable import is_opaque
from splitting.columns import from_arrow
from splitting.errors import SpecError

SAMPLE_ROWS = 100_000
_LABELS = ("label", "labels", "target", "class", "category", "y", "outcome", "sentiment", "late")
_GROUPS = [
    "user",
    "patient",
    "customer",
    "client",
    "device",
    "session",
    "subject",
    "speaker",
    "person",
    "author",
    "account",
    "household",
    "group",
    "cluster",
    "tail",
    "store",
]
_KEY_WORDS = ("id", "uuid", "guid", "key", "path", "file", "filename", "name", "url")
_MOST_LABELS = 200


@dataclass(frozen=True)
class Guess:
    """A value, and why."""

    value: tuple[str, ...]
    reason: str


def suggest_spec(paths: Sequence[str]) -> str:
    """Writes a first spec for some files.

    Args:
        paths: files, folders or globs. A folder whose sub-folders hold the data gives a source a sub-folder.

    Returns:
        YAML with comments, that parses; the same for the same files.

    Raises:
        SpecError: there is nothing to read, or too few rows for splits.
        DataError: a file cannot be read.
    """
    files = find_files(paths)
    if files is not None:
        return _files_text(paths, *files)
    found = find_sources(paths)
    if not found.sources:
        raise SpecError(f"found no data files in {', '.join(paths)}; give files, folders or globs", "arguments")
    inventory = look_at(found)
    samples = {name: _sample(inventory, name) for name in found.sources}
    samples = {name: frame for name, frame in samples.items() if len(frame)}
    if not samples:
        raise SpecError("the files hold no rows", "arguments")
    rows = {name: _rows(inventory, name, frame) for name, frame in samples.items()}
    for name in [name for name in found.sources if name not in samples]:
        found.left_out.append(f"{', '.join(found.sources.pop(name).paths)} (holds no rows)")
    return _text(found, samples, rows, inventory.schema.names)


def _files_text(paths: Sequence[str], kind: KindName, found: Mapping[str, FileSource]) -> str:
    """A first spec of folders of images or sounds."""
    names = source_names(list(found))
    rows = {names[path]: source.files for path, source in found.items()}
    target = guess_target({name: pl.DataFrame() for name in rows}, rows)
    _check_enough(target)
    folder = PurePosixPath(locate(paths[0]).path)
    name = _plain_name((folder if len(paths) == 1 else folder.parent).name)
    shared = set.intersection(*(set(source.labels) for source in found.values()))
    labelled = len(shared) > 1
    label = ", label: {from: directory}" if labelled else ""
    lines = _heading(name)
    for path, source in found.items():
        at_least = " or more" if source.files >= MOST_FILES else ""
        entry = f"{{path: {_quoted(path)}, format: {kind}{label}}}"
        lines.append(f"  {_scalar(names[path])}: {entry}   # {source.files:,} files{at_least}")
        lines += [f"    # table: {_comment(one)}   # it may list the files, with labels" for one in source.tables[:3]]
    lines.append("# key: [source, path]             # the default: a file is named by its path in its source")
    lines += file_link_lines(kind)
    if labelled:
        lines.append(f"label: label   # folders that all sources have: {_comment(', '.join(sorted(shared)[:5]))}")
    else:
        lines.append("# label: label                  # no folders that all sources have")
    lines += [
        _target_line(target),
        "stratify: [label]" if labelled else "# stratify: [label]",
        *_split_lines(target),
    ]
    return "\n".join(lines) + "\n"


def _target_line(target: Target) -> str:
    said = f"source: {_scalar(target.source)}" if target.source else f"where: {_quoted(target.where or '')}"
    why = _comment(target.reason)
    return f"target: {{{said}}}   # {why}: CONFIRM. The data that the model will be judged on"


def _check_enough(target: Target) -> None:
    if target.rows < MIN_ROWS:
        raise SpecError(
            f"{target.named!r} would be the target ({target.reason}) and has {target.rows} rows, expected at least "
            f"{MIN_ROWS}, one for each of test, dev, train_dev and train; give more data",
            "arguments",
        )


def _split_lines(target: Target) -> list[str]:
    size = min(2_500, target.rows // 4)
    return [
        "splits:",
        f"  test: {size}   # at most a quarter of {_comment(target.named)}",
        f"  dev: {size}",
        f"  train_dev: {size}   # from what train is made of",
        "  train: rest",
    ]


def _plain_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:80].strip("-._") or "dataset"


def _sample(inventory: Inventory, source: str) -> pl.DataFrame:
    """Some rows from the begin, the middle and the end of a source, without columns that polars has no type for."""
    fragments = [fragment for fragment in inventory.fragments if fragment.source == source]
    places = sorted({0, len(fragments) // 2, len(fragments) - 1}) if fragments else []
    share = SAMPLE_ROWS // max(1, len(places))
    parts = [part for place in places for part in _first_rows(fragments[place], inventory.schema, share)]
    return pl.concat(parts) if parts else pl.DataFrame()


def _first_rows(fragment: Fragment, schema: pa.Schema, count: int) -> Iterator[pl.DataFrame]:
    names = [field.name for field in schema if not is_opaque(field.type)]
    left = count
    for chunk in read_fragment(fragment, schema):
        yield from_arrow(chunk.table.select(names)[:left])
        left -= len(chunk)
        if left <= 0:
            return


def _rows(inventory: Inventory, source: str, sample: pl.DataFrame) -> int:
    counted = [file.rows for file in inventory.files if file.source == source]
    known = [rows for rows in counted if rows is not None]
    return sum(known) if len(known) == len(counted) else len(sample)


def _text(
    found: FirstSources, samples: Mapping[str, pl.DataFrame], rows: Mapping[str, int], columns: Sequence[str]
) -> str:
    first, source = next(iter(found.sources.items()))
    folder = PurePosixPath(locate(source.paths[0].partition("/**/")[0]).path).parent
    name = folder.name if len(found.sources) > 1 else first
    name = _plain_name(name)
    source_column = next(
        c for c in ("source", "dataset", *(f"source_{i}" for i in range(len(columns) + 1))) if c not in columns
    )
    reserved = source_column != "source"
    key, groups, label = _key(samples, source_column), list(_groups(samples)), _label(samples)
    group = groups[0] if groups else None
    target = guess_target(samples, rows, group.value[0] if group else None)
    _check_enough(target)
    strata = [*(label.value if label else ()), *([target.column] if target.column else [])]
    lines = [
        *_heading(name),
        *_source_lines(found, rows),
        *(
            [f"source_column: {source_column}          # a column of the data is already named source"]
            if reserved
            else []
        ),
        f"key: {_names(key.value)}   # {key.reason}",
        f"group: {_names(group.value)}   # {group.reason}"
        if group
        else "# group: user_id                # no column looks like one; name what must stay together",
        *link_lines(samples, [one.value[0] for one in groups], _scalar),
        f"label: {_names(label.value)}   # {label.reason}"
        if label
        else "# label: label                  # no column looks like one",
        _target_line(target),
        *_time_lines(samples),
        f"stratify: [{', '.join(map(_scalar, strata))}]" if strata else "# stratify: [label]",
        *_split_lines(target),
    ]
    return "\n".join(lines) + "\n"


def _source_lines(found: FirstSources, rows: Mapping[str, int]) -> Iterator[str]:
    for name, source in found.sources.items():
        paths = ", ".join(map(_quoted, source.paths))
        path = f"[{paths}]" if len(source.paths) > 1 else paths
        types = ", ".join(f"{_scalar(column)}: string" for column in source.texts)
        csv = f", csv: {{column_types: {{{types}}}}}" if types else ""
        yield f"  {_scalar(name)}: {{path: {path}{csv}}}   # {rows[name]:,} rows or more"
        yield from (
            f"    # {_comment(column)} is read as text, as {_comment(why)}" for column, why in source.texts.items()
        )
    yield from (f"  # left out: {_comment(what)}" for what in found.left_out)


def _comment(text: str) -> str:
    """A text within a comment: one line, whatever it holds."""
    return "".join(c if c.isprintable() else " " for c in text)[:300]


def _quoted(text: str) -> str:
    """A text as YAML in double quotes, in one line, every character that does not print escaped."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in quoted)


def _heading(name: str) -> list[str]:
    """How every first spec begins, up to its sources."""
    return [
        "# A first guess by targetsplit init. Read every line; confirm the target; then:",
        "#   targetsplit plan SPEC -o RUN",
        f"name: {_scalar(name)}",
        f"salt: {_scalar(f'{name}-1')}                    # names the draw; another salt is another draw. Keep it.",
        "sources:",
    ]


def _scalar(text: str) -> str:
    """A text as YAML, in quotes where it could be taken for something else."""
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", text) and text.lower() not in _YAML_WORDS
    return text if plain else _quoted(text)


def _names(names: Sequence[str]) -> str:
    plain = [_scalar(name) for name in names]
    return plain[0] if len(plain) == 1 else f"[{', '.join(plain)}]"


def _texts(values: pl.Series) -> pl.Series:
    """The values that are there, as texts that can be compared."""
    there = values.drop_nulls()
    if there.dtype == pl.Binary:
        return there.bin.encode("hex")
    return (there.to_physical() if there.dtype.is_temporal() else there).cast(pl.String)


_YAML_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "row"})


def _plain_columns(samples: Mapping[str, pl.DataFrame]) -> list[str]:
    first = next(iter(samples.values()))
    return [name for name, dtype in first.schema.items() if not dtype.is_nested() and not dtype.is_float()]


def _words(name: str) -> list[str]:
    return re.findall(r"[a-z]+|[0-9]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())


def _key(samples: Mapping[str, pl.DataFrame], source: str) -> Guess:
    unique = [
        column
        for column in _plain_columns(samples)
        if all(not f[column].null_count() and f[column].n_unique() == len(f) for f in samples.values())
        and not all(f[column].dtype.is_temporal() for f in samples.values())
        and column != "row"  # the word for the whole row
    ]
    unique.sort(key=lambda column: min((_KEY_WORDS.index(w) for w in _words(column) if w in _KEY_WORDS), default=99))
    if not unique:
        return Guess(("row",), "no column is unique and never null in the sample: the whole row is the key")
    column = unique[0]
    seen = [set(_texts(frame[column])) for frame in samples.values()]
    if sum(map(len, seen)) > len(set().union(*seen)):
        return Guess((source, column), f"{_quoted(column)} is unique in each source, but sources share values of it")
    return Guess((column,), "unique and never null in the sample")


def _groups(samples: Mapping[str, pl.DataFrame]) -> Iterator[Guess]:
    """The columns whose names say that they group rows, and whose values repeat."""
    for column in _plain_columns(samples):
        words = _words(column)
        named = any(word.startswith(tuple(_GROUPS)) for word in words)
        values = pl.concat([_texts(frame[column]) for frame in samples.values()])
        if named and 1 < values.n_unique() < len(values):
            yield Guess(
                (column,), f"its name says so, and {values.n_unique():,} values repeat over {len(values):,} rows"
            )


def _label(samples: Mapping[str, pl.DataFrame]) -> Guess | None:
    for wanted in _LABELS:
        for column, dtype in next(iter(samples.values())).schema.items():
            if column.lower() != wanted or dtype.is_nested():
                continue
            values = pl.concat([_texts(frame[column]) for frame in samples.values()])
            if 1 < values.n_unique() <= _MOST_LABELS:
                return Guess((column,), f"its name says so; {values.n_unique()} values")
    return None


def _time_lines(samples: Mapping[str, pl.DataFrame]) -> list[str]:
    seen = pl.concat(samples.values())
    return [
        f"# target: {{where: {_quoted(f'{_sql_name(column)} >= {_date(seen[column])}')}}}   # or by time"
        for column, dtype in seen.schema.items()
        if dtype in (pl.Date,) or isinstance(dtype, pl.Datetime)
    ][:3]


def _sql_name(column: str) -> str:
    return column if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", column) else '"' + column.replace('"', '""') + '"'


def _date(values: pl.Series) -> str:
    days = values.drop_nulls().cast(pl.Date).sort().tail(1).cast(pl.String)
    return f"'{days[0]}'" if len(days) else "'2026-01-01'"
