"""The rules over the environments of this repository, declared: they hold, and not because nothing was looked at."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from components.images import REDIS
from engine.target import ADVISORY_WHERE_EMBEDDED
from policies.evaluation import evaluate
from policies.evidence import Evidence
from policies.exemptions import load as load_register
from policies.model import Enforcement, Outcome, RuleResult
from policies.pack import RULES
from policies.rules.security import image_digest, secret_rotation_90d
from policies.stack import Stack
from stacks.environment import Environment, load
from stacks.settings_images import own_images
from tests.conftest import only
from tests.policies.declared import DAY, ROOT, committed, facts, resources

NOT_ON_THE_EMBEDDED_CLUSTER = {"branch-protection", "environment-protection", "image-digest", "required-checks"}
"""Rules about what is declared on real clusters only: there GitHub is told, and registries are asked for digests."""
WITH_EVIDENCE = {"restore-drill-fresh", "secret-rotation-90d", "slo-reviewed"}
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
    for result in evaluate(RULES, asked, dict.fromkeys([*weakened, *ADVISORY_WHERE_EMBEDDED], Enforcement.ADVISORY)):
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


def test_a_password_among_the_variables_fails_and_is_not_repeated(
    staging: dict[str, Any], environment: Callable[[dict[str, Any]], Environment]
) -> None:
    staging["mainstay:services"]["api"]["env"]["LEGACY_PASSWORD"] = "hunter2"
    (finding,) = results(environment(staging))["no-plaintext-secret"].of(Outcome.FAIL)
    assert finding.subject == "Deployment shop-staging/api"
    clause = "container api: variable LEGACY_PASSWORD is a literal value, and by its name a secret"
    assert finding.reasons == (clause,)


def test_with_a_digest_for_every_image_production_keeps_the_rule_that_the_embedded_cluster_cannot() -> None:
    committed_prod = load(ROOT, "prod")
    named = {
        *own_images().values(),
        *(each.image for each in committed_prod.platform.services.values()),
        *(each.image for each in committed_prod.platform.workers.values()),
    }
    digests = {image: f"sha256:{hashlib.sha256(image.encode()).hexdigest()}" for image in named}
    images = committed_prod.platform.images.model_copy(update={"digests": digests})
    pinned = replace(committed_prod, platform=committed_prod.platform.model_copy(update={"images": images}))
    (result,) = evaluate([image_digest.RULE], Stack(resources(pinned), facts("prod")))
    assert result.evaluated == result.count(Outcome.PASS) > 15
    del digests[REDIS]
    (result,) = evaluate([image_digest.RULE], Stack(resources(pinned), facts("prod")))
    assert [finding.subject for finding in result.of(Outcome.FAIL)] == ["StatefulSet shop-prod/redis-queue"]


def test_production_keeps_the_rotation_of_its_secrets_on_record() -> None:
    secrets = [each for each in committed("prod") if each.kind == "core/Secret"]
    fresh = tuple(
        Evidence("secret-rotation", each.subject, f"{DAY}T08:00:00Z", True, "rotated", "rotations.yaml", "0" * 64)
        for each in secrets
    )
    (result,) = evaluate([secret_rotation_90d.RULE], Stack(committed("prod"), facts("prod", evidence=fresh)))
    assert {finding.subject for finding in result.of(Outcome.NOT_APPLICABLE)} == {
        "Secret shop-prod/alertmanager",
        "Secret shop-prod/prometheus-scrape",
    }
    assert result.count(Outcome.PASS) == len(secrets) - 2
    (result,) = evaluate([secret_rotation_90d.RULE], Stack(committed("prod"), facts("prod", evidence=())))
    assert result.count(Outcome.FAIL) == len(secrets) - 2
