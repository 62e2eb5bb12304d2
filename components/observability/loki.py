"""Loki: the logs of an environment, one server, its chunks and index in object storage. It evaluates alerts on them."""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import pulumi
import yaml

from components.connection import ingress_at_target
from components.images import LOKI as IMAGE
from components.labels import selector
from components.observability import alertmanager, object_store
from components.observability.alertmanager import ALERTMANAGER
from components.observability.monitors import Target
from components.observability.object_store import ObjectStore
from components.observability.server import to_pods
from components.observability.stateful_server import declare_stateful_server
from components.workload.pods import Resources

LOKI = "loki"
PORT = 3100
FOLDER = f"/var/lib/{LOKI}"
RULES = "rules.yaml"
TENANT = "fake"
"""What Loki itself calls the only tenant: the folder of its rules, and of its chunks in the bucket."""

TARGET: Target = {
    "name": LOKI,
    "pod_labels": selector(LOKI, LOKI),
    "port_name": "http",
    "port": PORT,
    "path": "/metrics",
}
"""Loki itself."""

UNBACKED = "Only what the last hours brought stands on this volume; the rest is in object storage, kept for retention."


class LogsArgs(TypedDict):
    """What keeping logs takes."""

    retention: str
    """How long a line is kept, in days, e.g. `30d`; then it is deleted from the bucket too."""
    retention_by_level: NotRequired[Mapping[str, str]]
    """Level -> how long a line of that level is kept instead, e.g. `debug` -> `7d`. Default: as long as all others."""
    store: ObjectStore
    """Where it is kept."""
    storage: str
    """Volume for what is not in the bucket yet."""
    resources: Resources
    """Requests and limits."""
    namespaces: list[str]
    """Other namespaces whose logs are kept beside the environment's own, e.g. those of operators."""


def configuration(args: LogsArgs, environment: str) -> str:
    """`loki.yaml`; it holds no secret, the store's keys are variables."""
    store, keys = args["store"], object_store.placeholders()
    config: dict[str, Any] = {
        # One tenant: each environment has a Loki of its own.
        "auth_enabled": False,
        "server": {"http_listen_port": PORT, "log_format": "json"},
        "common": {
            "path_prefix": FOLDER,
            "replication_factor": 1,
            "instance_addr": "127.0.0.1",
            "ring": {"kvstore": {"store": "inmemory"}},
            "storage": {
                "s3": {
                    "bucketnames": store["bucket"],
                    "endpoint": object_store.host(store),
                    "region": store["region"],
                    "access_key_id": keys[object_store.KEY_ID],
                    "secret_access_key": keys[object_store.KEY],
                    "insecure": not object_store.is_encrypted(store),
                    "s3forcepathstyle": True,
                }
            },
        },
        "schema_config": {
            "configs": [
                # From before there was any log; a later schema gets an entry of its own below, and this one stays.
                {
                    "from": "2025-01-01",
                    "store": "tsdb",
                    "object_store": "s3",
                    "schema": "v13",
                    "index": {"prefix": "index_", "period": "24h"},
                }
            ]
        },
        # Without these two, retention_period deletes nothing.
        "compactor": {
            "working_directory": f"{FOLDER}/compactor",
            "retention_enabled": True,
            "delete_request_store": "s3",
        },
        "limits_config": {
            "retention_period": args["retention"],
            "retention_stream": [
                {"selector": f'{{level="{level}"}}', "priority": 1, "period": days}
                for level, days in args.get("retention_by_level", {}).items()
            ],
            # More than Alloy lets through (pipeline.py): at this limit the lines of all are refused.
            "ingestion_rate_mb": 16,
            "ingestion_burst_size_mb": 32,
            # A line older than this is refused: it would go to an index table that is closed.
            "reject_old_samples_max_age": "7d",
            "allow_structured_metadata": True,
            # A longer line loses its end, and is not lost whole.
            "max_line_size": "256KB",
            "max_line_size_truncate": True,
        },
        "ruler": {
            "storage": {"type": "local", "local": {"directory": f"/etc/{LOKI}/rules"}},
            "rule_path": f"{FOLDER}/rules",
            "ring": {"kvstore": {"store": "inmemory"}},
            # Each Alertmanager is told, as Prometheus does; they agree among themselves who tells.
            "alertmanager_url": f"http://_web._tcp.{ALERTMANAGER}-operated",
            "enable_alertmanager_discovery": True,
            "external_labels": {"environment": environment},
        },
        "analytics": {"reporting_enabled": False},
    }
    return yaml.safe_dump(config, sort_keys=False)


def declare_loki(
    args: LogsArgs,
    rules: str,
    writer: dict[str, str],
    reader: dict[str, str],
    namespace: str,
    environment: str,
    parent: pulumi.Resource,
) -> None:
    """Declares the server.

    `rules`: file of the alerts that it evaluates; `writer`, `reader`: labels of the pods that send lines and that ask
    for them.
    """
    ingress_at_target(
        f"{LOKI}-to-{ALERTMANAGER}",
        namespace,
        LOKI,
        TARGET["pod_labels"],
        {"target": ALERTMANAGER, "pod_labels": alertmanager.TARGET["pod_labels"], "port": alertmanager.PORT, "url": {}},
        pulumi.ResourceOptions(parent=parent),
    )
    declare_stateful_server(
        LOKI,
        LOKI,
        namespace,
        {
            "name": LOKI,
            "image": IMAGE,
            "args": [f"-config.file=/etc/{LOKI}/loki.yaml", "-config.expand-env=true"],
            "env": object_store.variables(LOKI),
        },
        ports={"http": PORT},
        probe=("http", "/ready", "/loki/api/v1/status/buildinfo"),
        resources=args["resources"],
        files={"loki.yaml": configuration(args, environment), RULES: rules},
        paths={RULES: f"rules/{TENANT}/{RULES}"},
        folder=FOLDER,
        storage=args["storage"],
        clients={PORT: [writer, reader]},
        store=args["store"],
        unbacked_reason=UNBACKED,
        parent=parent,
        egress=[to_pods(alertmanager.TARGET["pod_labels"], alertmanager.PORT)],
    )
