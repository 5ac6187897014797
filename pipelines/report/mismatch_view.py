"""The data mismatch: how train_dev and dev differ, which columns carry it, and what it costs a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from pipelines.report.charts import Scale, interval, overlay, paired_bars
from pipelines.report.distributions import binned, paired
from pipelines.report.facts import RunFacts
from pipelines.report.models_view import ModelsView, models_view
from pipelines.report.shift_rows import RawShift, ShiftRow, shift_row
from pipelines.report.words import counted, decimal, joined, percent, sentence, shown
from validation.profile.values import ColumnProfile

MOST_CARDS, LEAST_CARDS = 30, 6
MOST_ROWS = 1_500
KINDS: Mapping[str, str] = {
    "covariate shift": "The values differ in how often they come, and mean the same for the label.",
    "label shift": "The labels differ in how often they come; within a label the values look the same.",
    "within-label shift": "Within one label the values differ: the same label looks different in the target.",
}


@dataclass(frozen=True)
class ShiftCard:
    """A column of the mismatch with its picture.

    Attributes:
        row: its figures.
        picture: both distributions; empty where there are none to draw.
        caption: what the picture shows.
        sized: the effect with its interval; empty for none.
        kind: of the shift; empty where it is not told.
        meaning: of the kind, and what helps; empty likewise.
        sentence: what was found.
        summary: mean, deviation and missing values of both, in words.
    """

    row: ShiftRow
    picture: Markup
    caption: str
    sized: Markup
    kind: str
    meaning: str
    sentence: str
    summary: str


@dataclass(frozen=True)
class PairMismatch:
    """How two splits of different origin differ.

    Attributes:
        reference: the one that the other is measured by.
        observed: the other.
        sentence: the whole in a sentence.
        cards: the heaviest columns, with pictures.
        rows: every column, the heaviest first.
        more: columns that are not shown.
        shifted: how many columns differ.
        compared: how many were compared.
    """

    reference: str
    observed: str
    sentence: str
    cards: tuple[ShiftCard, ...]
    rows: tuple[ShiftRow, ...]
    more: int
    shifted: int
    compared: int


@dataclass(frozen=True)
class MismatchView:
    """The section of the mismatch.

    Attributes:
        pairs: measured; empty where nothing was.
        models: what models say; None where none were fitted.
        why_none: why nothing was measured; empty where something was.
    """

    pairs: tuple[PairMismatch, ...]
    models: ModelsView | None
    why_none: str


def mismatch_view(facts: RunFacts) -> MismatchView:
    """The section of the mismatch.

    Args:
        facts: of the run.

    Returns:
        Columns ranked by their effect as a multiple of the size from which it counts as large.
    """
    told = facts.document.get("mismatch") or {}
    kinds = {(c["reference"], c["observed"], c["column"], c["about"]): c for c in told.get("columns", [])}
    by_pair: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for result in facts.of_role("mismatch"):
        by_pair.setdefault((result["expected"]["reference"], result["expected"]["observed"]), []).append(result)
    pairs = tuple(_pair(facts, reference, observed, rows, kinds) for (reference, observed), rows in by_pair.items())
    why = ""
    if not pairs:
        empty = [name for name in facts.splits if not facts.plan.rows_of(name)]
        why = "Nothing was compared: " + (
            f"{joined(empty)} holds no rows." if empty else "the run was not measured, or its splits are too small."
        )
    return MismatchView(pairs, models_view(told["models"]) if told.get("models") else None, why)


def _pair(
    facts: RunFacts,
    reference: str,
    observed: str,
    results: Sequence[Mapping[str, Any]],
    kinds: Mapping[tuple[str, str, str, str], Mapping[str, Any]],
) -> PairMismatch:
    paired_rows = [(shift_row(result), result) for result in results]
    paired_rows.sort(key=lambda pair: (pair[0].tone != "warn", -pair[0].weight, pair[0].name, pair[0].about))
    shifted = [row for row, _ in paired_rows if row.tone == "warn"]
    most = min(MOST_CARDS, max(LEAST_CARDS, len(shifted)))
    cards = [
        _card(facts, row, result, kinds.get((reference, observed, row.name, result["observed"]["about"]), {}))
        for row, result in paired_rows[:most]
    ]
    compared = {row.name for row, _ in paired_rows if row.effect != "–" and row.name != facts.source_column}
    names = list({row.name: row.column for row in shifted if row.name != facts.source_column}.values())
    return PairMismatch(
        reference=reference,
        observed=observed,
        sentence=_sentence(reference, observed, names, len(compared)),
        cards=tuple(cards),
        rows=tuple(row for row, _ in paired_rows[:MOST_ROWS]),
        more=max(0, len(paired_rows) - MOST_ROWS),
        shifted=len(names),
        compared=len(compared),
    )


def _sentence(reference: str, observed: str, names: Sequence[str], compared: int) -> str:
    if not names:
        told = counted(compared, "column")
        return f"{reference} and {observed} differ in none of {told} by more than the thresholds."
    return (
        f"{reference} and {observed} differ in {len(names):,} of {counted(compared, 'column')}: {joined(names, 5)}. "
        "Nothing is broken: they come from different data, and this is by how much."
    )


def _card(facts: RunFacts, row: ShiftRow, result: Mapping[str, Any], told: Mapping[str, Any]) -> ShiftCard:
    expected = result["expected"]
    reference, observed = expected["reference"], expected["observed"]
    columns = [facts.column(row.name, split) for split in (reference, observed)]
    picture, caption, summary = Markup(""), "", ""
    if columns[0] is not None and columns[1] is not None:
        summary = "; ".join(
            f"{name}: {_summary(column)}" for name, column in zip((reference, observed), columns, strict=True) if column
        )
        if result["observed"]["about"] == "values":
            picture, caption = _picture(row.column, reference, observed, columns[0], columns[1])
    kind = str(told.get("shift") or "")
    meaning = " ".join(text for text in (KINDS.get(kind, ""), str(told.get("remedy") or "")) if text)
    return ShiftCard(
        row=row,
        picture=picture,
        caption=caption,
        sized=_sized(row),
        kind=kind,
        meaning=sentence(meaning) if meaning else "",
        sentence=sentence(str(told["sentence"])) if told.get("sentence") else "",
        summary=summary,
    )


def _summary(column: ColumnProfile) -> str:
    parts = [f"n {column.rows:,}"]
    moments = column.moments
    if moments is not None and column.kind == "number" and moments.mean is not None:
        deviation = f" ± {moments.sd:,.4g}" if moments.sd is not None else ""
        parts.append(f"mean {moments.mean:,.4g}{deviation}")
    if moments is not None and column.kind == "time":
        parts.append(f"{shown(str(moments.minimum), 19)} to {shown(str(moments.maximum), 19)}")
    if column.kind in ("category", "text"):
        parts.append(f"{'' if column.distinct_exact else 'about '}{counted(column.distinct, 'value')}")
    if column.nulls:
        parts.append(f"{percent(column.nulls / column.rows)} missing")
    return ", ".join(parts)


def _picture(
    name: str, reference: str, observed: str, first: ColumnProfile, second: ColumnProfile
) -> tuple[Markup, str]:
    if first.kind == "category":
        shares = paired(first, second)
        if shares is None:
            return Markup(""), ""
        told = "; ".join(f"{r.name} {percent(r.reference)} and {percent(r.observed)}" for r in shares[0])
        return paired_bars(shares[0], f"{name}, {reference} and {observed}: {told}"), (
            "Share of rows by value, the largest difference first."
        )
    bins = binned(first, second)
    if bins is None:
        return Markup(""), ""
    told = f"Distributions of {name} in {reference} and {observed}, from {bins.first} to {bins.last}."
    return overlay(bins, told), "Share of rows by value; the middle 99 %, the rest in the outermost bins."


def _sized(row: ShiftRow) -> Markup:
    raw = row.raw
    if raw is None:
        return Markup("")
    high = 1.15 * max(raw.high, raw.effect, raw.large, 1e-9)
    told = f"{row.measure} {row.effect}, 95 % interval {row.interval}"
    told = f"{told}; slight from {decimal(raw.slight)}, large from {decimal(raw.large)}"
    return interval(raw.effect, raw.low, raw.high, Scale(0.0, high, _marks(raw, high)), told)


def _marks(raw: RawShift, high: float) -> tuple[tuple[float, str], ...]:
    """The thresholds; where both would be written over each other, the larger alone."""
    near = (raw.large - raw.slight) / high < 0.3
    marks = [] if near or raw.slight == raw.large else [(raw.slight, f"slight {decimal(raw.slight)}")]
    return (*marks, (raw.large, f"large {decimal(raw.large)}"))
