"""Prometheus, run by prometheus-operator: it sees its own namespace, the nodes, and elsewhere what it is shown."""

from collections.abc import Sequence, Set
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes
import yaml

from components.connection import egress_to_internet
from components.images import PROMETHEUS as IMAGE
from components.labels import labels, selector
from components.observability import remote_write
from components.observability.alertmanager import ALERTMANAGER
from components.observability.alertmanager import PORT as ALERTMANAGER_PORT
from components.observability.monitors import MONITORED, PROMETHEUS, Target, egress_to_targets
from components.observability.remote_write import RemoteWriteArgs, declare_remote_write
from components.observability.server import spread_of_custom_resource
from components.quantity import parse
from components.workload.pods import Resources

PORT = 9090
KUBELET_PORT = 10250
USER = 1000
DISK_SHARE_PERCENT = 80
"""Share of the volume that the blocks may take; the rest is for the write-ahead log and for compaction."""
READY_SECONDS = 600

TARGET: Target = {
    "name": PROMETHEUS,
    "pod_labels": selector(PROMETHEUS, PROMETHEUS),
    "port_name": "web",
    "port": PORT,
    "path": "/metrics",
}
"""Prometheus itself."""
NODE_PATHS = {"kubelet": "/metrics", "kubelet-cadvisor": "/metrics/cadvisor", "kubelet-resource": "/metrics/resource"}
"""What is read of every kubelet, by job."""


class PrometheusArgs(TypedDict):
    """What Prometheus is given."""

    replicas: pulumi.Input[int]
    """Servers that scrape the same; from 2 on, losing one loses nothing."""
    resources: Resources
    """Requests and limits of a server."""
    storage: str
    """Volume of a server, e.g. `50Gi`."""
    retention: pulumi.Input[str]
    """How long samples are kept, e.g. `35d`; at least the window of the longest objective."""
    remote_write: NotRequired[RemoteWriteArgs]
    """Where a copy of all samples goes. Default: nowhere."""


def declare_prometheus(
    args: PrometheusArgs, namespace: str, environment: str, targets: Sequence[Target], parent: pulumi.Resource
) -> None:
    """Declares the servers, what they may read and whom they may reach."""
    metadata: kubernetes.meta.v1.ObjectMetaArgsDict = {
        "name": PROMETHEUS,
        "namespace": namespace,
        "labels": labels(PROMETHEUS, PROMETHEUS),
    }
    child = pulumi.ResourceOptions(parent=parent)
    account = kubernetes.core.v1.ServiceAccount(f"{PROMETHEUS}-account", metadata=metadata, opts=child)
    scrape = kubernetes.core.v1.Secret(
        f"{PROMETHEUS}-scrape",
        metadata={**metadata, "name": f"{PROMETHEUS}-scrape"},
        string_data={"nodes.yaml": yaml.safe_dump(scrape_nodes(namespace), sort_keys=False)},
        opts=child,
    )
    _declare_permissions(metadata, namespace, {each["namespace"] for each in targets if "namespace" in each}, child)
    requires: list[pulumi.Resource] = [account, scrape]
    copied = args.get("remote_write")
    if copied:
        requires.append(declare_remote_write(copied, namespace, parent))
    _declare_network(metadata, targets, copied, child)
    kubernetes.policy.v1.PodDisruptionBudget(
        f"{PROMETHEUS}-disruption",
        metadata=metadata,
        spec={
            "max_unavailable": 1,
            "unhealthy_pod_eviction_policy": "AlwaysAllow",
            "selector": {"match_labels": TARGET["pod_labels"]},
        },
        opts=child,
    )
    kubernetes.core.v1.Service(
        PROMETHEUS,
        metadata=metadata,
        spec={
            "selector": TARGET["pod_labels"],
            # The replicas' samples differ by a scrape: a person's graphs come from one of them.
            "session_affinity": "ClientIP",
            "ports": [{"name": "web", "port": PORT, "target_port": "web"}],
        },
        opts=child,
    )
    kubernetes.apiextensions.CustomResource(
        PROMETHEUS,
        api_version="monitoring.coreos.com/v1",
        kind="Prometheus",
        metadata={
            **metadata,
            "annotations": {
                "pulumi.com/waitFor": "condition=Available",
                "pulumi.com/timeoutSeconds": str(READY_SECONDS),
            },
        },
        spec=_spec(args, namespace, environment),
        opts=pulumi.ResourceOptions(parent=parent, depends_on=requires),
    )


