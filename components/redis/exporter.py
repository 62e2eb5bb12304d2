"""The exporter beside a Redis server: its metrics for Prometheus."""

import pulumi_kubernetes as kubernetes

from components.images import REDIS_EXPORTER

METRICS_PORT = 9121


def exporter(object_name: str) -> kubernetes.core.v1.ContainerArgsDict:
    """The container; it asks the server over the pod's own loopback with the password from the server's Secret."""
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
        # /health does not ask Redis: a server that is down must not restart what reports it.
        "startup_probe": _probe(30),
        "readiness_probe": _probe(3),
        "liveness_probe": _probe(6),
        "security_context": {
            "allow_privilege_escalation": False,
            "read_only_root_filesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def _probe(failures: int) -> kubernetes.core.v1.ProbeArgsDict:
    return {
        "http_get": {"path": "/health", "port": "metrics"},
        "period_seconds": 10,
        "failure_threshold": failures,
        "timeout_seconds": 3,
    }
