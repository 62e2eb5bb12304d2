"""What Prometheus scrapes: one PodMonitor a target, and the network opened to its port."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from components.connection import ingress_at_target
from components.labels import labels, selector

PROMETHEUS = "prometheus"
"""Name of the Prometheus; the operator gives its pods the same `app.kubernetes.io/name`."""
MONITORED = {"app.kubernetes.io/managed-by": "mainstay"}
"""The label by which Prometheus picks rules, monitors and probes of its namespace: all that Mainstay declares."""


class Target(TypedDict):
    """Pods with metrics."""

    name: str
    """Kubernetes name of the thing; the `job` of its series."""
    pod_labels: dict[str, str]
    """Labels of its pods."""
    port_name: str
    """Name of the container's port."""
    port: int
    """Number of that port, for the network policies."""
    path: str
    """HTTP path of the metrics."""
    honor_labels: NotRequired[bool]
    """Keep the labels `namespace`, `pod` … that the metrics carry: they are about other pods. Default: false."""
    namespace: NotRequired[str]
    """Where an operator runs these pods for the environment. Its series still count as the environment's own: their
    label `namespace` says so. Default: the namespace of the environment."""
    metric_relabelings: NotRequired[Sequence[Mapping[str, Any]]]
    """What is kept of its metrics and which labels they get, as a PodMonitor spells it. Default: all as they are."""


def declare_monitor(target: Target, namespace: pulumi.Input[str], parent: pulumi.Resource) -> None:
    """Declares the target's monitor and lets Prometheus in at its port."""
    elsewhere = target.get("namespace")
    # The operator's own job is <namespace>/<monitor>.
    relabelings: list[dict[str, Any]] = [{"targetLabel": "job", "replacement": target["name"], "action": "replace"}]
    endpoint: dict[str, Any] = {
        "port": target["port_name"],
        "path": target["path"],
        "honorLabels": target.get("honor_labels", False),
        "relabelings": relabelings,
    }
    spec: dict[str, Any] = {"selector": {"matchLabels": target["pod_labels"]}, "podMetricsEndpoints": [endpoint]}
    if elsewhere:
        spec["namespaceSelector"] = {"matchNames": [elsewhere]}
        relabelings.append({"targetLabel": "namespace", "replacement": namespace, "action": "replace"})
    if "metric_relabelings" in target:
        endpoint["metricRelabelings"] = [dict(each) for each in target["metric_relabelings"]]
    kubernetes.apiextensions.CustomResource(
        f"{target['name']}-monitor",
        api_version="monitoring.coreos.com/v1",
        kind="PodMonitor",
        metadata={
            "name": target["name"],
            "namespace": namespace,
            "labels": labels(target["name"], "monitor"),
        },
        spec=spec,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    if elsewhere:
        # A policy there would shut out everybody whom it does not name: that namespace is not ours.
        return
    ingress_at_target(
        f"{PROMETHEUS}-to-{target['name']}",
        namespace,
        PROMETHEUS,
        selector(PROMETHEUS, PROMETHEUS),
        {"target": target["name"], "pod_labels": target["pod_labels"], "port": target["port"], "url": {}},
        pulumi.ResourceOptions(parent=parent),
    )


def egress_to_targets(targets: Sequence[Target]) -> list[Any]:
    """Prometheus' ways out to all targets."""
    return [_egress_to(each) for each in targets]


def _egress_to(target: Target) -> Any:
    peer: dict[str, Any] = {"pod_selector": {"match_labels": target["pod_labels"]}}
    if "namespace" in target:
        peer["namespace_selector"] = {"match_labels": {"kubernetes.io/metadata.name": target["namespace"]}}
    return {"to": [peer], "ports": [{"protocol": "TCP", "port": target["port"]}]}
