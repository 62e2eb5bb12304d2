"""A database outlives any one of its servers, and commits while one is away."""

from functools import partial

from policies.databases import CLUSTER
from policies.model import Rule, Severity, Theme, Verdict, verdict
from policies.stack import Resource, Stack
from policies.values import Node

LEAST_INSTANCES = 3
"""With two, a commit that must be on two waits as soon as one is away."""

_KEYS = ("kubernetes.io/hostname", "topology.kubernetes.io/zone")


def _judge(resource: Resource, _stack: Stack) -> Verdict | None:
    if resource.kind != CLUSTER:
        return None
    spec = resource.root.at("spec")
    return verdict([partial(_instance_faults, spec.at("instances")), partial(_affinity_faults, spec.at("affinity"))])


def _instance_faults(instances: Node) -> list[str]:
    # The operator's default is one.
    count = instances.number() or 1
    return [] if count >= LEAST_INSTANCES else [f"{instances.path} is {count:g}, and {LEAST_INSTANCES} are the fewest"]


def _affinity_faults(affinity: Node) -> list[str]:
    if affinity.at("enablePodAntiAffinity").known() is False:
        return [f"{affinity.path}.enablePodAntiAffinity is false, so that one node may run all instances"]
    if affinity.at("podAntiAffinityType").text() != "required":
        return [f"{affinity.path}.podAntiAffinityType is not required, so that one node may run all instances"]
    key = affinity.at("topologyKey").text() or _KEYS[0]
    return [] if key in _KEYS else [f"{affinity.path}.topologyKey is {key}, which all instances may share"]


RULE = Rule(
    id="database-replicated",
    theme=Theme.HEALTH,
    title="A database has three instances or more, no two of them on one node",
    why=(
        "The only instance is away whenever its node is. Instances that share a node are lost together, and with two, "
        "commits wait as soon as one is away."
    ),
    applies_to="CloudNativePG clusters",
    severity=Severity.HIGH,
    controls=("SOC 2 A1.2", "ISO/IEC 27001:2022 8.14", "NIST 800-53 r5 CP-10", "NIST 800-53 r5 SI-13"),
    remediation="Set instances to 3 and affinity.podAntiAffinityType to required.",
    judge=_judge,
)
