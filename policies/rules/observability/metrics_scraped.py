"""Metrics are read: a Prometheus looks at every monitor, each picks pods that are there, and no service is without."""

from functools import partial

from policies.collecting import address
from policies.model import Check, Rule, Severity, Theme, Verdict, verdict
from policies.monitors import KINDS, PROBE, SERVICE_MONITOR, at_endpoint, endpoints, is_looked_at, looks_in, scraped
from policies.pods import DEPLOYMENT, STATEFUL_SET
from policies.routing import leaves_the_cluster
from policies.stack import Resource, Stack
from policies.targets import behind, numbers, service_of
from policies.values import Node, Undecided

_SERVICES = frozenset({"mainstay:index:HttpService", "mainstay:index:Worker"})


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    if resource.kind in _SERVICES:
        return _judge_service(resource, stack)
    if resource.kind not in KINDS:
        return None
    checks: list[Check] = [partial(_selection_faults, resource, stack)]
    if resource.kind == PROBE:
        return verdict([*checks, partial(_prober_faults, resource, stack), partial(_probed_faults, resource)])
    if looks_in(resource, stack):
        return verdict([*checks, partial(_picking_faults, resource, stack)])
    answer = verdict(checks)
    return Verdict(not_applicable="the pods it picks are not of this stack") if answer == Verdict() else answer


def _selection_faults(monitor: Resource, stack: Stack) -> list[str]:
    if is_looked_at(monitor, stack):
        return []
    return [f"no Prometheus of this stack looks at it (namespace, {KINDS[monitor.kind]}Selector)"]


def _picking_faults(monitor: Resource, stack: Stack) -> list[str]:
    read = endpoints(monitor)
    if not read:
        return ["it reads nothing of its pods: it has no endpoint"]
    return [
        f"{endpoint.path}: no pod of this stack that it picks has {_port(monitor, endpoint)}"
        for endpoint in read
        if next(at_endpoint(monitor, endpoint, stack), None) is None
    ]


def _port(monitor: Resource, endpoint: Node) -> str:
    port = endpoint.at("port").text()
    of = "a Service with the port" if monitor.kind == SERVICE_MONITOR else "the port"
    return f"{of} {port}" if port else "its port"


def _prober_faults(probe: Resource, stack: Stack) -> list[str]:
    host, port = address(probe.root.at("spec", "prober", "url").text())
    service = service_of(host, probe.namespace, stack)
    if service is None:
        return [] if leaves_the_cluster(f"//{host}", stack) else [f"its prober {host} is no Service of this stack"]
    if any(numbers(service, port or 80, target) for target in behind(service, stack)):
        return []
    return [f"port {port} of its prober, {service.subject}, leads to no pod of this stack"]


def _probed_faults(probe: Resource) -> list[str]:
    targets = probe.root.at("spec", "targets")
    if targets.at("staticConfig", "static").items() or targets.at("ingress").keys():
        return []
    return ["it probes nothing (targets)"]


def _judge_service(resource: Resource, stack: Stack) -> Verdict:
    namespace = resource.root.at("namespace").text()
    found = stack.once(scraped)
    workloads = [
        workload
        for kind in (DEPLOYMENT, STATEFUL_SET)
        for workload in stack.find(kind, namespace, ("metadata", "name"), resource.name).certain
    ]
    if workloads and all(workload.urn in found.jobs for workload in workloads):
        return Verdict()
    if found.unread:
        raise Undecided(found.unread[0])
    return Verdict((f"no monitor that a Prometheus looks at reads the metrics of its pods ({resource.name})",))


RULE = Rule(
    id="metrics-scraped",
    theme=Theme.OBSERVABILITY,
    title="Every service and worker is scraped, and every monitor picks something and is looked at",
    why="A monitor with a misspelt label is accepted by the cluster, and the alerts on its metrics never fire.",
    applies_to="components HttpService and Worker; PodMonitors, ServiceMonitors and Probes",
    severity=Severity.MEDIUM,
    controls=("SOC 2 CC7.2", "ISO/IEC 27001:2022 8.16", "NIST 800-53 r5 SI-4", "NIST 800-53 r5 CA-7"),
    remediation="Give the monitor the labels that the Prometheus selects, and let it select its pods and their port.",
    judge=_judge,
)
