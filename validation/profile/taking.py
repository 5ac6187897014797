"""Measures batches: frames of data to profiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from validation.profile import vectors
from validation.profile.buckets import DROPPED, bucket_days, bucket_numbers
from validation.profile.counting import count_values
from validation.profile.distinct import KEPT, mixed, smallest
from validation.profile.exact import decimal_sums, exact_bound, number_hashes
from validation.profile.families import Measured, measured_columns
from validation.profile.profile import COLUMN, PLACE, SOURCE, SPLIT, Profile, ProfileOptions
from validation.profile.scalars import SCALARS, bound_text
from validation.profile.texts import CAP, VALUE, count_texts, shown_texts, sketch_rows, text_hashes

_PENDING = 16
_MOST_ROWS = 2**22


def measure(split: str, source: str, frame: pl.DataFrame, options: ProfileOptions, known: Known) -> Profile:
    """Measures a batch.

    Args:
        split: of its rows.
        source: of its rows.
        frame: columns of any names and types; at most 4 million rows.
        options: what is measured of which column.
        known: of a profile that the result will be merged with: what that makes needless is left out.

    Returns:
        A profile, not yet in the one form that `merge` gives; merged, the same as without `known`.
    """
    if not len(frame):
        return Profile.empty()
    batch = _Batch(split, source, known)
    for place, name in enumerate(frame.columns):
        column = frame.get_column(name).alias("value")  # polars takes names as `^a$` for patterns
        if options.only_counted(name):
            batch.add(Measured(name, "other", column), place)
            continue
        for part in measured_columns(name, column, categorical=options.is_categorical(name)):
            batch.add(part, place)
    return batch.profile()


@dataclass(frozen=True)
class Known:
    """What a profile that a batch will be merged with makes needless to keep.

    Attributes:
        sketched: columns whose categories are too many already.
        below: by column, the largest hash that may be among the smallest.
        dropped: by column, the bits that its steps have lost already.
    """

    sketched: frozenset[str] = frozenset()
    below: Mapping[str, int] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, profile: Profile, split: str, source: str) -> Known:
        """What is known of a split and source."""
        here = (pl.col(SPLIT) == split) & (pl.col(SOURCE) == source)
        full = profile.distinct.filter(here).group_by(COLUMN).agg(pl.len(), pl.col("hash").max())
        grids = profile.steps.filter(here).group_by(COLUMN).agg(pl.col(DROPPED).first())
        return cls(
            frozenset(profile.sketches.filter(here)[COLUMN].unique()),
            dict(full.filter(pl.col("len") >= KEPT).select(COLUMN, "hash").iter_rows()),
            dict(grids.select(COLUMN, DROPPED).iter_rows()),
        )


class _Batch:
    """The measures of one batch, gathered column by column."""

    def __init__(self, split: str, source: str, known: Known) -> None:
        self._place = {SPLIT: split, SOURCE: source}
        self._known = known
        self._scalars: list[dict[str, object]] = []
        self._frames: dict[str, list[tuple[str, pl.DataFrame]]] = {}

    def add(self, part: Measured, place: int) -> None:
        values = part.values
        scalars: dict[str, object] = dict.fromkeys(SCALARS)
        nulls = values.null_count()
        scalars |= {
            "family": part.family,
            "place": place,
            "rows": len(values),
            "nulls": nulls,
            "nans": 0,
            "infinite": 0,
        }
        present = values.drop_nulls() if nulls and part.family != "other" else values
        if part.family == "number":
            self._add_numbers(part, present, scalars)
        elif part.family == "time":
            self._add_times(part, present, scalars)
        elif part.family == "text":
            self._add_texts(part.name, present, scalars)
        elif part.family == "vector":
            self._add_vectors(part.name, present, scalars)
        self._scalars.append({**self._place, COLUMN: part.name, **scalars})

    def _keep(self, what: str, name: str, frame: pl.DataFrame) -> None:
        self._frames.setdefault(what, []).append((name, frame))

    def _add_numbers(self, part: Measured, present: pl.Series, scalars: dict[str, object]) -> None:
        values, counts = count_values(present.to_numpy())
        finite = np.isfinite(values)
        if not finite.all():
            scalars["nans"] = int(counts[np.isnan(values)].sum())
            scalars["infinite"] = int(counts[np.isinf(values)].sum())
            values, counts = values[finite], counts[finite]
        if not len(values):
            return
        numbers = values.astype(np.float64) + 0.0
        if part.exact is None:
            scalars |= {"least": bound_text(float(numbers[0]), ""), "greatest": bound_text(float(numbers[-1]), "")}
            hashes = number_hashes(numbers, None)
        elif part.exact is part.values:
            scalars |= {"least": exact_bound(values[0].item()), "greatest": exact_bound(values[-1].item())}
            hashes = number_hashes(numbers, pl.Series(values))
        else:
            exact = part.exact.drop_nulls()
            scalars |= {"least": exact_bound(exact.min()), "greatest": exact_bound(exact.max())}
            if isinstance(exact.dtype, pl.Decimal):
                scalars["total"], scalars["squares"] = decimal_sums(exact)
            hashes = number_hashes(present.to_numpy(), exact)
        buckets, steps = bucket_numbers(numbers, counts, self._known.dropped.get(part.name))
        self._keep("buckets", part.name, buckets)
        self._keep("steps", part.name, steps)
        self._add_distinct(part.name, hashes)

    def _add_times(self, part: Measured, days: pl.Series, scalars: dict[str, object]) -> None:
        assert part.exact is not None  # noqa: S101, times have exact values
        if not len(days):
            return
        for name, found in (("least", part.exact.arg_min()), ("greatest", part.exact.arg_max())):
            assert found is not None  # noqa: S101, there is a value
            one = part.exact.slice(found, 1)
            scalars[name] = bound_text(int(one.to_physical().item()), _iso_text(one))
        self._keep("buckets", part.name, bucket_days(*count_values(days.to_numpy())))
        moments, _ = count_values(part.exact.drop_nulls().to_physical().cast(pl.Int64).to_numpy())
        self._add_distinct(part.name, mixed(moments.view(np.uint64)))

    def _add_texts(self, name: str, present: pl.Series, scalars: dict[str, object]) -> None:
        texts = shown_texts(present)
        if name not in self._known.sketched:
            counted = count_texts(texts)
            if len(counted) <= CAP:
                self._add_distinct(name, text_hashes(counted[VALUE]).to_numpy())
                if len(texts):
                    self._keep("categories", name, counted)
                return
        hashes = text_hashes(texts)
        self._add_distinct(name, hashes.to_numpy())
        self._keep("sketches", name, sketch_rows(hashes))

    def _add_vectors(self, name: str, present: pl.Series, scalars: dict[str, object]) -> None:
        lengths = present.list.len()
        if not len(present):
            return
        shortest, longest = int(lengths.min()), int(lengths.max())  # type: ignore[arg-type]
        scalars |= {"shortest": shortest, "longest": longest}
        if shortest != longest or not 0 < shortest <= vectors.MOST_LENGTH:
            return
        numbers = present.explode().to_numpy().reshape(-1, shortest)
        self._keep_vectors(name, numbers[np.isfinite(numbers).all(axis=1)], shortest)

    def _keep_vectors(self, name: str, numbers: np.ndarray[tuple[int, ...], np.dtype[np.float64]], length: int) -> None:
        cells = vectors.sum_vectors(numbers).select(pl.lit(length, dtype=pl.Int64).alias(vectors.LENGTH), pl.all())
        self._keep("vectors", name, cells)

    def _add_distinct(self, name: str, hashes: np.ndarray[tuple[int, ...], np.dtype[np.uint64]]) -> None:
        if len(hashes):
            self._keep("distinct", name, smallest(hashes, self._known.below.get(name)).to_frame())

    def profile(self) -> Profile:
        columns = pl.DataFrame(self._scalars, schema={**dict.fromkeys(PLACE, pl.String()), **SCALARS})
        frames = {what: self._named(parts) for what, parts in self._frames.items()}
        return Profile.of_frames(columns=columns, **frames)

    def _named(self, parts: list[tuple[str, pl.DataFrame]]) -> pl.DataFrame:
        """Parts of several columns in one frame, with the split, the source and the column of each row."""
        which = np.repeat(np.arange(len(parts)), [len(frame) for _, frame in parts])
        names = pl.Series(COLUMN, [name for name, _ in parts], dtype=pl.String)[which]
        place = [pl.lit(self._place[SPLIT]).alias(SPLIT), pl.lit(self._place[SOURCE]).alias(SOURCE)]
        return pl.concat([frame for _, frame in parts]).select(*place, names, pl.all())


def _iso_text(one: pl.Series) -> str:
    """The text of a day or moment, as ISO 8601 has it."""
    return str(one.dt.to_string("iso:strict").item())


class ProfileTaker:
    """Measures many batches: the merged profile of them all, with less work than merging each."""

    def __init__(self, options: ProfileOptions) -> None:
        """Begins with no rows.

        Args:
            options: what is measured of which column.
        """
        self._options = options
        self._whole = Profile.empty()
        self._parts: list[Profile] = []
        self._known: dict[tuple[str, str], Known] = {}

    def add(self, split: str, source: str, frame: pl.DataFrame) -> None:
        """Measures a batch.

        Args:
            split: of its rows.
            source: of its rows.
            frame: columns of any names and types.
        """
        if (split, source) not in self._known:
            self._known[split, source] = Known.of(self._whole, split, source)
        for start in range(0, len(frame), _MOST_ROWS):
            part = frame.slice(start, _MOST_ROWS)
            self._parts.append(measure(split, source, part, self._options, self._known[split, source]))
        if len(self._parts) >= _PENDING or not len(self._whole.columns):
            self._merge()

    def profile(self) -> Profile:
        """The profile of all that was added."""
        self._merge()
        return self._whole

    def _merge(self) -> None:
        if self._parts:
            self._whole = Profile.merge([self._whole, *self._parts])
            self._parts = []
            self._known = {}
