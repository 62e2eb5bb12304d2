"""The rules over the environments of this repository, declared: they hold, and not because nothing was looked at."""

from collections.abc import Callable
from typing import Any

import pytest

from policies.evaluation import evaluate
from policies.exemptions import load as load_register
from policies.model import Enforcement, Outcome, RuleResult
from policies.pack import RULES
from policies.stack import Stack
from stacks.environment import Environment, load
from tests.conftest import only
from tests.policies.declared import ROOT, committed, facts, resources

NOT_ON_THE_EMBEDDED_CLUSTER = {"branch-protection", "environment-protection", "required-checks"}
"""Rules about what is declared on real clusters only."""
WITH_EVIDENCE = {"restore-drill-fresh", "slo-reviewed"}
"""Rules that ask for dated evidence, which a preview is not given."""
WITHOUT_A_SUBJECT = {"staging": {"autoscaler-valid", "replicas-spread"}, "prod": {"autoscaler-valid"}}
"""Rules about what an environment has none of: autoscalers, replicas."""


def results(environment: Environment) -> dict[str, RuleResult]:
    return {result.id: result for result in evaluate(RULES, Stack(resources(environment), facts(environment.stack)))}


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_the_environments_keep_the_mandatory_rules(stack: str) -> None:
    weakened = load(ROOT, stack).platform.policies.advisory
    register = load_register()
    asked = Stack(committed(stack), facts(stack, register=register))
    for result in evaluate(RULES, asked, dict.fromkeys(weakened, Enforcement.ADVISORY)):
        if result.enforcement is Enforcement.MANDATORY:
            for outcome in (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.ERROR):
                assert result.of(outcome) == (), result.id
            unasked = NOT_ON_THE_EMBEDDED_CLUSTER | WITH_EVIDENCE | WITHOUT_A_SUBJECT[stack]
            if result.theme != "meta" and result.id not in unasked:
                assert result.count(Outcome.PASS) > 0, result.id
    assert stack != "prod" or not weakened


def test_a_database_without_a_backup_fails(
    staging: dict[str, Any], environment: Callable[[dict[str, Any]], Environment]
) -> None:
    del staging["mainstay:postgres"]["main"]["backup"]
    (finding,) = results(environment(only("postgres", staging)))["stateful-has-backup"].of(Outcome.FAIL)
    assert finding.subject == "Cluster shop-staging/postgres-main"
    assert any("no ScheduledBackup" in reason for reason in finding.reasons)
    assert any("does not name barman-cloud.cloudnative-pg.io" in reason for reason in finding.reasons)


@pytest.mark.parametrize("fault", ["29d", "4w"])
def test_a_backup_that_is_not_kept_long_enough_fails(
    fault: str, staging: dict[str, Any], environment: Callable[[dict[str, Any]], Environment]
) -> None:
    staging["mainstay:postgres"]["main"]["backup"]["retention"] = fault
    (finding,) = results(environment(only("postgres", staging)))["retention-30d"].of(Outcome.FAIL)
    assert f"backups are kept for {fault} only" in finding.reasons[0]


def test_a_service_that_promises_nothing_fails(
    staging: dict[str, Any], environment: Callable[[dict[str, Any]], Environment]
) -> None:
    del staging["mainstay:services"]["api"]["slos"], staging["mainstay:status"]
    findings = results(environment(staging))["service-has-slos"].of(Outcome.FAIL)
    assert [finding.reasons for finding in findings if finding.subject == "HttpService api"] == [
        ("it declares no SLO (slos)",)
    ]
