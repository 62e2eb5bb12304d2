"""Replicas do not share one fate: they are kept apart, on different nodes or in different zones."""

from collections.abc import Callable, Iterator
from functools import partial

from policies.label_selectors import matches
from policies.model import Rule, Severity, Theme, Verdict
from policies.pods import DAEMON_SET
from policies.replicas import CLUSTER, Replicas, replicas
from policies.stack import Resource, Stack
from policies.values import Node, Undecided

_NOT_A_PLACE = ("", "kubernetes.io/os", "kubernetes.io/arch", "node.kubernetes.io/instance-type")
"""Topology keys that all nodes may share."""
_TERMS = (
    ("requiredDuringSchedulingIgnoredDuringExecution",),
    ("preferredDuringSchedulingIgnoredDuringExecution", "podAffinityTerm"),
)


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    if resource.kind == DAEMON_SET:
        return Verdict(not_applicable="a DaemonSet has one pod on each node")
    pods = replicas(resource)
    if pods is None:
        return None
    _, most = pods.bounds(stack)
    if most <= 1:
        return Verdict(not_applicable="it has one pod at the most")
    undecided: Undecided | None = None
    for keeps_apart in _ways(pods, most):
        try:
            if keeps_apart():
                return Verdict()
        except Undecided as reason:
            undecided = undecided or reason
    if undecided:
        raise undecided
    return Verdict((f"nothing keeps its {most} pods apart: no constraint and no anti-affinity picks their own labels",))


def _ways(pods: Replicas, most: int) -> Iterator[Callable[[], bool]]:
    affinity, terms = pods.spec.at("affinity"), "podAntiAffinity"
    if pods.resource.kind == CLUSTER:
        terms = "additionalPodAntiAffinity"
        yield partial(_operator_does, affinity)
    for constraint in pods.spec.at("topologySpreadConstraints").elements():
        yield partial(_constraint_does, pods, most, constraint)
    for key, *path in _TERMS:
        for entry in affinity.at(terms, key).elements():
            yield partial(_term_does, pods, entry.at(*path))


def _operator_does(affinity: Node) -> bool:
    """CloudNativePG keeps instances on different nodes unless it is told otherwise."""
    if affinity.at("enablePodAntiAffinity").known() is False:
        return False
    return affinity.at("topologyKey").known() is None or _is_place(affinity)


def _constraint_does(pods: Replicas, most: int, constraint: Node) -> bool:
    skew = constraint.at("maxSkew").number()
    # As many more in one place as there are pods is all of them.
    real = _is_place(constraint) and (skew is None or skew < most)
    return real and matches(constraint.at("labelSelector"), pods.labels)


def _term_does(pods: Replicas, term: Node) -> bool:
    real = _is_place(term) and _looks_at_own_namespace(term, pods)
    return real and matches(term.at("labelSelector"), pods.labels)


def _is_place(term: Node) -> bool:
    return term.at("topologyKey").text() not in _NOT_A_PLACE


def _looks_at_own_namespace(term: Node, pods: Replicas) -> bool:
    """Without namespaces a term looks at the pod's own; an empty selector means all of them."""
    selector, names = term.at("namespaceSelector"), term.at("namespaces").items()
    if selector.known() is not None:
        if selector.keys():
            raise Undecided(f"which namespaces {selector.path} selects is not known to this rule")
        return True
    own = Node(pods.resource.namespace, "metadata.namespace").text()
    return not names or any(name.text() == own for name in names)


RULE = Rule(
    id="replicas-spread",
    theme=Theme.HEALTH,
    title="Replicas are kept apart, on different nodes or in different zones",
    why="Replicas that stand on one node are lost with it, all at once: they cost as much as a spare and are none.",
    applies_to="workloads and operators' resources with more than one replica",
    severity=Severity.MEDIUM,
    controls=("SOC 2 A1.2", "ISO/IEC 27001:2022 8.14", "NIST 800-53 r5 CP-10", "NIST 800-53 r5 SI-13"),
    remediation="Give the pods topologySpreadConstraints or podAntiAffinity with a labelSelector that picks them.",
    judge=_judge,
)
