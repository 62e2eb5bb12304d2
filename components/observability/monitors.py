"""What Prometheus scrapes: one PodMonitor a target, and the network opened to its port."""

from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from components.connection import egress_to, ingress_at_target
from components.labels import labels, selector

PROMETHEUS = "prometheus"
"""Name of the Prometheus; the operator gives its pods the same `app.kubernetes.io/name`."""
MONITORED = {"app.kubernetes.io/managed-by": "mainstay"}
"""The label by which Prometheus picks rules, monitors and probes of its namespace: all that Mainstay declares."""


class Target(TypedDict):
    """Pods with metrics, in the namespace of the environment."""

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


def declare_monitor(target: Target, namespace: pulumi.Input[str], parent: pulumi.Resource) -> None:
    """Declares the target's monitor and lets Prometheus in at its port."""
    kubernetes.apiextensions.CustomResource(
        f"{target['name']}-monitor",
        api_version="monitoring.coreos.com/v1",
        kind="PodMonitor",
        metadata={
            "name": target["name"],
            "namespace": namespace,
            "labels": labels(target["name"], "monitor"),
        },
        spec={
            "selector": {"matchLabels": target["pod_labels"]},
            "podMetricsEndpoints": [
                {
                    "port": target["port_name"],
                    "path": target["path"],
                    "honorLabels": target.get("honor_labels", False),
                    # The operator's own job is <namespace>/<monitor>.
                    "relabelings": [{"targetLabel": "job", "replacement": target["name"], "action": "replace"}],
                }
            ],
        },
        opts=pulumi.ResourceOptions(parent=parent),
    )
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
    return [
        egress_to({"target": each["name"], "pod_labels": each["pod_labels"], "port": each["port"], "url": {}})
        for each in targets
    ]
