"""Pods as others find them: their labels and ports, also of those that operators make by themselves; and Services."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from policies.label_selectors import matches, picks
from policies.pods import FINISHING, Pod, pods
from policies.stack import Resource, Stack
from policies.values import Marker, Node, Plain

PROMETHEUS = "monitoring.coreos.com/Prometheus"
ALERTMANAGER = "monitoring.coreos.com/Alertmanager"
CLUSTER = "postgresql.cnpg.io/Cluster"
SERVICE = "core/Service"


@dataclass(frozen=True)
class Target:
    """Pods of one kind."""

    resource: Resource
    """What describes them."""
    labels: Node
    pod: Pod | None
    """Its template; None for pods that an operator makes."""
    _ports: tuple[tuple[Plain, Plain], ...] = ()

    def ports(self) -> list[tuple[Plain, Plain]]:
        """Name (None: it has none) and number of each port of a container. Raises Undecided."""
        containers = self.pod.containers() if self.pod else []
        declared = [port for container in containers for port in container.node.at("ports").items()]
        return [*self._ports, *((port.at("name").known(), port.at("containerPort").known()) for port in declared)]


@dataclass(frozen=True)
class _Operated:
    """What an operator gives the pods that it makes for a custom resource."""

    labels: Mapping[str, str]
    """`{name}` stands for the name of the custom resource."""
    own: tuple[str, ...]
    """Where the custom resource has labels for its pods."""
    ports: tuple[tuple[str, int], ...]


_OPERATED = {
    PROMETHEUS: _Operated(
        {
            "app.kubernetes.io/name": "prometheus",
            "app.kubernetes.io/managed-by": "prometheus-operator",
            "app.kubernetes.io/instance": "{name}",
            "prometheus": "{name}",
        },
        ("spec", "podMetadata", "labels"),
        (("web", 9090), ("reloader-web", 8080)),
    ),
    ALERTMANAGER: _Operated(
        {
            "app.kubernetes.io/name": "alertmanager",
            "app.kubernetes.io/managed-by": "prometheus-operator",
            "app.kubernetes.io/instance": "{name}",
            "alertmanager": "{name}",
        },
        ("spec", "podMetadata", "labels"),
        (("web", 9093), ("mesh-tcp", 9094), ("mesh-udp", 9094), ("reloader-web", 8080)),
    ),
    CLUSTER: _Operated(
        {"cnpg.io/cluster": "{name}", "cnpg.io/podRole": "instance"},
        ("spec", "inheritedMetadata", "labels"),
        (("postgresql", 5432), ("metrics", 9187), ("status", 8000)),
    ),
}


def targets(stack: Stack) -> tuple[Target, ...]:
    """All pods of a stack that run until they are stopped; ask through `stack.once`."""
    return tuple(target for resource in stack.resources for target in of(resource))


def of(resource: Resource) -> Iterator[Target]:
    """The pods that a resource describes."""
    operated = _OPERATED.get(resource.kind)
    if operated:
        own = resource.root.at(*operated.own)
        name = resource.object_name
        given: dict[str, Plain] = {key: name if value == "{name}" else value for key, value in operated.labels.items()}
        labels = own.value if isinstance(own.value, dict) else {}
        yield Target(resource, Node({**labels, **given}, own.path), None, operated.ports)
    elif resource.kind not in FINISHING:
        for pod in pods(resource):
            yield Target(resource, pod.labels, pod)


class _ByLabel:
    """The targets of a stack by what they are called, so that a selector need not look at all of them."""

    def __init__(self, stack: Stack) -> None:
        self._every: defaultdict[str | Marker, list[Target]] = defaultdict(list)
        self._labelled: defaultdict[tuple[str | Marker, str, str], list[Target]] = defaultdict(list)
        self._open: defaultdict[str | Marker, list[Target]] = defaultdict(list)
        for target in stack.once(targets):
            namespace = target.resource.namespace
            self._every[namespace].append(target)
            if _is_plain(target.labels):
                for key in target.labels.keys():  # noqa: SIM118 (a Node, whose keys are read)
                    self._labelled[namespace, key, str(target.labels.at(key).value)].append(target)
            else:
                self._open[namespace].append(target)

    def candidates(self, namespace: str, pairs: Node) -> list[Target]:
        """Those that may have these labels."""
        if not _is_plain(pairs) or not pairs.keys():
            return self._every[namespace]
        key = pairs.keys()[0]
        return [*self._labelled[namespace, key, str(pairs.at(key).value)], *self._open[namespace]]


def _is_plain(labels: Node) -> bool:
    return labels.value is None or (
        isinstance(labels.value, dict) and not any(isinstance(each, Marker) for each in labels.value.values())
    )


def namespaces(stack: Stack) -> frozenset[str]:
    """Where the pods of a stack are; ask through `stack.once`."""
    found = (target.resource.namespace for target in stack.once(targets))
    return frozenset(each for each in found if isinstance(each, str))


def picked(selector: Node, namespace: str, stack: Stack) -> list[Target]:
    """The pods of a namespace that a LabelSelector picks. Raises Undecided."""
    found = stack.once(_ByLabel).candidates(namespace, selector.at("matchLabels"))
    return [target for target in found if matches(selector, target.labels)]


def behind(service: Resource, stack: Stack) -> list[Target]:
    """The pods that a Service leads to. Raises Undecided."""
    selector = service.root.at("spec", "selector")
    found = stack.once(_ByLabel).candidates(str(service.namespace), selector)
    return [target for target in found if picks(selector, target.labels)]


def service_of(host: str, namespace: str | Marker, stack: Stack) -> Resource | None:
    """The Service that a host name means inside a namespace: `loki`, `loki.shop`, `loki.shop.svc.cluster.local`."""
    name, _, rest = host.partition(".")
    where = rest.partition(".")[0] or namespace
    found = stack.find(SERVICE, str(where), ("metadata", "name"), name)
    return found.certain[0] if found.certain else None


def numbers(service: Resource, port: int, target: Target) -> list[Plain]:
    """The ports of the target's containers that a port of a Service leads to. Raises Undecided."""
    found: list[Plain] = []
    for entry in service.root.at("spec", "ports").items():
        if entry.at("port").known() != port:
            continue
        wanted = entry.at("targetPort").known()
        wanted = port if wanted is None else wanted
        found += [number for name, number in target.ports() if wanted in (name, number)]
        found += [wanted] if isinstance(wanted, int) else []
    return found
