"""Turn the benchmark's numbers into the Markdown table that the README quotes."""

from __future__ import annotations

from typing import Any

REFERENCE = "polars"
EVALUATION_ROWS = 2500
COLUMNS = (
    ("", "---"),
    ("wall, s", "---:"),
    ("against polars", "---:"),
    ("peak memory, MB", "---:"),
    ("CPU, s", "---:"),
    ("sizes exact", "---"),
    ("dev, test of the target only", "---"),
    ("users apart", "---"),
    ("same twice", "---"),
    ("rows lost", "---:"),
)
HEAD = "\n".join("| " + " | ".join(cells) + " |" for cells in zip(*COLUMNS, strict=True))
INTRO = """\
# Benchmark

Made by `make bench`; not edited by hand. Each contender is a fresh process, run in turn with the others on
the same files (`peers/` has the scripts: the simplest that a user would write). Times are medians; memory
is the peak of resident memory over the whole process tree; CPU is the time of all its processes.

*Users apart*: no user is in two splits. *Same twice*: every split held the same keys in every run. *Rows
lost* are rows of the input that are nowhere in the output: a script that keeps users apart drops the web
rows of users that are, or by their hash might be, in dev or test; `targetsplit` drops only those of users
that are, and writes them to `held_out/`.
"""


def verdict(good: bool | None, otherwise: str) -> str:
    """Says yes, or what was found instead; None means that it was not looked at."""
    return "not tried" if good is None else "yes" if good else otherwise


def row(name: str, result: dict[str, Any], reference: float | None, ours: bool) -> str:
    """Formats one contender's line."""
    label = f"**{name}**" if ours else name
    if result["status"] != "ok":
        said = result["message"] or f"{result['status']} after {result['wall']:.0f} s, {result['peak'] / 1e6:,.0f} MB"
        return f"| {label} | {said} |" + " |" * (len(COLUMNS) - 2)
    found = result["findings"]
    rows = found["rows"]
    ratio = f"{result['wall'] / reference:.2f} ×" if reference else ""
    cells = [
        label,
        f"{result['wall']:.1f}",
        ratio,
        f"{result['peak'] / 1e6:,.0f}",
        f"{result['cpu']:.1f}",
        verdict(result["exact"], f"no: {rows['train_dev']:,} / {rows['dev']:,} / {rows['test']:,}"),
        verdict(not found["outside_target"], f"no: {found['outside_target']:,} rows are not"),
        verdict(not found["shared_groups"], f"no: {found['shared_groups']:,} are in two"),
        verdict(result["same"], "no"),
        f"{found['unaccounted']:,}",
    ]
    return "| " + " | ".join(cells) + " |"


def section(result: dict[str, Any], names: dict[str, str]) -> str:
    """Formats the table of one size."""
    contenders = result["contenders"]
    reference = contenders.get(REFERENCE, {})
    wall = reference["wall"] if reference.get("status") == "ok" else None
    asked = (
        f"{result['web_rows']:,} web and {result['app_rows']:,} app rows, {result['bytes'] / 1e6:,.0f} MB of "
        f"Parquet; {EVALUATION_ROWS:,} rows asked of each of train_dev, dev and test. "
        f"Median of {result['repeats']}."
    )
    rows = [row(names[name], found, wall, name == "ours") for name, found in contenders.items()]
    lines = [f"## {result['web_rows'] + result['app_rows']:,} rows", "", asked, "", HEAD, *rows]
    small = result.get("start_up")
    if small and small["status"] == "ok":
        lines += [
            "",
            f"On {small['rows']:,} rows `targetsplit run` takes {small['wall']:.1f} s: mostly the models, on samples.",
        ]
    page = result.get("report")
    if page and page["status"] == "ok":
        lines += [
            "",
            (
                f"The report of {page['columns']} columns and {page['rows']:,} rows is {page['bytes'] / 1e3:,.0f} kB; "
                f"`targetsplit report` makes it again in {page['wall']:.1f} s."
            ),
        ]
    facts = result["machine"]
    versions = ", ".join(f"{package} {version}" for package, version in facts["versions"].items())
    lines += ["", f"{facts['cores']} cores, {facts['memory_gib']:g} GiB, {facts['system']}; {versions}."]
    return "\n".join(lines)


def render(results: dict[str, Any], names: dict[str, str]) -> str:
    """Writes the whole page.

    Args:
        results: what `results.json` holds, by size.
        names: each contender's name in the tables.

    Returns:
        Markdown.
    """
    ordered = sorted(results.values(), key=lambda result: result["web_rows"])
    return "\n\n".join([INTRO.strip(), *(section(result, names) for result in ordered)]) + "\n"