def _spec(args: PrometheusArgs, namespace: str, environment: str) -> dict[str, Any]:
    megabytes = int(parse(args["storage"]) * DISK_SHARE_PERCENT / 100 / 2**20)
    picked = {"matchLabels": MONITORED}
    copied = args.get("remote_write")
    return {
        "image": IMAGE,
        "version": IMAGE.rpartition(":v")[2],
        "replicas": args["replicas"],
        "podMetadata": {"labels": labels(PROMETHEUS, PROMETHEUS)},
        "serviceAccountName": PROMETHEUS,
        "externalLabels": {"environment": environment},
        "scrapeInterval": "30s",
        "evaluationInterval": "30s",
        "retention": args["retention"],
        "retentionSize": f"{megabytes}MB",
        # The trace of one request in each bucket of a histogram, as the product shows them.
        "enableFeatures": ["exemplar-storage"],
        # Without namespace selectors only the Prometheus's own namespace is looked at.
        "ruleSelector": picked,
        "podMonitorSelector": picked,
        "serviceMonitorSelector": picked,
        "probeSelector": picked,
        "additionalScrapeConfigs": {"name": f"{PROMETHEUS}-scrape", "key": "nodes.yaml"},
        # A monitor cannot make Prometheus send its own token somewhere.
        "arbitraryFSAccessThroughSMs": {"deny": True},
        "alerting": {
            "alertmanagers": [
                {"name": f"{ALERTMANAGER}-operated", "namespace": namespace, "port": "web", "apiVersion": "v2"}
            ]
        },
        **({"remoteWrite": [remote_write.remote_write(copied)]} if copied else {}),
        "storage": {"volumeClaimTemplate": {"spec": {"resources": {"requests": {"storage": args["storage"]}}}}},
        "resources": {
            "requests": {"cpu": args["resources"]["cpu"], "memory": args["resources"]["memory"]},
            "limits": {"memory": args["resources"]["memory_limit"]},
        },
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": spread_of_custom_resource(TARGET["pod_labels"]),
    }


def scrape_nodes(namespace: str) -> list[dict[str, Any]]:
    """What the kubelets count: CPU, memory and volumes of the namespace's pods, CPU, memory and disks of each node.

    Of the pods of other namespaces, nothing.
    """
    kept = {
        # Of what is kept: namespace, id (a cgroup), name. What is about a node as a whole has no namespace.
        "kubelet": f"{namespace};;kubelet_volume_stats_(used|capacity)_bytes",
        "kubelet-cadvisor": (
            f"{namespace};.*;container_(cpu_usage_seconds_total|memory_working_set_bytes)"
            "|;/;container_fs_(usage|limit)_bytes"
        ),
        "kubelet-resource": ";;node_(cpu_usage_seconds_total|memory_working_set_bytes)",
    }
    return [
        {
            "job_name": job,
            "scheme": "https",
            "metrics_path": path,
            "kubernetes_sd_configs": [{"role": "node"}],
            "authorization": {"credentials_file": "/var/run/secrets/kubernetes.io/serviceaccount/token"},
            # Kubelets sign their own certificates unless the cluster says otherwise.
            "tls_config": {"insecure_skip_verify": True},
            # As kube-state-metrics calls it.
            "relabel_configs": [{"source_labels": ["__meta_kubernetes_node_name"], "target_label": "node"}],
            "metric_relabel_configs": [
                {"source_labels": ["namespace", "id", "__name__"], "regex": kept[job], "action": "keep"}
            ],
        }
        for job, path in NODE_PATHS.items()
    ]


