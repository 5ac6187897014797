"""What models say of the mismatch: what it costs, whether splits are told apart, which columns give the label away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from pipelines.report.charts import Scale, interval
from pipelines.report.headline import Tone
from pipelines.report.words import sentence, shown, signed

_MOST_COLUMNS = 12
_MOST_TRANSFERS = 36
_COST: Mapping[str, tuple[Tone, str]] = {
    "costs": ("warn", "The mismatch costs a model errors."),
    "no cost seen": ("good", "No cost of the mismatch was seen."),
    "too small to tell": ("note", "Too few examples to tell what the mismatch costs."),
}
_FIGURES: Mapping[str, str] = {"no cost seen": "none seen", "too small to tell": "not known"}


@dataclass(frozen=True)
class CostView:
    """What the mismatch costs.

    Attributes:
        tone: of the answer.
        answer: in a sentence.
        figure: the difference in error, or in two words that none was seen; empty where it was not measured.
        about: what was measured, with its interval and n.
        figures: the figures behind it.
        picture: the difference with its interval; empty for none.
        n: rows, in words.
    """

    tone: Tone
    answer: str
    figure: str
    about: str
    figures: str
    picture: Markup
    n: str


@dataclass(frozen=True)
class ModelsView:
    """What models say.

    Attributes:
        cost: of the mismatch.
        apart: whether a classifier tells the splits apart, in a sentence; empty where it was not asked.
        carriers: columns, and how much the classifier loses without each.
        rows: that the classifier was shown, of the two splits, in words.
        leaks: columns, how well each alone predicts the label, on how many rows, and whether that is a leak.
        transfer: models of each source, judged on each: trained on, judged on, error, interval, rows.
        left_out: columns that models did not see, with the reason.
    """

    cost: CostView
    apart: str
    carriers: tuple[tuple[str, str], ...]
    rows: str
    leaks: tuple[tuple[str, str, str, bool], ...]
    transfer: tuple[tuple[str, str, str, str, str], ...]
    left_out: tuple[tuple[str, str], ...]


def models_view(document: Mapping[str, Any]) -> ModelsView:
    """What models say.

    Args:
        document: `mismatch.models` of `validation.json`.

    Returns:
        See there.
    """
    domain = document["domain"]
    importances = [item for item in domain["importances"] if item["fall"] > 0][:_MOST_COLUMNS]
    return ModelsView(
        cost=_cost(document),
        apart=_apart(document),
        carriers=tuple((shown(item["column"]), f"{item['fall']:.3f}") for item in importances),
        rows=" and ".join(f"{count:,}" for count in domain["rows"]),
        leaks=tuple(
            (shown(item["column"]), f"{item['measure']} {item['score']:.3f}", f"{item['rows']:,}", bool(item["leaks"]))
            for item in document["leaks"][:_MOST_COLUMNS]
        ),
        transfer=tuple(_transfers(document["transfer"][:_MOST_TRANSFERS])),
        left_out=tuple((shown(item["name"]), sentence(item["reason"], 200)) for item in domain["left_out"]),
    )


def _transfers(rows: Sequence[Mapping[str, Any]]) -> Sequence[tuple[str, str, str, str, str]]:
    found = []
    for row in rows:
        known = row["error"] is not None
        figure = f"{row['error']:.3f}" if known else "–"
        bounds = f"{row['low']:.3f} to {row['high']:.3f}" if known and row["low"] is not None else "–"
        n = f"{row['train_rows'] or 0:,} / {row['judged_rows'] or 0:,}"
        found.append((shown(row["trained"]), shown(row["judged"]), figure, bounds, n))
    return found


def _apart(document: Mapping[str, Any]) -> str:
    domain = document["domain"]
    if domain["auc"] is None:
        return sentence(f"No classifier was asked: {domain['reason']}.") if domain["reason"] else ""
    bounds = f" ({domain['low']:.3f} to {domain['high']:.3f})" if domain["low"] is not None else ""
    rows = " and ".join(f"{count:,}" for count in domain["rows"])
    return (
        f"Shown one row, a classifier says whether it is from {document['reference']} or {document['observed']} with "
        f"AUC {domain['auc']:.3f}{bounds}; .5 is guessing, 1 is certain; n {rows}. Told apart is not the "
        "same as harmed."
    )


def _cost(document: Mapping[str, Any]) -> CostView:
    cost = document["cost"]
    gap = cost["gap"]
    n = f"learnt on {cost['train_rows']:,}, judged on {cost['home_rows']:,} and {cost['away_rows']:,} rows"
    if gap is None:
        told = f"What the mismatch costs could not be measured: {cost['reason']}." if cost["reason"] else ""
        told = sentence(told) if told else "What the mismatch costs was not measured."
        return CostView("note", told, "", "", "", Markup(""), n)
    tone, answer = _COST.get(cost["grade"], ("note", f"Without a label, {shown(cost['column'])} stood in for it."))
    home, away = document["reference"], document["observed"]
    figures = (
        f"{shown(cost['measure'], 80)}: {gap['home']:.3f} on {home}, {gap['away']:.3f} on {away}; difference "
        f"{signed(gap['gap'])} (95 % interval {signed(gap['low'])} to {signed(gap['high'])}). The smallest cost that "
        f"could have been seen is {gap['detectable']:.3f}."
    )
    reach = 1.2 * max(abs(gap["low"]), abs(gap["high"]), gap["detectable"], 1e-9)
    scale = Scale(-reach, reach, ((0.0, "no difference"), (gap["detectable"], "could be seen")))
    told = f"Difference in error {signed(gap['gap'])}, from {signed(gap['low'])} to {signed(gap['high'])}"
    difference, bounds = signed(gap["gap"]), f"95 %: {signed(gap['low'])} to {signed(gap['high'])}"
    about = f"{shown(cost['measure'], 80)}, {away} less {home}: {difference}; {bounds}; n "
    about += f"{cost['away_rows']:,} / {cost['home_rows']:,}"
    picture = interval(gap["gap"], gap["low"], gap["high"], scale, told)
    return CostView(tone, answer, _FIGURES.get(cost["grade"], difference), about, figures, picture, n)
