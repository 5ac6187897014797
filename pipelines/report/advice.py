"""What to do about what was found, in the order of its weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

CAUSES = ("faithful", "target only", "pool only", "disjoint")
"""Roles whose faults explain others."""
_CONSEQUENCES = ("size", "match")

_UNUSABLE: Mapping[str, str] = {
    "faithful": "rows were lost or made up",
    "target only": "a score on this split would not be a score on the target",
    "pool only": "a split holds rows from outside the pool that it is meant to show",
    "disjoint": "a model could be tested on what it was trained on, so that its score is too high",
    "size": "files were changed or are not whole",
}
"""Why a run is not to be used."""

_ADVICE: Mapping[str, str] = {
    "label": "Ask for smaller evaluation splits, or get examples of the label: a model cannot learn what train does "
    "not show.",
    "match": "Two splits that were drawn from the same rows do not look alike. With groups, a few large ones can carry "
    "it: look at the columns under “Splits that must look alike” before you trust the score.",
    "leakage": "Copies across splits make scores too high. Name in `group` the columns that tell a copy, and "
    "plan again.",
    "leak column": "Leave {columns} out of the features, if known only after the label.",
    "new categories": "A model has never seen these values of {columns}: expect errors there, or get training rows "
    "that have them.",
    "suite": "An expectation of your own does not hold: look at it under “Your suites”.",
    "harm": "The mismatch costs the model: see which columns carry it under “The data mismatch”, and what helps there.",
}
_TRUST = "You can train on train, look for errors on train_dev and dev, and report the score on test once."
_MEASURE = "Set `checks: {profile: true}` and plan again, or be content with what was counted."
_LARGER = (
    "Ask for larger splits, or be content with what was counted: columns are compared from {least} rows on "
    "(`checks: min_rows`)."
)
_MOST = 5


def steps(roles: Sequence[str], columns: Mapping[str, str], *, trusted: bool) -> tuple[str, ...]:
    """What to do, the most pressing first.

    Args:
        roles: of all that is wrong, the heaviest first; what only follows from a cause needs no step of its own.
        columns: by role, those that it is about, in words.
        trusted: the split may be used.

    Returns:
        Sentences.
    """
    caused = set(roles).intersection(CAUSES)
    kept = [role for role in dict.fromkeys(roles) if not (caused and role in _CONSEQUENCES)]
    why = "; ".join(_UNUSABLE[role] for role in kept if role in _UNUSABLE)
    unusable = f"Do not use this run: {why}. Run it again; if it happens again, report it."
    told = [unusable if role in _UNUSABLE else _ADVICE.get(role, "") for role in kept]
    told = [text.replace("{columns}", columns.get(role, "")) for role, text in zip(kept, told, strict=True)]
    return (*[text for text in dict.fromkeys(told) if text][:_MOST], *([_TRUST] if trusted else []))


def step_to_compare(least: int, *, measured: bool) -> str:
    """What to do where splits were not compared.

    Args:
        least: rows from which on columns are compared.
        measured: the run was measured.
    """
    return _LARGER.replace("{least}", f"{least:,}") if measured else _MEASURE
