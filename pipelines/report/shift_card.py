"""One column of the mismatch: the kind of its shift, its figures, and both distributions as a picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from pipelines.report.charts import PairedShare, Scale, interval, overlay, paired_bars
from pipelines.report.distributions import binned, paired, paired_shares
from pipelines.report.facts import RunFacts
from pipelines.report.headline import Tone
from pipelines.report.shift_rows import RawShift, ShiftRow, Standing
from pipelines.report.words import counted, decimal, number, percent, sentence, shown
from validation.profile.values import ColumnProfile

KINDS: Mapping[str, str] = {
    "covariate shift": "The values differ in how often they come, and mean the same for the label.",
    "label shift": "The labels differ in how often they come; within a label the values look the same.",
    "within-label shift": "Within one label the values differ: the same label looks different in the target.",
    "undecided": "Too many values are rare to tell whether they mean the same for the label.",
}
_PARTS = (("alone", "values alone"), ("given_label", "values within a label"), ("label_given", "label within a value"))
_TOO_MANY = "Not drawn: there are too many different values to count each."
_WITH_LABEL = "with the label"


@dataclass(frozen=True)
class ShiftKindView:
    """The kind of a column's shift.

    Attributes:
        name: of the kind.
        meaning: and what helps, in sentences.
        figures: the three distances that it was told by; empty where the kind rests on the label alone.
    """

    name: str
    meaning: str
    figures: str


@dataclass(frozen=True)
class ComparedColumn:
    """A column of the mismatch: its figures, and the kind of its shift where that is told."""

    row: ShiftRow
    kind: ShiftKindView | None

    @property
    def by_label_alone(self) -> bool:
        """The values look alike, and differ when they are taken with the label."""
        return self.kind is not None and self.row.standing not in ("shifted", "broken")

    @property
    def order(self) -> tuple[int, float, str, str]:
        """The heaviest first."""
        rank = 1 if self.by_label_alone else RANK[self.row.standing]
        return rank, -self.row.weight, self.row.name, self.row.about


RANK: Mapping[Standing, int] = {"broken": 0, "shifted": 0, "unsure": 2, "none seen": 3, "not compared": 4}


@dataclass(frozen=True)
class ShiftCard:
    """A column of the mismatch with its picture.

    Attributes:
        row: its figures.
        tone: of the verdict.
        verdict: in a word or two.
        picture: both distributions; empty where there are none to draw.
        caption: what the picture shows, or why there is none; empty for neither.
        sized: the effect with its interval; empty for none.
        kind: of the shift; None where it is not told.
        sentences: what was found, and what a reader has to know.
        summary: mean, deviation and missing values of both, in words.
    """

    row: ShiftRow
    tone: Tone
    verdict: str
    picture: Markup
    caption: str
    sized: Markup
    kind: ShiftKindView | None
    sentences: tuple[str, ...]
    summary: str


def compared_column(row: ShiftRow, kinds: Mapping[str, Mapping[str, Any]]) -> ComparedColumn:
    """A column with the kind of its shift.

    Args:
        row: its figures.
        kinds: of the pair, by column.

    Returns:
        The column; missing values and the like have no kind of their own.
    """
    told = kinds.get(row.name) if not row.about else None
    if told is None:
        return ComparedColumn(row, None)
    figures = [f"{name} {decimal(told[part]['effect'])}" for part, name in _PARTS if _known(told.get(part))]
    meaning = " ".join(text for text in (KINDS.get(told["shift"], ""), str(told.get("remedy") or "")) if text)
    name = "of an undecided kind" if told["shift"] == "undecided" else shown(told["shift"])
    return ComparedColumn(row, ShiftKindView(name, sentence(meaning), ", ".join(figures) if len(figures) > 1 else ""))


def _known(part: Mapping[str, Any] | None) -> bool:
    return part is not None and part.get("effect") is not None


def shift_card(facts: RunFacts, compared: ComparedColumn, result: Mapping[str, Any], told: str) -> ShiftCard:
    """A column with its picture.

    Args:
        facts: of the run.
        compared: the column.
        result: that it was made from.
        told: the run's sentence on it; empty for none.

    Returns:
        The card.
    """
    row, expected = compared.row, result["expected"]
    reference, observed = expected["reference"], expected["observed"]
    columns = [facts.column(row.name, split) for split in (reference, observed)]
    picture, caption, summary = Markup(""), "", ""
    if columns[0] is not None and columns[1] is not None:
        summary = "; ".join(
            f"{name}: {_summary(column)}" for name, column in zip((reference, observed), columns, strict=True) if column
        )
        if result["observed"]["about"] == "values":
            picture, caption = _picture(row.column, reference, observed, columns[0], columns[1])
    elif row.name == facts.source_column and all(map(facts.plan.rows_of, (reference, observed))):
        shares = paired_shares(facts.source_shares(reference), facts.source_shares(observed))
        picture, caption = _bars(row.column, reference, observed, shares)
    return ShiftCard(
        row=row,
        tone="warn" if compared.by_label_alone else row.tone,
        verdict=_WITH_LABEL if compared.by_label_alone else row.verdict,
        picture=picture,
        caption=caption,
        sized=_sized(row),
        kind=compared.kind,
        sentences=tuple(_card_sentences(compared, told)),
        summary=summary,
    )


def _card_sentences(compared: ComparedColumn, told: str) -> Iterator[str]:
    """What was found, a sentence each; nothing twice."""
    row = compared.row
    if told:
        yield sentence(told)
    if compared.by_label_alone:
        yield "Taken alone the values look alike; taken with the label they differ."
    elif row.standing == "unsure":
        yield (
            f"It is more than counts as slight, {row.level.split(' / ')[0]}, but chance gives as much at times with "
            f"this many rows and columns (q {row.q}). More rows would tell."
        )
    if row.note and row.note.rstrip(".").casefold() not in told.casefold():
        yield row.note


def _summary(column: ColumnProfile) -> str:
    parts = [f"n {column.rows:,}"]
    moments = column.moments
    if moments is not None and column.kind == "number" and moments.mean is not None:
        deviation = f" ± {number(moments.sd)}" if moments.sd is not None else ""
        parts.append(f"mean {number(moments.mean)}{deviation}")
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
        return (Markup(""), _TOO_MANY) if shares is None else _bars(name, reference, observed, shares)
    bins = binned(first, second)
    if bins is None:
        return Markup(""), _TOO_MANY if first.kind == "text" else ""
    told = f"Distributions of {name} in {reference} and {observed}, from {bins.first} to {bins.last}."
    return overlay(bins, told), "Share of rows by value; the middle 99 %, the rest in the outermost bins."


def _bars(name: str, reference: str, observed: str, shares: Sequence[PairedShare]) -> tuple[Markup, str]:
    told = "; ".join(f"{one.name} {percent(one.reference)} and {percent(one.observed)}" for one in shares)
    picture = paired_bars(shares, f"{name}, {reference} and {observed}: {told}")
    return picture, "Share of rows by value, the largest difference first."


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
