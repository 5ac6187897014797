"""One column of one pair of splits, as a row of a table: effect, interval, the smallest shift that could be seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pipelines.report.headline import Tone
from pipelines.report.words import decimal, q_value, sentence, shown
from validation.comparing.words import BOUNDED, MEASURES

Standing = Literal["broken", "shifted", "unsure", "none seen", "not compared"]
ABOUT = {"values": "", "missing": "missing values", "NaN": "NaN", "infinite": "infinite numbers"}
ALIKE = "alike"
"""The verdict where the whole interval is within what counts as slight, and more would have been seen."""
_LEAST_LEVEL = 1e-9
_TONES: Mapping[Standing, Tone] = {"shifted": "warn", "unsure": "note", "none seen": "good", "not compared": "note"}


@dataclass(frozen=True)
class ShiftRow:
    """One column of two splits.

    Attributes:
        column: its name, as shown.
        about: what of it was compared, where not its values.
        standing: broken: a difference where there must be none. shifted: a difference that is sure, and large enough
            to count. unsure: one that would count, and that chance gives, too. none seen: neither.
        verdict: the same in a word or two.
        tone: of the verdict.
        measure: what the effect is; empty where nothing was compared.
        effect: its size, freed of chance.
        interval: 95 %, of the true distance; empty for none.
        level: from which size on it counts as slight and as large.
        smallest: the smallest effect that could have been seen.
        blind: a difference just over what counts might have been missed.
        q: the share of false alarms among findings as sure as this one.
        n: rows compared, of the reference and of the observed.
        note: what a reader has to know.
        weight: the effect as a multiple of the size from which it counts as large.
        name: the column's own name, for looking things up.
        raw: effect, interval and levels as numbers, for pictures.
    """

    column: str
    about: str
    standing: Standing
    verdict: str
    tone: Tone
    measure: str
    effect: str
    interval: str
    level: str
    smallest: str
    blind: bool
    q: str
    n: str
    note: str
    weight: float
    name: str
    raw: RawShift | None

    @property
    def compared(self) -> bool:
        """Something was compared."""
        return self.standing != "not compared"


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
    observed = result["observed"]
    effect, smallest = observed["effect"], observed["smallest"]
    slight, large = _levels(result["expected"])
    limits = [decimal(level) for level in (slight, large) if level is not None]
    standing = _standing(result, slight)
    raw, blind = _raw(observed, slight, large), smallest is not None and slight is not None and smallest > slight
    alike = raw is not None and raw.high <= raw.slight and not blind
    return ShiftRow(
        column=shown(result["column"]),
        about=ABOUT.get(observed["about"], ""),
        standing=standing,
        verdict={"unsure": "not sure", "none seen": ALIKE if alike else "none seen"}.get(standing, observed["verdict"]),
        tone=_severe(result) if standing == "broken" else _TONES[standing],
        measure=MEASURES[observed["effect_name"]] if effect is not None else "",
        effect="–" if effect is None else decimal(effect),
        interval=_interval(observed),
        level=" / ".join(limits) if effect is not None else "",
        smallest=_smallest(observed),
        blind=effect is not None and blind,
        q=q_value(observed["q"]),
        n=f"{observed['n_reference']:,} / {observed['n_observed']:,}",
        note=sentence(observed.get("note") or "", 300) if observed.get("note") else "",
        weight=0.0 if effect is None else effect / max(large or slight or _LEAST_LEVEL, _LEAST_LEVEL),
        name=result["column"],
        raw=raw,
    )


def _levels(expected: Mapping[str, Any]) -> tuple[float | None, float | None]:
    if "warn_shift" in expected:
        return expected["warn_shift"], expected["large_shift"]
    return expected.get("max_shift"), None


def _standing(result: Mapping[str, Any], slight: float | None) -> Standing:
    observed = result["observed"]
    if not result["success"]:
        return "broken"
    if observed["verdict"] in ("shift", "slight shift"):
        return "shifted"
    if observed["effect"] is None:
        return "not compared"
    return "unsure" if slight is not None and observed["effect"] > slight else "none seen"


def _severe(result: Mapping[str, Any]) -> Tone:
    return "bad" if result["severity"] == "critical" else "warn"


def _interval(observed: Mapping[str, Any]) -> str:
    ends = observed["interval"]
    return "" if not ends or None in ends else f"{decimal(ends[0])} to {decimal(ends[1])}"


def _smallest(observed: Mapping[str, Any]) -> str:
    value = observed["smallest"]
    if value is None:
        return "–"
    return "none of any size" if observed["effect_name"] in BOUNDED and value >= 1 else decimal(value)


def _raw(observed: Mapping[str, Any], slight: float | None, large: float | None) -> RawShift | None:
    ends, effect = observed["interval"], observed["effect"]
    if effect is None or not ends or None in ends or slight is None:
        return None
    return RawShift(effect, ends[0], ends[1], slight, slight if large is None else large)
