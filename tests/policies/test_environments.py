"""The rules over the environments of this repository, declared: they hold, and not because nothing was looked at."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pulumi
import pytest
from google.protobuf import json_format
from pulumi.runtime.proto.resource_pb2 import RegisterResourceRequest, RegisterResourceResponse
from pulumi.runtime.stack import run_pulumi_func

from policies import normalise
from policies.evaluation import evaluate
from policies.model import Enforcement, Outcome, Resource, RuleResult, Stack
from policies.pack import RULES
from stacks.environment import PROJECT, Environment, load
from stacks.platform import declare
from stacks.render import Recorder
from tests.conftest import ROOT, only


class Wire(Recorder):
    """Keeps all resources as an engine would get them and hand them on to a policy pack: components too."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Resource] = []

    def RegisterResource(self, request: RegisterResourceRequest) -> RegisterResourceResponse:
        response = super().RegisterResource(request)
        declared = json_format.MessageToDict(request.object)
        self.sent.append(normalise.resource(response.urn, request.type, request.name, declared, {}))
        return response


def results(environment: Environment) -> dict[str, RuleResult]:
    wire = Wire()
    asyncio.run(_declare(environment, wire))
    return {result.id: result for result in evaluate(RULES, Stack(wire.sent))}


async def _declare(environment: Environment, wire: Wire) -> None:
    pulumi.runtime.set_mocks(wire.mocks, project=PROJECT, stack=environment.stack, preview=False, monitor=wire)
    keys = environment.required_secrets
    pulumi.runtime.set_all_config(dict.fromkeys(keys, "a-secret"), list(keys))
    await run_pulumi_func(lambda: declare(replace(environment, cluster=None)))


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
    (finding,) = results(environment(only("postgres", staging)))["stateful-has-backup"].of(Outcome.FAIL)
    assert finding.subject == "Cluster shop-staging/postgres-main"
    assert any("no ScheduledBackup" in reason for reason in finding.reasons)
    assert any("does not name barman-cloud.cloudnative-pg.io" in reason for reason in finding.reasons)


@pytest.mark.parametrize("fault", ["29d", "4w"])
def test_a_backup_that_is_not_kept_long_enough_fails(
    fault: str, staging: dict[str, Any], environment: Callable[[dict[str, Any]], Environment]
) -> None:
    staging["mainstay:postgres"]["main"]["backup"]["retention"] = fault
    (finding,) = results(environment(only("postgres", staging)))["stateful-has-backup"].of(Outcome.FAIL)
    assert f"keeps backups for {fault} only" in finding.reasons[0]


def test_a_service_that_promises_nothing_fails(
    staging: dict[str, Any], environment: Callable[[dict[str, Any]], Environment]
) -> None:
    del staging["mainstay:services"]["api"]["slos"], staging["mainstay:status"]
    findings = results(environment(staging))["service-has-slos"].of(Outcome.FAIL)
    assert [finding.reasons for finding in findings if finding.subject == "HttpService api"] == [
        ("it declares no SLO (slos)",)
    ]
