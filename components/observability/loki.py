"""Loki: the logs of an environment, one server, its chunks and index in object storage."""

from typing import Any, TypedDict

import pulumi
import yaml

from components.images import LOKI as IMAGE
from components.labels import selector
from components.observability import object_store
from components.observability.monitors import Target
from components.observability.object_store import ObjectStore
from components.observability.stateful_server import declare_stateful_server
from components.workload.pods import Resources

LOKI = "loki"
PORT = 3100
FOLDER = f"/var/lib/{LOKI}"

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
    store: ObjectStore
    """Where it is kept."""
    storage: str
    """Volume for what is not in the bucket yet."""
    resources: Resources
    """Requests and limits."""
    namespaces: list[str]
    """Other namespaces whose logs are kept beside the environment's own, e.g. those of operators."""


def configuration(args: LogsArgs) -> str:
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
            # A line older than this is refused: it would go to an index table that is closed.
            "reject_old_samples_max_age": "7d",
            "allow_structured_metadata": True,
            # A longer line loses its end, and is not lost whole.
            "max_line_size": "256KB",
            "max_line_size_truncate": True,
        },
        "analytics": {"reporting_enabled": False},
    }
    return yaml.safe_dump(config, sort_keys=False)


def declare_loki(
    args: LogsArgs, writer: dict[str, str], reader: dict[str, str], namespace: str, parent: pulumi.Resource
) -> None:
    """Declares the server. `writer`, `reader`: labels of the pods that send lines and that ask for them."""
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
        files={"loki.yaml": configuration(args)},
        folder=FOLDER,
        storage=args["storage"],
        clients={PORT: [writer, reader]},
        store=args["store"],
        unbacked_reason=UNBACKED,
        parent=parent,
    )
