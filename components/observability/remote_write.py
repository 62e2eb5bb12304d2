"""Remote write: a copy of every sample goes to a server elsewhere, which keeps it longer or for several clusters."""

from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from components.labels import labels
from components.observability.monitors import PROMETHEUS

SECRET = f"{PROMETHEUS}-remote-write"
_USERNAME, _TOKEN = "username", "token"


class RemoteWriteArgs(TypedDict):
    """Where samples are copied to."""

    url: str
    """Address of the receiver, e.g. `https://metrics.example.com/api/v1/push`."""
    username: NotRequired[str]
    """User name. Default: none; then the token is sent as it is, as a bearer."""
    token: pulumi.Input[str]
    """Token, or the user's password; kept secret."""


def declare_remote_write(args: RemoteWriteArgs, namespace: str, parent: pulumi.Resource) -> kubernetes.core.v1.Secret:
    """Declares the Secret that Prometheus' `remoteWrite` names."""
    keys: dict[str, pulumi.Input[str]] = {_TOKEN: pulumi.Output.secret(args["token"])}
    if "username" in args:
        keys[_USERNAME] = args["username"]
    return kubernetes.core.v1.Secret(
        SECRET,
        metadata={"name": SECRET, "namespace": namespace, "labels": labels(PROMETHEUS, PROMETHEUS)},
        string_data=keys,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def remote_write(args: RemoteWriteArgs) -> dict[str, Any]:
    """An entry of the Prometheus resource's `remoteWrite`."""
    token = {"name": SECRET, "key": _TOKEN}
    if "username" in args:
        access: dict[str, Any] = {"basicAuth": {"username": {"name": SECRET, "key": _USERNAME}, "password": token}}
    else:
        access = {"authorization": {"credentials": token}}
    return {"name": "copy", "url": args["url"], "sendExemplars": True, **access}


def port(args: RemoteWriteArgs) -> int:
    """TCP port of the receiver."""
    number = args["url"].partition("://")[2].partition("/")[0].partition(":")[2]
    return int(number) if number else 443


def sealed(args: RemoteWriteArgs) -> RemoteWriteArgs:
    """The args, the token secret."""
    return {**args, "token": pulumi.Output.secret(args["token"])}
