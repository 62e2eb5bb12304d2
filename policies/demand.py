"""What pods ask of a cluster: CPU and memory, as the scheduler and quotas count them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from policies.pods import Container, Pod, Role, pods
from policies.quantity import quantity
from policies.replicas import ALERTMANAGER, CLUSTER, POOLER, PROMETHEUS, PROMETHEUS_AGENT, THANOS_RULER
from policies.stack import Resource
from policies.values import UNKNOWN, Marker, Node

OBJECT_STORE = "barmancloud.cnpg.io/ObjectStore"

_OWN = {
    CLUSTER: ("postgres", ()),
    PROMETHEUS: ("prometheus", ()),
    PROMETHEUS_AGENT: ("prometheus", ()),
    ALERTMANAGER: ("alertmanager", ()),
    THANOS_RULER: ("thanos-ruler", ()),
    OBJECT_STORE: ("plugin-barman-cloud", ("instanceSidecarConfiguration",)),
}
"""The container that an operator makes of a resource, and where in its spec the container's `resources` stand."""
_PGBOUNCER = "pgbouncer"
_MERGED = frozenset(
    {"prometheus", "alertmanager", "thanos-ruler", "thanos-sidecar", "config-reloader", "init-config-reloader"}
)
"""Containers of prometheus-operator's own."""


@dataclass(frozen=True)
class Demand:
    """What one pod asks for."""

    containers: tuple[Container, ...]
    """Those that ask: all but the ephemeral ones, which cannot."""
    whole: Node
    """Resources of the pod as a whole: they count instead of its containers'. Mostly missing."""
    overhead: Node
    """What its runtime takes beside them. Mostly missing."""

    def request(self, container: Container, name: str) -> Decimal | None:
        """What a container, or its pod, requests of `cpu` or `memory`; a limit alone is a request too.

        None: nothing. Raises Undecided, InvalidQuantity.
        """
        own, whole = container.node.at("resources"), self.whole
        return _first(each.at(kind, name) for each in (own, whole) for kind in ("requests", "limits"))

    def limit(self, container: Container, name: str) -> Decimal | None:
        """What a container, or its pod, may take of it at the most; None: no limit. Raises as `request`."""
        return _first(each.at("limits", name) for each in (container.node.at("resources"), self.whole))

    def total(self, kind: str, name: str) -> Decimal:
        """What the pod counts with: `kind` is `requests` or `limits`. What is not asked for counts nothing.

        Init containers run one after the other, beside the sidecars that were started before. Raises as `request`.
        """
        extra = quantity(self.overhead.at(name)) or Decimal(0)
        whole = quantity(self.whole.at(kind, name))
        if whole is not None:
            return whole + extra
        running = peak = Decimal(0)
        # In the order in which they start.
        for container in sorted(self.containers, key=lambda each: each.role is Role.MAIN):
            asked = (self.request if kind == "requests" else self.limit)(container, name) or Decimal(0)
            if container.runs_on():
                running += asked
            else:
                peak = max(peak, running + asked)
        return max(running, peak) + extra


def demands(resource: Resource) -> list[Demand]:
    """The pods a resource describes, as far as what they ask for is in its hands."""
    spec = resource.root.at("spec")
    if resource.kind in _OWN:
        name, path = _OWN[resource.kind]
        return [Demand((_container(name, spec.at(*path)), *_additional(spec)), Node(None), Node(None))]
    described = [_of_pod(pod) for pod in pods(resource)]
    if resource.kind == POOLER and not any(_names(each.containers, _PGBOUNCER) for each in described):
        template = spec.at("template", "spec")
        own = Container(template if isinstance(template.value, Marker) else Node({"name": _PGBOUNCER}), Role.MAIN)
        more = described[0].containers if described else ()
        return [Demand((own, *more), Node(None), Node(None))]
    return described


def _of_pod(pod: Pod) -> Demand:
    lists = ("containers", Role.MAIN), ("initContainers", Role.INIT)
    containers = (Container(node, role) for key, role in lists for node in pod.spec.at(key).elements())
    return Demand(tuple(containers), pod.spec.at("resources"), pod.spec.at("overhead"))


def _container(name: str, parent: Node) -> Container:
    return Container(Node({"name": name, "resources": parent.at("resources").value}, parent.path), Role.MAIN)


def _additional(spec: Node) -> Iterator[Container]:
    """What a resource adds to them; what has the name of one is merged into it."""
    for key, role in (("containers", Role.MAIN), ("initContainers", Role.INIT)):
        for node in spec.at(key).elements():
            if node.at("name").value not in _MERGED:
                yield Container(node, role)
            elif node.at("resources").value is not None:
                yield Container(Node(UNKNOWN, f"{node.path}.resources, merged into what the operator sets,"), role)


def _names(containers: Iterable[Container], name: str) -> bool:
    return any(each.node.at("name").value == name for each in containers)


def _first(nodes: Iterable[Node]) -> Decimal | None:
    return next((found for node in nodes if (found := quantity(node)) is not None), None)
