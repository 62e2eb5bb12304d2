"""The Redis server itself: its configuration files, its secrets and its pod."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import pulumi
import pulumi_kubernetes as kubernetes

from components.fingerprint import ANNOTATION, fingerprint
from components.images import REDIS
from components.labels import DRAIN_SECONDS, labels
from components.quantity import parse
from components.redis.exporter import exporter
from components.workload.pods import GRACE_MARGIN_SECONDS

PORT = 6379
USER = 999
"""User and group id of the official image."""
MEMORY_SHARE_PERCENT = 75
"""maxmemory as a share of the container's limit; the rest is for the fork that rewrites the append-only file."""

STOP_SECONDS = 50
"""SIGTERM makes Redis write and close its file; a large one takes a while."""

_CONFIGURATION = """\
port {port}
dir /data
appendonly yes
appendfsync everysec
# No snapshots beside the append-only file: one truth on disk, half the writes.
save ""
maxmemory {maxmemory}
# A full queue refuses new work loudly; it never drops a job.
maxmemory-policy noeviction
include /etc/redis-auth/auth.conf
"""
_HEALTH_SCRIPT = (Path(__file__).parent / "health.sh").read_text()


def configuration(memory: str) -> dict[str, str]:
    """The files of the ConfigMap; `memory` is the container's limit."""
    maxmemory = int(parse(memory) * MEMORY_SHARE_PERCENT / 100)
    return {
        "redis.conf": _CONFIGURATION.format(port=PORT, maxmemory=maxmemory),
        "health.sh": _HEALTH_SCRIPT,
    }


def secrets(object_name: str, password: pulumi.Output[str]) -> dict[str, pulumi.Output[str]]:
    """The keys of the Secret: the password for probes, the server's file, and the URL for clients."""
    return {
        "password": password,
        "auth.conf": password.apply(_requirepass),
        "url": password.apply(lambda known: f"redis://:{quote(known, safe='')}@{object_name}:{PORT}/0"),
    }


def pod_template(
    object_name: str,
    cpu: pulumi.Input[str],
    memory: pulumi.Input[str],
    fingerprinted: Mapping[str, pulumi.Input[str]],
) -> kubernetes.core.v1.PodTemplateSpecArgsDict:
    """The server's pod. `fingerprinted`: what it reads at start only; a change restarts it."""
    return {
        "metadata": {
            "labels": labels(object_name, "redis"),
            # No wait before SIGTERM: there is no other server that could take what comes meanwhile.
            "annotations": {
                ANNOTATION: fingerprint(object_name, fingerprinted),
                DRAIN_SECONDS: str(STOP_SECONDS),
            },
        },
        "spec": {
            "service_account_name": object_name,
            "automount_service_account_token": False,
            "enable_service_links": False,
            "termination_grace_period_seconds": STOP_SECONDS + GRACE_MARGIN_SECONDS,
            "security_context": {
                "run_as_non_root": True,
                "run_as_user": USER,
                "run_as_group": USER,
                "fs_group": USER,
                "seccomp_profile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "redis",
                    "image": REDIS,
                    "args": ["redis-server", "/etc/redis/redis.conf"],
                    "ports": [{"name": "redis", "container_port": PORT}],
                    "env": [
                        {
                            "name": "REDISCLI_AUTH",
                            "value_from": {"secret_key_ref": {"name": object_name, "key": "password"}},
                        }
                    ],
                    "resources": {
                        "requests": {"cpu": cpu, "memory": memory},
                        "limits": {"memory": memory},
                    },
                    # Loading a large file takes minutes: 60 × 5 s.
                    "startup_probe": _probe("alive", 5, 60),
                    "readiness_probe": _probe("ready", 5, 3),
                    "liveness_probe": _probe("alive", 10, 6),
                    "security_context": {
                        "allow_privilege_escalation": False,
                        "read_only_root_filesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                    "volume_mounts": [
                        {"name": "data", "mount_path": "/data"},
                        {"name": "config", "mount_path": "/etc/redis", "read_only": True},
                        {"name": "auth", "mount_path": "/etc/redis-auth", "read_only": True},
                    ],
                },
                exporter(object_name),
            ],
            "volumes": [
                {"name": "config", "config_map": {"name": object_name, "default_mode": 0o555}},
                {
                    "name": "auth",
                    "secret": {
                        "secret_name": object_name,
                        "default_mode": 0o440,
                        "items": [{"key": "auth.conf", "path": "auth.conf"}],
                    },
                },
            ],
        },
    }


def _probe(question: str, period: int, failures: int) -> kubernetes.core.v1.ProbeArgsDict:
    return {
        "exec_": {"command": ["/etc/redis/health.sh", question]},
        "period_seconds": period,
        "failure_threshold": failures,
        "timeout_seconds": 3,
    }


def _requirepass(password: str) -> str:
    escaped = password.replace("\\", "\\\\").replace('"', '\\"')
    return f'requirepass "{escaped}"\n'
