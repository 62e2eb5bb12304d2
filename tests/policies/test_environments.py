"""The rules over the environments of this repository, rendered: they hold, and not because nothing was looked at."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from policies import normalise
from policies.evaluation import evaluate
from policies.model import Enforcement, Outcome, RuleResult, Stack
from policies.pack import RULES
from stacks.environment import Environment, load
from stacks.render import render

ROOT = Path(__file__).parent.parent.parent


def results(environment: Environment) -> dict[str, RuleResult]:
    objects: list[Any] = []
    for rendered in render(environment):
        version = rendered.manifest["apiVersion"]
        token = f"kubernetes:{version if '/' in version else 'core/' + version}:{rendered.kind}"
        urn = f"urn:pulumi:{environment.stack}::mainstay::{token}::{rendered.name}"
        objects.append(normalise.resource(urn, token, rendered.name, rendered.manifest, {}))
    return {result.id: result for result in evaluate(RULES, Stack(objects))}


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_the_environments_keep_the_mandatory_rules(stack: str) -> None:
    for result in results(load(ROOT, stack)).values():
        if result.enforcement is Enforcement.MANDATORY:
            assert result.count(Outcome.PASS) > 0
            for outcome in (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.ERROR):
                assert result.of(outcome) == ()


def test_a_database_without_a_backup_fails(
    staging: dict[str, Any], environment: Callable[[dict[str, Any]], Environment]
) -> None:
    del staging["mainstay:postgres"]["main"]["backup"]
    (finding,) = results(environment(staging))["stateful-has-backup"].of(Outcome.FAIL)
    assert finding.subject == "Cluster shop-staging/postgres-main"
    assert any("no ScheduledBackup" in reason for reason in finding.reasons)
    assert any("does not name barman-cloud.cloudnative-pg.io" in reason for reason in finding.reasons)


@pytest.mark.parametrize("fault", ["29d", "4w"])
def test_a_backup_that_is_not_kept_long_enough_fails(
    fault: str, staging: dict[str, Any], environment: Callable[[dict[str, Any]], Environment]
) -> None:
    staging["mainstay:postgres"]["main"]["backup"]["retention"] = fault
    (finding,) = results(environment(staging))["stateful-has-backup"].of(Outcome.FAIL)
    assert f"keeps backups for {fault} only" in finding.reasons[0]
