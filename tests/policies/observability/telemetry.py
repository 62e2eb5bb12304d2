"""A small stack that keeps logs and traces: an Alloy, a Loki and a Tempo, good ones, to be changed."""

from typing import Any

import yaml

from policies.stack import Resource
from tests.policies.builders import Props, resource

ALLOY = """\
discovery.kubernetes "pods" {
  role = "pod"
  namespaces {
    names = ["shop", "tools"] // and no others
  }
}
discovery.relabel "pods" {
  targets = discovery.kubernetes.pods.targets
  rule {
    source_labels = ["__meta_kubernetes_pod_name"]
    target_label  = "pod"
  }
}
loki.source.kubernetes "pods" {
  targets    = discovery.relabel.pods.output
  forward_to = [
    loki.process.lines.receiver,
  ]
}
loki.process "lines" {
  forward_to = [loki.write.loki.receiver]
  stage.json {
    expressions = { level = "level" }
  }
}
loki.write "loki" {
  endpoint {
    url = "http://loki:3100/loki/api/v1/push"
  }
}
otelcol.receiver.otlp "product" {
  http {
    endpoint = "0.0.0.0:4318"
  }
  output {
    traces = [otelcol.processor.batch.product.input]
  }
}
otelcol.processor.batch "product" {
  output {
    traces = [otelcol.exporter.otlp.tempo.input]
  }
}
otelcol.exporter.otlp "tempo" {
  client {
    endpoint = "tempo.shop.svc:4317"
  }
}
"""
LOKI: Props = {
    "server": {"http_listen_port": 3100},
    "schema_config": {"configs": [{"from": "2025-01-01"}]},
    "compactor": {"retention_enabled": True},
    "limits_config": {"retention_period": "30d"},
}
TEMPO: Props = {
    "distributor": {"receivers": {"otlp": {"protocols": {"grpc": {"endpoint": "0.0.0.0:4317"}}}}},
    "storage": {"trace": {"backend": "s3"}},
}


def server(
    name: str, file: str, content: Any, ports: dict[str, int], argument: str = "--config.file="
) -> list[Resource]:
    """StatefulSet, ConfigMap and Service of a server that reads a file."""
    text = content if isinstance(content, str) else yaml.safe_dump(content)
    container: Props = {
        "name": name,
        "image": f"docker.io/grafana/{name}:1.0",
        "args": ["run", f"{argument}/etc/{name}/{file}"],
        "ports": [{"name": each, "containerPort": number} for each, number in ports.items()],
        "volumeMounts": [{"name": "config", "mountPath": f"/etc/{name}"}],
    }
    volume: Props = {"name": "config", "configMap": {"name": name, "items": [{"key": file, "path": file}]}}
    spec: Props = {"serviceAccountName": name, "containers": [container], "volumes": [volume]}
    template: Props = {"metadata": {"labels": {"app": name}}, "spec": spec}
    service: Props = {
        "selector": {"app": name},
        "ports": [{"name": each, "port": number, "targetPort": each} for each, number in ports.items()],
    }
    return [
        resource("StatefulSet", name, {"spec": {"template": template}}),
        resource("ConfigMap", name, {"data": {file: text}}),
        resource("Service", name, {"spec": service}),
    ]


def telemetry(alloy: str = ALLOY, loki: Props = LOKI, tempo: Props = TEMPO) -> dict[str, Resource]:
    """All of it, by kind and name, with the right to read logs."""
    role: Props = {"rules": [{"resources": ["pods", "pods/log"], "verbs": ["get"]}]}
    binding: Props = {
        "roleRef": {"kind": "ClusterRole", "name": "alloy"},
        "subjects": [{"kind": "ServiceAccount", "name": "alloy", "namespace": "shop"}],
    }
    found = [
        *server("alloy", "config.alloy", alloy, {"ui": 12345, "otlp": 4318}, argument=""),
        *server("loki", "loki.yaml", loki, {"http": 3100}),
        *server("tempo", "tempo.yaml", tempo, {"http": 3200, "otlp": 4317}),
        resource("ClusterRole", "alloy", role),
        resource("ClusterRoleBinding", "alloy", binding),
    ]
    return {f"{each.type.rpartition(':')[2]}/{each.name}": each for each in found}
