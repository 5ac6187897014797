"""Each promise has a check, and each check fails when its promise is broken."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from splitting.plan import Plan
from splitting.request import TARGET_POOL, Request, Size, SplitRequest
from splitting.rules import Pool, Rules, Stratifier
from tests.support.memory import plan_of
from validation.checking import Check, Verdict
from validation.evidence import Evidence
from validation.findings import promise_findings
from validation.gx.engine import judge_checks
from validation.promises import promise_checks
from validation.settings import ColumnRoles
from validation.tally import Tally

RULES = Rules(
    "salt",
    key=("id",),
    group=("user",),
    strata=(Stratifier("label"),),
    pools=(Pool(TARGET_POOL, frozenset({"app"})), Pool("train")),
)
REQUEST = Request(
    tuple(SplitRequest(name, pool, Size(10)) for name, pool in (("test", TARGET_POOL), ("dev", TARGET_POOL))), "error"
)


@pytest.fixture(scope="module")
def plan() -> Plan:
    def frame(source: str) -> pl.DataFrame:
        numbers = range(100)
        return pl.DataFrame(
            {
                "id": [f"{source}{i}" for i in numbers],
                "user": [f"{source}{i}" for i in numbers],
                "label": ["cat" if i % 2 else "dog" for i in numbers],
            }
        )

    return plan_of([("web", frame("w")), ("app", frame("a"))], RULES, REQUEST)


def written(plan: Plan) -> Tally:
    """The tally of a run that kept its promises."""
    cells = [Tally.of_counts(cell.split, cell.source, {cell.stratum[0]: cell.rows}) for cell in plan.cells if cell.rows]
    return Tally.merge(cells)


def checks(plan: Plan, tally: Tally, label: str | None = "label", *, has_groups: bool = True) -> list[Check]:
    roles = ColumnRoles(key=("id",), group=("user",), label=label)
    return [*promise_checks(Evidence(plan, tally, roles, has_groups, {}))]


def judged(plan: Plan, tally: Tally) -> tuple[Verdict, ...]:
    return judge_checks("splits", checks(plan, tally)).verdicts


def failed(plan: Plan, tally: Tally) -> list[str]:
    return [v.check.name for v in judged(plan, tally) if not v.success and v.severity == "critical"]


def test_a_faithful_run_passes_every_check(plan: Plan) -> None:
    verdicts = judged(plan, written(plan))
    assert all(verdict.success for verdict in verdicts)
    assert not promise_findings(verdicts)
    names = [verdict.check.name for verdict in verdicts]
    assert names == [
        "rows in = rows out",
        "size of test",
        "size of dev",
        "size of train",
        "test is from target",
        "dev is from target",
        *(
            f"no {kind} in both {a} and {b}"
            for kind in ("key", "group")
            for a, b in (("train", "test"), ("train", "dev"), ("test", "dev"))
        ),
        "labels of test are in train",
        "labels of dev are in train",
    ]


def changed(tally: Tally, column: str, value: int, **where: str) -> Tally:
    chosen = pl.all_horizontal(pl.col(name) == wanted for name, wanted in where.items())
    first = chosen & (chosen.cum_sum() == 1)
    rows = tally.rows.with_columns(pl.when(first).then(pl.col(column) + value).otherwise(column).alias(column))
    return replace(tally, rows=rows)


def test_a_lost_row_is_told(plan: Plan) -> None:
    assert failed(plan, changed(written(plan), "rows", -1, split="dev")) == ["rows in = rows out", "size of dev"]


def test_a_moved_row_is_told(plan: Plan) -> None:
    moved = changed(changed(written(plan), "rows", -1, split="train"), "rows", 1, split="test")
    assert failed(plan, moved) == ["size of test", "size of train"]


def test_a_row_from_elsewhere_is_told(plan: Plan) -> None:
    assert failed(plan, changed(written(plan), "outside", 1, split="dev")) == ["dev is from target"]


@pytest.mark.parametrize(("one", "two"), [("train", "dev"), ("dev", "test"), ("test", "dev")])
@pytest.mark.parametrize("what", ["key", "group"])
def test_a_leak_is_told_whichever_way_it_was_counted(plan: Plan, what: str, one: str, two: str) -> None:
    leak = pl.DataFrame({"what": [what], "split": [one], "other": [two], "rows": [1]})
    names = failed(plan, replace(written(plan), leaks=leak))
    assert len(names) == 1
    assert names[0].startswith(f"no {what} in both")
    assert one in names[0]
    assert two in names[0]


def test_a_label_that_train_lacks_is_told_by_name(plan: Plan) -> None:
    strange = Tally.merge([written(plan), Tally.of_counts("dev", "app", {"<fox>": 1})])
    told = [finding.sentence for finding in promise_findings(judged(plan, strange))]
    assert (
        "train has no example of '<fox>', and dev has 1 row of it: a model cannot learn a label that it never sees."
        in told
    )
    assert "labels of test are in train" not in failed(plan, strange)


def test_without_labels_or_groups_their_checks_are_left_out(plan: Plan) -> None:
    names = [check.name for check in checks(plan, written(plan), None, has_groups=False)]
    assert names
    assert not [name for name in names if "group" in name or "label" in name]
