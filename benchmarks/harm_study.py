"""The harm study: which figure foretells what a mismatch costs real models? Writes the tables of docs/harm.md.

    python benchmarks/harm_study.py FOLDER [--out study.json] [--sets heart,wine]

FOLDER holds the five labelled sets of more than one source. For every ordered pair of sources, a quarter of the first
is train_dev and the rest train, the second is dev; the domain classifier and the probe see that. The real models, a
logistic regression, a random forest and a multilayer perceptron, each on features made apart from the probe's, are
fitted on 70 % of the first source, and judged on the rest of it and on the second, over other parts.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import polars as pl
from scipy.stats import spearmanr
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from benchmarks.harm_sets import LabelledSet, labelled_sets
from validation.modelling.domain import domain_classifier
from validation.modelling.leaks import giving_away, leak_columns
from validation.modelling.probe import probe
from validation.modelling.rows import SampleRows, keyed_folds
from validation.settings import CheckSettings

SALT = "harm study"
REAL: dict[str, Callable[[int], object]] = {
    "logistic": lambda _: LogisticRegression(C=0.3, max_iter=2000),
    "forest": lambda turn: RandomForestClassifier(200, min_samples_leaf=2, random_state=turn),
    "perceptron": lambda turn: MLPClassifier((64,), alpha=0.1, max_iter=300, random_state=turn),
}
FIGURES = {
    "probe": "the probe's gap",
    "boosting": "the gap of boosted trees alone",
    "thresholded_confidence": "average thresholded confidence",
    "confidence_fall": "fall in mean confidence",
    "auc": "domain classifier's AUC",
}


Gaps = dict[tuple[str, str], dict[str, float]]
"""The gap of each real model, by ordered pair of sources."""


def pipeline(model: object) -> Pipeline:
    """The model after medians for gaps, and standardised columns."""
    return make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler(), model)


def real_gaps(data: LabelledSet, allowed: np.ndarray) -> Gaps:
    """The mean gap of each real model, by ordered pair of sources, on the rows allowed."""
    features, labels, sources = data.features, data.labels, data.sources
    names = sorted(set(sources))
    turns = 3 if len(labels) > 4_000 else 6
    gaps: dict[tuple[str, str], dict[str, list[float]]] = {}
    for first in names:
        own = np.flatnonzero((sources == first) & allowed)
        for turn in range(turns):
            learnt, held = train_test_split(own, test_size=0.3, random_state=turn, stratify=labels[own])
            for name, make in REAL.items():
                model = pipeline(make(turn)).fit(features[learnt], labels[learnt])
                home = float((model.predict(features[held]) != labels[held]).mean())
                for second in names:
                    if second != first:
                        there = (sources == second) & allowed
                        away = float((model.predict(features[there]) != labels[there]).mean())
                        gaps.setdefault((first, second), {}).setdefault(name, []).append(away - home)
    return {pair: {name: float(np.mean(listed)) for name, listed in by.items()} for pair, by in gaps.items()}


def as_sample(data: LabelledSet, first: str, second: str, allowed: np.ndarray) -> SampleRows:
    """The first source as train and train_dev, the second as dev."""
    sources = data.sources
    own = np.flatnonzero((sources == first) & allowed)
    quarters = keyed_folds(own.astype(np.uint64), data.labels[own], 4, SALT, "quarters", first)
    splits = np.full(len(sources), "none", dtype=object)
    splits[own] = np.where(quarters == 0, "train_dev", "train")
    splits[(sources == second) & allowed] = "dev"
    return SampleRows(
        data.frame,
        pl.Series(np.arange(len(sources)), dtype=pl.UInt64),
        data.frame["source"],
        pl.Series(splits.tolist(), dtype=pl.String),
        data.roles,
        SALT,
    )


def measure(data: LabelledSet, known: Gaps, *, apart: bool) -> list[dict[str, object]]:
    """One row a pair.

    Args:
        data: the set.
        known: the real models' gaps, where they were measured before.
        apart: give the real models one half of the rows, and the probe the other.
    """
    rows = np.arange(len(data.labels), dtype=np.uint64)
    strata = np.unique(data.sources, return_inverse=True)[1] * 100 + data.labels
    half = keyed_folds(rows, strata, 2, SALT, "halves") == 0 if apart else np.ones(len(rows), dtype=bool)
    started = time.perf_counter()
    real = known or real_gaps(data, ~half if apart else half)
    print(f"{data.name}: real models {time.perf_counter() - started:.0f} s", flush=True)
    found = []
    for first, second in permutations(sorted(set(data.sources)), 2):
        sample = as_sample(data, first, second, half)
        started = time.perf_counter()
        leaks = giving_away(leak_columns(sample.select("train"), CheckSettings().thresholds.leak_auc))
        cost = probe(replace(sample, roles=replace(sample.roles, leaks=leaks)))
        middle = time.perf_counter()
        domain = domain_classifier(sample.select("train"), sample.select("dev"), importances=False)
        assert cost.gap is not None
        found.append(
            {
                "set": data.name,
                "first": first,
                "second": second,
                "real": float(np.mean(list(real[first, second].values()))),
                **real[first, second],
                "probe": cost.gap.gap,
                "low": cost.gap.low,
                "high": cost.gap.high,
                "others_low": cost.gap.others_low,
                "others_high": cost.gap.others_high,
                "grade": cost.grade,
                "better": cost.skill.better if cost.skill else None,
                "leaks": list(leaks),
                "boosting": cost.families[0].gap,
                "confidence_fall": cost.confidence_fall,
                "thresholded_confidence": cost.thresholded_confidence,
                "auc": domain.auc,
                "probe_seconds": middle - started,
                "domain_seconds": time.perf_counter() - middle,
            }
        )
    return found


def known_gaps(path: Path | None) -> dict[str, Gaps]:
    """The real models' gaps of an earlier run, by set: they do not depend on the probe."""
    gaps: dict[str, Gaps] = {}
    for line in path.read_text().splitlines() if path else []:
        row = json.loads(line)
        gaps.setdefault(row["set"], {})[row["first"], row["second"]] = {name: row[name] for name in REAL}
    return gaps


