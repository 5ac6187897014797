"""The JSON Schema of `checks:`."""

from __future__ import annotations

from typing import Any

from pipelines.spec.check_models import LARGEST_SAMPLE, LEAST_SAMPLE, MOST_ACTIONS, MOST_SUITES, Checks
from pipelines.spec.schema_parts import TEXT, schema_object, told

_DEFAULTS = Checks()
_NAMES = {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}
_NUMBER = {"type": "number", "minimum": 0}
_AUC = {"type": "number", "minimum": 0.5, "maximum": 1}
_SHARE = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
_LEVELS = {
    "js_excess": "Jensen-Shannon distance (base 2) beyond chance, of categories.",
    "wasserstein_sd": "Wasserstein distance in standard deviations, of numbers.",
    "ks": "Kolmogorov-Smirnov distance, of numbers.",
    "source_share": "Difference of a source's share.",
    "auc": "Of the classifier that tells two splits apart.",
}


def _level(name: str, description: str) -> dict[str, Any]:
    default = list(getattr(_DEFAULTS.thresholds, name))
    number = _AUC if name == "auc" else _NUMBER
    pair = {"type": "array", "items": number, "minItems": 2, "maxItems": 2}
    told_more = f"{description} Where a warning and a failure begin; one number sets both."
    return told({"anyOf": [number, pair], "default": default}, told_more, default)


_THRESHOLDS = schema_object(
    "thresholds",
    "Effects below these never count, however sure they are.",
    [],
    {
        **{name: _level(name, description) for name, description in _LEVELS.items()},
        "leak_auc": told(
            {**_SHARE, "minimum": 0.5, "default": _DEFAULTS.thresholds.leak_auc},
            "Of one column alone for the label: a leak from here on.",
        ),
    },
)
_ON = {"type": "string", "pattern": r"^(all|splits\..+|sources\..+)$"}
_SUITE = schema_object(
    "a suite",
    "Stock expectations in Great Expectations' own JSON.",
    ["path"],
    {
        "path": told(TEXT, "Of the file; relative ones against the spec's folder.", "checks/suite.json"),
        "on": told(
            {"anyOf": [_ON, {"type": "array", "items": _ON, "minItems": 1}], "default": ["all"]},
            "What it is judged on.",
            ["sources.web", "splits.dev"],
        ),
    },
)
_ACTION = {"type": "object", "required": ["type"], "properties": {"type": TEXT}}
CHECKS = schema_object(
    "checks",
    "How a run is judged. Nothing here decides where an example goes.",
    [],
    {
        "profile": told({"type": "boolean", "default": True}, "Measure what is written."),
        "probe": told({"type": "boolean", "default": True}, "Fit the models that tell what the mismatch costs."),
        "alpha": told({**_SHARE, "default": _DEFAULTS.alpha}, "The share of false alarms that is accepted."),
        "min_rows": told(
            {"type": "integer", "minimum": 2, "default": _DEFAULTS.min_rows}, "Fewer rows are too few to compare."
        ),
        "sample": told(
            {"type": "integer", "minimum": LEAST_SAMPLE, "maximum": LARGEST_SAMPLE, "default": _DEFAULTS.sample},
            "Rows of the keyed sample, by split and source.",
        ),
        "thresholds": _THRESHOLDS,
        "skip": told(_NAMES, "Columns that are in no comparison and no model.", ["file_name"]),
        "times": told(_NAMES, "When an example was made: compared, but no feature of a model.", ["captured_at"]),
        "suites": told({"type": "array", "items": _SUITE, "maxItems": MOST_SUITES}, "Suites of your own."),
        "actions": told(
            {"type": "array", "items": _ACTION, "maxItems": MOST_ACTIONS},
            "Great Expectations' actions, run after all is written; secrets are named ${NAME}, from the environment.",
        ),
        "fail_on": told(
            {"enum": ["critical", "warning"], "default": "critical"},
            "From which severity on a failed check fails the run.",
        ),
    },
)
