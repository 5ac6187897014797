"""What the terms of the pages mean, so that each is explained where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_MEANINGS: Mapping[str, str] = {
    "beyond chance": "what is left of a difference after taking off what two draws of the same data show.",
    "Jensen-Shannon distance": "how unlike the shares of values are, from 0 (the same) to 1 (nothing in common).",
    "Kolmogorov-Smirnov distance": "the largest gap between the shares of rows up to any one value, from 0 to 1.",
    "Wasserstein distance": "how far values would have to move on average to turn one set into the other.",
    "Fréchet distance": "how far apart two clouds of vectors lie.",
    "standard deviation": "the usual distance of values from their mean.",
    "AUC": "how often the right one of two rows is picked; .5 is guessing, 1 is certain.",
    "R2": "the share of a number's variation that is foretold; 0 is none, 1 is all.",
    "covariate shift": "values differ in how often they come, and mean the same for the label.",
    "label shift": "labels differ in how often they come; rows of one label look the same.",
    "within-label shift": "rows of one label look different.",
    "copies across splits": "rows of two splits that say the same, key and source aside.",
}

LOOKS: Mapping[str, str] = {
    "sharpness": "how much neighbouring pixels differ; low is out of focus or smooth.",
    "brightness": "the mean of the picture's lightness, from 0, black, to 1, white.",
    "contrast": "how much lightness varies over the picture.",
    "entropy": "how many levels of grey the picture uses, in bits, 8 at most.",
    "saturation": "how far colours are from grey, from 0 to 1.",
    "colourfulness": "how many and how strong colours are; 15 is slightly colourful, 109 extremely.",
    "noise": "how grainy the picture is, in levels of grey; fine texture counts, too.",
    "blockiness": "how much the squares show into which JPEG cuts a picture; 1 is not at all.",
    "aspect": "width over height.",
}
"""What was measured of how images look, as docs/images.md defines it."""


@dataclass(frozen=True)
class Term:
    """A term and its meaning, a sentence in lower case."""

    name: str
    meaning: str


def terms_in(*texts: str) -> tuple[Term, ...]:
    """The terms that texts use.

    Args:
        texts: sentences; names of columns in backticks are no terms, but may be taken for one.

    Returns:
        Each once, in a fixed order.

    Examples:
        >>> [term.name for term in terms_in("AUC .9", "Covariate shift from train_dev to dev")]
        ['AUC', 'covariate shift']
    """
    told = " ".join(texts)
    folded = told.casefold()
    return tuple(
        Term(name, meaning)
        for name, meaning in _MEANINGS.items()
        if (name in told if name.isupper() else name.casefold() in folded)
    )
