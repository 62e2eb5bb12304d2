"""The rules about GitHub over what the environments declare where it is told: on clusters that their files name."""

import pytest

from policies.evaluation import evaluate
from policies.model import Outcome, RuleResult
from policies.rules.delivery import RULES
from policies.stack import Stack
from tests.policies.declared import facts, on_a_real_cluster


def results(stack: str) -> dict[str, RuleResult]:
    return {each.id: each for each in evaluate(RULES, Stack(on_a_real_cluster(stack), facts(stack)))}


def test_production_keeps_all_of_them() -> None:
    for result in results("prod").values():
        assert [finding.outcome for finding in result.findings] == [Outcome.PASS], result.id


@pytest.mark.parametrize(
    ("rule", "reasons"),
    [
        ("branch-protection", ("branch develop of shop changes without an approval",)),
        ("environment-protection", ("nobody must approve a deployment (reviewers)",)),
        ("required-checks", ()),
    ],
)
def test_staging_deploys_without_approvals_and_nothing_else_is_open(rule: str, reasons: tuple[str, ...]) -> None:
    (finding,) = results("staging")[rule].findings
    assert finding.reasons == reasons
