"""Grafana: data sources and dashboards come from this repository; what a person changes in it is gone at a restart."""

from collections.abc import Mapping
from typing import Any, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes
import yaml

from components.connection import ingress_at_target
from components.images import GRAFANA as IMAGE
from components.labels import labels, selector
from components.observability import loki, prometheus, tempo
from components.observability.dashboards import DASHBOARDS, LOGS, METRICS, TRACES, document
from components.observability.monitors import PROMETHEUS, Target
from components.observability.server import declare_server, http_probes, to_pods
from components.workload.pods import Resources

GRAFANA = "grafana"
PORT = 3000

TARGET: Target = {
    "name": GRAFANA,
    "pod_labels": selector(GRAFANA, GRAFANA),
    "port_name": "http",
    "port": PORT,
    "path": "/metrics",
}
"""Grafana itself."""


DATA_SOURCES: list[dict[str, Any]] = [
    {
        "name": "Prometheus",
        "uid": METRICS,
        "type": "prometheus",
        "access": "proxy",
        "url": f"http://{PROMETHEUS}:{prometheus.PORT}",
        "isDefault": True,
        # The scrape's own interval, from which $__rate_interval is made.
        "jsonData": {
            "timeInterval": "30s",
            "httpMethod": "POST",
            # From a request in a histogram (an exemplar) to its trace.
            "exemplarTraceIdDestinations": [{"name": "trace_id", "datasourceUid": TRACES}],
        },
    },
    {
        "name": "Loki",
        "uid": LOGS,
        "type": "loki",
        "access": "proxy",
        "url": f"http://{loki.LOKI}:{loki.PORT}",
        "jsonData": {
            # From a line to the request it belongs to.
            "derivedFields": [
                {
                    "name": "trace_id",
                    "matcherType": "label",
                    "matcherRegex": "trace_id",
                    "datasourceUid": TRACES,
                    # Grafana expands ${…} of the environment when it reads the file; $$ is a $ of the URL's own.
                    "url": "$${__value.raw}",
                }
            ]
        },
    },
    {
        "name": "Tempo",
        "uid": TRACES,
        "type": "tempo",
        "access": "proxy",
        "url": f"http://{tempo.TEMPO}:{tempo.PORT}",
        "jsonData": {
            # From a span to what its pod logged meanwhile; from a service to its metrics.
            "tracesToLogsV2": {
                "datasourceUid": LOGS,
                "spanStartTimeShift": "-5m",
                "spanEndTimeShift": "5m",
                "tags": [{"key": "service.name", "value": "service_name"}],
                "filterByTraceID": False,
                "customQuery": True,
                "query": '{$${__tags}} | trace_id = "$${__trace.traceId}"',
            },
            "tracesToMetrics": {
                "datasourceUid": METRICS,
                "tags": [{"key": "service.name", "value": "job"}],
                "queries": [
                    {
                        "name": "Requests",
                        "query": "sum by (status) (rate(http_request_duration_seconds_count{$$__tags}[5m]))",
                    }
                ],
            },
        },
    },
]
"""Where Grafana reads: an exemplar and a line lead to a trace, a trace to its lines and to its service's metrics."""


class GrafanaArgs(TypedDict):
    """What Grafana is given."""

    admin_password: pulumi.Input[str]
    """Password of the user `admin`; kept secret. A changed one restarts it."""
    resources: Resources
    """Requests and limits."""


def declare_grafana(args: GrafanaArgs, namespace: str, parent: pulumi.Resource) -> None:
    """Declares the server. It is reached by `kubectl port-forward service/grafana 3000`; nothing routes to it."""
    metadata: kubernetes.meta.v1.ObjectMetaArgsDict = {
        "name": GRAFANA,
        "namespace": namespace,
        "labels": labels(GRAFANA, GRAFANA),
    }
    child = pulumi.ResourceOptions(parent=parent)
    password = pulumi.Output.secret(args["admin_password"])
    kubernetes.core.v1.Secret(
        f"{GRAFANA}-admin", metadata=metadata, string_data={"admin-password": password}, opts=child
    )
    kubernetes.core.v1.Service(
        GRAFANA,
        metadata=metadata,
        spec={
            "selector": TARGET["pod_labels"],
            "ports": [{"name": "http", "port": PORT, "target_port": "http"}],
        },
        opts=child,
    )
    ingress_at_target(
        f"{GRAFANA}-to-{PROMETHEUS}",
        namespace,
        GRAFANA,
        TARGET["pod_labels"],
        {"target": PROMETHEUS, "pod_labels": selector(PROMETHEUS, PROMETHEUS), "port": prometheus.PORT, "url": {}},
        child,
    )
    settings = {
        "GF_PATHS_PROVISIONING": f"/etc/{GRAFANA}",
        "GF_PATHS_LOGS": "/var/lib/grafana/log",
        "GF_ANALYTICS_REPORTING_ENABLED": "false",
        "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
        "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
        "GF_PLUGINS_PREINSTALL_DISABLED": "true",
        "GF_USERS_ALLOW_SIGN_UP": "false",
        "GF_SECURITY_DISABLE_GRAVATAR": "true",
    }
    declare_server(
        GRAFANA,
        GRAFANA,
        namespace,
        {
            "name": GRAFANA,
            "image": IMAGE,
            "ports": [{"name": "http", "container_port": PORT}],
            "env": [
                *({"name": key, "value": value} for key, value in settings.items()),
                {
                    "name": "GF_SECURITY_ADMIN_PASSWORD",
                    "value_from": {"secret_key_ref": {"name": GRAFANA, "key": "admin-password"}},
                },
            ],
            # The first asks its database, the second nobody.
            **http_probes("http", "/api/health", "http", "/healthz"),
            "resources": {
                "requests": {"cpu": args["resources"]["cpu"], "memory": args["resources"]["memory"]},
                "limits": {"memory": args["resources"]["memory_limit"]},
            },
        },
        files=provisioning(namespace),
        paths={
            "datasources.yaml": "datasources/datasources.yaml",
            "dashboards.yaml": "dashboards/dashboards.yaml",
        },
        egress=[
            to_pods(source["pod_labels"], source["port"]) for source in (prometheus.TARGET, loki.TARGET, tempo.TARGET)
        ],
        writable={"/var/lib/grafana": "data"},
        fingerprinted={"admin-password": password},
        parent=parent,
    )


def provisioning(environment: str) -> Mapping[str, str]:
    """Data sources, the dashboards' provider, and the dashboards themselves."""
    provider = {
        "name": "mainstay",
        "type": "file",
        "folder": environment,
        "disableDeletion": True,
        "allowUiUpdates": False,
        "options": {"path": f"/etc/{GRAFANA}"},
    }
    return {
        "datasources.yaml": yaml.safe_dump({"apiVersion": 1, "datasources": DATA_SOURCES}, sort_keys=False),
        "dashboards.yaml": yaml.safe_dump({"apiVersion": 1, "providers": [provider]}, sort_keys=False),
        **{f"{page.uid}.json": document(page) for page in DASHBOARDS},
    }
