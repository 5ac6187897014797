"""Real mixed-source tables: heart disease, wine, sentences, flights, digits, groceries."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipelines import api
from tests.support.corpus import EVALUATION, read_split

pytestmark = pytest.mark.e2e
DATA = Path(__file__).parents[3] / "shared" / "data"

CASES = {
    "heart": ("heart_4hospitals/heart.csv", "va", "row_id", None, "label", "[label]", (40, 40, 60)),
    "wine": ("wine_red_white/wine.csv", "red", "row", None, "good", "[good]", (200, 200, 300)),
    "sentences": ("sentences_3sites/sentences.csv", "yelp", "text", None, "label", "[label]", (200, 200, 200)),
    "flights": ("nycflights_3airports/flights.csv", "LGA", "row_id", "tailnum", "late", "[late]", (500, 500, 500)),
    "digits": ("spoken_digits/manifest.csv", "speech_commands", "file", "speaker", "label", "[label]", (10, 10, 20)),
    "groceries": (
        "grocery_phone_iconic/manifest.csv", "phone", "file", "neardup_group", "label", "[label]", (40, 40, 20)
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_real_tables(case: str, tmp_path: Path) -> None:
    name, target, key, group, label, stratify, (test, dev, train_dev) = CASES[case]
    if not (DATA / name).exists():
        pytest.skip(f"the real data are not here: {DATA / name}")
    table = pl.read_csv(DATA / name, infer_schema_length=None)
    sources = {}
    for (source,), part in table.group_by("source", maintain_order=True):
        (tmp_path / str(source)).mkdir()
        part.drop("source").write_csv(tmp_path / str(source) / "rows.csv")
        sources[str(source)] = len(part)
    lines = [f"  {source}: {{path: {source}}}" for source in sources]
    spec = "\n".join(
        [
            f"name: {case}\nsalt: {case}\nsources:",
            *lines,
            f"key: {key}",
            *([f"group: {group}"] if group else []),
            f"label: {label}\ntarget: {{source: {target}}}\nstratify: {stratify}",
            f"splits: {{test: {test}, dev: {dev}, train_dev: {train_dev}}}",
        ]
    )
    (tmp_path / "spec.yaml").write_text(spec)
    result = api.run(str(tmp_path / "spec.yaml"), str(tmp_path / "RUN"))
    assert result.success, result.judgement.critical
    assert result.plan.rows_read == len(table)
    parts = {split: read_split(tmp_path / "RUN", split) for split in ("train", *EVALUATION)}
    assert {split: len(parts[split]) for split in EVALUATION} == {"test": test, "dev": dev, "train_dev": train_dev}
    assert set(parts["dev"]["source"]) | set(parts["test"]["source"]) == {target}
    if group:
        groups = pl.concat([part.select(pl.col(group).cast(pl.String), split=pl.lit(s)) for s, part in parts.items()])
        assert groups.drop_nulls().group_by(group).agg(pl.col("split").n_unique())["split"].max() in (None, 1)
    if key == "row":
        whole = pl.concat([part.drop("source").with_columns(split=pl.lit(s)) for s, part in parts.items()])
        columns = [column for column in whole.columns if column != "split"]
        assert whole.group_by(columns).agg(pl.col("split").n_unique())["split"].max() in (None, 1)
