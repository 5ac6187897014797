"""Compares vectors by their mean and covariance."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from validation.comparing.chance import beyond
from validation.comparing.comparison import Effect
from validation.comparing.detecting import ByCategories
from validation.comparing.laws import chi2_tail
from validation.profile.values import Numbers, VectorSummary
from validation.settings import Level


def frechet_square(first: VectorSummary, second: VectorSummary) -> float:
    """The squared Fréchet distance of two normal distributions with these means and covariances.

    `|μ₁ - μ₂|² + tr(C₁ + C₂ - 2 (C₁^½ C₂ C₁^½)^½)`, the squared Wasserstein-2 distance (Dowson & Landau 1982,
    J. Multivariate Anal. 12).

    Args:
        first: with a covariance.
        second: of the same length, with a covariance.

    Returns:
        At least 0, in squared units of the values.
    """
    if first.covariance is None or second.covariance is None:
        raise ValueError("the Fréchet distance needs the covariances of both")
    values, basis = np.linalg.eigh(first.covariance)
    root = basis * np.sqrt(np.maximum(values, 0.0)) @ basis.T
    inner = np.linalg.eigvalsh(root @ second.covariance @ root)
    cross = float(np.sqrt(np.maximum(inner, 0.0)).sum())
    traces = float(np.trace(first.covariance) + np.trace(second.covariance))
    mean = float(((first.mean - second.mean) ** 2).sum())
    return mean + max(0.0, traces - 2 * cross)


def compare_vectors(
    reference: VectorSummary, observed: VectorSummary, designs: tuple[float, float], levels: Level
) -> dict[str, Any]:
    """The Fréchet distance over the reference's total deviation, and how sure a difference of the means is.

    The p-value is of the means alone: how sure a difference of covariances is cannot be told from covariances, as it
    depends on the fourth moments. A shift of covariances alone is left to the norm, a column of its own, and to the
    models.

    Args:
        reference: of one sample.
        observed: of the other.
        designs: design effects of both.
        levels: thresholds of the distance.

    Returns:
        Fields of a comparison; only a verdict and a note where there is no comparing them.
    """
    if reference.length != observed.length:
        return {"note": f"The vectors are {reference.length} numbers long here and {observed.length} there."}
    if reference.covariance is None or observed.covariance is None:
        return {"note": "Vectors this long are compared by their norm, a column of its own, and by the models."}
    if not (np.isfinite(reference.covariance).all() and np.isfinite(observed.covariance).all()):
        return {"note": "The squares of these numbers are too large: vectors are compared by their norm alone."}
    n, m = reference.count / designs[0], observed.count / designs[1]
    effective = n * m / (n + m)
    pooled = (n * reference.covariance + m * observed.covariance) / (n + m)
    spectrum = np.maximum(np.linalg.eigvalsh(pooled), 0.0)
    total = float(np.trace(reference.covariance)) or float(spectrum.sum())
    shift = float(((reference.mean - observed.mean) ** 2).sum())
    if total <= 0:
        return {"note": "All vectors of each split are the same." if shift == 0 else "The vectors do not vary."}
    weight, freedom = _matched(spectrum)
    mean_square = _expected_square(spectrum, effective) / total
    distance = math.sqrt(frechet_square(reference, observed) / total)
    detection = ByCategories(freedom, effective * total / weight, mean_square)
    return {
        "effect": Effect(
            "frechet_excess",
            beyond(distance, mean_square),
            distance,
            math.sqrt(mean_square),
            detection.interval(distance),
            levels,
            detection,
        ),
        "p": chi2_tail(effective * shift / weight, freedom),
        "frechet": distance,
    }


def _matched(spectrum: Numbers) -> tuple[float, float]:
    """Weight and degrees of freedom of the chi-squared that has mean and variance of `Σ λ χ²₁` (Satterthwaite 1946)."""
    total, squares = float(spectrum.sum()), float((spectrum**2).sum())
    return squares / total, total * total / squares


def _expected_square(spectrum: Numbers, effective: float) -> float:
    """The mean squared Fréchet distance of two samples of one normal distribution, to first order.

    Of the means `Σ λ / n`; of the covariances, with `tr` of the second differential of the root,
    `(Σ_ij λᵢ λⱼ / (λᵢ + λⱼ) + Σ λᵢ / 2) / (2 n)`; `n` is the effective number of rows.
    """
    held = spectrum[spectrum > 0]
    pairs = np.outer(held, held) / np.add.outer(held, held)
    return float(held.sum() + (pairs.sum() + held.sum() / 2) / 2) / effective
