"""Charts as inline SVG: pure functions from numbers to markup.

Positions are in percent of the width and heights in pixels, so a chart fills any width and its text keeps its size.
Every chart has a text that says the same, and nothing is told by colour alone: series differ in shape, segments bear
letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

_BAR = 26
_LEAST_LETTER = 0.035
_PLOT = 84
_AXIS = 18
_ROW = 34
_NAME = 0.3
"""Of the width: names of places that are nearer would run into each other, and stand one under the other."""
_FEW, _HEAD = 6, 14
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Segment:
    """A part of a bar.

    Attributes:
        letter: that it bears where there is room.
        name: in full.
        share: from 0 to 1.
        series: the name of its colour.
    """

    letter: str
    name: str
    share: float
    series: str


def letter(position: int) -> str:
    """The letter of the nth series.

    Examples:
        >>> letter(0), letter(25)
        ('A', 'Z')
    """
    return _LETTERS[position]


def stacked_bar(segments: Sequence[Segment], told: str) -> Markup:
    """One bar of a whole, cut into its parts.

    Args:
        segments: in order; their shares add up to 1, or to 0 for nothing.
        told: what it shows, for those who do not see it.

    Returns:
        The SVG.
    """
    parts: list[str] = []
    start = 0.0
    for segment in segments:
        if segment.share <= 0:
            continue
        parts.append(
            f'<rect x="{_p(start)}" y="0" width="{_p(segment.share)}" height="{_BAR}" class="f-{segment.series}"/>'
        )
        if start > 0:
            parts.append(f'<rect x="{_p(start)}" y="0" width="1.5" height="{_BAR}" class="gap"/>')
        if segment.share >= _LEAST_LETTER:
            middle = start + segment.share / 2
            called = escape(segment.letter)
            parts.append(f'<text x="{_p(middle)}" y="18" class="seg i-{segment.series}">{called}</text>')
        start += segment.share
    return _svg("".join(parts), _BAR, told)


@dataclass(frozen=True)
class Bins:
    """Two distributions over the same bins.

    Attributes:
        reference: share of the reference's rows in each bin.
        observed: likewise.
        first: the text at the axis' left end.
        last: at its right end.
        unit: between them, what the axis is; empty for none.
    """

    reference: tuple[float, ...]
    observed: tuple[float, ...]
    first: str
    last: str
    unit: str = ""


def overlay(bins: Bins, told: str) -> Markup:
    """Two distributions, one over the other: the reference as an area, the observed as a line.

    Args:
        bins: of both.
        told: what it shows.

    Returns:
        The SVG.
    """
    top = max((*bins.reference, *bins.observed, 1e-12))
    area = f"M0,100{_steps(bins.reference, top)}V100Z"
    line = _steps(bins.observed, top)
    plot = (
        f'<svg x="0" y="2" width="100%" height="{_PLOT}" viewBox="0 0 100 100" preserveAspectRatio="none">'
        f'<path d="{area}" class="f-reference"/>'
        f'<path d="M0,100{line}V100" class="l-observed" vector-effect="non-scaling-stroke"/></svg>'
    )
    base = _PLOT + 2
    axis = f'<line x1="0" x2="100%" y1="{base}" y2="{base}" class="axis"/>'
    labels = [("0", "start", bins.first), ("50%", "middle", bins.unit), ("100%", "end", bins.last)]
    texts = "".join(
        f'<text x="{x}" y="{base + 14}" text-anchor="{anchor}" class="tick">{escape(text)}</text>'
        for x, anchor, text in labels
        if text
    )
    return _svg(plot + axis + texts, base + _AXIS, told)


def _steps(shares: Sequence[float], top: float) -> str:
    """The upper edge of bins, from left to right; bins of the same height in one stroke."""
    path, last = [], None
    width = 100 / len(shares)
    for number, share in enumerate(shares):
        height = _d(100 - 97 * share / top)
        if height != last:
            path.append(f"{'H' + _d(number * width) if number else ''}V{height}")
            last = height
    return "".join(path) + "H100"


@dataclass(frozen=True)
class PairedShare:
    """A category's share in two distributions."""

    name: str
    reference: float
    observed: float


def paired_bars(rows: Sequence[PairedShare], told: str) -> Markup:
    """The shares of categories in two distributions: under each name a wide bar for the reference, a narrow one below.

    Args:
        rows: in order.
        told: what it shows.

    Returns:
        The SVG.
    """
    top = max((max(row.reference, row.observed) for row in rows), default=0.0) or 1.0
    parts = []
    for number, row in enumerate(rows):
        y = number * _ROW
        first, second = (f"{100 * share:.3g} %" for share in (row.reference, row.observed))
        parts.append(
            f'<text x="0" y="{y + 11}" class="cat">{escape(row.name)}</text>'
            f'<text x="100%" y="{y + 11}" text-anchor="end" class="tick">{first} → {second}</text>'
            f'<rect x="0" y="{y + 15}" width="{_p(row.reference / top)}" height="9" class="f-reference"/>'
            f'<rect x="0" y="{y + 25}" width="{_p(row.observed / top)}" height="4" class="f-observed"/>'
        )
    return _svg("".join(parts), max(1, len(rows)) * _ROW, told)


