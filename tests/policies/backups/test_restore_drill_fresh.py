"""Rule restore-drill-fresh: what trips it, what comes close and must not."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from policies.evidence import Evidence
from policies.facts import Facts
from policies.model import Outcome
from policies.rules.backups.restore_drill_fresh import RULE
from tests.policies.backups import database
from tests.policies.builders import judged, resource

TODAY = date(2026, 11, 25)
DRILL = Evidence("restore-drill", "Cluster shop/main", "2026-11-20T03:12:00Z", True, "1500 rows", "drills.yaml", "0")


def after(days: int, **changes: object) -> Evidence:
    """A drill so many days before today."""
    return replace(DRILL, at=f"{TODAY - timedelta(days=days)}T03:12:00Z", **changes)


def verdict(*evidence: Evidence) -> tuple[Outcome, str]:
    return database.verdict(RULE, {}, facts=Facts("prod", TODAY, True, evidence=evidence))


@pytest.mark.parametrize("days", [0, 7, 90])
def test_a_drill_of_the_last_quarter_passes(days: int) -> None:
    assert verdict(after(days)) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        ([], "nothing shows that its backup was ever restored"),
        ([after(91)], "its last restore drill was 91 days ago, on 2026-08-26; 90 days are the most, 7 the goal"),
        ([after(3, passed=False)], "its last restore drill, 3 days ago, on 2026-11-22, failed"),
        # What went well before is no comfort.
        ([after(10), after(3, passed=False)], "failed"),
        ([after(-1)], "nothing shows"),
        ([after(1, kind="backup-copy")], "nothing shows"),
        ([after(1, subject="Cluster shop/other")], "nothing shows"),
    ],
)
def test_no_drill_or_an_old_or_failed_one_fails(evidence: list[Evidence], reason: str) -> None:
    outcome, reasons = verdict(*evidence)
    assert outcome is Outcome.FAIL
    assert reason in reasons


def test_a_drill_after_a_failed_one_passes() -> None:
    assert verdict(after(10, passed=False), after(3))[0] is Outcome.PASS


def test_a_job_that_would_do_it_proves_nothing() -> None:
    job = resource("CronJob", "restore-drill")
    facts = Facts("prod", TODAY, True, evidence=())
    assert judged(RULE, database.CLUSTER, job, facts=facts)["Cluster/main"].outcome is Outcome.FAIL


def test_a_deployment_is_not_asked_for_evidence() -> None:
    for facts in (None, Facts("prod", TODAY, deployed=True)):
        assert database.verdict(RULE, {}, facts=facts) == (
            Outcome.NOT_APPLICABLE,
            "dated evidence is judged by mainstay audit, not by a deployment",
        )


def test_without_a_day_nothing_is_fresh() -> None:
    assert database.verdict(RULE, {}, facts=Facts(evidence=()))[0] is Outcome.INCONCLUSIVE
    assert judged(RULE, database.STORE, database.BACKUP) == {}
