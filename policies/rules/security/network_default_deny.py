"""Nothing reaches a pod, and no pod reaches anything, unless a policy says so; and no policy says so of everything."""

import ipaddress
from collections import defaultdict
from collections.abc import Callable
from functools import partial

from policies.model import Check, Rule, Severity, Theme, Verdict, each, verdict
from policies.operators import all_pods
from policies.stack import ROOT, Resource, Stack
from policies.values import Marker, Node, Undecided, any_of

_NAMESPACE = "core/Namespace"
_POLICY = "networking.k8s.io/NetworkPolicy"
_DIRECTIONS = ("Ingress", "Egress")
_WIDE = {4: 8, 6: 7}
"""Version of IP -> length of the widest private range: a block that is wider is the internet, or most of it."""


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    if resource.kind == _POLICY:
        spec = resource.root.at("spec")
        return verdict([*each(spec.at("ingress"), _ingress_faults), *each(spec.at("egress"), _egress_faults)])
    if resource.kind == _NAMESPACE:
        name = Node(resource.object_name, "metadata.name").text()
        if not name:
            raise Undecided("metadata.name is given by the cluster")
        if not any_of(stack.once(_inhabited), lambda inhabited: _is(inhabited, name)):
            return Verdict(not_applicable="no pod of this stack runs in it")
        return verdict(_denial_checks(name, "no NetworkPolicy", stack))
    return _of_other_namespaces(stack) if resource.kind == ROOT else None


def _of_other_namespaces(stack: Stack) -> Verdict:
    """Of namespaces that are used, but not declared here."""
    declared = {namespace.object_name for namespace in stack.of(_NAMESPACE)}
    others = [each for each in stack.once(_inhabited) if each not in declared]
    if not others:
        return Verdict(not_applicable="all its pods run in namespaces that it declares")
    nobody = "namespace {} is not declared here, and no NetworkPolicy"
    return verdict(check for name in others for check in _denial_checks(name, nobody.format(name), stack))


def _inhabited(stack: Stack) -> tuple[str | Marker, ...]:
    """Namespaces in which the stack runs pods, each once."""
    return tuple(dict.fromkeys(resource.namespace for resource in stack.resources if all_pods(resource)))


def _is(namespace: str | Marker, name: str) -> bool:
    return Node(namespace, "the namespace of some pods").known() == name


def _denial_checks(namespace: str | Marker, nobody: str, stack: Stack) -> list[Check]:
    return [partial(_denial_faults, namespace, direction, nobody, stack) for direction in _DIRECTIONS]


def _denial_faults(namespace: str | Marker, direction: str, nobody: str, stack: Stack) -> list[str]:
    name = Node(namespace, "the namespace of some pods").text()
    by_namespace = stack.once(_policies)
    policies = by_namespace[name] + [policy for marker in Marker for policy in by_namespace[marker]]
    if any_of(policies, lambda policy: _denies_all(policy, direction)):
        return []
    return [
        f"{nobody} denies {direction.lower()} to all its pods (empty podSelector, policyTypes {direction}, no rule)"
    ]


def _policies(stack: Stack) -> dict[str | Marker, list[Resource]]:
    """Network policies by namespace."""
    found: defaultdict[str | Marker, list[Resource]] = defaultdict(list)
    for policy in stack.of(_POLICY):
        found[policy.namespace].append(policy)
    return found


def _denies_all(policy: Resource, direction: str) -> bool:
    spec = policy.root.at("spec")
    needed: tuple[Callable[[], bool], ...] = (
        lambda: _is_empty(spec.at("podSelector")),
        lambda: _covers(spec, direction),
        lambda: not spec.at(direction.lower()).items(),
        lambda: bool(Node(policy.namespace, "metadata.namespace").text()),
    )
    return not any_of(needed, lambda holds: not holds())


def _covers(spec: Node, direction: str) -> bool:
    """Without policyTypes a policy without rules of egress is one of ingress alone."""
    types = [each.text() for each in spec.at("policyTypes").items()]
    return direction in types if types else direction == "Ingress"


def _is_empty(selector: Node) -> bool:
    return not selector.at("matchLabels").keys() and not selector.at("matchExpressions").items()


def _ingress_faults(rule: Node) -> list[str]:
    return [f"{rule.path} lets everybody in"] if _is_open(rule.at("from")) else []


def _egress_faults(rule: Node) -> list[str]:
    if not _is_open(rule.at("to")):
        return []
    ports = rule.at("ports").items()
    everywhere = not ports or any_of(ports, lambda port: not _is_named(port))
    return [f"{rule.path} lets out to everywhere, and not on named ports alone"] if everywhere else []


def _is_open(peers: Node) -> bool:
    """No peer at all is every peer."""
    found = peers.items()
    return not found or any_of(found, _is_everybody)


def _is_everybody(peer: Node) -> bool:
    """A block of addresses as wide as the internet, or the pods of all namespaces."""
    block = peer.at("ipBlock", "cidr").text()
    if block:
        try:
            network = ipaddress.ip_network(block, strict=False)
        except ValueError:
            return True
        return network.prefixlen < _WIDE[network.version]
    namespaces = peer.at("namespaceSelector")
    if namespaces.known() is None:
        return peer.at("podSelector").known() is None
    return _is_empty(namespaces) and _is_empty(peer.at("podSelector"))


def _is_named(port: Node) -> bool:
    return port.at("port").known() is not None and port.at("endPort").known() is None


RULE = Rule(
    id="network-default-deny",
    theme=Theme.SECURITY,
    title="Every namespace with pods denies all traffic in both directions, and no policy allows it to everybody",
    why=(
        "Kubernetes lets every pod talk to every other and to the internet. Whoever breaks into one reaches them all, "
        "and carries away what is found."
    ),
    applies_to="namespaces in which pods run; network policies",
    severity=Severity.HIGH,
    controls=(
        "CIS Kubernetes 1.9 5.3.2",
        "SOC 2 CC6.6",
        "ISO/IEC 27001:2022 8.20",
        "ISO/IEC 27001:2022 8.22",
        "NIST 800-53 r5 SC-7",
    ),
    remediation=(
        "Give the namespace a NetworkPolicy with podSelector: {}, policyTypes [Ingress, Egress] and no rule, and name "
        "in each other policy who may come in, and on which ports its pods may go out."
    ),
    judge=_judge,
)
