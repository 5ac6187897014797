"""The history of runs as frozen values: a line a run, its mismatch over time, what changed from one to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from pipelines.report.charts import trend
from pipelines.report.facts import told_cost
from pipelines.report.headline import Tone
from pipelines.report.history_lead import STATES, Lead, history_lead
from pipelines.report.pair_view import PairView, moved_words, pair_view
from pipelines.report.run_facts import FinishedRun, HistoryFacts, ListedRun, RunPair
from pipelines.report.shift_rows import shift_row
from pipelines.report.words import counted, decimal, joined, sentence, short, shown, signed
from splitting.request import TRAIN

_LONGEST = 100
_NONE = "–"
_SHORT, _MOST_POINTS = 24, 24


@dataclass(frozen=True)
class MismatchFigures:
    """How far the mixture is from the target, in one run.

    Attributes:
        shifted: columns that differ; None where nothing was compared.
        compared: columns that were compared.
        weight: of the heaviest of them, its effect as a multiple of what counts as large; None likewise.
        weighed: rows that were compared of that one, of either split, in words.
        column: that one; empty for none.
        sure: it differs beyond chance.
        cost: what it costs a model, in errors; None where that was not measured.
        judged: rows that a model was judged on, of either split, in words.
    """

    shifted: int | None
    compared: int
    weight: float | None
    weighed: str
    column: str
    sure: bool
    cost: float | None
    judged: str


@dataclass(frozen=True)
class RunLine:
    """One run.

    Attributes:
        name: of its folder.
        report: a relative link; None for none.
        tone: of its state.
        state: in a word or three.
        note: what is to be done about it; empty for none.
        rows: by split, in the order of the history's splits; a dash for none.
        read: all rows read.
        beside: the run that it is compared with; empty for none.
        moved: examples, in a few words.
        moved_tone: of that.
        mismatch: columns that differ, in words.
        heaviest: the column that differs most, with its effect.
        cost: of the mismatch.
    """

    name: str
    report: str | None
    tone: Tone
    state: str
    note: str
    rows: tuple[str, ...]
    read: str
    beside: str
    moved: str
    moved_tone: Tone
    mismatch: str
    heaviest: str
    cost: str


@dataclass(frozen=True)
class TrendView:
    """A figure over runs.

    Attributes:
        title: what it is.
        picture: a line.
        rows: name of the run, figure and n, in words.
    """

    title: str
    picture: Markup
    rows: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class HistoryView:
    """The page.

    Attributes:
        name: of the folder.
        lead: the top.
        heads: of the splits' columns in the table of runs.
        lines: the last run first.
        trends: first run first.
        pairs: the last first.
        others: a note on folders that hold no run; empty for none.
    """

    name: str
    lead: Lead
    heads: list[str]
    lines: tuple[RunLine, ...]
    trends: tuple[TrendView, ...]
    pairs: tuple[PairView, ...]
    others: str


def history_view(facts: HistoryFacts) -> HistoryView:
    """What the page shows.

    Args:
        facts: of the runs.

    Returns:
        A function of the facts alone.
    """
    runs = [listed.run for listed in facts.listed if listed.run is not None]
    figures = {run.name: mismatch_figures(run) for run in runs}
    splits = tuple(dict.fromkeys([TRAIN, *(split.name for run in runs for split in run.plan.splits)]))
    pairs = {pair.new.name: pair for pair in facts.pairs}
    lines = [_line(one, splits, pairs.get(one.name), figures.get(one.name)) for one in facts.listed]
    lead = history_lead(facts, runs)
    return HistoryView(
        name=shown(facts.name, _LONGEST),
        lead=lead,
        heads=[f"#{name}" for name in splits],
        lines=tuple(reversed(lines)),
        trends=_trends([shown(run.name, _LONGEST) for run in runs], [figures[run.name] for run in runs]),
        pairs=tuple(pair_view(pair) for pair in reversed(facts.pairs)),
        others=_others(facts.others),
    )


def mismatch_figures(run: FinishedRun) -> MismatchFigures:
    """The mismatch of a run in a few figures, of its first pair of splits that need not match.

    Args:
        run: finished.

    Returns:
        The figures; the column of the source, which differs by design, is left out.
    """
    results = [result for result in run.document["results"] if result["role"] == "mismatch"]
    pair = [_splits(result) for result in results][:1]
    rows = [shift_row(result) for result in results if [_splits(result)] == pair]
    rows = [row for row in rows if row.name != run.source_column and row.compared]
    told = told_cost(run.document)
    gap = (told.get("gap") or {}).get("gap")
    judged = f"n {told['home_rows']:,} / {told['away_rows']:,}" if gap is not None else ""
    if not rows:
        return MismatchFigures(None, 0, None, "", "", sure=False, cost=gap, judged=judged)
    shifted = {row.name for row in rows if row.standing == "shifted"}
    first = max(rows, key=lambda row: (row.standing == "shifted", row.weight, row.name))
    compared = len({row.name for row in rows})
    return MismatchFigures(
        len(shifted), compared, first.weight, f"n {first.n}", first.column, sure=bool(shifted), cost=gap, judged=judged
    )


def _splits(result: Mapping[str, Any]) -> tuple[str, str]:
    return result["expected"]["reference"], result["expected"]["observed"]


def _line(listed: ListedRun, splits: tuple[str, ...], pair: RunPair | None, figures: MismatchFigures | None) -> RunLine:
    run = listed.run
    moved_tone, _, moved = moved_words(pair) if pair is not None else ("note", "", _NONE)
    known = {split.name for split in run.plan.splits} | {TRAIN} if run is not None else set()
    return RunLine(
        name=shown(listed.name, _LONGEST),
        report=listed.report,
        tone=STATES.get(run.document["status"], "note") if run is not None else "note",
        state=shown(run.document["status"] if run is not None else listed.state),
        note=sentence(listed.note) if listed.note else "",
        rows=tuple(f"{run.plan.rows_of(name):,}" if run is not None and name in known else _NONE for name in splits),
        read=f"{run.plan.rows_read:,}" if run is not None else _NONE,
        beside=shown(pair.old.name, _LONGEST) if pair is not None else "",
        moved=moved,
        moved_tone=moved_tone,
        mismatch=f"{figures.shifted:,} of {figures.compared:,}" if figures and figures.shifted is not None else _NONE,
        heaviest=_heaviest(figures),
        cost=f"{signed(figures.cost)}; {figures.judged}" if figures and figures.cost is not None else _NONE,
    )


def _heaviest(figures: MismatchFigures | None) -> str:
    if figures is None or figures.weight is None:
        return _NONE
    return f"{figures.column}, {decimal(figures.weight)}{'' if figures.sure else ', not sure'}; {figures.weighed}"


def _trends(names: Sequence[str], figures: Sequence[MismatchFigures]) -> tuple[TrendView, ...]:
    """Figures over runs that have at least two of them."""
    kinds: list[tuple[str, list[tuple[float | None, str, str]]]] = [
        ("Columns that differ", [(one.shifted, "{:,.0f}", f"of {one.compared:,}") for one in figures]),
        ("Effect of the heaviest column, where 1 is large", [(one.weight, "{:.2f}", one.weighed) for one in figures]),
        ("Cost for a model, in errors", [(one.cost, "{:+.3f}", one.judged) for one in figures]),
    ]
    return tuple(_trend(title, names, found) for title, found in kinds if sum(one[0] is not None for one in found) > 1)


def _trend(title: str, names: Sequence[str], found: Sequence[tuple[float | None, str, str]]) -> TrendView:
    texts = [_NONE if value is None else form.format(value).replace("-", "−") for value, form, _ in found]
    rows = [(name, text, n if text != _NONE else "") for name, text, (_, _, n) in zip(names, texts, found, strict=True)]
    drawn = [None if value is None else max(0.0, value) for value, _, _ in found]
    told = "; ".join(" ".join(filter(None, (f"{name}:", text, n))) for name, text, n in rows[-_MOST_POINTS:])
    ends = short(names[0], _SHORT), short(names[-1], _SHORT)
    return TrendView(title, trend(drawn, ends, texts, f"{title}, from the first run to the last: {told}"), tuple(rows))


def _others(names: tuple[str, ...]) -> str:
    if not names:
        return ""
    told = counted(len(names), "folder holds", "folders hold")
    return (
        f"{told} no run and {'was' if len(names) == 1 else 'were'} left out: {joined((shown(n) for n in names), 10)}."
    )
