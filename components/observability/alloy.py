"""Alloy: reads the logs of pods, receives OpenTelemetry from the product, and hands both on to Loki and Tempo.

What it does with them on their way is in `pipeline`.
"""

from collections.abc import Sequence
from typing import TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from components.connection import Connection
from components.images import ALLOY as IMAGE
from components.labels import labels, selector
from components.observability import loki, tempo
from components.observability.monitors import Target
from components.observability.pipeline import OTLP_PORT, SPANS, SPANS_PORT
from components.observability.server import to_pods
from components.observability.stateful_server import declare_stateful_server
from components.workload.pods import Resources

ALLOY = "alloy"
PORT = 12345
PEERS = f"{ALLOY}-peers"
"""Service by which the servers find each other, ready or not."""
FOLDER = f"/var/lib/{ALLOY}"

TARGET: Target = {
    "name": ALLOY,
    "pod_labels": selector(ALLOY, ALLOY),
    "port_name": "http",
    "port": PORT,
    "path": "/metrics",
}
"""Alloy itself."""

CONNECTION: Connection = {
    "target": ALLOY,
    "pod_labels": TARGET["pod_labels"],
    "port": OTLP_PORT,
    "url": {"value": f"http://{ALLOY}:{OTLP_PORT}"},
}
"""Where the product sends spans and log records: the value of `OTEL_EXPORTER_OTLP_ENDPOINT`."""

UNBACKED = "How far each log was read stands on this volume; lost, the lines that pods still have are read again."


class CollectorArgs(TypedDict):
    """What collecting takes."""

    replicas: pulumi.Input[int]
    """Servers that share the pods among them; from 2 on, losing one loses nothing."""
    resources: Resources
    """Requests and limits of a server."""


def declare_alloy(
    args: CollectorArgs, config: str, others: Sequence[str], namespace: str, parent: pulumi.Resource
) -> None:
    """Declares the servers and their right to read logs: here, and where `others` are named, in the whole cluster.

    `config`: the `config.alloy` that reads them, as `pipeline.configuration` writes it.
    """
    child = pulumi.ResourceOptions(parent=parent)
    # A role of the cluster in any case: a Role in another namespace could not be declared before that namespace is.
    role: kubernetes.meta.v1.ObjectMetaArgsDict = {"name": f"{namespace}-{ALLOY}", "labels": labels(ALLOY, ALLOY)}
    kubernetes.rbac.v1.ClusterRole(
        f"{ALLOY}-role",
        metadata=role,
        rules=[
            {"api_groups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]},
            {"api_groups": [""], "resources": ["pods/log"], "verbs": ["get"]},
        ],
        opts=child,
    )
    reference: kubernetes.rbac.v1.RoleRefArgsDict = {
        "api_group": "rbac.authorization.k8s.io",
        "kind": "ClusterRole",
        "name": f"{namespace}-{ALLOY}",
    }
    subjects: list[kubernetes.rbac.v1.SubjectArgsDict] = [
        {"kind": "ServiceAccount", "name": ALLOY, "namespace": namespace}
    ]
    if others:
        kubernetes.rbac.v1.ClusterRoleBinding(
            f"{ALLOY}-cluster-binding", metadata=role, role_ref=reference, subjects=subjects, opts=child
        )
    else:
        kubernetes.rbac.v1.RoleBinding(
            f"{ALLOY}-binding",
            metadata={"name": ALLOY, "namespace": namespace, "labels": labels(ALLOY, ALLOY)},
            role_ref=reference,
            subjects=subjects,
            opts=child,
        )
    own = TARGET["pod_labels"]
    # Peers must meet before they are ready. A trace goes to a replica that is, or it would wait for one that starts.
    _declare_headless_service(PEERS, "http", PORT, True, namespace, child)
    _declare_headless_service(SPANS, "otlp-grpc", SPANS_PORT, False, namespace, child)
    declare_stateful_server(
        ALLOY,
        ALLOY,
        namespace,
        {
            "name": ALLOY,
            "image": IMAGE,
            "args": [
                "run",
                f"--server.http.listen-addr=0.0.0.0:{PORT}",
                f"--storage.path={FOLDER}",
                "--disable-reporting",
                "--cluster.enabled=true",
                f"--cluster.join-addresses={PEERS}:{PORT}",
                f"/etc/{ALLOY}/config.alloy",
            ],
        },
        ports={"http": PORT, "otlp-http": OTLP_PORT, "otlp-grpc": SPANS_PORT},
        probe=("http", "/-/ready", None),
        resources=args["resources"],
        files={"config.alloy": config},
        folder=FOLDER,
        storage="1Gi",
        # Other pods come in one by one, as they are declared; the replicas talk to each other.
        clients={PORT: [own], SPANS_PORT: [own]},
        unbacked_reason=UNBACKED,
        parent=parent,
        replicas=args["replicas"],
        egress=[
            to_pods(own, PORT),
            to_pods(own, SPANS_PORT),
            to_pods(loki.TARGET["pod_labels"], loki.PORT),
            to_pods(tempo.TARGET["pod_labels"], tempo.OTLP_PORT),
            # The API server stands at an address nobody knows beforehand.
            {"ports": [{"protocol": "TCP", "port": port} for port in (443, 6443)]},
        ],
        token=True,
    )


def _declare_headless_service(
    name: str, port_name: str, port: int, before_ready: bool, namespace: str, child: pulumi.ResourceOptions
) -> None:
    kubernetes.core.v1.Service(
        name,
        metadata={"name": name, "namespace": namespace, "labels": labels(ALLOY, ALLOY)},
        spec={
            "selector": TARGET["pod_labels"],
            "cluster_ip": "None",
            "publish_not_ready_addresses": before_ready,
            "ports": [{"name": port_name, "port": port, "target_port": port_name}],
        },
        opts=child,
    )
