"""What one thing must know of another to reach it: where its pods are, and where its URL stands.

A connection is plain data, so that declaring `web -> api -> postgres` needs no order, and so that one
declaration gives the environment variable and both sides of the network policy.
"""

from typing import NotRequired, TypedDict, cast

import pulumi
import pulumi_kubernetes as kubernetes

PRIVATE_IPV4 = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10"]
PRIVATE_IPV6 = ["fc00::/7", "fe80::/10"]


class ValueSource(TypedDict, total=False):
    """Where a value stands: one of the two, in the words of a container's environment variable."""

    value: str
    """The value itself, where it is no secret."""
    value_from: kubernetes.core.v1.EnvVarSourceArgsDict
    """The Secret's key that holds it."""


class Connection(TypedDict):
    """How to reach one thing."""

    target: str
    """Kubernetes name of the thing, for the names of policies, e.g. `postgres-main`."""
    pod_labels: dict[str, str]
    """Labels of the pods that serve it."""
    port: int
    """TCP port of those pods."""
    url: ValueSource
    """Its URL."""
    password: NotRequired[pulumi.Input[str]]
    """The secret part of that URL, where Mainstay knows it: pods that read the URL restart when it changes."""


def from_secret(secret: str, key: str) -> ValueSource:
    """A value that is secret: a key of a Secret in the same namespace."""
    return {"value_from": {"secret_key_ref": {"name": secret, "key": key}}}


def variable(name: str, source: ValueSource) -> kubernetes.core.v1.EnvVarArgsDict:
    """The container's environment variable `name` with that value."""
    return cast(kubernetes.core.v1.EnvVarArgsDict, {"name": name, **source})


def ingress_at_target(
    name: str,
    namespace: pulumi.Input[str],
    consumer: str,
    consumer_labels: dict[str, str],
    connection: Connection,
    opts: pulumi.ResourceOptions,
) -> kubernetes.networking.v1.NetworkPolicy:
    """Opens the target's port to the consumer's pods; the consumer's own policy opens the way out."""
    return kubernetes.networking.v1.NetworkPolicy(
        name,
        metadata={"name": f"{consumer}-to-{connection['target']}", "namespace": namespace},
        spec={
            "pod_selector": {"match_labels": connection["pod_labels"]},
            "policy_types": ["Ingress"],
            "ingress": [
                {
                    "from_": [{"pod_selector": {"match_labels": consumer_labels}}],
                    "ports": [{"protocol": "TCP", "port": connection["port"]}],
                }
            ],
        },
        opts=opts,
    )


def egress_to(connection: Connection) -> kubernetes.networking.v1.NetworkPolicyEgressRuleArgsDict:
    """The way out from a consumer to one target."""
    return {
        "to": [{"pod_selector": {"match_labels": connection["pod_labels"]}}],
        "ports": [{"protocol": "TCP", "port": connection["port"]}],
    }


def egress_to_internet(ports: list[int]) -> kubernetes.networking.v1.NetworkPolicyEgressRuleArgsDict:
    """The way out to public addresses only: private and link-local ranges (cloud metadata) stay shut."""
    return {
        "to": [
            {"ip_block": {"cidr": "0.0.0.0/0", "except_": PRIVATE_IPV4}},
            {"ip_block": {"cidr": "::/0", "except_": PRIVATE_IPV6}},
        ],
        "ports": [{"protocol": "TCP", "port": port} for port in ports],
    }
