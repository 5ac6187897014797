"""One column of one pair of splits, as a row of a table: effect, interval, the smallest shift that could be seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.report.headline import Tone
from pipelines.report.words import decimal, q_value, sentence, shown
from validation.comparing.sentences import EFFECTS

ABOUT = {"values": "", "missing": "missing values", "NaN": "NaN", "infinite": "infinite numbers"}
_LEAST_LEVEL = 1e-9


@dataclass(frozen=True)
class ShiftRow:
    """One column of two splits.

    Attributes:
        column: its name, as shown.
        about: what of it was compared, where not its values.
        verdict: in a word or two.
        tone: of the verdict.
        measure: the name of the effect.
        effect: its size, freed of chance.
        interval: 95 %, of the true distance; empty for none.
        level: from which size on it counts as slight and as large.
        smallest: the smallest effect that could have been seen.
        q: the share of false alarms among findings as sure as this one.
        n: rows compared, of the reference and of the observed.
        note: what a reader has to know.
        weight: the effect as a multiple of the size from which it counts as large.
        name: the column's own name, for looking things up.
        raw: effect, interval and levels as numbers, for pictures.
    """

    column: str
    about: str
    verdict: str
    tone: Tone
    measure: str
    effect: str
    interval: str
    level: str
    smallest: str
    q: str
    n: str
    note: str
    weight: float
    name: str
    raw: RawShift | None


@dataclass(frozen=True)
class RawShift:
    """The figures of a shift, as they are drawn.

    Attributes:
        effect: freed of chance.
        low: the lower end of its interval, 95 %.
        high: the upper end.
        slight: beyond chance, from here on a slight shift.
        large: from here on a shift.
    """

    effect: float
    low: float
    high: float
    slight: float
    large: float


def shift_row(result: Mapping[str, Any]) -> ShiftRow:
    """The row of a result whose role is `match` or `mismatch`.

    Args:
        result: of `validation.json`.

    Returns:
        Its row.
    """
    observed, expected = result["observed"], result["expected"]
    effect = observed["effect"]
    slight, large = _levels(expected)
    limits = [decimal(level) for level in (slight, large) if level is not None]
    return ShiftRow(
        column=shown(result["column"]),
        about=ABOUT.get(observed["about"], ""),
        verdict=observed["verdict"],
        tone=_tone(result),
        measure=EFFECTS[observed["effect_name"]] if effect is not None else "",
        effect="–" if effect is None else decimal(effect),
        interval=_interval(observed),
        level=" / ".join(limits) if effect is not None else "",
        smallest=_smallest(observed),
        q=q_value(observed["q"]),
        n=f"{observed['n_reference']:,} / {observed['n_observed']:,}",
        note=sentence(observed.get("note") or "", 300) if observed.get("note") else "",
        weight=0.0 if effect is None else effect / max(large or slight or _LEAST_LEVEL, _LEAST_LEVEL),
        name=result["column"],
        raw=_raw(observed, slight, large),
    )


def _levels(expected: Mapping[str, Any]) -> tuple[float | None, float | None]:
    if "warn_shift" in expected:
        return expected["warn_shift"], expected["large_shift"]
    return expected.get("max_shift"), None


def _tone(result: Mapping[str, Any]) -> Tone:
    if not result["success"]:
        return "bad" if result["severity"] == "critical" else "warn"
    shifted = result["observed"]["verdict"] in ("shift", "slight shift")
    if shifted:
        return "warn"
    return "good" if result["observed"]["effect"] is not None else "note"


def _interval(observed: Mapping[str, Any]) -> str:
    ends = observed["interval"]
    return "" if not ends or None in ends else f"{decimal(ends[0])} to {decimal(ends[1])}"


def _smallest(observed: Mapping[str, Any]) -> str:
    value = observed["smallest"]
    if value is None:
        return "–"
    bounded = observed["effect_name"] in ("js_excess", "ks_excess", "share_excess")
    return "none of any size" if bounded and value >= 1 else decimal(value)


def _raw(observed: Mapping[str, Any], slight: float | None, large: float | None) -> RawShift | None:
    ends, effect = observed["interval"], observed["effect"]
    if effect is None or not ends or None in ends or slight is None:
        return None
    return RawShift(effect, ends[0], ends[1], slight, slight if large is None else large)
