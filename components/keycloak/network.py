"""Who may talk to Keycloak's pods, and whom they must reach. Consumers open their own way in."""

import pulumi
import pulumi_kubernetes as kubernetes

from components.connection import Connection, egress_to, ingress_at_target
from components.labels import labels, selector
from components.workload.http_service import GATEWAY_NAMESPACE

HTTP_PORT = 8080
MANAGEMENT_PORT = 9000
"""Health and metrics. No Service names it, so no route can; its monitor alone lets Prometheus in."""
CLUSTER_PORTS = (7800, 57800)
"""Among the replicas: cache traffic (mutual TLS), and failure detection 50000 above it."""


def declare_network(name: str, namespace: pulumi.Input[str], database: Connection, parent: pulumi.Resource) -> None:
    """Opens the gateway's way in, the replicas' way to each other, and the way to the database."""
    child = pulumi.ResourceOptions(parent=parent)
    pods = selector(name, "keycloak")
    replicas: kubernetes.networking.v1.NetworkPolicyPeerArgsDict = {"pod_selector": {"match_labels": pods}}
    cluster_ports: list[kubernetes.networking.v1.NetworkPolicyPortArgsDict] = [
        {"protocol": "TCP", "port": port} for port in CLUSTER_PORTS
    ]
    kubernetes.networking.v1.NetworkPolicy(
        f"{name}-network",
        metadata={"name": name, "namespace": namespace, "labels": labels(name, "keycloak")},
        spec={
            "pod_selector": {"match_labels": pods},
            "policy_types": ["Ingress", "Egress"],
            "ingress": [
                {
                    "from_": [
                        {"namespace_selector": {"match_labels": {"kubernetes.io/metadata.name": GATEWAY_NAMESPACE}}}
                    ],
                    "ports": [{"protocol": "TCP", "port": HTTP_PORT}],
                },
                {"from_": [replicas], "ports": cluster_ports},
            ],
            "egress": [{"to": [replicas], "ports": cluster_ports}, egress_to(database)],
        },
        opts=child,
    )
    ingress_at_target(f"{name}-to-{database['target']}", namespace, name, pods, database, child)
