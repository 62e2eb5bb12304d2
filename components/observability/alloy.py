"""Alloy: reads the logs of pods, receives OpenTelemetry from the product, and hands both on to Loki and Tempo."""

from collections.abc import Sequence
from typing import TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from components.connection import Connection
from components.images import ALLOY as IMAGE
from components.labels import labels, selector
from components.observability import loki, tempo
from components.observability.loki import LOKI
from components.observability.monitors import Target
from components.observability.server import to_pods
from components.observability.stateful_server import declare_stateful_server
from components.observability.tempo import TEMPO
from components.workload.pods import Resources

ALLOY = "alloy"
PORT = 12345
OTLP_PORT = 4318
"""OTLP over HTTP, which every OpenTelemetry SDK speaks and every proxy passes."""
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


def configuration(namespaces: Sequence[str], environment: str) -> str:
    """`config.alloy`: logs of all pods in `namespaces`, spans and log records over OTLP."""
    return f"{_pod_logs(namespaces)}\n{pipeline(environment)}"


def _pod_logs(namespaces: Sequence[str]) -> str:
    """Logs through the API server: no access to any node's files, which restricted pods could not have."""
    names = ", ".join(f'"{name}"' for name in namespaces)
    return f"""\
logging {{
  level  = "info"
  format = "json"
}}

discovery.kubernetes "pods" {{
  role = "pod"
  namespaces {{
    names = [{names}]
  }}
}}

discovery.relabel "pods" {{
  targets = discovery.kubernetes.pods.targets

  rule {{
    source_labels = ["__meta_kubernetes_namespace"]
    target_label  = "namespace"
  }}
  rule {{
    source_labels = ["__meta_kubernetes_pod_name"]
    target_label  = "pod"
  }}
  rule {{
    source_labels = ["__meta_kubernetes_pod_container_name"]
    target_label  = "container"
  }}
  // The name under which Prometheus (job) and OpenTelemetry (service.name) know it too; the last one there is wins.
  rule {{
    source_labels = ["__meta_kubernetes_pod_container_name"]
    target_label  = "service_name"
  }}
  rule {{
    source_labels = ["__meta_kubernetes_pod_label_cnpg_io_cluster"]
    regex         = "(.+)"
    target_label  = "service_name"
  }}
  rule {{
    source_labels = ["__meta_kubernetes_pod_label_app_kubernetes_io_name"]
    regex         = "(.+)"
    target_label  = "service_name"
  }}
}}

loki.source.kubernetes "pods" {{
  targets    = discovery.relabel.pods.output
  forward_to = [loki.process.lines.receiver]
  // The replicas share the pods; each is read once.
  clustering {{
    enabled = true
  }}
}}
"""


def pipeline(environment: str) -> str:
    """What happens to lines and spans, wherever they come from."""
    return f"""\
loki.process "lines" {{
  forward_to = [loki.write.loki.receiver]

  // A line that is no JSON object passes as it is.
  stage.json {{
    expressions = {{ level = "level", trace_id = "trace_id" }}
  }}
  stage.labels {{
    values = {{ level = "" }}
  }}
  // There are too many of these to be labels: an index entry each would be dear.
  stage.structured_metadata {{
    values = {{ pod = "", trace_id = "" }}
  }}
  stage.label_drop {{
    values = ["pod"]
  }}
}}

loki.write "loki" {{
  endpoint {{
    url = "http://{LOKI}:{loki.PORT}/loki/api/v1/push"
  }}
  external_labels = {{ environment = "{environment}" }}
}}

otelcol.receiver.otlp "product" {{
  http {{
    endpoint = "0.0.0.0:{OTLP_PORT}"
  }}
  // No metrics: Prometheus reads them from the pods, and an exporter that sends them here is told so.
  output {{
    logs   = [otelcol.processor.memory_limiter.product.input]
    traces = [otelcol.processor.memory_limiter.product.input]
  }}
}}

// Refuses what it has no memory for, so that the sender tries again, instead of dying with all it holds.
otelcol.processor.memory_limiter "product" {{
  check_interval         = "1s"
  limit_percentage       = 75
  spike_limit_percentage = 15
  output {{
    logs   = [otelcol.processor.batch.product.input]
    traces = [otelcol.processor.batch.product.input]
  }}
}}

otelcol.processor.batch "product" {{
  output {{
    logs   = [otelcol.exporter.otlphttp.loki.input]
    traces = [otelcol.exporter.otlp.tempo.input]
  }}
}}

otelcol.exporter.otlphttp "loki" {{
  client {{
    endpoint = "http://{LOKI}:{loki.PORT}/otlp"
  }}
}}

otelcol.exporter.otlp "tempo" {{
  client {{
    endpoint = "{TEMPO}:{tempo.OTLP_PORT}"
    tls {{
      insecure = true
    }}
  }}
}}
"""


def declare_alloy(
    args: CollectorArgs, others: Sequence[str], namespace: str, environment: str, parent: pulumi.Resource
) -> None:
    """Declares the servers and their right to read logs: here, and where `others` are named, in the whole cluster."""
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
    kubernetes.core.v1.Service(
        PEERS,
        metadata={"name": PEERS, "namespace": namespace, "labels": labels(ALLOY, ALLOY)},
        spec={
            "selector": own,
            "cluster_ip": "None",
            "publish_not_ready_addresses": True,
            "ports": [{"name": "http", "port": PORT, "target_port": "http"}],
        },
        opts=child,
    )
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
        ports={"http": PORT, "otlp-http": OTLP_PORT},
        probe=("http", "/-/ready", None),
        resources=args["resources"],
        files={"config.alloy": configuration([namespace, *others], environment)},
        folder=FOLDER,
        storage="1Gi",
        # Other pods come in one by one, as they are declared; the replicas talk to each other.
        clients={PORT: [own]},
        unbacked_reason=UNBACKED,
        parent=parent,
        replicas=args["replicas"],
        egress=[
            to_pods(own, PORT),
            to_pods(loki.TARGET["pod_labels"], loki.PORT),
            to_pods(tempo.TARGET["pod_labels"], tempo.OTLP_PORT),
            # The API server stands at an address nobody knows beforehand.
            {"ports": [{"protocol": "TCP", "port": port} for port in (443, 6443)]},
        ],
        token=True,
    )