@dataclass(frozen=True)
class Scale:
    """An axis of an interval.

    Attributes:
        low: at its left end.
        high: at its right end; above `low`.
        marks: places on it that are named below.
    """

    low: float
    high: float
    marks: tuple[tuple[float, str], ...] = ()

    def at(self, value: float) -> float:
        """A place on the axis, from 0 to 1."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


def interval(value: float, low: float, high: float, scale: Scale, told: str) -> Markup:
    """A figure with its interval on an axis with named places.

    Args:
        value: the figure.
        low: the lower end of its interval.
        high: the upper end.
        scale: the axis.
        told: what it shows.

    Returns:
        The SVG.
    """
    parts = ['<line x1="0" x2="100%" y1="14" y2="14" class="axis"/>']
    lines = 0
    before, line = -1.0, 0
    for place, name in sorted(scale.marks):
        at = scale.at(place)
        line = (line + 1) % 2 if at - before < _NAME else 0
        lines, before = max(lines, line), at
        anchor = "start" if at < 0.15 else "end" if at > 0.85 else "middle"
        parts.append(f'<line x1="{_p(at)}" x2="{_p(at)}" y1="4" y2="24" class="mark"/>')
        y = 37 + 14 * line
        parts.append(f'<text x="{_p(at)}" y="{y}" text-anchor="{anchor}" class="tick">{escape(name)}</text>')
    start, end = scale.at(low), scale.at(high)
    parts.append(f'<rect x="{_p(start)}" y="11" width="{_p(max(end - start, 0.002))}" height="6" class="f-reference"/>')
    parts.append(f'<circle cx="{_p(scale.at(value))}" cy="14" r="6" class="f-observed ring"/>')
    return _svg("".join(parts), 42 + 14 * lines, told, "chart whole")


def trend(values: Sequence[float | None], ends: tuple[str, str], texts: Sequence[str], told: str) -> Markup:
    """A small line over runs; a run without a figure is a gap.

    Args:
        values: in order; at least 0.
        ends: names of the first and of the last.
        texts: each value in words; those of few runs stand over their points, of many the first and the last alone.
        told: what it shows.

    Returns:
        The SVG.
    """
    known = [value for value in values if value is not None]
    if not known:
        return Markup("")
    top = max(*known, 1e-12)
    told_at = [i for i, value in enumerate(values) if value is not None]
    told_at = told_at if len(values) <= _FEW else [told_at[0], told_at[-1]]
    count = max(1, len(values) - 1)
    points = [(number / count, value) for number, value in enumerate(values)]
    path, pen = [], "M"
    for x, value in points:
        if value is None:
            pen = "M"
            continue
        path.append(f"{pen}{_d(2 + 96 * x)},{_d(95 - 85 * value / top)}")
        pen = "L"
    line = (
        '<svg x="0" y="0" width="100%" height="60" viewBox="0 0 100 100" preserveAspectRatio="none">'
        f'<path d="{"".join(path)}" class="l-observed" vector-effect="non-scaling-stroke"/></svg>'
    )
    dots = "".join(
        f'<circle cx="{_p(0.02 + 0.96 * x)}" cy="{_d(0.6 * (95 - 85 * value / top))}" r="3.5" class="f-observed"/>'
        for x, value in points
        if value is not None
    )
    words = "".join(
        f'<text x="{_p(0.02 + 0.96 * points[i][0])}" y="{_d(0.6 * (95 - 85 * (values[i] or 0.0) / top) - 7)}" '
        f'text-anchor="{_anchor(points[i][0])}" class="cat">{escape(texts[i])}</text>'
        for i in told_at
    )
    plot = f'<svg y="{_HEAD}" height="62" overflow="visible">{line}{dots}{words}</svg>'
    base = 59 + _HEAD
    axis = f'<line x1="0" x2="100%" y1="{base}" y2="{base}" class="axis"/>'
    names = "".join(
        f'<text x="{x}" y="{base + 15}" text-anchor="{anchor}" class="tick">{escape(name)}</text>'
        for x, anchor, name in (("0", "start", ends[0]), ("100%", "end", ends[1]))
    )
    return _svg(plot + axis + names, base + 20, told)


def _anchor(at: float) -> str:
    return "start" if at < 0.1 else "end" if at > 0.9 else "middle"


def _svg(inner: str, height: int, told: str, kind: str = "chart") -> Markup:
    head = f'<svg class="{kind}" width="100%" height="{height}" role="img" aria-label="{escape(told)}">'
    return Markup(f"{head}{inner}</svg>")  # noqa: S704, every text in it was escaped


def _p(share: float) -> str:
    return f"{_d(100 * share)}%"


def _d(value: float) -> str:
    """A number to two decimals, as short as it can be."""
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0"
