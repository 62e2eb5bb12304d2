"""An environment as the engine hands it to a policy pack: all resources, components and the stack itself included."""

import asyncio
import hashlib
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, cast

import pulumi
from google.protobuf import json_format
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs, Mocks
from pulumi.runtime.proto.resource_pb2 import RegisterResourceRequest, RegisterResourceResponse
from pulumi.runtime.stack import run_pulumi_func

from policies import normalise
from policies.facts import Facts
from policies.stack import Resource, Stack
from stacks.environment import PROJECT, ClusterTarget, Environment, load
from stacks.platform import declare
from stacks.render import Recorder
from stacks.settings_images import ImagesSettings, own_images
from tests.canaries import canary_dsn

ROOT = Path(__file__).parent.parent.parent
DAY = date(2026, 11, 25)


class Wire(Recorder):
    """Keeps all resources as an engine would get them and hand them on to a policy pack: components too."""

    def __init__(self) -> None:
        super().__init__()
        self.mocks = _Answers()
        self.sent: list[Resource] = []

    def RegisterResource(self, request: RegisterResourceRequest) -> RegisterResourceResponse:
        response = super().RegisterResource(request)
        declared = json_format.MessageToDict(request.object)
        self.sent.extend(normalise.resources(response.urn, request.type, request.name, declared, {}))
        return response


def resources(environment: Environment) -> tuple[Resource, ...]:
    """The resources of an environment, by URN."""
    return _declared(replace(environment, cluster=None))


@cache
def committed(stack: str) -> tuple[Resource, ...]:
    """Those of an environment of this repository, which are made once."""
    return resources(load(ROOT, stack))


@cache
def on_a_real_cluster(stack: str) -> tuple[Resource, ...]:
    """The same on a cluster that the file names: GitHub is told as well, and every image has a digest. No registry is
    asked: each digest is made up."""
    environment = load(ROOT, stack)
    named = [*own_images().values(), *environment.platform.product_images.values()]
    digests = {image: f"sha256:{hashlib.sha256(image.encode()).hexdigest()}" for image in named}
    images = ImagesSettings.model_validate({"pin": "none", "digests": digests})
    platform = environment.platform.model_copy(update={"images": images})
    return _declared(replace(environment, platform=platform, cluster=ClusterTarget("somewhere", None)))


def facts(stack: str, **more: object) -> Facts:
    """What is known of a preview of it on DAY."""
    return replace(Facts(stack, DAY), **more)  # type: ignore[arg-type]


class _Answers(Mocks):
    """Creates all as asked; knows everybody on GitHub."""

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        return {"id": "7"}, []

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        return args.name, cast(dict[str, Any], args.inputs)


def _declared(environment: Environment) -> tuple[Resource, ...]:
    wire = Wire()
    asyncio.run(_declare(environment, wire))
    return Stack(wire.sent).resources


async def _declare(environment: Environment, wire: Wire) -> None:
    pulumi.runtime.set_mocks(wire.mocks, project=PROJECT, stack=environment.stack, preview=False, monitor=wire)
    dsns = environment.platform.dsns
    names = {key: key.partition(":")[2] for key in (*environment.required_secrets, "github:token")}
    secrets = {key: canary_dsn(name) if name in dsns else f"canary-of-{name}" for key, name in names.items()}
    pulumi.runtime.set_all_config({**secrets, "github:owner": "acme"}, list(secrets))
    await run_pulumi_func(lambda: declare(environment))
