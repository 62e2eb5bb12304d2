"""The exporter beside a Redis server: its metrics for Prometheus."""

import pulumi_kubernetes as kubernetes

from components.images import REDIS_EXPORTER

METRICS_PORT = 9121


def exporter(object_name: str) -> kubernetes.core.v1.ContainerArgsDict:
    """The container; it asks the server over the pod's own loopback with the password from the server's Secret."""
    health: kubernetes.core.v1.ProbeArgsDict = {
        "http_get": {"path": "/health", "port": "metrics"},
        "period_seconds": 10,
        "timeout_seconds": 3,
    }
    return {
        "name": "exporter",
        "image": REDIS_EXPORTER,
        "ports": [{"name": "metrics", "container_port": METRICS_PORT}],
        "env": [
            {"name": "REDIS_ADDR", "value": "redis://localhost:6379"},
            {
                "name": "REDIS_PASSWORD",
                "value_from": {"secret_key_ref": {"name": object_name, "key": "password"}},
            },
        ],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}},
        # /health does not ask Redis: a server that is down must not restart what reports it. To be ready it need only
        # listen: a slow answer of it must not take the server out of its Service.
        "startup_probe": {**health, "failure_threshold": 30},
        "readiness_probe": {"tcp_socket": {"port": "metrics"}, "period_seconds": 10},
        "liveness_probe": {**health, "failure_threshold": 6},
        "security_context": {
            "allow_privilege_escalation": False,
            "read_only_root_filesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
