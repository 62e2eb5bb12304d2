"""An environment file is checked as a whole: each mistake gives one sentence that names file and key."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stacks import InvalidEnvironment
from stacks.environment import from_config, load
from stacks.yaml_file import read_yaml
from tests.conftest import ROOT, Config

Change = Callable[[Config], Any]

MISTAKES: dict[str, tuple[Change, str]] = {
    "unknown section": (
        lambda config: config.update({"mainstay:servces": {}}),
        "Pulumi.staging.yaml: mainstay:servces is not a key that Mainstay knows; did you mean services?",
    ),
    "unknown namespace": (
        lambda config: config.update({"mainsty:services": {}}),
        "Pulumi.staging.yaml: mainsty:services is not a key that Mainstay knows; did you mean mainstay:services?",
    ),
    "unknown key": (
        lambda config: config["mainstay:services"]["api"].update({"replica": 2}),
        "Pulumi.staging.yaml: mainstay:services.api.replica is not a key that Mainstay knows; did you mean replicas?",
    ),
    "unknown key deep down": (
        lambda config: config["mainstay:postgres"]["main"]["backup"].update({"retentions": "1d"}),
        "Pulumi.staging.yaml: mainstay:postgres.main.backup.retentions is not a key that Mainstay knows; "
        "did you mean retention?",
    ),
    "wrong type": (
        lambda config: config["mainstay:services"]["api"].update({"replicas": "two"}),
        "Pulumi.staging.yaml: mainstay:services.api.replicas must be a whole number, not 'two'.",
    ),
    "number in quotes": (
        lambda config: config["mainstay:services"]["api"].update({"port": "8000"}),
        "Pulumi.staging.yaml: mainstay:services.api.port must be a whole number, not '8000'.",
    ),
    "variable that is no text": (
        lambda config: config["mainstay:services"]["api"]["env"].update({"TICK": 5}),
        "Pulumi.staging.yaml: mainstay:services.api.env.TICK must be a text, not 5.",
    ),
    "section that is no mapping": (
        lambda config: config.update({"mainstay:services": ["api"]}),
        "Pulumi.staging.yaml: mainstay:services must be a mapping of keys to values, not a list.",
    ),
    "missing value": (
        lambda config: config["mainstay:services"]["api"].pop("image"),
        "Pulumi.staging.yaml: mainstay:services.api.image is required and missing.",
    ),
    "unknown database": (
        lambda config: config["mainstay:services"]["api"]["connections"].update({"DATABASE_URL": "postgres.mian"}),
        "Pulumi.staging.yaml: mainstay:services.api.connections.DATABASE_URL names 'postgres.mian', "
        "which is not declared; declared are: postgres.main, postgres.auth.",
    ),
    "connection of unknown kind": (
        lambda config: config["mainstay:services"]["api"]["connections"].update({"DATABASE_URL": "main"}),
        "Pulumi.staging.yaml: mainstay:services.api.connections.DATABASE_URL is 'main'; "
        "it must be postgres.<name>, redis.<name>, services.<name>, keycloak.issuer or keycloak.internal.",
    ),
    "one name twice": (
        lambda config: config["mainstay:workers"].update({"api": config["mainstay:workers"]["scheduler"]}),
        "Pulumi.staging.yaml: mainstay:workers.api and mainstay:services.api would both be called 'api' "
        "in Kubernetes; rename one.",
    ),
    "a service called like a database's objects": (
        lambda config: config["mainstay:services"].update(
            {"postgres-main": {**config["mainstay:services"]["web"], "hosts": [], "slos": {}}}
        ),
        "Pulumi.staging.yaml: mainstay:services.postgres-main and mainstay:postgres.main would both be called "
        "'postgres-main' in Kubernetes; rename one.",
    ),
    "name that Kubernetes refuses": (
        lambda config: config["mainstay:services"].update({"Api_2": config["mainstay:services"]["api"]}),
        "Pulumi.staging.yaml: mainstay:services.Api_2: 'Api_2' is not a name that Kubernetes takes: use 1 to 40 "
        "lower-case letters, digits and '-', a letter first and no '-' last.",
    ),
    "no replicas": (
        lambda config: config["mainstay:services"]["api"].update({"replicas": 0}),
        "Pulumi.staging.yaml: mainstay:services.api.replicas must be at least 1, not 0.",
    ),
    "limit below request": (
        lambda config: config["mainstay:services"]["api"]["resources"].update({"memoryLimit": "128Mi"}),
        "Pulumi.staging.yaml: mainstay:services.api.resources: memoryLimit 128Mi is below memory 256Mi: "
        "raise the limit or lower the request.",
    ),
    "no quantity": (
        lambda config: config["mainstay:services"]["api"]["resources"].update({"cpu": "100 millis"}),
        "Pulumi.staging.yaml: mainstay:services.api.resources.cpu: '100 millis' is not a Kubernetes quantity "
        "such as 250m, 2, 512Mi or 10Gi.",
    ),
    "image that moves": (
        lambda config: config["mainstay:services"]["api"].update({"image": "registry.example/shop/api:latest"}),
        "Pulumi.staging.yaml: mainstay:services.api.image: 'registry.example/shop/api:latest' must name a tag other "
        "than latest, or a digest: what runs must not change by itself.",
    ),
    "variable set twice": (
        lambda config: config["mainstay:services"]["api"]["env"].update({"SESSION_KEY": "x"}),
        "Pulumi.staging.yaml: mainstay:services.api: the variable SESSION_KEY is set twice, in env and in secretEnv: "
        "keep one.",
    ),
    "several of a singleton": (
        lambda config: config["mainstay:workers"]["scheduler"].update({"replicas": 2}),
        "Pulumi.staging.yaml: mainstay:workers.scheduler: singleton is true but replicas is 2: a singleton has 1.",
    ),
    "cron with five fields": (
        lambda config: config["mainstay:postgres"]["main"]["backup"].update({"schedule": "0 3 * * *"}),
        "Pulumi.staging.yaml: mainstay:postgres.main.backup.schedule: '0 3 * * *' is not a cron schedule of six "
        "fields, seconds first, such as '0 0 3 * * *' (daily at 03:00 UTC).",
    ),
    "no room for the append-only file": (
        lambda config: config["mainstay:redis"]["queue"].update({"storage": "300Mi"}),
        "Pulumi.staging.yaml: mainstay:redis.queue: storage 300Mi is less than twice memory 256Mi: "
        "rewriting the append-only file needs room for both copies.",
    ),
    "context that is empty": (
        lambda config: config.update({"kubernetes:context": ""}),
        "Pulumi.staging.yaml: kubernetes:context must be a text that is not empty.",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_gives_its_sentence(mistake: str, staging: Config) -> None:
    change, expected = MISTAKES[mistake]
    change(staging)
    with pytest.raises(InvalidEnvironment) as refused:
        from_config(staging, "staging")
    assert str(refused.value) == expected


def test_near_misses_are_accepted(staging: Config) -> None:
    api = staging["mainstay:services"]["api"]
    api["resources"] = {"cpu": 1, "memory": "1Gi", "memoryLimit": "1024Mi"}
    api["image"] = "registry.example:5000/shop/api@sha256:" + "0" * 64
    api["connections"]["ALSO_DATABASE_URL"] = "postgres.main"
    staging["mainstay:services"]["main"] = {**staging["mainstay:services"]["web"], "hosts": [], "slos": {}}
    staging["secrets:not-needed-any-more"] = {"secure": "v1:abc"}
    platform = from_config(staging, "staging").platform
    assert platform.services["api"].resources.cpu == "1"


def test_all_mistakes_are_told_at_once(staging: Config) -> None:
    staging["mainstay:services"]["api"]["replicas"] = 0
    staging["mainstay:workers"]["scheduler"].pop("image")
    with pytest.raises(InvalidEnvironment) as refused:
        from_config(staging, "staging")
    assert len(str(refused.value).splitlines()) == 2


def test_a_stack_without_a_file_is_named_with_those_there_are() -> None:
    with pytest.raises(InvalidEnvironment, match=r"no stack 'stagin'.*Stacks here: prod, staging\."):
        load(ROOT, "stagin")


def test_a_key_that_stands_twice_is_refused_with_its_line(tmp_path: Path) -> None:
    text = (ROOT / "Pulumi.staging.yaml").read_text()
    (tmp_path / "Pulumi.staging.yaml").write_text(text.replace("    web:\n", "    api:\n", 1))
    line = text[: text.index("    web:\n")].count("\n") + 1
    with pytest.raises(InvalidEnvironment, match=rf"Pulumi.staging.yaml, line {line}: the key 'api' stands twice"):
        load(tmp_path, "staging")


def test_text_that_is_not_yaml_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.staging.yaml").write_text("config:\n  a: [1\n  b: 2\n")
    with pytest.raises(InvalidEnvironment, match=r"Pulumi.staging.yaml: not valid YAML at line 3"):
        load(tmp_path, "staging")


def test_secrets_that_an_environment_needs_follow_from_what_it_declares(staging: Config) -> None:
    assert from_config(staging, "staging").required_secrets == (
        "secrets:alert-heartbeat-url",
        "secrets:alert-slack-url",
        "secrets:alert-smtp-password",
        "secrets:grafana-admin-password",
        "secrets:keycloak-admin-password",
        "secrets:keycloak-api-client-secret",
        "secrets:llm-api-key",
        "secrets:logs-access-key-id",
        "secrets:logs-secret-access-key",
        "secrets:postgres-auth-backup-access-key-id",
        "secrets:postgres-auth-backup-secret-access-key",
        "secrets:postgres-main-backup-access-key-id",
        "secrets:postgres-main-backup-secret-access-key",
        "secrets:redis-queue-password",
        "secrets:sentry-dsn",
        "secrets:session-key",
        "secrets:smtp-password",
        "secrets:traces-access-key-id",
        "secrets:traces-secret-access-key",
    )
    del staging["mainstay:postgres"]["main"]["backup"]
    del staging["mainstay:workers"]["email-worker"]
    del staging["mainstay:services"]["web"]["slos"]["reachable"]
    del staging["mainstay:status"]
    del staging["mainstay:observability"]
    assert from_config(staging, "staging").required_secrets == (
        "secrets:keycloak-admin-password",
        "secrets:keycloak-api-client-secret",
        "secrets:llm-api-key",
        "secrets:postgres-auth-backup-access-key-id",
        "secrets:postgres-auth-backup-secret-access-key",
        "secrets:redis-queue-password",
        "secrets:sentry-dsn",
        "secrets:session-key",
    )


def test_only_a_named_cluster_is_a_real_one(staging: Config) -> None:
    assert from_config(staging, "staging").cluster is None
    staging["kubernetes:context"] = "shop-staging"
    target = from_config(staging, "staging").cluster
    assert target is not None
    assert target.context == "shop-staging"


def test_production_differs_from_staging_by_values_alone() -> None:
    def keys(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                # What an environment does without is a value, too.
                key: None if key in ("advisory", "offsite") else keys(each)
                for key, each in value.items()  # pyright: ignore[reportUnknownVariableType]
            }
        return None

    staging, prod = (read_yaml(ROOT / f"Pulumi.{stack}.yaml")["config"] for stack in ("staging", "prod"))
    assert keys(staging) == keys(prod)
    assert staging != prod


def test_a_secret_in_plaintext_is_refused_without_being_repeated(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.staging.yaml"
    text = (ROOT / "Pulumi.staging.yaml").read_text()
    file.write_text(f"{text}\n  secrets:session-key: hunter2\n")
    with pytest.raises(InvalidEnvironment, match="secrets:session-key stands there in plaintext") as refused:
        load(tmp_path, "staging")
    assert "hunter2" not in str(refused.value)
    file.write_text(f"{text}\n  secrets:session-key: {{ secure: 'v1:abc' }}\n")
    load(tmp_path, "staging")
