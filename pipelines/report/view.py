"""The whole report as frozen values: what is shown, before any of it is HTML."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.report.aside_view import (
    AsideView,
    ProvenanceView,
    SampleView,
    aside_view,
    provenance_view,
    sample_views,
)
from pipelines.report.checks_view import CheckList, MatchPair, match_pairs, match_terms, other_checks, suite_checks
from pipelines.report.facts import RunFacts
from pipelines.report.headline import Headline, headline
from pipelines.report.mismatch_view import MismatchView, mismatch_view
from pipelines.report.pictures import PicturesView, pictures_view
from pipelines.report.proof_view import Promise, proof_view
from pipelines.report.splits_view import SplitsView, splits_view
from pipelines.report.terms import Term
from pipelines.report.words import decimal, shown


@dataclass(frozen=True)
class ReportView:
    """A report.

    Attributes:
        name: of the data set.
        rows: that were read.
        sources: how many there are.
        headline: the verdict.
        splits: see there.
        proof: a row a promise.
        mismatch: see there.
        matches: pairs that must look alike.
        match_terms: that their figures use.
        suites: of the user.
        others: every other check.
        aside: rows in no split.
        pictures: typical and extreme images; None where there are none to show.
        samples: rows to look at; empty unless the spec asks for them.
        provenance: where everything comes from.
        alpha: the share of false alarms that was accepted.
        least: fewer rows than this were not compared.
    """

    name: str
    rows: int
    sources: int
    headline: Headline
    splits: SplitsView
    proof: tuple[Promise, ...]
    mismatch: MismatchView
    matches: tuple[MatchPair, ...]
    match_terms: tuple[Term, ...]
    suites: CheckList
    others: CheckList
    aside: AsideView
    pictures: PicturesView | None
    samples: tuple[SampleView, ...]
    provenance: ProvenanceView
    alpha: str
    least: int


def report_view(facts: RunFacts) -> ReportView:
    """What a report shows.

    Args:
        facts: of a finished run.

    Returns:
        A function of the facts alone.
    """
    settings, matches = facts.document["settings"], match_pairs(facts)
    return ReportView(
        name=shown(facts.plan.name, 100),
        rows=facts.plan.rows_read,
        sources=len(facts.plan.sources),
        headline=headline(facts),
        splits=splits_view(facts),
        proof=proof_view(facts),
        mismatch=mismatch_view(facts),
        matches=matches,
        match_terms=match_terms(matches),
        suites=suite_checks(facts),
        others=other_checks(facts),
        aside=aside_view(facts),
        pictures=pictures_view(facts.thumbnails),
        samples=sample_views(facts),
        provenance=provenance_view(facts),
        alpha=decimal(settings["alpha"]),
        least=settings["min_rows"],
    )