def _declare_permissions(
    metadata: kubernetes.meta.v1.ObjectMetaArgsDict, namespace: str, elsewhere: Set[str], child: pulumi.ResourceOptions
) -> None:
    """`elsewhere`: other namespaces with pods to scrape; it may find pods there, and nothing else."""
    subjects: list[kubernetes.rbac.v1.SubjectArgsDict] = [
        {"kind": "ServiceAccount", "name": PROMETHEUS, "namespace": namespace}
    ]
    kubernetes.rbac.v1.Role(
        f"{PROMETHEUS}-role",
        metadata=metadata,
        rules=[
            {
                "api_groups": [""],
                "resources": ["services", "endpoints", "pods"],
                "verbs": ["get", "list", "watch"],
            },
            {
                "api_groups": ["discovery.k8s.io"],
                "resources": ["endpointslices"],
                "verbs": ["get", "list", "watch"],
            },
        ],
        opts=child,
    )
    kubernetes.rbac.v1.RoleBinding(
        f"{PROMETHEUS}-role-binding",
        metadata=metadata,
        role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "Role", "name": PROMETHEUS},
        subjects=subjects,
        opts=child,
    )
    for other in sorted(elsewhere):
        there: kubernetes.meta.v1.ObjectMetaArgsDict = {
            "name": f"{namespace}-{PROMETHEUS}",
            "namespace": other,
            "labels": labels(PROMETHEUS, PROMETHEUS),
        }
        kubernetes.rbac.v1.Role(
            f"{PROMETHEUS}-{other}-role",
            metadata=there,
            rules=[{"api_groups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}],
            opts=child,
        )
        kubernetes.rbac.v1.RoleBinding(
            f"{PROMETHEUS}-{other}-role-binding",
            metadata=there,
            role_ref={
                "api_group": "rbac.authorization.k8s.io",
                "kind": "Role",
                "name": f"{namespace}-{PROMETHEUS}",
            },
            subjects=subjects,
            opts=child,
        )
    # Nodes belong to no namespace: reading their metrics takes a role of the cluster.
    of_cluster: kubernetes.meta.v1.ObjectMetaArgsDict = {
        "name": f"{namespace}-{PROMETHEUS}",
        "labels": labels(PROMETHEUS, PROMETHEUS),
    }
    kubernetes.rbac.v1.ClusterRole(
        f"{PROMETHEUS}-nodes-role",
        metadata=of_cluster,
        rules=[
            {"api_groups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch"]},
            {"api_groups": [""], "resources": ["nodes/metrics"], "verbs": ["get"]},
        ],
        opts=child,
    )
    kubernetes.rbac.v1.ClusterRoleBinding(
        f"{PROMETHEUS}-nodes-role-binding",
        metadata=of_cluster,
        role_ref={
            "api_group": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": f"{namespace}-{PROMETHEUS}",
        },
        subjects=subjects,
        opts=child,
    )


def _declare_network(
    metadata: kubernetes.meta.v1.ObjectMetaArgsDict,
    targets: Sequence[Target],
    copied: RemoteWriteArgs | None,
    child: pulumi.ResourceOptions,
) -> None:
    kubernetes.networking.v1.NetworkPolicy(
        f"{PROMETHEUS}-network",
        metadata=metadata,
        spec={
            "pod_selector": {"match_labels": TARGET["pod_labels"]},
            "policy_types": ["Ingress", "Egress"],
            "ingress": [],
            "egress": [
                *egress_to_targets(targets),
                {
                    "to": [{"pod_selector": {"match_labels": selector(ALERTMANAGER, ALERTMANAGER)}}],
                    "ports": [{"protocol": "TCP", "port": ALERTMANAGER_PORT}],
                },
                *([egress_to_internet([remote_write.port(copied)])] if copied else []),
                # The API server (443 or 6443) and the kubelets stand at addresses nobody knows beforehand.
                {"ports": [{"protocol": "TCP", "port": port} for port in (443, 6443, KUBELET_PORT)]},
            ],
        },
        opts=child,
    )
