"""The models of `checks:`: how a run is judged. Nothing here decides where an example goes."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    field_validator,
    model_validator,
)

from pipelines.spec.values import kind_of, listed, shorten
from validation.settings import CheckSettings, Level
from validation.settings import Thresholds as ThresholdValues
from validation.tables import ALL, ON_SOURCES, ON_SPLITS

LEAST_SAMPLE, LARGEST_SAMPLE = 100, 100_000
MOST_SUITES, MOST_ACTIONS = 100, 20
_SECRET = re.compile(r"webhook|token|password|secret|api_?key|login", re.IGNORECASE)
_CREDENTIALS = re.compile(r"://[^/?#\s]*@")
_FROM_ENVIRONMENT = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"got {shorten(value)}, expected a number as in 0.05")
    return float(value)


def _level(value: Any) -> Any:
    if isinstance(value, dict | str) or value is None:
        raise ValueError(f"got {kind_of(value)}, expected where a warning and a failure begin, as in [0.05, 0.1]")
    if not isinstance(value, list | tuple):
        number = _number(value)
        return (number, number)
    if len(value) != 2:
        raise ValueError(
            f"got {len(value)} numbers, expected two: where a warning and a failure begin, as in [0.05, 0.1]"
        )
    return tuple(_number(item) for item in value)


def _ordered(level: Level) -> Level:
    if not 0 <= level[0] <= level[1]:
        raise ValueError(
            f"got {list(level)}, expected a warning at 0 or more, and a failure at no less, as in [0.05, 0.1]"
        )
    return level


def _above_chance(level: Level) -> Level:
    if not 0.5 <= level[0] <= level[1] <= 1:
        raise ValueError(
            f"got {list(level)}, expected two numbers from 0.5 (chance) to 1, the second no less, as in [0.55, 0.65]"
        )
    return level


def _share(value: float) -> float:
    if not 0 < value < 1:
        raise ValueError(f"got {value}, expected a number between 0 and 1, as in 0.01")
    return value


def _leak(value: float) -> float:
    if value < 0.5:
        raise ValueError(f"got {value}, expected a number from 0.5 (chance) to 1, as in 0.98")
    return value


LevelField: TypeAlias = Annotated[tuple[float, float], BeforeValidator(_level), AfterValidator(_ordered)]
ShareField: TypeAlias = Annotated[float, BeforeValidator(_number), AfterValidator(_share)]
AucField: TypeAlias = Annotated[tuple[float, float], BeforeValidator(_level), AfterValidator(_above_chance)]
LeakField: TypeAlias = Annotated[float, BeforeValidator(_number), AfterValidator(_share), AfterValidator(_leak)]
NamesField: TypeAlias = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(listed)]
_DEFAULTS = CheckSettings()


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Thresholds(_Model):
    """Where a shift begins to count, by statistic: a warning, and a failure; one number sets both.

    Attributes:
        js_excess: Jensen-Shannon distance beyond chance, of categories.
        wasserstein_sd: Wasserstein distance in standard deviations, of numbers.
        ks: Kolmogorov-Smirnov distance, of numbers.
        source_share: difference of a source's share.
        auc: of the classifier that tells two splits apart.
        leak_auc: of one column alone for the label; at or above it, the column is named as a leak.
    """

    js_excess: LevelField = _DEFAULTS.thresholds.js_excess
    wasserstein_sd: LevelField = _DEFAULTS.thresholds.wasserstein_sd
    ks: LevelField = _DEFAULTS.thresholds.ks
    source_share: LevelField = _DEFAULTS.thresholds.source_share
    auc: AucField = _DEFAULTS.thresholds.auc
    leak_auc: LeakField = _DEFAULTS.thresholds.leak_auc


class Suite(_Model):
    """A suite of stock expectations, in Great Expectations' own JSON.

    Attributes:
        path: of the file; relative ones are against the spec's folder.
        on: what it is judged on: `splits.NAME`, `sources.NAME`, or `all` rows of all splits.
    """

    path: Annotated[str, Field(min_length=1)]
    on: Annotated[NamesField, Field(min_length=1)] = (ALL,)

    @field_validator("on")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for place in value:
            if place != ALL and not place.startswith((ON_SPLITS, ON_SOURCES)):
                raise ValueError(f"got {shorten(place)}, expected all, splits.NAME or sources.NAME")
        return tuple(dict.fromkeys(value))


class Checks(_Model):
    """How a run is judged.

    Attributes:
        profile: measure what is written; without it only the promises are checked.
        probe: fit the models that tell what the mismatch costs.
        alpha: the share of false alarms that is accepted among comparisons without a shift.
        min_rows: fewer rows than this are too few to compare.
        sample: rows of the keyed sample, by split and source.
        thresholds: see there.
        skip: columns that are in no comparison and no model.
        times: columns that tell when an example was made: compared, but no feature of a model.
        suites: suites of the user's own.
        actions: of Great Expectations, run when everything is written; values that are secret are named `${NAME}`, and
            come from the environment.
        fail_on: from which severity on a failed check fails the run.
    """

    profile: StrictBool = True
    probe: StrictBool = True
    alpha: ShareField = _DEFAULTS.alpha
    min_rows: Annotated[int, Field(ge=2, strict=True)] = _DEFAULTS.min_rows
    sample: Annotated[int, Field(ge=LEAST_SAMPLE, le=LARGEST_SAMPLE, strict=True)] = _DEFAULTS.sample
    thresholds: Thresholds = Thresholds()
    skip: NamesField = ()
    times: NamesField = ()
    suites: Annotated[tuple[Suite, ...], Field(max_length=MOST_SUITES)] = ()
    actions: Annotated[tuple[dict[str, Any], ...], Field(max_length=MOST_ACTIONS)] = ()
    fail_on: Literal["critical", "warning"] = _DEFAULTS.fail_on

    @field_validator("actions")
    @classmethod
    def _typed(cls, value: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
        for action in value:
            if not isinstance(action.get("type"), str) or not action["type"]:
                raise ValueError(
                    "got an action without type, expected one as in {type: slack, slack_webhook: ${SLACK}}"
                )
            for key, item in action.items():
                if _SECRET.search(key) and not (isinstance(item, str) and _FROM_ENVIRONMENT.fullmatch(item)):
                    raise ValueError(
                        f"{key} is a secret, and a spec is no place for one; name a variable of the environment, as in "
                        f"{key}: ${{NAME}}"
                    )
                if isinstance(item, str) and _CREDENTIALS.search(item):
                    raise ValueError(
                        f"{key} holds a name and a password, and a spec is no place for them; name a variable of the "
                        f"environment that holds all of it, as in {key}: ${{NAME}}"
                    )
        return value

    @model_validator(mode="after")
    def _suites_need_a_profile(self) -> Checks:
        if self.suites and not self.profile:
            raise ValueError("has suites, which need the profile; take profile: false out, or the suites")
        return self

    def settings(self) -> CheckSettings:
        """What the checks are told."""
        return CheckSettings(
            thresholds=ThresholdValues(**dict(self.thresholds)),
            alpha=self.alpha,
            min_rows=self.min_rows,
            sample=self.sample,
            probe=self.probe,
            fail_on=self.fail_on,
        )
