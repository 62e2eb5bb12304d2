"""Rule slo-reviewed: a review that happened, went well, and is not too old."""

from dataclasses import replace
from datetime import date

import pytest

from policies.evidence import Evidence
from policies.facts import Facts
from policies.model import Outcome
from policies.rules.slo.slo_reviewed import RULE
from tests.policies.builders import judged, resource

REVIEW = Evidence("slo-report", "staging", "2026-11-03T09:00:00Z", True, "all met", "slo.yaml", "0" * 64)
ROOT = resource("Stack", "shop-staging", {})


def outcome(day: date, *evidence: Evidence) -> Outcome:
    (finding,) = judged(RULE, ROOT, resource("Service"), facts=Facts("staging", day, evidence=evidence)).values()
    return finding.outcome


@pytest.mark.parametrize(("day", "expected"), [(date(2026, 12, 8), Outcome.PASS), (date(2026, 12, 9), Outcome.FAIL)])
def test_a_review_counts_for_35_days(day: date, expected: Outcome) -> None:
    assert outcome(day, REVIEW) is expected


def test_the_latest_one_counts_and_must_have_gone_well() -> None:
    later = replace(REVIEW, at="2026-11-20T09:00:00Z", passed=False)
    assert outcome(date(2026, 11, 25), REVIEW, later) is Outcome.FAIL
    assert outcome(date(2026, 11, 19), REVIEW, later) is Outcome.PASS


@pytest.mark.parametrize("other", [replace(REVIEW, kind="restore-drill"), replace(REVIEW, subject="prod")])
def test_other_evidence_is_none(other: Evidence) -> None:
    assert outcome(date(2026, 11, 5), other) is Outcome.FAIL


def test_without_evidence_at_all_it_asks_nothing_and_without_a_day_it_cannot_decide() -> None:
    (finding,) = judged(RULE, ROOT, facts=Facts("staging", date(2026, 11, 5))).values()
    assert finding.outcome is Outcome.NOT_APPLICABLE
    (finding,) = judged(RULE, ROOT, facts=Facts("staging", None, evidence=(REVIEW,))).values()
    assert finding.outcome is Outcome.INCONCLUSIVE
