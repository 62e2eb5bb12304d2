"""What stands in a namespace now, as the API server tells it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from engine.objects import Objects

_ZONE = "topology.kubernetes.io/zone"


@dataclass(frozen=True)
class Workload:
    """Something that runs pods."""

    kind: str
    name: str
    ready: int
    desired: int
    image: str
    """Image of the first container; empty where an operator chooses it."""
    nodes: int
    """Different nodes its pods are on."""
    zones: tuple[str, ...]
    """Their zones, sorted."""


@dataclass(frozen=True)
class _Kind:
    kind: str
    path: str
    pods: str
    """Label by whose value, the workload's name, its pods are told; empty: by the workload's own selector."""


_KINDS = (
    _Kind("Cluster", "/apis/postgresql.cnpg.io/v1", "cnpg.io/cluster"),
    _Kind("StatefulSet", "/apis/apps/v1", ""),
    _Kind("Deployment", "/apis/apps/v1", ""),
)


def workloads(objects: Objects, namespace: str) -> tuple[Workload, ...]:
    """The workloads of a namespace, databases first, then by name. Raises EngineError."""
    zone_of = {
        node["metadata"]["name"]: str(node["metadata"].get("labels", {}).get(_ZONE, ""))
        for node in objects.list("/api/v1/nodes")
    }
    pods = objects.list(f"/api/v1/namespaces/{namespace}/pods")
    found: list[Workload] = []
    for kind in _KINDS:
        path = f"{kind.path}/namespaces/{namespace}/{kind.kind.lower()}s"
        for item in sorted(objects.list(path), key=lambda each: each["metadata"]["name"]):
            found.append(_workload(kind, item, pods, zone_of))
    return tuple(found)


def _workload(kind: _Kind, item: dict[str, Any], pods: list[dict[str, Any]], zone_of: Mapping[str, str]) -> Workload:
    name, spec, status = item["metadata"]["name"], item["spec"], item.get("status", {})
    selector = {kind.pods: name} if kind.pods else cast(dict[str, str], spec["selector"].get("matchLabels", {}))
    placed = Counter(
        pod["spec"]["nodeName"]
        for pod in pods
        if pod["spec"].get("nodeName") and selector.items() <= pod["metadata"].get("labels", {}).items()
    )
    containers = spec.get("template", {}).get("spec", {}).get("containers", [])
    return Workload(
        kind=kind.kind,
        name=name,
        ready=status.get("readyReplicas", status.get("readyInstances", 0)),
        desired=spec.get("replicas", spec.get("instances", 1)),
        image=containers[0]["image"] if containers else str(spec.get("imageName", "")),
        nodes=len(placed),
        zones=tuple(sorted({zone_of.get(node, "") for node in placed} - {""})),
    )
