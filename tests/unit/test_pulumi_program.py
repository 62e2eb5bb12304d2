"""The program that the ordinary Pulumi CLI runs declares just what `mainstay render` shows.

Mocked: the engine. The language host that would start this program cannot be had from a package registry.
"""

import asyncio
import json
import runpy
import sys
from typing import Any

import pulumi
import pytest
from pulumi.runtime.stack import run_pulumi_func

from stacks.environment import from_config
from stacks.render import Recorder
from tests.conftest import ROOT, Config
from tests.renderings import rendering


def run_as_pulumi_does(config: Config, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """Runs the folder stacks/ as a program, with the config in the environment as the language host passes it on."""
    texts = {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in config.items()
        if not key.startswith("secrets:")
    }
    secrets = {key: value for key, value in config.items() if key.startswith("secrets:")}
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps(texts | secrets))
    monkeypatch.setenv("PULUMI_CONFIG_SECRET_KEYS", json.dumps(list(secrets)))
    monkeypatch.setattr(sys, "path", list(sys.path))
    recorder = Recorder()

    def program() -> None:
        runpy.run_path(str(ROOT / "stacks"), run_name="__main__")

    async def run() -> None:
        pulumi.runtime.set_mocks(recorder.mocks, "mainstay", "staging", preview=False, monitor=recorder)
        pulumi.runtime.set_all_config({}, [])
        await run_pulumi_func(program)

    asyncio.run(run())
    return recorder


def with_secrets(config: Config) -> Config:
    required = from_config(config, "staging").required_secrets
    return config | dict.fromkeys(required, "a-value") | {"secrets:sentry-dsn": "https://a-key@sentry.example/1"}


def test_the_program_declares_what_a_rendering_shows(staging: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    staging["kubernetes:context"] = "shop-staging"
    staging["mainstay:images"] = {"pin": "none"}  # no registry answers here
    del staging["mainstay:github"]  # nor does GitHub, which is not part of a rendering either

    def names(objects: Any) -> list[tuple[str, str]]:
        return sorted((each["kind"], each["metadata"]["name"]) for each in objects)

    recorder = run_as_pulumi_does(with_secrets(staging), monkeypatch)
    declared = [each.manifest for each in recorder.manifests(show_secrets=True)]
    assert names(declared) == names(each.manifest for each in rendering("staging"))


def test_a_stack_that_names_no_cluster_is_refused(staging: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(pulumi.RunError, match=r"Pulumi.staging.yaml: neither kubernetes:context nor"):
        run_as_pulumi_does(with_secrets(staging), monkeypatch)


def test_missing_secrets_are_named_all_at_once(staging: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    staging["kubernetes:context"] = "shop-staging"
    config = with_secrets(staging)
    del config["secrets:session-key"], config["secrets:smtp-password"]
    with pytest.raises(pulumi.RunError) as refused:
        run_as_pulumi_does(config, monkeypatch)
    assert str(refused.value).splitlines() == [
        "Pulumi.staging.yaml: 2 secrets are missing; set each, it will be asked for and encrypted:",
        "  pulumi config set --secret --stack staging secrets:session-key",
        "  pulumi config set --secret --stack staging secrets:smtp-password",
    ]


def test_a_dsn_that_no_pod_could_use_is_refused_without_being_repeated(
    staging: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    staging["kubernetes:context"] = "shop-staging"
    staging["mainstay:services"]["web"]["secretEnv"] = {"SENTRY_DSN": "web-dsn"}
    config = with_secrets(staging) | {"secrets:sentry-dsn": "https://a-key@sentry.example:9000/1"}
    with pytest.raises(pulumi.RunError) as refused:
        run_as_pulumi_does(config, monkeypatch)
    other, none = str(refused.value).splitlines()
    assert other.startswith("Pulumi.staging.yaml: secrets:sentry-dsn names a port other than mainstay:sentry.port")
    assert none.startswith("Pulumi.staging.yaml: secrets:web-dsn is not like https://<key>@<host>/<number")
    assert "a-key" not in other
    assert "a-value" not in none


def test_a_mistake_in_the_config_is_a_sentence_there_too(staging: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    staging["mainstay:services"]["api"]["replicas"] = 0
    with pytest.raises(pulumi.RunError, match=r"services.api.replicas must be at least 1, not 0\."):
        run_as_pulumi_does(staging, monkeypatch)
