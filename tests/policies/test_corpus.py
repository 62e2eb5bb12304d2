"""Production as it really is, with one thing broken at a time: the expected rule tells, and no other does."""

from functools import cache

import pytest

from policies.evaluation import evaluate
from policies.model import Outcome
from policies.pack import RULES
from policies.stack import Resource, Stack
from tests.policies.declared import facts, on_a_real_cluster
from tests.policies.defects import DEFECTS, Defect, broken


@cache
def good() -> tuple[Resource, ...]:
    return on_a_real_cluster("prod")


def wrong(resources: tuple[Resource, ...] | list[Resource]) -> dict[str, list[str]]:
    """Rule -> what it complains of, or leaves open."""
    return {
        result.id: [f"{each.subject}: {'; '.join(each.reasons)}" for each in found]
        for result in evaluate(RULES, Stack(resources, facts("prod")))
        if (found := [*result.of(Outcome.FAIL), *result.of(Outcome.ERROR), *result.of(Outcome.INCONCLUSIVE)])
    }


def test_what_is_good_has_no_defect() -> None:
    assert wrong(good()) == {}


def test_there_are_enough_of_them_for_every_rule_that_can_be_broken_here() -> None:
    assert len(DEFECTS) >= 60
    assert len({each.what for each in DEFECTS}) == len(DEFECTS)
    assert {each.rule for each in DEFECTS} >= {rule.id for rule in RULES} - NEEDS_EVIDENCE


NEEDS_EVIDENCE = {
    *("restore-drill-fresh", "secret-rotation-90d", "slo-reviewed"),
    *("exemption-valid", "no-inconclusive-on-deployed"),
}
"""Rules about evidence, the register and other rules, which no declaration breaks."""


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda each: f"{each.rule}: {each.what}")
def test_a_defect_is_told_by_its_rule_alone(defect: Defect) -> None:
    assert [*wrong(broken(good(), defect.break_it))] == [defect.rule]
