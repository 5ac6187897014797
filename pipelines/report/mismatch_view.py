"""The data mismatch: how train_dev and dev differ, which columns carry it, and what it costs a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.report.facts import RunFacts
from pipelines.report.models_view import ModelsView, models_view
from pipelines.report.shift_card import RANK, ComparedColumn, ShiftCard, compared_column, shift_card
from pipelines.report.shift_rows import shift_row
from pipelines.report.terms import Term, terms_in
from pipelines.report.words import counted, joined, named

MOST_CARDS, LEAST_CARDS = 30, 6
MOST_ROWS = 1_500


@dataclass(frozen=True)
class PairMismatch:
    """How two splits of different origin differ.

    Attributes:
        reference: the one that the other is measured by.
        observed: the other.
        sentence: the whole in a sentence.
        cards: the heaviest columns, with pictures.
        columns: all of them, the heaviest first.
        terms: that the figures use.
        more: columns that are not shown.
        shifted: how many columns differ.
        compared: how many were compared.
        n: rows of both, in words.
    """

    reference: str
    observed: str
    sentence: str
    cards: tuple[ShiftCard, ...]
    columns: tuple[ComparedColumn, ...]
    terms: tuple[Term, ...]
    more: int
    shifted: int
    compared: int
    n: str


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
    by_pair: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for result in facts.of_role("mismatch"):
        by_pair.setdefault((result["expected"]["reference"], result["expected"]["observed"]), []).append(result)
    pairs = tuple(_pair(facts, pair, results, told) for pair, results in by_pair.items())
    why = ""
    if not pairs:
        empty = [name for name in facts.splits if not facts.plan.rows_of(name)]
        why = "Nothing was compared: " + (
            f"{joined(empty)} holds no rows." if empty else "the run was not measured, or its splits are too small."
        )
    return MismatchView(pairs, models_view(told["models"]) if told.get("models") else None, why)


def _pair(
    facts: RunFacts, pair: tuple[str, str], results: Sequence[Mapping[str, Any]], told: Mapping[str, Any]
) -> PairMismatch:
    reference, observed = pair
    kinds = {one["column"]: one for one in told.get("kinds", []) if (one["reference"], one["observed"]) == pair}
    sentences = {
        (one["column"], one["about"]): str(one["sentence"])
        for one in told.get("columns", [])
        if (one["reference"], one["observed"]) == pair
    }
    found = [(compared_column(shift_row(result), kinds), result) for result in results]
    found.sort(key=lambda one: one[0].order)
    most = min(MOST_CARDS, max(LEAST_CARDS, sum(column.order[0] < RANK["unsure"] for column, _ in found)))
    compared = {column.row.name for column, _ in found if column.row.compared} - {facts.source_column}
    rows = [column.row for column, _ in found if column.row.standing == "shifted"]
    names = list({row.name: row.column for row in rows if row.name != facts.source_column}.values())
    cards = tuple(
        shift_card(facts, column, result, sentences.get((column.row.name, result["observed"]["about"]), ""))
        for column, result in found[:most]
    )
    return PairMismatch(
        reference=reference,
        observed=observed,
        sentence=_sentence(reference, observed, names, len(compared)),
        cards=cards,
        columns=tuple(column for column, _ in found[:MOST_ROWS]),
        terms=terms_in("beyond chance", *dict.fromkeys(column.row.measure for column, _ in found)),
        more=max(0, len(found) - MOST_ROWS),
        shifted=len(names),
        compared=len(compared),
        n=" / ".join(f"{facts.plan.rows_of(name):,}" for name in pair),
    )


def _sentence(reference: str, observed: str, names: Sequence[str], compared: int) -> str:
    if not names:
        told = counted(compared, "column")
        return f"{reference} and {observed} differ in none of {told} by more than the thresholds."
    return (
        f"{reference} and {observed} differ in {len(names):,} of {counted(compared, 'column')}: {named(names, 5)}. "
        "Nothing is broken: they come from different data, and this is by how much."
    )
