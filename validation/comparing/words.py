"""What people read for effects and figures. No statistics, so that pages are written without loading any."""

from __future__ import annotations

import math
from typing import Literal

EffectName = Literal["js_excess", "ks_excess", "wasserstein_excess", "frechet_excess", "share_excess"]

MEASURES: dict[EffectName, str] = {
    "js_excess": "Jensen-Shannon distance",
    "ks_excess": "Kolmogorov-Smirnov distance",
    "wasserstein_excess": "Wasserstein distance in standard deviations",
    "frechet_excess": "Fréchet distance in standard deviations",
    "share_excess": "largest difference of a share",
}
"""What each effect measures. The effect is that, less what chance alone gives."""

BOUNDED: frozenset[EffectName] = frozenset({"js_excess", "ks_excess", "share_excess"})
"""Effects that are at most 1."""


def figure(value: float) -> str:
    """A value of a column to four digits, or its whole part; very small and large ones in powers of 10.

    Examples:
        >>> figure(18438.7), figure(2.5993), figure(0.00001), figure(4e12)
        ('18,439', '2.599', '1e-05', '4e+12')
    """
    if not math.isfinite(value):
        return str(value)
    if value and not 1e-4 <= abs(value) < 1e9:
        return f"{value:.3g}"
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def decimal(value: float) -> str:
    """Two decimals without a leading zero; more where they would all be 0.

    Examples:
        >>> [decimal(value) for value in (0.1234, 1.5, 0.0, 0.0012, 0.0003)]
        ['.12', '1.50', '0', '.001', '.0003']
    """
    if value == 0:
        return "0"
    text = f"{value:.2f}" if abs(value) >= 0.005 else f"{value:.1g}" if abs(value) < 0.0005 else f"{value:.3f}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def percent(share: float) -> str:
    """A share in percent, as in `4.7 %`; two significant digits below one percent."""
    value = 100 * share
    return f"{value:.0f} %" if value >= 99.95 or value == 0 else f"{value:.1f} %" if value >= 1 else f"{value:.2g} %"
