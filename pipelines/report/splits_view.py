"""The splits: what each is for, its size against the plan, its make-up, and what a plain shuffle would have given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipelines.report.charts import Segment, letter, stacked_bar
from pipelines.report.facts import RunFacts
from pipelines.report.palette import SERIES
from pipelines.report.words import counted, percent, shown
from splitting.plan import CellPlan, Plan, Stratum
from splitting.request import TRAIN, TRAIN_POOL

PURPOSE: Mapping[str, str] = {
    TRAIN: "fit the model",
    "train_dev": "the train mixture, held out: tells variance from data mismatch",
    "dev": "tune, and compare models",
    "test": "the final, unbiased number; look once",
}
_SHUFFLE = "a plain shuffle"
_SOURCE = "source"
_MOST_QUOTAS = 300


@dataclass(frozen=True)
class SplitRow:
    """One split in the table.

    Attributes:
        name: its name.
        purpose: what it is for.
        origin: what it was drawn from.
        rows: that were written.
        planned: that were planned.
        as_planned: both are the same.
        target: its rows in the target pool.
        shuffle: what a plain shuffle would have given instead, in words; empty for train.
        groups: groups it holds, in words; empty where there are none.
    """

    name: str
    purpose: str
    origin: str
    rows: int
    planned: int
    as_planned: bool
    target: int
    shuffle: str
    groups: str


@dataclass(frozen=True)
class CompositionBar:
    """The make-up of one split.

    Attributes:
        name: of the split, or of the plain shuffle.
        rows: how many.
        bar: the picture.
        counts: rows of each part with their share, in the order of the legend.
    """

    name: str
    rows: int
    bar: Markup
    counts: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Composition:
    """The make-up of all splits, by source or by stratum.

    Attributes:
        by: what the parts are.
        legend: letter, name and colour of each part.
        bars: one a split; last what a plain shuffle would give each of them.
        shuffle: what the last is taken from, in a sentence.
    """

    by: str
    legend: tuple[Segment, ...]
    bars: tuple[CompositionBar, ...]
    shuffle: str

    @property
    def heads(self) -> list[str]:
        """Of the columns of counts, one a bar."""
        return [f"#{bar.name}" for bar in self.bars]


@dataclass(frozen=True)
class QuotaRow:
    """One stratum of one split against its quota."""

    split: str
    stratum: str
    pool: int
    wanted: int
    planned: int


@dataclass(frozen=True)
class SplitsView:
    """The section of the splits.

    Attributes:
        sentence: what the picture shows, first.
        rows: a split each.
        compositions: by source, and by stratum where the draw was stratified.
        quotas: strata against their quotas.
        more_quotas: how many are not shown.
        off_quota: how many differ from their quota.
    """

    sentence: str
    rows: tuple[SplitRow, ...]
    compositions: tuple[Composition, ...]
    quotas: tuple[QuotaRow, ...]
    more_quotas: int
    off_quota: int


def splits_view(facts: RunFacts) -> SplitsView:
    """The section of the splits.

    Args:
        facts: of the run.

    Returns:
        Splits in the order train, then as in the spec.
    """
    plan = facts.plan
    written = {r["expected"]["split"]: (r["observed"]["rows"], r["expected"]["rows"]) for r in facts.of_role("size")}
    compositions = [_composition(plan, _SOURCE, lambda cell: (cell.source,))]
    if plan.strata:
        by = " × ".join(shown(name, 30) for name in plan.strata)
        compositions.append(_composition(plan, by, lambda cell: cell.stratum))
    quotas = [
        QuotaRow(
            quota.split,
            _part_name((*_own_source(quota.source), *quota.stratum)),
            quota.pool_rows,
            quota.wanted,
            quota.rows,
        )
        for quota in plan.quotas[:_MOST_QUOTAS]
        if plan.strata or quota.source is not None
    ]
    return SplitsView(
        sentence=_sentence(plan),
        rows=tuple(
            _row(plan, name, *written.get(name, (plan.rows_of(name), plan.rows_of(name)))) for name in facts.splits
        ),
        compositions=tuple(compositions),
        quotas=tuple(quotas),
        more_quotas=max(0, len(plan.quotas) - _MOST_QUOTAS) if quotas else 0,
        off_quota=sum(quota.rows != quota.wanted for quota in plan.quotas) if quotas else 0,
    )


def _own_source(source: str | None) -> list[str]:
    return [] if source is None else [source]


def _sentence(plan: Plan) -> str:
    """What targetsplit changed, on the split that people tune on."""
    aimed = [split for split in plan.splits if split.rows and plan.target_rows_of(split.name) == split.rows]
    if not aimed:
        return ""
    chosen = next((split for split in aimed if split.name == "dev"), aimed[0])
    given = chosen.shuffle_target_rows
    return (
        f"All {counted(chosen.rows, 'row')} of {chosen.name} are target rows. A plain shuffle of everything would have "
        f"put {given:,} into it ({percent(given / chosen.rows)}), and the team would have tuned for the rest."
    )


def _row(plan: Plan, name: str, rows: int, planned: int) -> SplitRow:
    split = next((one for one in plan.splits if one.name == name), None)
    target = plan.target_rows_of(name)
    grouped = bool(plan.identity.get("group")) and split is not None
    shuffle = ""
    if split is not None and split.rows:
        shuffle = f"{split.shuffle_target_rows:,} ({percent(split.shuffle_target_rows / split.rows)})"
    origin = "what is left" if split is None else "the train mixture" if split.pool == TRAIN_POOL else shown(split.pool)
    return SplitRow(
        name=name,
        purpose=PURPOSE.get(name, "evaluate"),
        origin=origin,
        rows=rows,
        planned=planned,
        as_planned=rows == planned,
        target=target,
        shuffle=shuffle,
        groups=f"{split.groups:,}" if grouped and split is not None else "",
    )


def _part_name(part: Stratum) -> str:
    return " × ".join(shown(label) for label in part)


def _composition(plan: Plan, by: str, part: Callable[[CellPlan], Stratum]) -> Composition:
    """Rows of each part in each split; beyond the largest parts, the rest together."""
    names = [TRAIN, *(split.name for split in plan.splits)]
    counts: dict[str, Counter[Stratum]] = {name: Counter() for name in names}
    everything: Counter[Stratum] = Counter()
    for cell in plan.cells:
        called = part(cell)
        counts[cell.split][called] += cell.rows
        everything[called] += cell.rows
    if by == _SOURCE:
        everything = Counter({(source.name,): source.rows for source in plan.sources})
    given = everything.total()
    shuffle = f"A plain shuffle would give every split the make-up of all {counted(given, 'row')} that were read."
    if given < plan.rows_read:
        shuffle = (
            f"A plain shuffle would give every split about the make-up of the {counted(given, 'row')} in splits; of "
            f"the {counted(plan.rows_read - given, 'row')} in no split it is not known by {by}."
        )
    parts = sorted(everything, key=lambda one: (-everything[one], [(label is None, label or "") for label in one]))
    legend = _legend(parts)
    kept = parts[: len(SERIES)]
    bars = []
    for name, found in [*counts.items(), (_SHUFFLE, everything)]:
        own = [found[one] for one in kept]
        own += [sum(found.values()) - sum(own)] if len(parts) > len(kept) else []
        bars.append(_bar(name, by, legend, own))
    return Composition(by, legend, tuple(bars), shuffle)


def _legend(parts: Sequence[Stratum]) -> tuple[Segment, ...]:
    kept = parts[: len(SERIES)]
    legend = [Segment(letter(i), _part_name(one), 0.0, SERIES[i]) for i, one in enumerate(kept)]
    more = len(parts) - len(kept)
    if more:
        legend.append(Segment(letter(len(kept)), counted(more, "other"), 0.0, "other"))
    return tuple(legend)


def _bar(name: str, by: str, legend: Sequence[Segment], counts: Sequence[int]) -> CompositionBar:
    total = sum(counts)
    segments = [
        Segment(one.letter, one.name, count / total if total else 0.0, one.series)
        for one, count in zip(legend, counts, strict=True)
    ]
    told = ", ".join(f"{segment.name} {percent(segment.share)}" for segment in segments if segment.share)
    shares = tuple((count, percent(count / total) if total else "–") for count in counts)
    return CompositionBar(name, total, stacked_bar(segments, f"{name} by {by}: {told or 'no rows'}"), shares)