def tables(found: pl.DataFrame) -> str:
    """Rank correlations, coverage and grades, as Markdown."""
    sets = found["set"].unique(maintain_order=True).to_list()
    large = [name for name in sets if len(found.filter(pl.col("set") == name)) >= 6]
    lines = ["| figure | all pairs | " + " | ".join(large) + " |", "| --- |" + " --- |" * (len(large) + 1)]
    for figure, title in FIGURES.items():
        parts = [found, *(found.filter(pl.col("set") == name) for name in large)]
        ranks = [f"{spearmanr(part[figure], part['real'])[0]:.2f}" for part in parts]
        lines.append(f"| {title} | " + " | ".join(ranks) + " |")
    lines += [
        "",
        "| set | pairs | own interval held | wider interval held | mean width of the wider |",
        "| --- |" * 1 + " --- |" * 4,
    ]
    for name in [*sets, "all"]:
        part = found if name == "all" else found.filter(pl.col("set") == name)
        own = part.select(pl.col("real").is_between("low", "high").mean()).item()
        wide = part.select(pl.col("real").is_between("others_low", "others_high").mean()).item()
        width = part.select((pl.col("others_high") - pl.col("others_low")).mean()).item()
        lines.append(f"| {name} | {len(part)} | {own:.2f} | {wide:.2f} | {width:.2f} |")
    lines += [
        "",
        "| grade | pairs | mean cost of the real models | least | largest |",
        "| --- | --- | --- | --- | --- |",
    ]
    for grade, part in sorted(found.group_by("grade"), key=lambda pair: str(pair[0][0])):
        real = part["real"]
        lines.append(f"| {grade[0]} | {len(part)} | {real.mean():.3f} | {real.min():.3f} | {real.max():.3f} |")
    for model in REAL:
        rank = spearmanr(found["probe"], found[model])[0]
        lines.append(f"\nProbe's gap against the {model} model alone: {rank:.2f}.")
    seconds = [found[f"{step}_seconds"].max() for step in ("probe", "domain")]
    lines.append(f"\nSeconds a pair at most: probe {seconds[0]:.1f}, domain classifier {seconds[1]:.1f}.")
    return "\n".join(lines)


def main() -> None:
    """Measures all pairs and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds the labelled sets")
    parser.add_argument("--out", type=Path, help="where to write one JSON row a pair")
    parser.add_argument("--real", type=Path, help="the JSON rows of an earlier run, for the real models' gaps")
    parser.add_argument("--sets", help="names of sets, with commas between")
    parser.add_argument("--apart", action="store_true", help="give the real models other rows than the probe")
    arguments = parser.parse_args()
    wanted = arguments.sets.split(",") if arguments.sets else None
    warnings.filterwarnings("ignore", category=UserWarning)
    found: list[dict[str, object]] = []
    real = known_gaps(arguments.real)
    with threadpool_limits(1):
        for data in labelled_sets(arguments.folder):
            if wanted is None or data.name in wanted:
                found.extend(measure(data, real.get(data.name, {}), apart=arguments.apart))
    if arguments.out:
        arguments.out.write_text("".join(json.dumps(row) + "\n" for row in found))
    print(tables(pl.DataFrame(found)))


if __name__ == "__main__":
    main()
