"""Errors of every service and worker go to the environment's Sentry, unless it says otherwise for one of them."""

from typing import Any

import pytest

from stacks import InvalidEnvironment
from stacks.environment import from_config
from stacks.render import Manifest, render
from stacks.settings_sentry import dsn_fault, sentry_variables
from tests.conftest import Config

WORKLOADS = {"api", "web", "email-worker", "engine-worker", "scheduler"}


def env(manifests: list[Manifest], workload: str) -> dict[str, Any]:
    """Variables of a workload: a value, or the Secret that holds it."""
    (found,) = [each.manifest for each in manifests if (each.kind, each.name) == ("Deployment", workload)]
    variables = found["spec"]["template"]["spec"]["containers"][0]["env"]
    return {
        each["name"]: each["value"] if "value" in each else each["valueFrom"]["secretKeyRef"]["name"]
        for each in variables
    }


def to_the_internet(manifests: list[Manifest], workload: str) -> set[int]:
    """Ports that a workload may reach on public addresses."""
    (found,) = [each.manifest for each in manifests if (each.kind, each.name) == ("NetworkPolicy", workload)]
    rules = [rule for rule in found["spec"]["egress"] if any("ipBlock" in each for each in rule["to"])]
    return {port["port"] for rule in rules for port in rule["ports"]}


def test_each_gets_dsn_environment_and_release_and_a_way_there(staging: Config) -> None:
    staging["mainstay:sentry"] = {"port": 9000}
    manifests = render(from_config(staging, "staging"))
    for name in WORKLOADS:
        given = {key: value for key, value in env(manifests, name).items() if key.startswith("SENTRY_")}
        assert given == {
            "SENTRY_DSN": f"{name}-env",
            "SENTRY_ENVIRONMENT": "staging",
            "SENTRY_RELEASE": "1.4.2",
        }, name
        assert 9000 in to_the_internet(manifests, name), name
    assert to_the_internet(manifests, "api") == {443, 9000}
    assert to_the_internet(manifests, "scheduler") == {9000}


def test_without_the_section_nothing_is_given_and_no_way_opened(staging: Config) -> None:
    del staging["mainstay:sentry"]
    environment = from_config(staging, "staging")
    manifests = render(environment)
    assert "secrets:sentry-dsn" not in environment.required_secrets
    assert not any(key.startswith("SENTRY_") for name in WORKLOADS for key in env(manifests, name))
    assert to_the_internet(manifests, "scheduler") == set()


def test_what_a_workload_sets_itself_goes_before(staging: Config) -> None:
    staging["mainstay:services"]["web"] |= {
        "env": {"SENTRY_ENVIRONMENT": "beta"},
        "secretEnv": {"SENTRY_DSN": "web-dsn"},
    }
    environment = from_config(staging, "staging")
    assert {"secrets:sentry-dsn", "secrets:web-dsn"} <= set(environment.required_secrets)
    keys = environment.required_secrets
    manifests = render(environment, dict(zip(keys, keys, strict=True)))
    assert env(manifests, "web")["SENTRY_ENVIRONMENT"] == "beta"
    held = {each.name: each.manifest["stringData"] for each in manifests if each.kind == "Secret"}
    assert held["web-env"] == {"SENTRY_DSN": "secrets:web-dsn"}
    assert held["scheduler-env"] == {"SENTRY_DSN": "secrets:sentry-dsn"}
    assert 443 in to_the_internet(manifests, "web")


def test_a_dsn_that_nobody_uses_is_not_asked_for(staging: Config) -> None:
    staging["mainstay:services"] = {"web": staging["mainstay:services"]["web"] | {"secretEnv": {"SENTRY_DSN": "own"}}}
    del staging["mainstay:workers"], staging["mainstay:keycloak"], staging["mainstay:observability"]
    del staging["mainstay:status"], staging["mainstay:services"]["web"]["connections"]
    del staging["mainstay:services"]["web"]["slos"]["reachable"]
    assert from_config(staging, "staging").platform.dsns == {"own"}


def test_an_empty_dsn_turns_it_off_for_one(staging: Config) -> None:
    staging["mainstay:workers"]["scheduler"]["env"]["SENTRY_DSN"] = ""
    manifests = render(from_config(staging, "staging"))
    assert "SENTRY_RELEASE" not in env(manifests, "scheduler")
    assert to_the_internet(manifests, "scheduler") == set()
    assert to_the_internet(manifests, "web") == {443}


@pytest.mark.parametrize(("section", "dsn"), [("env", "hunter2"), ("connections", "services.api")])
def test_a_dsn_in_plaintext_is_refused_without_being_repeated(section: str, dsn: str, staging: Config) -> None:
    staging["mainstay:services"]["web"][section]["SENTRY_DSN"] = dsn
    with pytest.raises(InvalidEnvironment, match=r"services\.web: SENTRY_DSN is a secret: name one in secretEnv") as no:
        from_config(staging, "staging")
    assert "hunter2" not in str(no.value)


@pytest.mark.parametrize(
    ("image", "release"),
    [
        ("registry.example:5000/shop/api:1.4.2", "1.4.2"),
        (f"registry.example/shop/api:1.4.2@sha256:{'0' * 64}", "1.4.2"),
        (f"registry.example/shop/api@sha256:{'0' * 64}", f"sha256:{'0' * 64}"),
    ],
)
def test_the_release_is_the_images_tag(image: str, release: str) -> None:
    assert sentry_variables("prod", image)["SENTRY_RELEASE"] == release


@pytest.mark.parametrize(
    ("dsn", "fault"),
    [
        ("https://key@o1.ingest.sentry.example/42", None),
        ("https://key@sentry.example:443/behind/a/path/42", None),
        ("https://key@sentry.example:9000/42", "names a port other"),
        ("http://key@sentry.example:443/42", "is not like"),
        ("https://sentry.example/42", "is not like"),
        ("https://key@sentry.example/shop", "is not like"),
        ("https://key@sentry.example", "is not like"),
        ("key", "is not like"),
        ("", "is not like"),
        ("https://key@sentry.example:https/42", "is no address"),
    ],
)
def test_a_dsn_by_which_nothing_would_arrive_is_told(dsn: str, fault: str | None) -> None:
    found = dsn_fault(dsn, 443)
    assert found == fault or (fault and found and found.startswith(fault))
