"""What models say of a run, as checks and in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from splitting.request import TRAIN
from validation.checking import Check
from validation.comparing.pairs import Pair
from validation.evidence import Evidence
from validation.harm import Harm, TooFewRows
from validation.modelling.columns import NOT_READ, LeftOut
from validation.modelling.leaks import LeakColumn, giving_away
from validation.modelling.probe import LEAST_GROUPS, HarmResult
from validation.settings import CheckSettings
from validation.verdict import Finding

_CARRIED = 5
_GRADES = ("no cost seen", "too small to tell")
_TELL_APART = {0: "not told apart", 1: "told apart now and then", 2: "told apart"}


def harm_checks(harm: Harm, evidence: Evidence, settings: CheckSettings) -> Iterator[Check]:
    """What models say, as checks.

    Args:
        harm: what they say.
        evidence: of the run.
        settings: thresholds.

    Yields:
        One of the cost, where there is a label; one of each column that could give the label away.
    """
    pair, gap = harm.pair, harm.probe.gap
    if harm.probe.grade is not None and gap is not None:
        yield Check(
            name=_cost_name(pair),
            role="harm",
            table=f"{pair.observed} against {pair.reference}",
            column=None,
            description="What the mismatch costs a model: its error on the target less its error where it learnt.",
            severity="warning" if harm.probe.grade == "costs" else "info",
            expectation="expect_mismatch_harmless",
            kwargs={"reference": pair.reference, "observed": pair.observed, "allowed": list(_GRADES)},
            observed={"grade": harm.probe.grade, "cost": gap.gap, "interval": [gap.low, gap.high], **asdict(gap)},
        )
    for leak in harm.leaks:
        yield Check(
            name=_leak_name(leak),
            role="leakage",
            table=TRAIN,
            column=leak.column,
            description=f"{leak.column} alone does not predict the label nearly perfectly.",
            severity="warning",
            expectation="expect_no_leak_column",
            kwargs={"label": evidence.roles.label, "max_auc": settings.thresholds.leak_auc},
            observed={leak.measure.lower(): leak.score, "rows": leak.rows},
        )


def harm_findings(harm: Harm, settings: CheckSettings) -> list[Finding]:
    """What models say, in sentences."""
    pair = harm.pair
    found = []
    if cost := _cost(harm.probe, pair):
        costs = harm.probe.grade == "costs"
        checks = (_cost_name(pair),) if harm.probe.grade is not None and harm.probe.gap is not None else ()
        found.append(Finding("warning" if costs else "info", f"{cost}{_about_leaks(harm)}", checks))
    domain = harm.domain
    if domain.auc is not None and domain.low is not None and domain.high is not None:
        carriers = [one.column for one in domain.importances if one.fall > settings.alpha][:_CARRIED]
        by = f", most by {', '.join(f'`{name}`' for name in carriers)}" if carriers else ""
        level = sum(domain.auc >= limit for limit in settings.thresholds.auc)
        told = (
            f"{pair.reference} and {pair.observed} are {_TELL_APART[level]} by a classifier: AUC {domain.auc:.3f} "
            f"({domain.low:.3f} to {domain.high:.3f}){by}; n {domain.rows[0]:,} and {domain.rows[1]:,}. Told "
            "apart is not the same as harmed."
        )
        found.append(Finding("info", told))
    if harm.domain.left_out and (unseen := _unseen(harm.domain.left_out)):
        found.append(Finding("info", unseen))
    if harm.transfer.reason and harm.transfer.column is not None and len(harm.sources) > 1:
        found.append(Finding("info", f"Models were not carried from source to source: {harm.transfer.reason}."))
    found += [
        Finding(
            "warning",
            f"`{leak.column}` alone predicts the label ({leak.measure} {leak.score:.3f}, n {leak.rows:,}): if it is "
            "known only after the label, leave it out of the features.",
            (_leak_name(leak),),
        )
        for leak in harm.leaks
        if leak.leaks
    ]
    return found


def _cost_name(pair: Pair) -> str:
    return f"cost of {pair.observed} against {pair.reference}"


def unmeasured_finding(found: TooFewRows, settings: CheckSettings) -> Finding:
    """Says that models were not fitted: that nothing was found of a cost says nothing then."""
    pair = found.pair
    lower = f", or set `checks: {{min_rows: {found.rows}}}` and read wide intervals" * (found.rows >= LEAST_GROUPS)
    told = (
        f"What the mismatch costs, whether a classifier tells {pair.reference} and {pair.observed} apart, and which "
        f"columns give the label away were not measured: of {found.split} there are {found.rows:,} sampled rows, and "
        f"at least {settings.min_rows:,} are asked for. Make {found.split} larger{lower}."
    )
    return Finding("info", told)


def _leak_name(leak: LeakColumn) -> str:
    return f"{leak.column} does not give the label away"


def _about_leaks(harm: Harm) -> str:
    """What the models of the cost did with the columns that give the label away; empty without any."""
    without = giving_away(harm.leaks)
    kept = [leak.column for leak in harm.leaks if leak.leaks and leak.column not in without]
    told = ""
    if without:
        which = "which alone predicts" if len(without) == 1 else "which each alone predict"
        told += f" The models did without {_listed(without)}, {which} the label."
    if kept:
        told += f" Kept, though {'it' if len(kept) == 1 else 'each'} alone predicts the label: {_listed(kept)}; where "
        told += "that is known only after the label, it hides a cost, so name it in `skip`."
    return told


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _CARRIED:,} more" if len(names) > _CARRIED else ""
    return f"{', '.join(f'`{name}`' for name in names[:_CARRIED])}{more}"


def _unseen(left_out: Sequence[LeftOut]) -> str:
    """Says which columns no model saw though their roles would let it: what they hold may tell splits apart, too."""
    why: dict[str, list[str]] = {}
    for one in left_out:
        if one.reason in NOT_READ:
            why.setdefault(one.reason, []).append(f"`{one.name}`")
    told = "; ".join(f"{_some(names)} {reason}" for reason, names in why.items())
    return f"Models did not see {told}." if told else ""


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _CARRIED:,} more" if len(names) > _CARRIED else ""
    return f"{', '.join(names[:_CARRIED])}{more}, {'which' if len(names) == 1 else 'each of which'}"


def _cost(result: HarmResult, pair: Pair) -> str | None:
    gap = result.gap
    if gap is None:
        told = f"What the mismatch costs could not be measured: {result.reason}." if result.reason else None
        return told if result.confidence_fall is None else f"{told} {_without_labels(result, pair)}"
    unit = "errors" if result.measure.startswith("error rate") else "standard deviations of error"
    told = (
        f"{result.measure[0].upper()}{result.measure[1:]}: {gap.away:.3f} on {pair.observed}, {gap.home:.3f} on "
        f"{pair.reference}; difference {gap.gap:+.3f} (95 % interval {gap.low:+.3f} to {gap.high:+.3f}); n "
        f"{result.away_rows:,} and {result.home_rows:,}."
    )
    if result.grade == "costs":
        errs = f"a model that learns on {TRAIN} errs more on {pair.observed} than on {pair.reference}"
        return f"The mismatch costs errors: {errs}. {told}"
    if result.grade == "no cost seen":
        return f"No cost of the mismatch was seen; one of {gap.detectable:.3f} would have been. {told}"
    if result.grade is not None and result.skill is not None and not result.skill.sure:
        same = "the mean" if result.measure.startswith("root") else "the commonest label"
        return (
            "What the mismatch costs cannot be told, as the models learn nothing from these columns that could be "
            f"lost: at home they make {gap.home:.3f} {unit}, and always answering with {same} makes "
            f"{result.skill.baseline:.3f}. {told}"
        )
    if result.grade == "too small to tell":
        return f"Too few examples to tell what the mismatch costs; only {gap.detectable:.3f} would be seen. {told}"
    return f"Without a label, {result.column!r} stood in for it; no cost is claimed. {told}"


def _without_labels(result: HarmResult, pair: Pair) -> str:
    """The figures that need no label away, under their own names."""
    assert result.confidence_fall is not None  # noqa: S101, the caller looked
    told = f"Without them, the models' confidence moves by {-result.confidence_fall:+.3f} from {pair.reference} to "
    told += f"{pair.observed}"
    if result.thresholded_confidence is not None:
        told += f", and average thresholded confidence foresees {result.thresholded_confidence:+.3f} errors"
    return f"{told}; no cost is claimed."
