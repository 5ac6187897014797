"""Expectations of what every run must keep: sizes, pools, nothing in two splits, labels that train has."""

from __future__ import annotations

from typing import Any, Literal

from validation.gx.observed import ObservedExpectation, Outcome

_NAMED = 5


class ExpectSplitSize(ObservedExpectation):
    """A split has exactly the planned size; observed: `rows`."""

    split: str
    rows: int

    def judged(self, observed: dict[str, Any]) -> Outcome:
        """See the class."""
        rows = observed["rows"]
        return Outcome(rows == self.rows, rows, _rows(rows))


class ExpectRowsInToEqualRowsOut(ObservedExpectation):
    """Every row that was read was written once; observed: `rows_written`."""

    rows_read: int

    def judged(self, observed: dict[str, Any]) -> Outcome:
        """See the class."""
        rows = observed["rows_written"]
        return Outcome(rows == self.rows_read, rows, f"{_rows(rows)} written")


class ExpectTargetOnly(ObservedExpectation):
    """Every row of a split is in its pool; observed: `rows_outside`."""

    split: str
    pool: str

    def judged(self, observed: dict[str, Any]) -> Outcome:
        """See the class."""
        rows = observed["rows_outside"]
        return Outcome(rows == 0, rows, f"{_rows(rows)} outside of {self.pool}")


class ExpectSplitsDisjoint(ObservedExpectation):
    """No two splits share a key, a group, a link, or rows that say the same.

    Observed: `rows_shared`, `by_chance` of rows.
    """

    what: Literal["key", "group", "row", "link"]
    first: str
    second: str
    link: str | None = None

    def judged(self, observed: dict[str, Any]) -> Outcome:
        """See the class."""
        rows, chance = observed["rows_shared"], bool(observed.get("by_chance"))
        told = f"{_rows(rows)} shared{', as chance gives' if rows and chance else ''}"
        return Outcome(rows == 0 or chance, rows, told)


class ExpectLabelsCovered(ObservedExpectation):
    """Every label of a split is in the reference; observed: `labels`, `missing`, `rows_missing`, `largest`."""

    split: str
    reference: str

    def judged(self, observed: dict[str, Any]) -> Outcome:
        """See the class."""
        found = f"{observed['labels']:,} labels"
        return _all_known(observed, "missing", "rows_missing", found, self.reference)


class ExpectNoNewCategories(ObservedExpectation):
    """A split has no more rows with categories that the reference lacks than chance gives.

    Observed: `categories`, `new`, `rows_new`, `rows_expected`, `q`, `largest`.

    Attributes:
        split: whose categories are looked up.
        reference: where they are looked up.
        alpha: more rows than expected are no chance where the q-value is under it.
    """

    split: str
    reference: str
    alpha: float

    def judged(self, observed: dict[str, Any]) -> Outcome:
        """See the class."""
        found = f"{observed['categories']:,} categories"
        outcome = _all_known(observed, "new", "rows_new", found, self.reference)
        if outcome.success:
            return outcome
        told = f"{outcome.told}; by chance {observed['rows_expected']:,.1f} rows (q {observed['q']:.2g})"
        return Outcome(observed["q"] >= self.alpha, outcome.value, told)


class ExpectSameSchema(ObservedExpectation):
    """Two splits have the same columns of the same types; observed: `differences`, texts."""

    split: str
    reference: str

    def judged(self, observed: dict[str, Any]) -> Outcome:
        """See the class."""
        differences = observed["differences"]
        told = _named(differences, len(differences)) if differences else "the same"
        return Outcome(not differences, len(differences), told)


class ExpectNoLeakColumn(ObservedExpectation):
    """A column alone does not predict the label nearly perfectly.

    Observed: `auc`, or of a label of numbers `r2`; None where it was not measured.

    Attributes:
        label: the column that is predicted.
        max_auc: the largest AUC, or R2, that is fine.
    """

    label: str
    max_auc: float

    def judged(self, observed: dict[str, Any]) -> Outcome:
        """See the class."""
        name = "r2" if "r2" in observed else "auc"
        score = observed[name]
        if score is None:
            return Outcome(success=True, value=None, told="not measured")
        return Outcome(score <= self.max_auc, score, f"{name.upper()} {score:.3f}")


class ExpectTimeOrder(ObservedExpectation):
    """A split lies where it may in time; observed: `order` of the split to the reference, and what else was seen."""

    split: str
    reference: str
    allowed: list[Literal["before", "inside", "after", "unknown"]]

    def judged(self, observed: dict[str, Any]) -> Outcome:
        """See the class."""
        order = observed["order"]
        return Outcome(order in self.allowed, order, f"{self.split} is {order}")


def _all_known(observed: dict[str, Any], count: str, rows: str, found: str, reference: str) -> Outcome:
    strangers = observed[count]
    if not strangers:
        return Outcome(success=True, value=0, told=f"{found}, all in {reference}")
    named = _named([repr(value) for value, _ in observed["largest"]], strangers)
    told = f"{strangers:,} of {found} not in {reference} ({_rows(observed[rows])}): {named}"
    return Outcome(success=False, value=strangers, told=told)


def _named(texts: list[str], count: int) -> str:
    shown = texts[:_NAMED]
    return ", ".join(shown) + (f" and {count - len(shown):,} more" if count > len(shown) else "")


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"
