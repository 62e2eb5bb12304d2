"""Tempo: the traces of an environment, one server, its blocks in object storage."""

from typing import Any, TypedDict

import pulumi
import yaml

from components.images import TEMPO as IMAGE
from components.labels import selector
from components.observability import object_store
from components.observability.monitors import Target
from components.observability.object_store import ObjectStore
from components.observability.stateful_server import declare_stateful_server
from components.workload.pods import Resources

TEMPO = "tempo"
PORT = 3200
OTLP_PORT = 4317
FOLDER = f"/var/lib/{TEMPO}"

TARGET: Target = {
    "name": TEMPO,
    "pod_labels": selector(TEMPO, TEMPO),
    "port_name": "http",
    "port": PORT,
    "path": "/metrics",
}
"""Tempo itself."""

UNBACKED = "Only what the last hour brought stands on this volume; the rest is in object storage, kept for retention."


class TracesArgs(TypedDict):
    """What keeping traces takes."""

    retention: str
    """How long a trace is kept, in days, e.g. `14d`; then it is deleted from the bucket too."""
    share: float
    """Per cent of the traces without an error in which nothing is slow that are kept, e.g. `10`; all others are."""
    store: ObjectStore
    """Where it is kept."""
    storage: str
    """Volume for what is not in the bucket yet."""
    resources: Resources
    """Requests and limits."""


def configuration(args: TracesArgs) -> str:
    """`tempo.yaml`; it holds no secret, the store's keys are variables."""
    store, keys = args["store"], object_store.placeholders()
    config: dict[str, Any] = {
        "server": {"http_listen_port": PORT, "log_format": "json"},
        "distributor": {"receivers": {"otlp": {"protocols": {"grpc": {"endpoint": f"0.0.0.0:{OTLP_PORT}"}}}}},
        "ingester": {"lifecycler": {"address": "127.0.0.1", "ring": {"replication_factor": 1}}},
        # Tempo knows no days.
        "compactor": {"compaction": {"block_retention": f"{int(args['retention'].removesuffix('d')) * 24}h"}},
        "storage": {
            "trace": {
                "backend": "s3",
                "s3": {
                    "bucket": store["bucket"],
                    "endpoint": object_store.host(store),
                    "region": store["region"],
                    "access_key": keys[object_store.KEY_ID],
                    "secret_key": keys[object_store.KEY],
                    "insecure": not object_store.is_encrypted(store),
                    "forcepathstyle": True,
                },
                "wal": {"path": f"{FOLDER}/wal"},
                "local": {"path": f"{FOLDER}/blocks"},
            }
        },
        "usage_report": {"reporting_enabled": False},
    }
    return yaml.safe_dump(config, sort_keys=False)


def declare_tempo(
    args: TracesArgs, writer: dict[str, str], reader: dict[str, str], namespace: str, parent: pulumi.Resource
) -> None:
    """Declares the server. `writer`, `reader`: labels of the pods that send spans and that ask for traces."""
    declare_stateful_server(
        TEMPO,
        TEMPO,
        namespace,
        {
            "name": TEMPO,
            "image": IMAGE,
            "args": [f"-config.file=/etc/{TEMPO}/tempo.yaml", "-config.expand-env=true"],
            "env": object_store.variables(TEMPO),
        },
        ports={"http": PORT, "otlp-grpc": OTLP_PORT},
        probe=("http", "/ready", "/status/version"),
        resources=args["resources"],
        files={"tempo.yaml": configuration(args)},
        folder=FOLDER,
        storage=args["storage"],
        clients={PORT: [reader], OTLP_PORT: [writer]},
        store=args["store"],
        unbacked_reason=UNBACKED,
        parent=parent,
    )
