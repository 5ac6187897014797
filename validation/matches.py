"""The checks of comparisons: splits that must match, the mismatch that is measured, categories that train lacks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from splitting.request import TRAIN
from validation.checking import Check, Severity
from validation.comparing.comparison import Comparison, Listed
from validation.comparing.measuring import listed
from validation.comparing.novelty import Novelty, novelty
from validation.comparing.testing import corrected
from validation.comparisons import Designs
from validation.evidence import Evidence
from validation.profile.values import ColumnProfile
from validation.settings import CheckSettings

_OBSERVED = (
    "kind",
    "about",
    "n_reference",
    "n_observed",
    "verdict",
    "effect_name",
    "effect",
    "distance",
    "null",
    "interval",
    "smallest",
    "p",
    "q",
    "js",
    "js_excess",
    "js_null",
    "ks",
    "ks_null",
    "wasserstein_sd",
    "wasserstein_null",
    "frechet",
    "psi",
    "psi_band",
    "l_infinity",
    "new_categories",
    "new_rows",
    "new_largest",
    "missing_categories",
    "missing_rows",
    "missing_largest",
    "note",
)


def comparison_checks(
    comparisons: Sequence[Comparison], evidence: Evidence, settings: CheckSettings
) -> Iterator[Check]:
    """A check a comparison.

    Args:
        comparisons: of the run, judged.
        evidence: of the run.
        settings: alpha and least rows.

    Yields:
        Checks in the order of the comparisons. Splits that must match are critical where the shift is large, and a
        warning where it is slight, or where frozen sets of an earlier run are kept; a mismatch is no failure, and one
        that could not be compared is none.
    """
    for row in comparisons:
        if row.role == "match":
            yield _match(row, evidence, settings)
        elif row.effect is not None:
            yield _mismatch(row, settings)


def comparison_name(row: Comparison) -> str:
    """What a comparison is called, unique in a run."""
    what = {"values": "", "missing": " (missing)", "NaN": " (NaN)", "infinite": " (infinite)"}[row.about]
    return f"{row.observed} against {row.reference}: {row.column}{what}"


def _observed(row: Comparison) -> dict[str, object]:
    plain = row.row()
    return {name: plain[name] for name in _OBSERVED}


def _match(row: Comparison, evidence: Evidence, settings: CheckSettings) -> Check:
    levels = row.effect.levels if row.effect else (0.0, 0.0)
    severe: Severity = "warning" if row.verdict == "slight shift" or evidence.plan.previous else "critical"
    return Check(
        name=comparison_name(row),
        role="match",
        table=f"{row.observed} against {row.reference}",
        column=row.column,
        description=f"{row.observed} looks like {row.reference}: both were drawn from the same rows.",
        severity=severe,
        expectation=("expect_source_share" if row.column == evidence.roles.source else "expect_splits_to_match"),
        kwargs={
            "reference": row.reference,
            "observed": row.observed,
            "statistic": row.effect.name if row.effect else None,
            "max_shift": levels[0],
            "alpha": settings.alpha,
            "min_rows": settings.min_rows,
        },
        observed=_observed(row),
    )


def _mismatch(row: Comparison, settings: CheckSettings) -> Check:
    levels = row.effect.levels if row.effect else (0.0, 0.0)
    return Check(
        name=comparison_name(row),
        role="mismatch",
        table=f"{row.observed} against {row.reference}",
        column=row.column,
        description=f"How {row.observed} differs from {row.reference}: measured, and nothing broken.",
        severity="info",
        expectation="expect_mismatch_measured",
        kwargs={
            "reference": row.reference,
            "observed": row.observed,
            "statistic": row.effect.name if row.effect else None,
            "warn_shift": levels[0],
            "large_shift": levels[1],
            "alpha": settings.alpha,
            "min_rows": settings.min_rows,
        },
        observed=_observed(row),
    )


def new_category_checks(evidence: Evidence, settings: CheckSettings | None = None) -> Iterator[Check]:
    """Categories of the splits drawn from the target that train does not have: more than chance gives?

    Args:
        evidence: with measures.
        settings: with alpha; by default the usual ones.

    Yields:
        A check a split and column of categories, their q-values corrected over all of these; the label has a check of
        its own.
    """
    alpha = (settings or CheckSettings()).alpha
    found = list(_new_categories(evidence))
    q_values = corrected([chance.p for _, _, chance, _ in found])
    for (split, ours, chance, new), q in zip(found, q_values.tolist(), strict=True):
        assert ours.categories is not None  # noqa: S101, it was looked at
        yield Check(
            name=f"{ours.name} of {split} in train",
            role="new categories",
            table=split,
            column=ours.name,
            description=f"{split} has no more rows with a value of {ours.name} that train lacks than chance gives.",
            severity="warning",
            expectation="expect_no_new_categories",
            kwargs={"split": split, "reference": TRAIN, "alpha": alpha},
            observed={
                "categories": len(ours.categories.values),
                "new": new.count,
                "rows_new": new.rows,
                "rows_expected": chance.expected,
                "p": chance.p,
                "q": q,
                "largest": [list(pair) for pair in new.largest],
            },
        )


def _new_categories(evidence: Evidence) -> Iterator[tuple[str, ColumnProfile, Novelty, Listed]]:
    assert evidence.measures is not None  # noqa: S101
    roles = evidence.roles
    left_out = {*roles.not_compared, roles.label}
    designs = Designs(evidence)
    for split in evidence.splits[1:]:
        if not evidence.drawn_from_target(split):
            continue
        for name in evidence.measures.profile.names():
            if name in left_out:
                continue
            ours, train = evidence.column(name, split), evidence.column(name, TRAIN)
            if ours.kind != "category" or train.kind != "category" or not ours.categories or not train.categories:
                continue
            new = listed(ours.categories, train.categories)
            if new.count is None:
                continue
            effects = designs.of(name, split), designs.of(name, TRAIN)
            yield split, ours, novelty(ours.categories, train.categories, effects), new
