"""Which pods are scraped: what monitors pick, and which of them a Prometheus of the stack looks at."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from policies.label_selectors import matches
from policies.stack import Resource, Stack
from policies.targets import SERVICE, Target, behind, namespaces, numbers, picked
from policies.values import Node, Plain, Undecided
from policies.watching import PROMETHEUS, looks_at

POD_MONITOR = "monitoring.coreos.com/PodMonitor"
SERVICE_MONITOR = "monitoring.coreos.com/ServiceMonitor"
PROBE = "monitoring.coreos.com/Probe"
KINDS = {POD_MONITOR: "podMonitor", SERVICE_MONITOR: "serviceMonitor", PROBE: "probe"}
"""Kind -> how a Prometheus calls what selects it."""


@dataclass(frozen=True)
class Scraped:
    """What is scraped of a stack."""

    jobs: Mapping[str, frozenset[str]]
    """URN of what describes pods -> the jobs under which a Prometheus reads them."""
    unread: tuple[str, ...]
    """What could not be read, and might be a monitor of them."""


def scraped(stack: Stack) -> Scraped:
    """Ask through `stack.once`."""
    jobs: defaultdict[str, set[str]] = defaultdict(set)
    unread: list[str] = []
    for kind in (POD_MONITOR, SERVICE_MONITOR):
        for monitor in stack.of(kind):
            try:
                if not is_looked_at(monitor, stack):
                    continue
                for endpoint in endpoints(monitor):
                    for target in at_endpoint(monitor, endpoint, stack):
                        jobs[target.resource.urn].add(job(monitor, endpoint))
            except Undecided as reason:
                unread.append(f"of {monitor.subject}, {reason}")
    return Scraped({urn: frozenset(found) for urn, found in jobs.items()}, tuple(unread))


def is_looked_at(monitor: Resource, stack: Stack) -> bool:
    """Whether a Prometheus reads it; without one in the stack, another's does. Raises Undecided."""
    servers = stack.of(PROMETHEUS)
    undecided: Undecided | None = None
    for server in servers:
        try:
            if looks_at(server, KINDS[monitor.kind], monitor):
                return True
        except Undecided as reason:
            undecided = undecided or Undecided(f"whether {server.subject} looks at it: {reason}")
    if undecided:
        raise undecided
    return not servers


def endpoints(monitor: Resource) -> list[Node]:
    """What is read of each pod."""
    name = "podMetricsEndpoints" if monitor.kind == POD_MONITOR else "endpoints"
    return monitor.root.at("spec", name).items()


def looks_in(monitor: Resource, stack: Stack) -> list[str]:
    """The namespaces of the stack's pods in which it looks. Raises Undecided."""
    ours = stack.once(namespaces)
    wanted = monitor.root.at("spec", "namespaceSelector")
    if wanted.at("any").known() is True:
        return sorted(ours)
    named = [each.text() for each in wanted.at("matchNames").items()]
    return sorted(ours & set(named or [str(monitor.namespace)]))


def at_endpoint(monitor: Resource, endpoint: Node, stack: Stack) -> Iterator[Target]:
    """The pods that have this endpoint's port. Raises Undecided."""
    selector = monitor.root.at("spec", "selector")
    for namespace in looks_in(monitor, stack):
        if monitor.kind == POD_MONITOR:
            for target in picked(selector, namespace, stack):
                if _has_port(endpoint, target.ports()):
                    yield target
        else:
            for service in stack.of(SERVICE):
                if service.namespace == namespace and matches(selector, service.root.at("metadata", "labels")):
                    yield from _behind(service, endpoint, stack)


def _behind(service: Resource, endpoint: Node, stack: Stack) -> Iterator[Target]:
    for entry in service.root.at("spec", "ports").items():
        if entry.at("name").known() != endpoint.at("port").known():
            continue
        port = entry.at("port").known()
        for target in behind(service, stack):
            if isinstance(port, int) and numbers(service, port, target):
                yield target


def _has_port(endpoint: Node, ports: list[tuple[Plain, Plain]]) -> bool:
    wanted = [each for key in ("port", "portNumber", "targetPort") if (each := endpoint.at(key).known()) is not None]
    return any(each in port for port in ports for each in wanted) if wanted else bool(ports)


def job(monitor: Resource, endpoint: Node) -> str:
    """The `job` of the series, as its relabelings have it, or the operator's own; empty where a label decides."""
    found = f"{monitor.namespace}/{monitor.object_name}"
    if monitor.root.at("spec", "jobLabel").text():
        found = ""
    for rule in endpoint.at("relabelings").items():
        if rule.at("targetLabel").text() == "job" and rule.at("action").text().lower() in ("", "replace"):
            found = "" if rule.at("sourceLabels").items() else rule.at("replacement").text()
    return found
