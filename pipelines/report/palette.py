"""The colours of the pages, light and dark, and what a test needs to hold them to their contrast."""

from __future__ import annotations

from collections.abc import Mapping

Theme = Mapping[str, str]

LIGHT: Theme = {
    "page": "#ffffff",
    "panel": "#f5f6f8",
    "line": "#d5d9df",
    "text": "#171b21",
    "quiet": "#525b67",
    "link": "#0b57b0",
    "good": "#005f96",
    "warn": "#745000",
    "bad": "#c71450",
    "reference": "#7ba7cf",
    "observed": "#b03a00",
    "s1": "#105cb5",
    "s2": "#dc6405",
    "s3": "#31a365",
    "s4": "#5e1a67",
    "s5": "#d16bb7",
    "s6": "#424644",
    "other": "#7b777c",
}
"""For a light page. `s1` to `s6` tell sources and strata apart, beside the letter that each segment bears."""

DARK: Theme = {
    "page": "#14181d",
    "panel": "#1d232a",
    "line": "#3a434d",
    "text": "#e9ecef",
    "quiet": "#a9b2bc",
    "link": "#8cbcf5",
    "good": "#7bb8eb",
    "warn": "#edbd5a",
    "bad": "#fb958d",
    "reference": "#527fa8",
    "observed": "#ffb27a",
    "s1": "#8698ea",
    "s2": "#ef8b35",
    "s3": "#41c2a7",
    "s4": "#a461b9",
    "s5": "#eeb3e3",
    "s6": "#e0e4ee",
    "other": "#84878a",
}
"""For a dark page."""

SERIES = ("s1", "s2", "s3", "s4", "s5", "s6")


def luminance(colour: str) -> float:
    """Relative luminance of a colour, as WCAG 2.2 defines it.

    Args:
        colour: as in `#1d5bb8`.

    Returns:
        From 0, black, to 1, white.
    """
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """The contrast of two colours, as WCAG 2.2 defines it: from 1 to 21; text needs 4.5, graphics 3.

    Examples:
        >>> contrast("#000000", "#ffffff")
        21.0
    """
    darker, lighter = sorted((luminance(first), luminance(second)))
    return round((lighter + 0.05) / (darker + 0.05), 3)


def linear(colour: str) -> tuple[float, float, float]:
    """Linear red, green and blue of a colour in sRGB (IEC 61966-2-1), each from 0 to 1."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return red, green, blue


def ink(colour: str) -> str:
    """Black or white, whichever is read better on a colour."""
    return max(("#000000", "#ffffff"), key=lambda text: contrast(text, colour))


def variables(theme: Theme) -> str:
    """The theme as custom properties of a style sheet, with the ink of each series."""
    inks = {f"ink-{name}": ink(theme[name]) for name in (*SERIES, "other")}
    return "".join(f"--{name}:{value};" for name, value in {**theme, **inks}.items())
