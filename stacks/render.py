"""The manifests an environment would send, made in this process: no engine, no cluster, no network.

Pulumi's own mock monitor takes the place of the engine; it hands over each resource as the engine would get it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import pulumi
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.proto.resource_pb2 import RegisterResourceRequest, RegisterResourceResponse
from pulumi.runtime.stack import run_pulumi_func

from stacks.environment import PROJECT, Environment
from stacks.platform import declare

SECRET_MARKER = "«secret»"  # noqa: S105
"""Stands for a secret value in what is rendered."""

_FIRST = ("Namespace", "ResourceQuota", "LimitRange", "NetworkPolicy", "ServiceAccount", "Secret", "ConfigMap")
_LAST = ("Service", "PodDisruptionBudget", "StatefulSet", "Deployment")


@dataclass(frozen=True)
class Manifest:
    """One Kubernetes object as it would be applied."""

    manifest: dict[str, Any]
    """The object: apiVersion, kind, metadata, spec …"""

    @property
    def kind(self) -> str:
        """E.g. `Deployment`."""
        return self.manifest["kind"]

    @property
    def name(self) -> str:
        """Name in Kubernetes."""
        return self.manifest["metadata"]["name"]

    @property
    def namespace(self) -> str | None:
        """Namespace, or None for a cluster-wide object."""
        return self.manifest["metadata"].get("namespace")


def render(environment: Environment, secrets: Mapping[str, str] | None = None) -> list[Manifest]:
    """All Kubernetes objects of the environment, in an order in which they can be applied, the same each time.

    `secrets`: the value of each of `environment.required_secrets`, to be shown; without it a marker stands for
    every value that is secret.
    """
    monitor = Recorder()
    asyncio.run(_declare(environment, monitor, secrets))
    return monitor.manifests(show_secrets=bool(secrets))


async def _declare(environment: Environment, monitor: MockMonitor, secrets: Mapping[str, str] | None) -> None:
    # All of it within one event loop: the SDK binds the stack's own outputs to the loop of `set_mocks`.
    pulumi.runtime.set_mocks(monitor.mocks, project=PROJECT, stack=environment.stack, preview=False, monitor=monitor)
    keys = environment.required_secrets
    pulumi.runtime.set_all_config({key: secrets[key] if secrets else SECRET_MARKER for key in keys}, list(keys))
    await run_pulumi_func(lambda: declare(replace(environment, cluster=None)))


class _Echo(Mocks):
    """Answers every registration as if the resource had been created just as asked."""

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        raise RuntimeError(f"{args.token} was called: a rendering looks nothing up")

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        return args.name, cast(dict[str, Any], args.inputs)


class Recorder(MockMonitor):
    """Keeps each Kubernetes resource's inputs as they come over the wire, where every secret is marked by itself."""

    def __init__(self) -> None:
        super().__init__(_Echo())
        self.objects: list[dict[str, PropertyValue]] = []

    def RegisterResource(self, request: RegisterResourceRequest) -> RegisterResourceResponse:
        if request.type.startswith("kubernetes:"):
            self.objects.append(PropertyValue.unmarshal_map(request.object))
        return super().RegisterResource(request)  # pyright: ignore[reportUnknownMemberType]

    def manifests(self, show_secrets: bool) -> list[Manifest]:
        """The objects recorded so far, in the order in which they can be applied."""
        objects = [cast(dict[str, Any], _plain(PropertyValue(each), show_secrets)) for each in self.objects]
        return sorted((Manifest(each) for each in objects), key=_apply_order)


def _plain(value: PropertyValue, show_secrets: bool, secret: bool = False) -> Any:
    """The value as plain Python, whole numbers as int, keys in the order people know.

    What is secret becomes the marker, leaf by leaf: a Secret's keys stay, so that references to them can be checked.
    """
    secret = secret or value.is_secret
    content = value.value
    if isinstance(content, Mapping):
        keys = sorted((key for key, each in content.items() if each.value is not None), key=_key_order)
        return {key: _plain(content[key], show_secrets, secret) for key in keys}
    if isinstance(content, Sequence) and not isinstance(content, str):
        return [_plain(each, show_secrets, secret) for each in content]
    if secret and not show_secrets:
        return SECRET_MARKER
    if isinstance(content, float) and content.is_integer():
        return int(content)
    return content


def _key_order(key: str) -> tuple[int, str]:
    """The order people know: apiVersion, kind, metadata (name first); all else by the alphabet."""
    first = ("apiVersion", "kind", "name", "namespace", "metadata")
    return (first.index(key), "") if key in first else (len(first), key)


def _apply_order(manifest: Manifest) -> tuple[int, str, str, str]:
    if manifest.kind in _FIRST:
        rank = _FIRST.index(manifest.kind)
    elif manifest.kind in _LAST:
        rank = 100 + _LAST.index(manifest.kind)
    else:
        rank = 50
    return rank, manifest.kind, manifest.namespace or "", manifest.name
