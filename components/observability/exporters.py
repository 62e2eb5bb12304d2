"""Exporters: what turns the API server's knowledge of pods, and a look at public hosts, into metrics."""

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as kubernetes
import yaml

from components.connection import egress_to_internet, ingress_at_target
from components.images import BLACKBOX_EXPORTER, KUBE_STATE_METRICS
from components.labels import labels, selector
from components.observability.monitors import PROMETHEUS, Target
from components.observability.server import declare_server, http_probes

KUBE_STATE = "kube-state-metrics"
BLACKBOX = "blackbox-exporter"
BLACKBOX_PORT = 9115

KUBE_STATE_TARGET: Target = {
    "name": KUBE_STATE,
    "pod_labels": selector(KUBE_STATE, "exporter"),
    "port_name": "metrics",
    "port": 8080,
    "path": "/metrics",
    "honor_labels": True,
}
"""Deployments, pods, containers and nodes as the API server knows them."""

BLACKBOX_TARGET: Target = {
    "name": BLACKBOX,
    "pod_labels": selector(BLACKBOX, "exporter"),
    "port_name": "http",
    "port": BLACKBOX_PORT,
    "path": "/probe",
}
"""The prober; it is asked through a Probe and has no monitor of its own."""

_BLACKBOX_CONFIG = {
    "modules": {
        "https": {
            "prober": "http",
            "timeout": "10s",
            "http": {"fail_if_not_ssl": True, "preferred_ip_protocol": "ip4", "follow_redirects": True},
        }
    }
}


def declare_kube_state_metrics(namespace: str, parent: pulumi.Resource) -> None:
    """Declares kube-state-metrics for this namespace and the nodes: its roles let it see nothing else."""
    child = pulumi.ResourceOptions(parent=parent)
    metadata: kubernetes.meta.v1.ObjectMetaArgsDict = {
        "name": KUBE_STATE,
        "namespace": namespace,
        "labels": labels(KUBE_STATE, "exporter"),
    }
    subjects: list[kubernetes.rbac.v1.SubjectArgsDict] = [
        {"kind": "ServiceAccount", "name": KUBE_STATE, "namespace": namespace}
    ]
    kubernetes.rbac.v1.Role(
        f"{KUBE_STATE}-role",
        metadata=metadata,
        rules=[
            {"api_groups": [""], "resources": ["pods"], "verbs": ["list", "watch"]},
            {"api_groups": ["apps"], "resources": ["deployments", "statefulsets"], "verbs": ["list", "watch"]},
            {"api_groups": ["batch"], "resources": ["jobs", "cronjobs"], "verbs": ["list", "watch"]},
        ],
        opts=child,
    )
    kubernetes.rbac.v1.RoleBinding(
        f"{KUBE_STATE}-role-binding",
        metadata=metadata,
        role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "Role", "name": KUBE_STATE},
        subjects=subjects,
        opts=child,
    )
    # Nodes belong to no namespace.
    of_cluster: kubernetes.meta.v1.ObjectMetaArgsDict = {
        "name": f"{namespace}-{KUBE_STATE}",
        "labels": labels(KUBE_STATE, "exporter"),
    }
    kubernetes.rbac.v1.ClusterRole(
        f"{KUBE_STATE}-nodes-role",
        metadata=of_cluster,
        rules=[{"api_groups": [""], "resources": ["nodes"], "verbs": ["list", "watch"]}],
        opts=child,
    )
    kubernetes.rbac.v1.ClusterRoleBinding(
        f"{KUBE_STATE}-nodes-role-binding",
        metadata=of_cluster,
        role_ref={
            "api_group": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": f"{namespace}-{KUBE_STATE}",
        },
        subjects=subjects,
        opts=child,
    )
    declare_server(
        KUBE_STATE,
        "exporter",
        namespace,
        {
            "name": KUBE_STATE,
            "image": KUBE_STATE_METRICS,
            "args": [
                f"--namespaces={namespace}",
                "--resources=pods,deployments,statefulsets,jobs,cronjobs,nodes",
                "--port=8080",
                "--telemetry-port=8081",
            ],
            "ports": [{"name": "metrics", "container_port": 8080}, {"name": "telemetry", "container_port": 8081}],
            **http_probes("telemetry", "/readyz", "metrics", "/livez"),
            "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        },
        files={},
        egress=[{"ports": [{"protocol": "TCP", "port": port} for port in (443, 6443)]}],
        token=True,
        parent=parent,
    )


def declare_probes(hosts: Sequence[str], namespace: str, parent: pulumi.Resource) -> None:
    """Declares the blackbox exporter, and the probe of every URL in `hosts` each 5 minutes (REQUIREMENTS D8)."""
    declare_server(
        BLACKBOX,
        "exporter",
        namespace,
        {
            "name": BLACKBOX,
            "image": BLACKBOX_EXPORTER,
            "args": ["--config.file=/etc/blackbox-exporter/blackbox.yml"],
            "ports": [{"name": "http", "container_port": BLACKBOX_PORT}],
            **http_probes("http", "/-/healthy", "http", None),
            "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}},
        },
        files={"blackbox.yml": yaml.safe_dump(_BLACKBOX_CONFIG, sort_keys=False)},
        egress=[egress_to_internet([443])],
        parent=parent,
    )
    child = pulumi.ResourceOptions(parent=parent)
    pods = selector(BLACKBOX, "exporter")
    kubernetes.core.v1.Service(
        BLACKBOX,
        metadata={"name": BLACKBOX, "namespace": namespace, "labels": labels(BLACKBOX, "exporter")},
        spec={"selector": pods, "ports": [{"name": "http", "port": BLACKBOX_PORT, "target_port": "http"}]},
        opts=child,
    )
    ingress_at_target(
        f"{PROMETHEUS}-to-{BLACKBOX}",
        namespace,
        PROMETHEUS,
        selector(PROMETHEUS, PROMETHEUS),
        {"target": BLACKBOX, "pod_labels": pods, "port": BLACKBOX_PORT, "url": {}},
        child,
    )
    kubernetes.apiextensions.CustomResource(
        "public-hosts",
        api_version="monitoring.coreos.com/v1",
        kind="Probe",
        metadata={"name": "public-hosts", "namespace": namespace, "labels": labels("public-hosts", "monitor")},
        spec={
            "jobName": "public-hosts",
            "interval": "5m",
            "scrapeTimeout": "15s",
            "module": "https",
            "prober": {"url": f"{BLACKBOX}:{BLACKBOX_PORT}", "scheme": "http", "path": "/probe"},
            "targets": {"staticConfig": {"static": sorted(hosts)}},
        },
        opts=child,
    )
