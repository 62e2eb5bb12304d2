"""No secret leaves in the clear: each has a value of its own, which is looked for in all that is told and sent."""

import asyncio
import base64
import json
from dataclasses import dataclass, replace
from typing import Any, cast

import pulumi
import pytest
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs, Mocks
from pulumi.runtime.proto.resource_pb2 import (
    RegisterResourceOutputsRequest,
    RegisterResourceRequest,
    RegisterResourceResponse,
)
from pulumi.runtime.stack import run_pulumi_func

from engine import events, review
from stacks.environment import PROJECT, ClusterTarget, Environment
from stacks.platform import declare
from stacks.render import Recorder
from stacks.settings_images import ImagesSettings
from tests import conftest
from tests.canaries import WRITERS, canary, canary_dsn, told
from tests.conftest import COPIED

TOKEN = "token-of-github"


class Answers(Mocks):
    """Creates all as asked; knows GitHub's people and teams."""

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        return {"id": "7"}, []

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        return args.name, cast(dict[str, Any], args.inputs)


class Wire(Recorder):
    """Keeps all that an engine would get: inputs and outputs, of components and of the stack too."""

    def __init__(self) -> None:
        super().__init__()
        self.mocks = Answers()
        self.sent: dict[str, PropertyValue] = {}

    def RegisterResource(self, request: RegisterResourceRequest) -> RegisterResourceResponse:
        self.sent[f"{request.type} {request.name}"] = PropertyValue(PropertyValue.unmarshal_map(request.object))
        return super().RegisterResource(request)

    def RegisterResourceOutputs(self, request: RegisterResourceOutputsRequest) -> Any:
        self.sent[f"outputs of {request.urn}"] = PropertyValue(PropertyValue.unmarshal_map(request.outputs))
        return cast(Any, super()).RegisterResourceOutputs(request)


@dataclass(frozen=True)
class Declared:
    """An environment on a real cluster, so with GitHub, declared with canaries."""

    wire: Wire
    secrets: set[str]
    """Names of what it needs."""


@pytest.fixture(scope="module", params=["staging", "prod", COPIED])
def declared(request: pytest.FixtureRequest) -> Declared:
    environment = conftest.declared(request.param)
    # A real cluster would have a registry asked for each image.
    images = ImagesSettings.model_validate({"pin": "none"})
    platform = environment.platform.model_copy(update={"images": images})
    environment = replace(environment, platform=platform, cluster=ClusterTarget("somewhere", None))
    wire = Wire()
    asyncio.run(_declare(environment, wire))
    return Declared(wire, {key.partition(":")[2] for key in environment.required_secrets})


async def _declare(environment: Environment, wire: Wire) -> None:
    pulumi.runtime.set_mocks(wire.mocks, project=PROJECT, stack=environment.stack, preview=False, monitor=wire)
    names = {key: key.partition(":")[2] for key in environment.required_secrets}
    dsns = environment.platform.dsns
    values = {key: canary_dsn(name) if name in dsns else canary(name) for key, name in names.items()}
    token = {"github:owner": "acme", "github:token": canary(TOKEN)}
    pulumi.runtime.set_all_config({**values, **token}, [*values, "github:token"])
    await run_pulumi_func(lambda: declare(environment))


def test_every_secret_reaches_the_engine_and_only_marked_as_secret(declared: Declared) -> None:
    everything = {where: _text(value, hidden=False) for where, value in declared.wire.sent.items()}
    assert told("".join(everything.values()), declared.secrets) == declared.secrets
    shown = {where: _text(value, hidden=True) for where, value in declared.wire.sent.items()}
    assert {where: found for where, text in shown.items() if (found := told(text, declared.secrets))} == {}


def test_what_github_is_given_is_among_it(declared: Declared) -> None:
    sent = [_text(value, hidden=False) for where, value in declared.wire.sent.items() if "ActionsEnv" in where]
    assert told("".join(sent), declared.secrets) == {"llm-api-key"}


def test_the_dsn_reaches_every_service_and_worker_through_its_secret(declared: Declared) -> None:
    holding = [
        each.name
        for each in declared.wire.manifests(show_secrets=True)
        if told(json.dumps(each.manifest), declared.secrets) >= {"sentry-dsn"}
    ]
    assert sorted(holding) == [f"{name}-env" for name in ("api", "email-worker", "engine-worker", "scheduler", "web")]


def test_the_token_of_github_is_sent_nowhere(declared: Declared) -> None:
    everything = "".join(_text(value, hidden=False) for value in declared.wire.sent.values())
    assert told(everything, {TOKEN, *declared.secrets}) == declared.secrets


def test_a_rendering_holds_none_and_with_secrets_they_stand_in_secrets_alone(declared: Declared) -> None:
    hidden = json.dumps([each.manifest for each in declared.wire.manifests(show_secrets=False)])
    assert told(hidden, declared.secrets) == set()
    for each in declared.wire.manifests(show_secrets=True):
        if each.kind != "Secret":
            assert told(json.dumps(each.manifest), declared.secrets) == set(), f"{each.kind}/{each.name}"


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("op", ["create", "update", "refresh", "delete"])
def test_no_preview_tells_one_though_the_engine_may(form: str, op: str, declared: Declared) -> None:
    """A value that was read back from the cluster carries no mark, and the SDK's debug messages hold inputs."""
    recorder = events.Recorder("preview", "staging", lambda progress: None)
    for each in declared.wire.manifests(show_secrets=True):
        if each.kind == "Secret":
            recorder.take(_event(op, each.manifest))
            message = f"Unmarshalling {each.manifest['stringData']}"
            recorder.take({"diagnosticEvent": {"severity": "debug", "message": message, "urn": ""}})
    result = recorder.result("succeeded", None)
    assert result.steps or result.drift
    text = WRITERS[form](review.of(result, "somewhere"))
    assert "api-env" in text
    assert told(text, declared.secrets) == set()


def _event(op: str, secret: dict[str, Any]) -> dict[str, Any]:
    """What the engine sends of a Secret that it makes, changes, finds changed or deletes; nothing in it marked."""
    live = {key: base64.b64encode(str(value).encode()).decode() for key, value in secret["stringData"].items()}
    name = secret["metadata"]["name"]
    before = {"inputs": secret, "outputs": {**secret, "data": live}, "custom": True, "parent": ""}
    after = {**before, "outputs": {**secret, "data": dict.fromkeys(live, canary("changed-by-others"))}}
    metadata = {
        "op": op,
        "urn": f"urn:pulumi:staging::{PROJECT}::kubernetes:core/v1:Secret::{name}",
        "type": "kubernetes:core/v1:Secret",
        "old": None if op == "create" else before,
        "new": None if op == "delete" else after,
        "detailedDiff": {f"{field}.{key}": {"diffKind": "update"} for field in ("stringData", "data") for key in live},
        "logical": True,
    }
    kind = "resOutputsEvent" if op == "refresh" else "resourcePreEvent"
    return {kind: {"metadata": metadata, "planning": True}}


def _text(value: PropertyValue, hidden: bool) -> str:
    """All texts in a value, a line each; of secrets only with `hidden` false."""
    content = value.value
    if hidden and value.is_secret:
        return ""
    if isinstance(content, str):
        return content
    if hasattr(content, "items"):
        entries = cast(dict[str, PropertyValue], content)
        return "\n".join(f"{key}\n{_text(each, hidden)}" for key, each in entries.items())
    if isinstance(content, list | tuple):
        return "\n".join(_text(each, hidden) for each in cast(list[PropertyValue], content))
    return ""
