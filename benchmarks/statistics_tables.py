"""How often two draws of the same rows are called different, and how often a shift of a stated size is.

    python benchmarks/statistics_tables.py --draws 1000 --power-draws 250 --out docs/statistics_tables.md

takes a quarter of an hour on two shared cores; without the first two options, a few minutes. Every draw is keyed: the
same command writes the same tables. Beside the rule of this project stands the default rule of Evidently, written anew
from its documentation (docs-old.evidentlyai.com/reference/data-drift-algorithm): it does not install beside pandas 3.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from scipy import stats
from scipy.spatial.distance import jensenshannon

from tests.validation.comparing.building import number, numbered
from validation.comparing.columns import compare_columns
from validation.comparing.comparison import Comparison, judged
from validation.comparing.distances import jensen_shannon
from validation.comparing.novelty import novelty
from validation.comparing.pairs import Pair
from validation.comparing.tables import Table, fold_rare
from validation.profile.values import ColumnProfile
from validation.seeds import seed_of
from validation.settings import CheckSettings

SETTINGS = CheckSettings()
PAIR = Pair("dev", "test", "match", "")
SIZES = (100, 500, 2_500, 10_000, 100_000)
CATEGORIES = (2, 10, 40, 1_000, 10_000)

Values = np.ndarray
Sampler = Callable[[np.random.Generator, int], Values]
Shifted = Callable[[int, float, int], tuple[list[Comparison], list[bool]]]


def generator_of(*purpose: object) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed_of("statistics", *map(str, purpose))))


def weights(count: int, *, flat: bool) -> Values:
    raw = np.ones(count) if flat else 1 / np.arange(1, count + 1) ** 1.1
    return raw / raw.sum()


def zeros(generator: np.random.Generator, n: int) -> Values:
    return np.where(generator.random(n) < 0.8, 0.0, np.ceil(generator.exponential(10, n)))


NUMBERS: dict[str, Sampler] = {
    "normal": lambda generator, n: generator.normal(size=n),
    "lognormal (σ 1.5)": lambda generator, n: generator.lognormal(0, 1.5, n),
    "80 % zeros, else counts": zeros,
    "Pareto (infinite variance)": lambda generator, n: generator.pareto(1.5, n),
    "years, 2001 to 2015": lambda generator, n: generator.integers(2001, 2016, n).astype(np.float64),
    "latitudes, 59.2 ± .03": lambda generator, n: generator.normal(59.2, 0.03, n),
    "epoch seconds": lambda generator, n: np.floor(generator.uniform(1.62e9, 1.625e9, n)),
}


def evidently_categories(reference: Values, observed: Values) -> bool:
    """Counts by category, by the documented default rule: is it called drift?"""
    held = reference + observed > 0
    first, second = reference[held], observed[held]
    n, m = first.sum(), second.sum()
    if n > 1000:
        return bool(jensenshannon(first / n, second / m) >= 0.1)
    if len(first) > 2:
        with np.errstate(divide="ignore", invalid="ignore"):
            expected = first * (m / n)
            statistic = np.nansum((second - expected) ** 2 / expected)
        return bool(stats.chi2.sf(statistic, len(first) - 1) < 0.05)
    if len(first) < 2:
        return False
    pooled = (first[0] + second[0]) / (n + m)
    error = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    return bool(2 * stats.norm.sf(abs(first[0] / n - second[0] / m) / error) < 0.05)


def evidently_numbers(reference: Values, observed: Values) -> bool:
    """Numbers, by the documented default rule."""
    if len(reference) > 1000:
        return bool(stats.wasserstein_distance(reference, observed) / max(reference.std(), 0.001) >= 0.1)
    return bool(stats.ks_2samp(reference, observed, method="asymp").pvalue < 0.05)


def compare(reference: ColumnProfile, observed: ColumnProfile, seed: int) -> Comparison:
    return compare_columns(reference, observed, SETTINGS, seed, pair=PAIR)


def settings_of(n: int, m: int, draws: int) -> Iterator[tuple[str, str, list[Comparison], list[bool]]]:
    """Comparisons of two draws of the same rows, and what Evidently's rule says of them."""
    for flat in (False, True):
        for count in CATEGORIES:
            generator = generator_of("null", flat, count, n, m)
            share = weights(count, flat=flat)
            tables = [(generator.multinomial(n, share), generator.multinomial(m, share)) for _ in range(draws)]
            found = [compare(numbered(a), numbered(b), seed) for seed, (a, b) in enumerate(tables)]
            shape = "uniform" if flat else "Zipf"
            yield shape, f"{count:,}", found, [evidently_categories(a, b) for a, b in tables]
    for name, sample in NUMBERS.items():
        generator = generator_of("null", name, n, m)
        found, theirs = [], []
        for seed in range(draws):
            a, b = sample(generator, n), sample(generator, m)
            found.append(compare(number(a), number(b), seed))
            theirs.append(evidently_numbers(a, b))
        yield "numbers", name, found, theirs


