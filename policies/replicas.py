"""Pods that are alike and kept at a number: of workloads, and of the custom resources that operators make pods of."""

from collections.abc import Mapping
from dataclasses import dataclass

from policies import autoscalers
from policies.pods import DAEMON_SET, POD, Pod, pods, serving
from policies.stack import Resource, Stack
from policies.values import Marker, Node, Plain, Undecided

CLUSTER = "postgresql.cnpg.io/Cluster"
POOLER = "postgresql.cnpg.io/Pooler"
PROMETHEUS = "monitoring.coreos.com/Prometheus"
PROMETHEUS_AGENT = "monitoring.coreos.com/PrometheusAgent"
ALERTMANAGER = "monitoring.coreos.com/Alertmanager"
THANOS_RULER = "monitoring.coreos.com/ThanosRuler"

_UNCOUNTED = frozenset({DAEMON_SET, POD})
"""One on each node, and one that nothing starts again."""
_SERVERS = {
    PROMETHEUS: ("prometheus", "operator.prometheus.io/name", "prometheus"),
    PROMETHEUS_AGENT: ("prometheus-agent", "operator.prometheus.io/name"),
    ALERTMANAGER: ("alertmanager", "alertmanager"),
    THANOS_RULER: ("thanos-ruler", "thanos-ruler"),
}
"""prometheus-operator's servers: their `app.kubernetes.io/name`, and the labels that hold the resource's name."""


@dataclass(frozen=True)
class Replicas:
    """Pods that are alike, of which a number is kept running."""

    resource: Resource
    """What keeps them."""
    labels: Node
    """Their labels."""
    spec: Node
    """Where their affinity and topologySpreadConstraints stand."""
    count: Node
    """How many are asked for; missing, it is one."""

    def asked(self) -> int:
        """How many are asked for, whatever an autoscaler makes of it. Raises Undecided."""
        number = self.count.number()
        return 1 if number is None else int(number)

    def bounds(self, stack: Stack) -> tuple[int, int]:
        """How few and how many there are, an autoscaler's word going before the workload's. Raises Undecided."""
        scaled = autoscalers.autoscalers(self.resource, stack)
        if not scaled:
            return self.asked(), self.asked()
        return min(map(autoscalers.least, scaled)), max(map(autoscalers.most, scaled))


def replicas(resource: Resource) -> Replicas | None:
    """The pods a resource keeps at a number; None for what has no pods, or none that can be counted beforehand."""
    spec = resource.root.at("spec")
    if resource.kind in _SERVERS:
        return Replicas(resource, _server_labels(resource), spec, spec.at("replicas"))
    if resource.kind == CLUSTER:
        return Replicas(resource, _instance_labels(resource), spec, spec.at("instances"))
    if resource.kind == POOLER:
        return Replicas(resource, _pooler_labels(resource), spec.at("template", "spec"), spec.at("instances"))
    found = [] if resource.kind in _UNCOUNTED else _kept(resource)
    return Replicas(resource, found[0].labels, found[0].spec, spec.at("replicas")) if found else None


def all_replicas(stack: Stack) -> tuple[Replicas, ...]:
    """Those of the whole stack; a question for `Stack.once`."""
    return tuple(found for resource in stack.resources if (found := replicas(resource)))


def _kept(resource: Resource) -> list[Pod]:
    """Its pods unless they end by themselves: such are started as often as there is work."""
    try:
        return serving(resource)
    except Undecided:
        return pods(resource)


def _server_labels(server: Resource) -> Node:
    app, *named = _SERVERS[server.kind]
    own: dict[str, Plain] = dict.fromkeys((*named, "app.kubernetes.io/instance"), server.object_name)
    own |= {"app.kubernetes.io/name": app, "app.kubernetes.io/managed-by": "prometheus-operator"}
    return _with(server.root.at("spec", "podMetadata", "labels"), own)


def _instance_labels(cluster: Resource) -> Node:
    own = {**_of_cluster(cluster.object_name), "cnpg.io/podRole": "instance"}
    return _with(cluster.root.at("spec", "inheritedMetadata", "labels"), own)


def _pooler_labels(pooler: Resource) -> Node:
    spec = pooler.root.at("spec")
    own = {**_of_cluster(spec.at("cluster", "name").value), "cnpg.io/podRole": "pooler"}
    return _with(spec.at("template", "metadata", "labels"), {**own, "cnpg.io/poolerName": pooler.object_name})


def _of_cluster(name: Plain) -> dict[str, Plain]:
    return {
        "cnpg.io/cluster": name,
        "app.kubernetes.io/name": "postgresql",
        "app.kubernetes.io/instance": name,
        "app.kubernetes.io/managed-by": "cloudnative-pg",
    }


def _with(labels: Node, own: Mapping[str, Plain]) -> Node:
    """Labels that a resource asks for, and those its operator adds, which go before."""
    if isinstance(labels.value, Marker):
        return labels
    return Node({**(labels.value if isinstance(labels.value, dict) else {}), **own}, labels.path)
