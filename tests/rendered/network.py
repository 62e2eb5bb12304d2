"""Who may open connections to whom, by the network policies alone; compared from both sides."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from stacks.environment import Environment
from tests.rendered.addresses import Call, calls
from tests.rendered.index import Index, Object, Pods, Port, matches, title
from tests.rendered.operators import GATEWAY_NAMESPACE

_SIDES = {"egress": "to", "ingress": "from"}


def faults_of_network(index: Index, environment: Environment) -> Iterator[str]:
    """A sentence for each connection that one side alone allows, or that is needed and neither allows."""
    for source in index.pods:
        for target in index.pods:
            if source.namespace != target.namespace:
                continue  # what another namespace lets in is not declared here
            out, into = _open(index, source, "egress", target), _open(index, target, "ingress", source)
            for port in sorted(out - into):
                yield f"{source.title} may go out to {target.title} port {port}, which does not let it in"
            for port in sorted(into - out):
                yield f"{target.title} port {port} lets in {source.title}, which may not go out to it"
            for port in sorted(out & into):
                if not any(port == str(each) for each in target.ports):
                    yield f"{source.title} refers to {target.title} port {port}, which is not declared"
    for source, target, port in {
        (c.source.title, c.target.title, c.port): c for c in _needed(index, environment)
    }.values():
        allowed = _open(index, source, "egress", target) | _open(index, target, "ingress", source)
        if source.title != target.title and str(port) not in allowed:
            yield f"{source.title} calls {target.title} port {port}, which no network policy allows"
    yield from _faults_of_the_way_in(index)


def _needed(index: Index, environment: Environment) -> Iterator[Call]:
    yield from calls(index)
    platform = environment.platform
    for name, workload in (*platform.services.items(), *platform.workers.items()):
        for connection in workload.connections.values():
            target, port = _target(connection)
            source = next(each for each in index.pods if each.title == f"Deployment/{name}")
            found = [each for each in index.pods if each.title == target]
            assert found, f"{name} is declared to connect to {connection}, but there is no {target}"
            number = found[0].port(port)
            assert number, f"{name} is declared to connect to {connection}, but {target} has no port {port}"
            yield Call(source, found[0], number)


def _target(connection: str) -> tuple[str, str]:
    """Pods and name of the port behind a connection of an environment file."""
    kind, _, name = connection.partition(".")
    return {
        "postgres": (f"Pod/postgres-{name}-1", "postgresql"),
        "redis": (f"StatefulSet/redis-{name}", "redis"),
        "services": (f"Deployment/{name}", "http"),
        "keycloak": ("StatefulSet/keycloak", "http"),
    }[kind]


def _open(index: Index, pods: Pods, direction: str, peer: Pods) -> set[str]:
    """Protocol and number of the ports that the policies of `pods` open in a direction to (or from) a peer."""
    return {
        port
        for policy in _policies(index, pods)
        for rule in policy["spec"].get(direction, [])
        for other in rule.get(_SIDES[direction], [])
        # Without `to`, and with addresses or whole namespaces, a rule is about what is not in the rendering.
        if "podSelector" in other
        and _namespace(other, pods) == peer.namespace
        and matches(other["podSelector"], peer.labels)
        for port in _ports(rule, peer if direction == "egress" else pods)
    }


def _namespace(peer: Mapping[str, Any], pods: Pods) -> str:
    """The namespace that a rule about `pods` means by a peer."""
    if "namespaceSelector" in peer:
        return peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
    return pods.namespace


def _policies(index: Index, pods: Pods) -> list[Object]:
    found = (each for each in index.of_kind("NetworkPolicy") if each["metadata"]["namespace"] == pods.namespace)
    return [each for each in found if matches(each["spec"]["podSelector"], pods.labels)]


def _ports(rule: Mapping[str, Any], target: Pods) -> Iterable[str]:
    for each in rule["ports"]:
        named = target.port(each["port"], each["protocol"])
        yield str(named or Port("", each["port"], each["protocol"]))


def _faults_of_the_way_in(index: Index) -> Iterator[str]:
    """The pods behind a route let the gateway's proxies in."""
    for route in index.of_kind("HTTPRoute"):
        for backend in (each for rule in route["spec"]["rules"] for each in rule.get("backendRefs", [])):
            service = index.find("Service", backend["name"])
            for pods, port in (index.targets(service, backend["port"]) or []) if service else []:
                if str(port) not in _open_to_gateway(index, pods):
                    yield f"{title(route)} leads to {pods.title} port {port}, which does not let the gateway in"


def _open_to_gateway(index: Index, pods: Pods) -> set[str]:
    gateway = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": GATEWAY_NAMESPACE}}}
    rules = [rule for policy in _policies(index, pods) for rule in policy["spec"].get("ingress", [])]
    return {port for rule in rules if gateway in rule["from"] for port in _ports(rule, pods)}
