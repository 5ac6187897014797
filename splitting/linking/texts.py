"""Texts that say nearly the same: normalised text, shingles, MinHash bands, exact Jaccard similarity.

Shingles are the runs of 5 characters of the normalised text (Broder 1997). The minima of 128 keyed hashes over a text's
shingles agree, each, with the probability of the Jaccard similarity; they are cut into bands of so many that two texts
of the least similarity asked for agree in a band with 99.9 % (Leskovec, Rajaraman and Ullman, Mining of Massive
Datasets, 3.4). What agrees in a band is a candidate, and its shingles are compared, all of them.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl

from splitting.errors import DataError
from splitting.linking.forest import DISTANCE, EDGE_SCHEMA, NODE, VIA, A, B, Forest
from splitting.linking.rules import NearTexts
from splitting.linking.runs import Numbers, Positions, longest_run, pairs_in_runs

SHINGLES, BAND_KEY, TEXT = "shingles", "band_key", "value"
SHINGLE = 5
HASHES = 128
LONGEST_RUN = 5_000
_SEED = 20_261_125
_NOT_WORDS = r"[^\p{L}\p{N}]+"
_MISSED = Fraction(1, 1_000)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)
_FACTORS = np.array(
    [0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F, 0xE7037ED1A0B428DB],
    dtype=np.uint64,
)
_DOCUMENTS = 20_000
_PAIRS = 200_000


def normalise(texts: pl.Series) -> pl.Series:
    """Texts without what makes no difference to a reader.

    Args:
        texts: String; others are read as text.

    Returns:
        String: compatibility-composed (NFKC), in lower case, with one space for whatever is no letter and no digit;
        null for null and for what has neither.

    Examples:
        >>> normalise(pl.Series(["  Two Cats, sleeping!", "…", None])).to_list()
        ['two cats sleeping', None, None]
    """
    plain = texts.cast(pl.String).str.normalize("NFKC").str.to_lowercase().str.replace_all(_NOT_WORDS, " ")
    stripped = plain.str.strip_chars()
    return stripped.set(stripped == "", None)


def text_purpose(rule: NearTexts) -> str:
    """What the keyed hash of a normalised text is for."""
    return f"text {rule.column}"


def shingles_of(texts: pl.Series) -> pl.Series:
    """The sets of shingles of normalised texts.

    Args:
        texts: String, no nulls.

    Returns:
        List(UInt32): 32-bit hashes of each text's runs of 5 characters, distinct, sorted; of a shorter text, of the
        text as a whole.
    """
    if not len(texts):
        return pl.Series(SHINGLES, [], dtype=pl.List(pl.UInt32))
    lengths = texts.str.len_chars().to_numpy().astype(np.int64)
    padded = np.maximum(lengths, SHINGLE)
    starts = np.cumsum(padded) - padded
    codes = np.zeros(int(padded.sum()), dtype=np.uint64)
    letters = np.frombuffer("".join(texts.to_list()).encode("utf-32-le"), dtype="<u4")
    codes[np.repeat(starts, lengths) + _inside(lengths)] = letters
    windows = padded - SHINGLE + 1
    at = np.repeat(starts, windows) + _inside(windows)
    hashes = np.zeros(len(at), dtype=np.uint64)
    for i, factor in enumerate(_FACTORS):
        hashes += (codes[at + i] + np.uint64(1)) * factor
    hashes = ((hashes ^ (hashes >> _HALF)) * _MIX) >> _HALF
    found = pl.DataFrame({"text": np.repeat(np.arange(len(texts)), windows), SHINGLES: hashes.astype(np.uint32)})
    return found.unique().sort("text", SHINGLES).group_by("text", maintain_order=True).agg(SHINGLES)[SHINGLES]


def _inside(lengths: Positions) -> Positions:
    """0, 1, 2, … within each of some runs."""
    return np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)


@cache
def rows_in_band(percent: int) -> int:
    """How many minima make a band.

    Args:
        percent: the least similarity that is asked for.

    Returns:
        The most with which two texts of that similarity agree in one of the bands with 99.9 %.

    Examples:
        >>> [rows_in_band(percent) for percent in (60, 80, 90)]
        [3, 5, 8]
    """
    similarity = Fraction(percent, 100)
    return max(r for r in range(1, HASHES + 1) if r == 1 or (1 - similarity**r) ** (HASHES // r) <= _MISSED)


def band_keys(shingles: pl.Series, percent: int) -> npt.NDArray[np.uint64]:
    """The bands of texts: two that agree in one are candidates.

    Args:
        shingles: of `shingles_of`.
        percent: the least similarity that is asked for.

    Returns:
        [text, band]: numbers that differ between bands.
    """
    from rensa import RMinHash  # noqa: PLC0415, an extra

    rows = rows_in_band(percent)
    bands = HASHES // rows
    found = [np.empty((0, bands), dtype=np.uint64)]
    for part in shingles.to_frame().iter_slices(_DOCUMENTS):
        sets = part[SHINGLES]
        tokens = (sets.explode().to_numpy().astype(np.uint64) + np.uint64(1)) * _MIX
        offsets = np.concatenate([[0], np.cumsum(sets.list.len().to_numpy())]).astype(np.uint64)
        digests = RMinHash.digest_matrix_from_flat_token_hashes(tokens, offsets, HASHES, _SEED).to_rows()
        minima = np.array(digests, dtype=np.uint64)[:, : bands * rows].reshape(len(sets), bands, rows)
        keys = np.broadcast_to(np.arange(1, bands + 1, dtype=np.uint64) * _FACTORS[0], (len(sets), bands)).copy()
        for row in range(rows):
            keys = (keys ^ minima[:, :, row]) * _MIX
            keys ^= keys >> _HALF
        found.append(keys)
    return np.concatenate(found)


def similar_links(candidates: pl.DataFrame, rule: NearTexts) -> Forest:
    """Links groups whose texts agree in a band, and share enough of their shingles.

    Args:
        candidates: `band_key`, `value` (UInt64, the text), `node`, `via`, `shingles`; all texts of a band's key, each
            once.
        rule: how near.

    Returns:
        Their forest; the distance is 100 less the similarity in whole percent.

    Raises:
        DataError: too many different texts agree in a band: comparing all would take for ever.
    """
    keys = candidates[BAND_KEY].to_numpy()
    longest = longest_run(keys)
    if longest > LONGEST_RUN:
        raise DataError(
            f"{longest:,} different texts of column {rule.column!r} are so alike that each would have to be compared "
            f"with each (more than {LONGEST_RUN:,}): a template with a number in it, perhaps. Make such texts null, or "
            "ask for more similarity"
        )
    documents = candidates.unique(TEXT, keep="first", maintain_order=True)
    number = (
        pl.Series(candidates[TEXT])
        .to_frame()
        .join(documents.select(TEXT).with_row_index("_number"), on=TEXT, how="left", maintain_order="left")["_number"]
        .to_numpy()
    )
    forests = [Forest.empty()]
    for first, second in pairs_in_runs(keys):
        pairs = np.unique(np.stack([number[first], number[second]], axis=1), axis=0)
        for start in range(0, len(pairs), _PAIRS):
            part = pairs[start : start + _PAIRS]
            forests.append(Forest.of(_similar(documents, part[:, 0], part[:, 1], rule.percent)))
    return Forest.merge(forests)


def _similar(documents: pl.DataFrame, first: Positions, second: Positions, percent: int) -> pl.DataFrame:
    shared, sizes = _shared(documents[SHINGLES], first, second)
    union = sizes[first] + sizes[second] - shared
    near = shared * 100 >= union * percent
    nodes, via = documents[NODE].to_numpy(), documents[VIA].to_numpy()
    distance = (100 - shared[near] * 100 // union[near]).astype(np.uint8)
    columns = {A: nodes[first[near]], B: nodes[second[near]], VIA: via[first[near]], DISTANCE: distance}
    return pl.DataFrame(columns, schema=EDGE_SCHEMA)


def _shared(shingles: pl.Series, first: Positions, second: Positions) -> tuple[Positions, Positions]:
    """How many shingles each pair of texts shares, and how many each text has."""
    from scipy.sparse import csr_array  # noqa: PLC0415, takes long, and few runs link texts

    used, places = np.unique(np.concatenate([first, second]), return_inverse=True)
    sizes = shingles.list.len().to_numpy().astype(np.int64)
    flat: Numbers = shingles.gather(used).explode().to_numpy()
    columns = np.unique(flat, return_inverse=True)[1]
    bounds = np.concatenate([[0], np.cumsum(sizes[used])])
    sets = csr_array((np.ones(len(flat), dtype=np.int32), columns, bounds))
    one, other = np.split(places, 2)
    shared: Positions = np.asarray((sets[one] * sets[other]).sum(axis=1)).ravel().astype(np.int64)
    return shared, sizes
