"""What serves people promises something that is watched: each service and worker, and whatever else a route leads to.

What runs is the inventory, not what has alerts: a workload that nobody declared as a service is asked too.
"""

from dataclasses import dataclass
from functools import partial

from policies.burn import INVENTORY, slos
from policies.label_selectors import picks
from policies.model import Rule, Severity, Theme, Verdict, each, verdict
from policies.pods import SERVING, pods
from policies.stack import Resource, Stack
from policies.values import Node, Undecided
from policies.watching import everything, watches

PAGE = "SLOBurnsFast"
"""The alert that calls somebody; it is shared by all SLOs."""

_HTTP_ROUTE = "gateway.networking.k8s.io/HTTPRoute"
_SERVICE = "core/Service"
_SERVICES = frozenset({"mainstay:index:HttpService", "mainstay:index:Worker"})


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    if resource.kind in SERVING and not any(f"{kind}$" in resource.urn for kind in _SERVICES):
        return _judge_workload(resource, stack)
    if resource.kind not in _SERVICES:
        return None
    slos = resource.root.at("slos")
    if not slos.items():
        return Verdict(faults=("it declares no SLO (slos)",))
    return verdict([*each(slos, _promise_faults), *each(slos, partial(_evaluation_faults, stack))])


def _judge_workload(workload: Resource, stack: Stack) -> Verdict | None:
    """What no component promises for; None if nobody outside reaches it."""
    leading = [service for service in stack.once(_routed) if _leads_to(service, workload)]
    watch = stack.once(_watch)
    if not leading or watch is None or workload.object_name in watch.services:
        return None if not leading else Verdict()
    if watch.unread:
        return Verdict(undecided=watch.unread[:1])
    return Verdict(
        (
            f"{leading[0].subject} lets people reach it, and no Prometheus records {INVENTORY} "
            f"with the label service={workload.object_name}",
        )
    )


def _leads_to(service: Resource, workload: Resource) -> bool:
    return any(
        service.namespace == workload.namespace and picks(service.root.at("spec", "selector"), pod.labels)
        for pod in pods(workload)
    )


def _routed(stack: Stack) -> tuple[Resource, ...]:
    """The Services that HTTPRoutes lead to."""
    named: set[tuple[str, str]] = set()
    for route in stack.of(_HTTP_ROUTE):
        for rule in route.root.at("spec", "rules").items():
            for backend in rule.at("backendRefs").items():
                namespace = backend.at("namespace").text() or route.namespace
                named.add((str(namespace), backend.at("name").text()))
    return tuple(each for each in stack.of(_SERVICE) if (each.namespace, each.object_name) in named)


def _promise_faults(slo: Node) -> list[str]:
    """An entry that is no promise; an objective of 1 leaves no room for any failure, so nobody can keep it."""
    if not slo.at("name").text():
        return [f"{slo.path} has no name"]
    objective, window = _number(slo.at("objective")), _number(slo.at("window_days"))
    if not 0 < objective < 1:
        return [f"{slo.path}.objective is not a share between 0 and 1, such as 0.995"]
    return [] if window > 0 else [f"{slo.path}.window_days is not a number of days"]


def _number(node: Node) -> float:
    """The number, or 0 if it is none."""
    value = node.known()
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0


def _evaluation_faults(stack: Stack, slo: Node) -> list[str]:
    watch = stack.once(_watch)
    name = slo.at("name").text()
    # A stack without a Prometheus is watched by another's, which is not here to be looked at.
    if watch is None or not name or name in watch.paged:
        return []
    if watch.unread:
        raise Undecided(watch.unread[0])
    if name in watch.evaluated:
        return [f"nobody is called when its SLO {name} is not kept: no PrometheusRule has the alert {PAGE}"]
    if name in watch.elsewhere:
        return [
            f"nothing evaluates its SLO {name}: {watch.elsewhere[name]} records {INVENTORY} for it, "
            "but no Prometheus looks there (namespace, ruleSelector)"
        ]
    return [f"nothing evaluates its SLO {name}: no PrometheusRule records {INVENTORY} for it"]


@dataclass(frozen=True)
class _Watch:
    """What all the Prometheus servers of a stack see to."""

    evaluated: frozenset[str]
    """Names of SLOs that one of them records."""
    paged: frozenset[str]
    """Those of them for which the same one calls somebody."""
    services: frozenset[str]
    """Services whose SLOs one of them records."""
    elsewhere: dict[str, str]
    """SLO -> the PrometheusRule that records it, whether or not a Prometheus looks at it."""
    unread: tuple[str, ...]
    """What could not be read and might be what is missing."""


def _watch(stack: Stack) -> _Watch | None:
    """None: the stack has no Prometheus."""
    servers = stack.once(watches)
    if not servers:
        return None
    evaluated: set[str] = set()
    paged: set[str] = set()
    services: set[str] = set()
    for server in servers:
        recorded = slos(server.rules.entries)
        services |= {service for entry in recorded if (service := entry.labels.get("service"))}
        names = {name for entry in recorded if (name := entry.labels.get("slo"))}
        evaluated |= names
        paged |= names if any(alert.alert == PAGE for alert in server.rules.alerts) else set()
    whole = slos(stack.once(everything).entries)
    elsewhere = {name: entry.holder.subject for entry in whole if (name := entry.labels.get("slo"))}
    unread = tuple(reason for server in servers for reason in server.rules.unread)
    return _Watch(frozenset(evaluated), frozenset(paged), frozenset(services), elsewhere, unread)


RULE = Rule(
    id="service-has-slos",
    theme=Theme.SLO,
    title="Every service and worker has service-level objectives that are evaluated",
    why="Nobody is called when a service without an objective fails, and nobody can say how good it has to be.",
    applies_to="components HttpService and Worker; other workloads that an HTTPRoute leads to",
    severity=Severity.MEDIUM,
    controls=("SOC 2 CC7.2", "ISO/IEC 27001:2022 8.16", "NIST 800-53 r5 SI-4"),
    remediation="Declare slos for it in the environment's file; mainstay:observability makes the rules of them.",
    judge=_judge,
)
