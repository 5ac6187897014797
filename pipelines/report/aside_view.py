"""Rows in no split with their reasons, some rows to look at, and where everything comes from."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.report.facts import RunFacts
from pipelines.report.words import counted, lines, percent, sentence, short, shown
from splitting.plan import SetAside

_LONGEST_SPEC = 30_000
_LONGEST_VALUE = 120
_MOST_COLUMNS = 40
_MOST_ASIDE = 200


@dataclass(frozen=True)
class AsideRow:
    """Rows of one source that are in no split, with the reason."""

    kept_in: str
    source: str
    reason: str
    rows: int
    share: str


@dataclass(frozen=True)
class AsideView:
    """Rows in no split.

    Attributes:
        sentence: how many, of how many.
        rows: by where they are kept, source and reason.
        more: that are not shown.
    """

    sentence: str
    rows: tuple[AsideRow, ...]
    more: int


@dataclass(frozen=True)
class SampleView:
    """Some rows of a split.

    Attributes:
        split: its name.
        note: how many, of how many.
        columns: their names.
        rows: a text a column.
    """

    split: str
    note: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class ProvenanceView:
    """Where everything comes from.

    Attributes:
        facts: name and value.
        versions: name and version.
        sources: name, rows, rows of null groups, checksum.
        spec: its text.
        commands: to make the run again, with what each does.
        notes: of the plan and of the verdict.
    """

    facts: tuple[tuple[str, str], ...]
    versions: tuple[tuple[str, str], ...]
    sources: tuple[tuple[str, int, int, str], ...]
    spec: str
    commands: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def aside_view(facts: RunFacts) -> AsideView:
    """Rows in no split."""
    plan = facts.plan
    sources = {source.name: source.rows for source in plan.sources}
    kept = [("held_out", item) for item in plan.held_out] + [("rejected", item) for item in plan.rejected]
    rows = [_aside(folder, item, sources.get(item.source, 0)) for folder, item in kept[:_MOST_ASIDE]]
    total = sum(item.rows for _, item in kept)
    told = "Every row that was read is in a split."
    if total:
        told = (
            f"{counted(total, 'row')} of {plan.rows_read:,} ({percent(total / plan.rows_read)}) are in no split, each "
            "kept with its reason."
        )
    return AsideView(told, tuple(rows), max(0, len(kept) - _MOST_ASIDE))


def _aside(folder: str, item: SetAside, of: int) -> AsideRow:
    share = percent(item.rows / of) if of else "–"
    return AsideRow(f"{folder}/", shown(item.source), sentence(item.reason, 200), item.rows, share)


def sample_views(facts: RunFacts) -> tuple[SampleView, ...]:
    """Rows to look at, where the spec asks for them."""
    return tuple(
        SampleView(
            table.split,
            f"{counted(len(table.rows), 'row')} of {table.of:,}, chosen by the hash of their keys."
            + _unshown(len(table.columns)),
            tuple(shown(name) for name in table.columns[:_MOST_COLUMNS]),
            tuple(tuple(short(value, _LONGEST_VALUE) for value in row[:_MOST_COLUMNS]) for row in table.rows),
        )
        for table in facts.samples
    )


def _unshown(columns: int) -> str:
    more = columns - _MOST_COLUMNS
    return f" {counted(more, 'more column')} not shown." if more > 0 else ""


def provenance_view(facts: RunFacts) -> ProvenanceView:
    """Where everything comes from; no clock and no path, so that the same run gives the same page anywhere."""
    plan = facts.plan
    identity = plan.identity
    told = [
        ("plan", plan.fingerprint),
        ("inputs", plan.input_fingerprint),
        ("spec", plan.spec_fingerprint),
        ("continues plan", plan.previous or "none: the first run"),
        ("salt", shown(str(identity.get("salt", "")), 200)),
        ("hash", shown(str(identity.get("hash", "")))),
        ("key", _names(identity.get("key"))),
        ("group", _names(identity.get("group"))),
    ]
    versions = [("python", facts.python), *sorted(facts.packages.items())]
    previous = " --previous EARLIER" if plan.previous else ""
    earlier = "; EARLIER is the run that it continues" if plan.previous else ""
    commands = [
        (f"targetsplit run spec.yaml -o RUN2{previous}", f"makes the same split from the same data{earlier}"),
        ("targetsplit diff RUN RUN2", "says that no example moved; the plans have the same fingerprint"),
        ("targetsplit validate RUN", "judges this run again, without reading the data"),
        ("targetsplit report RUN", "makes this page again"),
    ]
    return ProvenanceView(
        facts=tuple(told),
        versions=tuple((shown(name), shown(version)) for name, version in versions if version),
        sources=tuple((shown(s.name), s.rows, s.null_groups, s.checksum) for s in plan.sources),
        spec=lines(facts.spec, _LONGEST_SPEC),
        commands=tuple(commands),
        notes=tuple(sentence(note) for note in [*plan.notes, *facts.document["notes"]]),
    )


def _names(value: object) -> str:
    names = value if isinstance(value, list | tuple) else [] if value is None else [value]
    return ", ".join(shown(str(name)) for name in names) or "none"
