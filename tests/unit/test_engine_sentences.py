"""Failures as sentences."""

from pathlib import Path

import pytest

from engine.command import Command, Completed
from engine.events import Recorder
from engine.sentences import cleaned, explain, failure
from engine.target import Target
from stacks.environment import ClusterTarget, Environment, NamespaceSettings, Platform

NAMESPACE = NamespaceSettings(name="shop", cpu="1", memory="1Gi", storage="1Gi", pods=1, protect=False)


@pytest.mark.parametrize(
    ("stderr", "said"),
    [
        (
            "error: getting stack configuration: get stack secrets manager: incorrect passphrase",
            "does not open Pulumi.prod.yaml: set PULUMI_CONFIG_PASSPHRASE",
        ),
        ("error: no stack named 'prod' found", "`pulumi stack init prod` makes it"),
        (
            "error: the stack is currently locked by 1 lock(s).\n"
            "  file:///x.json: created by ann@host (pid 17) at 2026-01-02T03:04:05Z",
            "ann on host (process 17) has been working on it since 2026-01-02T03:04:05Z",
        ),
        ("error: [409] Conflict: Another update is currently in progress.", "`pulumi cancel --stack prod`"),
        ("error: PULUMI_ACCESS_TOKEN must be set for login", "`pulumi login`"),
        ("some noise\nerror: the sky fell", "the sky fell"),
        ("", "--debug shows all"),
    ],
)
def test_what_the_cli_says_becomes_what_to_do(stderr: str, said: str) -> None:
    assert said in explain(stderr, _target(embedded=False))


def test_a_wrong_passphrase_of_the_embedded_state_says_how_to_start_anew() -> None:
    assert "start anew" in explain("error: incorrect passphrase", _target(embedded=True))


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Deployment x is invalid\nTraceback (most recent call last):\n  File ...", "Deployment x is invalid"),
        ("rpc error: code = Unknown desc = quota exceeded", "quota exceeded"),
        ("Unexpected <class 'ValueError'>: bad", "bad"),
    ],
)
def test_tracebacks_and_wrapping_are_dropped(message: str, expected: str) -> None:
    assert cleaned(message) == expected


def test_the_programs_own_sentence_goes_before_all_else() -> None:
    result = Recorder("up", "prod", lambda _: None).result("failed", None)
    completed = Completed(1, "", "error: update failed", False, "Pulumi.prod.yaml: One secret is missing")
    assert failure(result, completed, _target(embedded=False)) == "Pulumi.prod.yaml: One secret is missing"


def test_a_failed_resource_is_named_with_what_to_do() -> None:
    recorder = Recorder("up", "prod", lambda _: None)
    urn = "urn:pulumi:prod::mainstay::kubernetes:apps/v1:Deployment::api"
    inputs = {"kind": "Deployment", "metadata": {"name": "api", "namespace": "shop"}}
    metadata = {"op": "create", "urn": urn, "type": "kubernetes:apps/v1:Deployment", "new": {"inputs": inputs}}
    recorder.take({"resourcePreEvent": {"metadata": metadata}})
    recorder.take({"diagnosticEvent": {"severity": "error", "urn": urn, "message": "0 of 2 pods are ready."}})
    recorder.take({"diagnosticEvent": {"severity": "error", "message": "update failed\n"}})
    said = failure(recorder.result("failed", None), Completed(1, "", "", False, None), _target(embedded=False))
    assert said.startswith("Deployment shop/api: 0 of 2 pods are ready.\n")
    assert "`mainstay up prod` goes on from here" in said


def test_an_engine_that_was_killed_is_told() -> None:
    result = Recorder("up", "prod", lambda _: None).result("failed", None)
    assert "signal 9" in failure(result, Completed(-9, "", "", False, None), _target(embedded=True))


def _target(embedded: bool) -> Target:
    return Target(
        root=Path("/project"),
        environment=Environment("prod", Platform.model_validate({"namespace": NAMESPACE}), ClusterTarget("prod", None)),
        embedded=embedded,
        command=Command(Path("pulumi"), Path("/project"), {}),
        context="prod",
        kubeconfig=None,
        server="https://prod.example",
        simulated=(),
    )
