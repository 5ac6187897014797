"""The dataset card of a run: README.md with the front matter that Hugging Face reads."""

from __future__ import annotations

import yaml

from pipelines.spec.models import Spec
from splitting.plan import Plan
from splitting.request import TRAIN
from validation.verdict import Judgement

_FILES = {"webdataset": "data/{}-*.tar", "folder": "data/{}/**"}
_PURPOSE = {
    TRAIN: "fit",
    "train_dev": "tells variance from data mismatch",
    "dev": "tune and compare models",
    "test": "the final, unbiased number",
}


def dataset_card(plan: Plan, spec: Spec, judgement: Judgement) -> str:
    """The text of the card.

    Args:
        plan: what was decided.
        spec: what was asked.
        judgement: what the checks say.

    Returns:
        Markdown; the same for the same run.
    """
    names = [TRAIN, *(split.name for split in plan.splits)]
    path = _FILES.get(spec.output, "data/{}-*.parquet")
    files = [{"split": name, "path": path.format(name)} for name in names if plan.rows_of(name)]
    front = yaml.safe_dump({"configs": [{"config_name": "default", "data_files": files}]}, sort_keys=False)
    pools = {split.name: split.pool for split in plan.splits}
    rows = [
        f"| `{name}` | {plan.rows_of(name):,} | {plan.target_rows_of(name):,} | {_pool(pools.get(name))} "
        f"| {_PURPOSE.get(name, 'evaluate')} |"
        for name in names
    ]
    sources = [f"| {cell(source.name)} | {source.rows:,} |" for source in plan.sources]
    aside = [
        f"| `{folder}/` | {cell(item.source)} | {cell(item.reason)} | {item.rows:,} |"
        for folder, items in (("held_out", plan.held_out), ("rejected", plan.rejected))
        for item in items
    ]
    found = [f"- {finding.severity}: {cell(finding.sentence)}" for finding in judgement.findings]
    failed = len(judgement.failed)
    holding = f"{len(judgement.verdicts) - failed:,} of {len(judgement.verdicts):,} checks hold"
    checks = "\n\n".join([f"Verdict: {judgement.status}. {holding}.", *(["\n".join(found)] if found else [])])
    parts = [
        f"---\n{front}---\n\n# {cell(plan.name)}",
        "Drawn by targetsplit: the evaluation splits come from the target distribution.",
        "| split | rows | target rows | drawn from | for |\n| --- | --: | --: | --- | --- |\n" + "\n".join(rows),
        "## Sources\n\n| source | rows |\n| --- | --: |\n" + "\n".join(sources),
        *(
            [
                "## Rows in no split\n\n| kept in | source | reason | rows |\n| --- | --- | --- | --: |\n"
                + "\n".join(aside)
            ]
            if aside
            else []
        ),
        *(["## Notes\n\n" + "\n".join(f"- {cell(note)}" for note in plan.notes)] if plan.notes else []),
        f"## Checks\n\n{checks}\n\nSee `validation.json`.",
        (
            f"## Provenance\n\nPlan `{plan.fingerprint}`, inputs `{plan.input_fingerprint}`, "
            f"output `{spec.output}`. The spec is in `spec.yaml`, the decision in `plan/`."
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _pool(pool: str | None) -> str:
    if pool is None:
        return "what is left"
    return "the train mixture" if pool == TRAIN else f"pool `{pool}`"


def cell(text: str) -> str:
    """Text from the data as Markdown that shows it and obeys nothing of it."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    escaped = "".join(f"\\{c}" if c in "\\`*_[]|" else c for c in plain)
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
