"""The report: its view without HTML, the page of a real run, and hostile content from every side."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from markupsafe import Markup
from numpy.typing import NDArray

from pipelines import api
from pipelines.report.charts import Bins, PairedShare, Scale, Segment, interval, overlay, paired_bars, stacked_bar
from pipelines.report.distributions import binned
from pipelines.report.headline import headline
from pipelines.report.page import coded
from pipelines.report.palette import DARK, LIGHT, SERIES, contrast, ink, linear, luminance
from pipelines.report.words import named, shown
from pipelines.reporting import read_facts
from pipelines.run_directory import RunDirectory
from splitting.errors import RunDirectoryError
from tests.pipelines.report.conftest import HOSTILE
from tests.support.command import environment
from validation.profile.values import ColumnProfile, Histogram, Moments


@pytest.fixture
def run(hostile_run: Path) -> Path:
    return hostile_run


def test_the_page_is_whole_small_and_the_same_again(run: Path) -> None:
    page = (run / "report.html").read_bytes()
    assert len(page) < 500_000
    assert api.report(run) == str(run / "report.html")
    assert (run / "report.html").read_bytes() == page
    ids = set(re.findall(r'id="([^"]+)"', page.decode()))
    assert ids >= {"splits", "proof", "mismatch", "alike", "aside", "samples", "checks", "provenance"}
    assert set(re.findall(r'href="#([^"]+)"', page.decode())) <= ids


def test_nothing_of_the_data_is_obeyed(run: Path) -> None:
    page = (run / "report.html").read_text()
    assert page.count("<script>") == 1
    assert "\u202e" not in page
    assert "&lt;script&gt;" in page
    assert "x" * 700 not in page
    assert not re.findall(r'(?:src|href)="(?!#)', page)
    assert "http" not in page.replace("http-equiv", "")


def test_pages_are_written_without_statistics(run: Path) -> None:
    """They are in the run; loading what computes them took as long as all the rest."""
    code = f"import sys; from pipelines import api; api.report({str(run)!r}); print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in told.stdout.split()[1:]}
    assert "jinja2" in loaded
    assert not loaded & {"scipy", "sklearn", "pandas", "great_expectations", "apache_beam"}


def test_rows_are_shown_only_where_they_are_asked_for(run: Path) -> None:
    before = (run / "report.html").read_bytes()
    api.report(run, sample_rows=0)
    without = (run / "report.html").read_text()
    api.report(run)
    assert 'id="samples"' not in without
    assert "a photo, number" not in without
    assert (run / "report.html").read_bytes() == before
    assert b"a photo, number" in before


def test_a_run_that_is_not_finished_has_no_report(tmp_path: Path) -> None:
    with pytest.raises(RunDirectoryError, match="holds no run; give a folder"):
        api.report(tmp_path)
    (tmp_path / "plan").mkdir()
    (tmp_path / "plan" / "plan.json").write_text("{}")
    with pytest.raises(RunDirectoryError, match="is not a finished run; finish it with: targetsplit apply"):
        api.report(tmp_path)


@pytest.mark.parametrize("role", ["target only", "disjoint", "label"])
def test_the_first_sentence_names_the_cause_and_not_what_follows(run: Path, role: str) -> None:
    """A row of another source in dev also changes its size and its looks: those are told after it."""
    facts = read_facts(RunDirectory.at(str(run)))
    cause = next(result["check"] for result in facts.of_role(role))
    size = next(result["check"] for result in facts.of_role("size"))
    findings = [
        {"severity": "critical", "sentence": "dev holds 303 rows.", "checks": [size]},
        {"severity": "critical", "sentence": "This is the cause.", "checks": [cause]},
    ]
    document = {**facts.document, "findings": findings, "status": "failed"}
    top = headline(type(facts)(facts.plan, document, facts.spec))
    assert (top.tone, top.verdict) == ("bad", "Do not use this split.")
    assert ": This is the cause. " in top.sentence
    assert top.sentence.endswith(" 1 more fault below.")
    explained = {"target only": "The target is the data that", "disjoint": " holds 1,615 rows", "label": "This is"}
    assert explained[role] in top.sentence
    assert len(top.steps) == (2 if role == "label" else 1)


def test_what_cannot_be_seen_is_spelt_out() -> None:
    assert shown(HOSTILE).endswith("\\u202e")
    assert (shown(""), shown(None)) == ("(empty)", "(null)")
    assert shown("👩\u200d🔬") == "👩\u200d🔬"
    assert shown("z" + "\u0301" * 50).count("\u0301") == 2, "marks are not piled over other lines"
    assert coded(f"in {named(['a`b'])} and `c`") == ("in <code><bdi>a`b</bdi></code> and <code><bdi>c</bdi></code>")


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_can_be_read_and_told_apart(theme: dict[str, str]) -> None:
    for name in ("text", "quiet", "link", "good", "warn", "bad"):
        assert min(contrast(theme[name], theme[ground]) for ground in ("page", "panel")) >= 4.5, name
    for name in (*SERIES, "other", "observed"):
        assert contrast(theme[name], theme["page"]) >= 3, name
        assert contrast(ink(theme[name]), theme[name]) >= 4.5, name
    assert contrast(theme["reference"], theme["observed"]) >= 1.8
    grey = [luminance(theme[name]) for name in SERIES]
    assert all(first != second for first, second in combinations(grey, 2))


DEFICIENT = {
    "none": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
"""What is seen of linear red, green and blue: Machado, Oliveira and Fernandes 2009, severity 1."""


def seen(colour: str, eyes: str) -> NDArray[np.float64]:
    """A colour in OKLab (Ottosson 2020), times 100, as some eyes see it."""
    rgb = np.clip(DEFICIENT[eyes] @ linear(colour), 0, 1)
    cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return np.asarray(100 * lab @ np.cbrt(cones @ rgb))


@pytest.mark.parametrize("eyes", DEFICIENT)
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    "names", [(*SERIES, "other"), ("good", "warn", "bad"), ("reference", "observed")], ids="-".join
)
def test_colour_blind_readers_tell_the_colours_apart(names: tuple[str, ...], theme: dict[str, str], eyes: str) -> None:
    """A just noticeable difference is about 2 on this scale; 8 is seen at a glance."""
    for first, second in combinations(names, 2):
        assert np.linalg.norm(seen(theme[first], eyes) - seen(theme[second], eyes)) >= 8, (first, second)


def test_names_of_near_places_stand_one_under_the_other() -> None:
    near = interval(0.4, 0.3, 0.5, Scale(-1.0, 1.0, ((0.0, "no difference"), (0.1, "could be seen"))), "told")
    far = interval(0.4, 0.3, 0.5, Scale(-1.0, 1.0, ((-0.9, "no difference"), (0.9, "could be seen"))), "told")
    assert re.findall(r'<text [^>]*y="(\d+)"', near) == ["37", "51"]
    assert re.findall(r'<text [^>]*y="(\d+)"', far) == ["37", "37"]


def test_charts_escape_what_they_are_told() -> None:
    charts = [
        stacked_bar([Segment("A", HOSTILE, 1.0, "s1")], HOSTILE),
        overlay(Bins((0.5, 0.5), (1.0, 0.0), HOSTILE, HOSTILE), HOSTILE),
        paired_bars([PairedShare(HOSTILE, 0.2, 0.4)], HOSTILE),
        interval(0.1, 0.0, 0.2, Scale(0.0, 1.0, ((0.5, HOSTILE),)), HOSTILE),
    ]
    for chart in charts:
        assert isinstance(chart, Markup)
        assert "<script" not in chart
        assert chart.count("<svg") == chart.count("</svg>")


def test_bins_hold_every_row_and_whole_numbers_get_bins_of_their_own() -> None:
    def column(counts: list[int]) -> ColumnProfile:
        values = np.arange(1.0, 1.0 + len(counts))
        histogram = Histogram(values, values + 0.01, np.array(counts))
        return ColumnProfile(
            "n", "number", sum(counts), 0, histogram=histogram, moments=Moments(sum(counts), 2.0, 1.0, 1, len(counts))
        )

    bins = binned(column([10, 20, 30, 40]), column([40, 30, 20, 10]))
    assert bins is not None
    assert bins.reference == pytest.approx((0.1, 0.2, 0.3, 0.4))
    assert bins.observed == pytest.approx((0.4, 0.3, 0.2, 0.1))
    assert (bins.first, bins.last) == ("1", "4")
