"""Who may talk to a database's pods, and whom they must reach. Consumers open their own way in."""

import pulumi
import pulumi_kubernetes as kubernetes

from components.labels import labels

OPERATOR_NAMESPACE = "cnpg-system"
"""Where CloudNativePG runs, by its own default."""
POSTGRES_PORT = 5432
STATUS_PORT = 8000
"""Port of the instance manager, which the operator and the other instances ask for the instance's state."""


def declare_network(object_name: str, namespace: pulumi.Input[str], parent: pulumi.Resource) -> None:
    """Opens replication among the instances, the operator's access, the API server and the object store."""
    instances: kubernetes.meta.v1.LabelSelectorArgsDict = {"match_labels": {"cnpg.io/cluster": object_name}}
    kubernetes.networking.v1.NetworkPolicy(
        f"{object_name}-network",
        metadata={
            "name": object_name,
            "namespace": namespace,
            "labels": labels(object_name, "postgres"),
        },
        spec={
            "pod_selector": instances,
            "policy_types": ["Ingress", "Egress"],
            "ingress": [
                {
                    "from_": [
                        {"pod_selector": instances},
                        {"namespace_selector": {"match_labels": {"kubernetes.io/metadata.name": OPERATOR_NAMESPACE}}},
                    ],
                    "ports": [{"protocol": "TCP", "port": port} for port in (POSTGRES_PORT, STATUS_PORT)],
                }
            ],
            "egress": [
                {
                    "to": [{"pod_selector": instances}],
                    "ports": [{"protocol": "TCP", "port": port} for port in (POSTGRES_PORT, STATUS_PORT)],
                },
                # The API server (443 or 6443) and the object store stand at addresses nobody knows beforehand.
                {"ports": [{"protocol": "TCP", "port": port} for port in (443, 6443)]},
            ],
        },
        opts=pulumi.ResourceOptions(parent=parent),
    )
