"""Results are kept and shown by Great Expectations: without a network, without harm, and the same each time."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from validation.checking import Check
from validation.gx.engine import Judged, judge_checks
from validation.gx.offline import guarded, offline_page, unguarded
from validation.gx.store import write_docs
from validation.gx.suites import load_suites
from validation.gx.users import judge_suite, plan_of
from validation.gx.values import UserSuite
from validation.metrics.partials import MetricPartials

EVIL = "<script>hacked()</script><img src=x onerror='hacked()'>\"'$x ${y} & é"
STARTED = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)


def judgements() -> list[Judged]:
    row = {"verdict": "match", "effect": 0.01, "q": 0.5, "n_reference": 500, "n_observed": 600, "smallest": 0.02}
    limits = {"reference": "test", "observed": "dev", "statistic": "ks_excess", "max_shift": 0.1, "alpha": 0.01}
    missing = {"labels": 3, "missing": 1, "rows_missing": 4, "largest": [[EVIL, 4]]}
    labels = {"split": "dev", "reference": "train"}
    checks = [
        Check("match", "match", "dev", EVIL, EVIL, "info", "expect_splits_to_match", {**limits, "min_rows": 9}, row),
        Check("labels", "label", "dev", "label", "Known.", "warning", "expect_labels_covered", labels, missing),
        Check("raises", "size", "dev", None, EVIL, "critical", "expect_split_size", {}, {}),
    ]
    frame = pl.DataFrame({"width": [1, 2, 3, None], "label": ["a", EVIL, "a", "b"], EVIL: [1.0, 2.0, 3.0, 4.0]})
    divided = {"values": ["a", EVIL], "weights": [0.5, 0.5]}
    told: list[dict[str, Any]] = [
        {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "label", "value_set": ["a"]}, "notes": EVIL},
        {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": EVIL}, "description": EVIL},
        {
            "type": "expect_column_value_z_scores_to_be_less_than",
            "kwargs": {"column": "width", "threshold": 3, "double_sided": True},
            "severity": "warning",
        },
        {
            "type": "expect_column_kl_divergence_to_be_less_than",
            "kwargs": {"column": "label", "partition_object": divided, "threshold": 0.1, "tail_weight_holdout": 0.1},
        },
        {
            "type": "expect_column_quantile_values_to_be_between",
            "kwargs": {"column": "width", "quantile_ranges": {"quantiles": [0.5], "value_ranges": [[1, None]]}},
        },
    ]
    suites = load_suites([UserSuite(EVIL, json.dumps({"expectations": told}), ("dev",))], frame.columns)
    plan = plan_of(suites)
    partials = MetricPartials.of(plan, frame)
    return [judge_checks("promises", checks), judge_suite(suites[0], "dev", plan, partials, frame)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one")
    write_docs(judgements(), folder, "run", STARTED)
    return folder / "data_docs"


class Tags(HTMLParser):
    """Collects what a page would load and run, and the text that it shows."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.handlers: list[str] = []
        self.scripts: list[str] = []
        self.text = ""
        self._script = False
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.handlers += [name for name in told if name.startswith("on") and name != "onclick"]
        if tag in ("script", "img", "link", "iframe"):
            self.loaded += [value for key in ("src", "href") if (value := told.get(key))]
        self._script = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        self._script = False

    def handle_data(self, data: str) -> None:
        if self._script:
            self.scripts.append(data)
        else:
            self.text += data


def test_pages_load_only_what_stands_beside_them(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) == 5
    for page in pages:
        tags = Tags(page)
        assert len(tags.loaded) > 10
        for told in tags.loaded:
            assert not re.match(r"(https?:)?//", told), told
            assert "vendor" not in told or (page.parent / told).is_file(), told
        assert "integrity=" not in page.read_text(encoding="utf-8")
        assert "newsletter" not in tags.text


def test_texts_from_data_are_shown_and_never_run(site: Path) -> None:
    for page in sorted(site.rglob("validations/**/*.html")):
        tags = Tags(page)
        assert tags.handlers == []
        assert not any(script.strip().startswith("hacked") for script in tags.scripts)
        assert "<img src=x onerror='hacked()'>" in tags.text
        assert not re.search("[\ufdd0-\ufdd5]|ufdd", page.read_text(encoding="utf-8"))


def test_results_are_kept_with_the_texts_as_they_were(site: Path) -> None:
    kept = sorted((site.parent / "gx" / "uncommitted" / "validations").rglob("*.json"))
    assert len(kept) == 2
    everything = json.dumps([json.loads(path.read_text(encoding="utf-8")) for path in kept], ensure_ascii=False)
    assert json.dumps(EVIL, ensure_ascii=False)[1:-1] in everything
    assert json.loads(unguarded(json.dumps(guarded([EVIL, {EVIL: 1}])))) == [EVIL, {EVIL: 1}]


def test_severity_and_what_was_sampled_are_shown(site: Path) -> None:
    text = " ".join(Tags(page).text for page in sorted(site.rglob("validations/**/*.html")))
    for told in ("critical", "warning", "info", "a sample of 4 rows", "1 of 3 labels not in train", "field required"):
        assert told in text


def test_the_same_run_gives_the_same_files(site: Path, tmp_path: Path) -> None:
    write_docs(judgements(), tmp_path, "run", STARTED)
    again = tmp_path / "data_docs"

    def digests(root: Path) -> dict[str, str]:
        top = root.parent
        files = sorted(path for path in top.rglob("*") if path.is_file())
        return {str(f.relative_to(top)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}

    ours, theirs = digests(site), digests(again)
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == []


def test_assets_are_those_that_the_list_names() -> None:
    import validation.gx

    folder = Path(validation.gx.__path__[0]) / "assets"
    listed = dict(re.findall(r"\| `([^`]+)` \| \d+ \| `([0-9a-f]{64})` \|", (folder / "README.md").read_text()))
    files = {str(f.relative_to(folder)): f for kind in ("css", "js", "webfonts") for f in (folder / kind).iterdir()}
    assert listed == {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in files.items()}


def test_charts_are_json_and_two_suites_of_one_name_are_refused(tmp_path: Path) -> None:
    page = offline_page("<script>\n    vlSpec = {'a': None, 'b': [True, nan], 'c': '\\ufdd0/script'};\n</script>", "")
    told = re.search(r"vlSpec = (.*);", page)
    assert told
    assert json.loads(told[1]) == {"a": None, "b": [True, None], "c": "</script"}
    assert page.count("</script") == 1
    twice = judgements()[:1] * 2
    with pytest.raises(ValueError, match="two suites"):
        write_docs(twice, tmp_path, "run", STARTED)
    with pytest.raises(ValueError, match="time zone"):
        write_docs(twice[:1], tmp_path, "run", STARTED.replace(tzinfo=None))