def share_of(flags: list[bool]) -> str:
    return f"{100 * sum(flags) / len(flags):.1f} %"


def false_alarms(draws: int) -> str:
    lines = [
        "| rows | values | kinds | p < .01 | slight shift or more | shift | smallest visible | Evidently's rule |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    runs = ["| rows | columns of a run | runs with any alarm |", "| --- | ---: | ---: |"]
    for n, m in [*((size, size) for size in SIZES), (100_000, 2_500)]:
        columns: list[list[Comparison]] = []
        for shape, kind, found, theirs in settings_of(n, m, draws if n < SIZES[-1] else draws // 4):
            columns.append(found)
            cells = [
                share_of([one.p is not None and one.p < 0.01 for one in found]),
                share_of([one.shifted for one in found]),
                share_of([one.verdict == "shift" for one in found]),
                smallest_of(found),
                share_of(theirs),
            ]
            lines.append(f"| {n:,} / {m:,} | {shape} | {kind} | " + " | ".join(cells) + " |")
            print(lines[-1], file=sys.stderr, flush=True)
        alarms = [any(one.shifted for one in judged(run, SETTINGS)) for run in zip(*columns, strict=True)]
        runs.append(f"| {n:,} / {m:,} | {len(columns)} | {share_of(alarms)} |")
    return "\n".join([*lines, "", *runs])


def smallest_of(found: list[Comparison]) -> str:
    return f"{np.median([one.smallest for one in found if one.smallest is not None]):.2f}"


def tilted(share: Values, size: float, n: int) -> Values:
    """Shares whose folded cells are so far from the given ones: every second is raised, the others lowered."""
    sign = np.where(np.arange(len(share)) % 2, 1.0, -1.0)

    def moved(by: float) -> Values:
        raw = share * np.exp(by * sign)
        return raw / raw.sum()

    def distance(by: float) -> float:
        folded = fold_rare(Table(share * n, moved(by) * n)).table
        return jensen_shannon(folded.reference / folded.reference.sum(), folded.observed / folded.observed.sum())

    low, high = 0.0, 12.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if distance(middle) < size else (low, middle)
    return moved(low)


def categories_at(count: int, n: int, size: float, draws: int) -> tuple[list[Comparison], list[bool]]:
    generator = generator_of("power", count, n, round(size, 6))
    share = weights(count, flat=False)
    other = tilted(share, size, n) if size else share
    tables = [(generator.multinomial(n, share), generator.multinomial(n, other)) for _ in range(draws)]
    found = [compare(numbered(a), numbered(b), seed) for seed, (a, b) in enumerate(tables)]
    return found, [evidently_categories(a, b) for a, b in tables]


def numbers_at(name: str, n: int, size: float, draws: int) -> tuple[list[Comparison], list[bool]]:
    """All values moved up by so many standard deviations."""
    deviation = float(NUMBERS[name](generator_of("deviation", name), 1_000_000).std())
    generator = generator_of("power", name, n, round(size, 6))
    found, theirs = [], []
    for seed in range(draws):
        a, b = NUMBERS[name](generator, n), NUMBERS[name](generator, n) + size * deviation
        found.append(compare(number(a), number(b), seed))
        theirs.append(evidently_numbers(a, b))
    return found, theirs


def power(draws: int) -> str:
    sizes = (0.05, 0.1, 0.15, 0.2, 0.3, 0.5)
    head = " | ".join(f"{size:g}" for size in sizes)
    lines = [
        f"| rows | values | {head} | smallest visible | caught at that size |",
        "| --- | --- |" + " ---: |" * (len(sizes) + 2),
    ]
    for n in (100, 500, 2_500, 10_000):
        for label, at in subjects():
            cells = []
            for size in sizes:
                found, theirs = at(n, size, draws)
                cells.append(f"{rate(found)} ({100 * sum(theirs) / len(theirs):.0f})")
            smallest = visible(at, n, draws)
            found, _ = at(n, smallest, draws)
            lines.append(f"| {n:,} | {label} | " + " | ".join([*cells, f"{smallest:.2f}", f"{rate(found)} %"]) + " |")
            print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join(lines)


def rate(found: list[Comparison]) -> str:
    return f"{100 * sum(one.shifted for one in found) / len(found):.0f}"


def subjects() -> list[tuple[str, Shifted]]:
    """What is shifted, by how much: categories by their distance, numbers by standard deviations."""
    found: list[tuple[str, Shifted]] = [
        (f"{count:,} categories, Zipf (JS)", partial(categories_at, count)) for count in (2, 10, 40, 1_000)
    ]
    moved = {"normal": "normal", "latitudes, 59.2 ± .03": "latitudes", "years, 2001 to 2015": "years"}
    return [*found, *((f"{called} (moved, sd)", partial(numbers_at, name)) for name, called in moved.items())]


def visible(at: Shifted, n: int, draws: int) -> float:
    """The size that the comparisons themselves call the smallest visible one, when the shift has that size."""
    size = 0.2
    for _ in range(4):
        found, _ = at(n, size, max(20, draws // 10))
        names = Counter(one.effect.name for one in found if one.effect is not None)
        wanted = "js_excess" if "js_excess" in names else "wasserstein_excess"
        told = [
            one.effect.detection.smallest(SETTINGS.alpha, one.effect.levels[0])
            for one in found
            if one.effect is not None and one.effect.name == wanted
        ]
        size = float(np.median(told)) if told else size
    return size


def groups(draws: int) -> str:
    """Rows that come in groups of about 8 which are nearly copies."""
    lines = [
        "| groups | values | every row for itself | with the design effect |",
        "| ---: | --- | ---: | ---: |",
    ]
    for count in (100, 400, 2_000):
        for kind in ("numbers", "10 categories"):
            generator = generator_of("groups", count, kind)
            plain, with_effect = [], []
            for seed in range(draws):
                parts = [group_rows(generator, count, kind) for _ in range(2)]
                designs = (parts[0][1], parts[1][1])
                bare = compare(parts[0][0], parts[1][0], seed)
                plain.append(bare.shifted)
                aware = compare_columns(parts[0][0], parts[1][0], SETTINGS, seed, pair=PAIR, designs=designs)
                with_effect.append(aware.shifted)
            lines.append(f"| {count:,} | {kind} | {share_of(plain)} | {share_of(with_effect)} |")
            print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join(lines)


def group_rows(generator: np.random.Generator, count: int, kind: str) -> tuple[ColumnProfile, float]:
    sizes = generator.integers(4, 13, count)
    group = np.repeat(np.arange(count), sizes)
    effect = float((sizes**2).sum() / sizes.sum())
    if kind == "numbers":
        return number(generator.normal(size=count)[group] + 0.1 * generator.normal(size=len(group))), effect
    return numbered(np.bincount(generator.integers(0, 10, count)[group], minlength=10)), effect


def novelties(draws: int) -> str:
    """Rows of dev with a category that train lacks, without a shift and with so many of them that are of new ones."""
    shares = (0.0, 0.01, 0.02, 0.05, 0.1)
    lines = [
        "| categories | rows | " + " | ".join("no shift" if not s else f"{100 * s:g} % new" for s in shares) + " |",
        "| --- | --- |" + " ---: |" * len(shares),
    ]
    kinds: dict[str, Sampler] = {
        "Zipf 1.3, endless": lambda generator, n: np.minimum(generator.zipf(1.3, n), 10**5),
        "20,000, uniform": lambda generator, n: generator.integers(0, 20_000, n),
        "40, uniform": lambda generator, n: generator.integers(0, 40, n),
    }
    for kind, sample in kinds.items():
        for n, m in ((20_000, 500), (20_000, 2_000), (200_000, 10_000)):
            cells = []
            for share in shares:
                generator = generator_of("novelty", kind, n, m, share)
                flags = []
                for _ in range(draws):
                    train, split = sample(generator, n), sample(generator, m)
                    new = int(share * m)
                    split[:new] = 2 * 10**5 + np.arange(new) // 3
                    parts = [numbered(np.bincount(part)).categories for part in (split, train)]
                    flags.append(novelty(parts[0], parts[1]).p < SETTINGS.alpha)
                cells.append(share_of(flags))
            lines.append(f"| {kind} | {m:,} against {n:,} | " + " | ".join(cells) + " |")
            print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join(lines)


HEAD = """\
<!-- Written by: python benchmarks/statistics_tables.py --draws {draws} --power-draws {power} --out {out} -->

# Measured: false alarms and power

Not edited by hand. {draws:,} keyed draws a row without a shift, {power:,} with one. *Evidently's rule* is its
documented default, written anew from its documentation: a reference of at most 1,000 rows is judged by p under .05
(Kolmogorov-Smirnov, chi-squared, or Z), a larger one by a distance from .1 (Wasserstein over the standard deviation, or
Jensen-Shannon of base e). The package could not be installed beside pandas 3, and was not run. Of 100,000 rows there
are a quarter as many draws.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--power-draws", type=int, default=100)
    parser.add_argument("--out", type=Path, default=Path("docs/statistics_tables.md"))
    arguments = parser.parse_args()
    power_draws = arguments.power_draws
    names = {"draws": arguments.draws, "power": power_draws, "out": arguments.out}
    text = "\n".join(
        [
            HEAD.format(**names),
            "## No shift: how often is one seen?\n",
            false_alarms(arguments.draws),
            "\n## A shift of a stated size: how often is it seen?\n",
            "Percent of the draws that are called at least a slight shift; in brackets, by Evidently's rule.\n",
            power(power_draws),
            "\n## Rows in groups of 4 to 12 near copies, no shift\n",
            groups(arguments.draws),
            "\n## Categories that train lacks: how often are they more than chance gives?\n",
            "One column alone, p under .01; three rows have each new category.\n",
            novelties(power_draws),
            "",
        ]
    )
    arguments.out.write_text(text)


if __name__ == "__main__":
    main()
