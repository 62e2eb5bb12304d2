"""A PostgreSQL cluster: declared here, run by CloudNativePG, archived by its Barman Cloud plugin."""

from typing import Any, NotRequired, TypedDict, cast

import pulumi
import pulumi_kubernetes as kubernetes

from components.connection import Connection, from_secret
from components.images import POSTGRES
from components.labels import labels
from components.postgres.backup import BARMAN_PLUGIN, Backup, declare_backup
from components.postgres.network import declare_network
from components.quantity import parse

READY_SECONDS = 900
"""How long a new cluster may take: three instances clone one after the other."""


class PostgresArgs(TypedDict):
    """What a database is given."""

    namespace: pulumi.Input[str]
    """Namespace to run in."""
    instances: int
    """Number of servers: 1 primary, the others replicas. From 3 on, a commit is on two of them before it returns."""
    cpu: pulumi.Input[str]
    """CPU request of an instance."""
    memory: pulumi.Input[str]
    """Memory request and limit of an instance: equal, so that a node short of memory evicts others first."""
    storage: pulumi.Input[str]
    """Volume for the data of an instance; can grow, never shrink."""
    wal_storage: pulumi.Input[str]
    """Volume of its own for the write-ahead log, so that a stuck archive cannot fill the data's volume."""
    max_connections: NotRequired[pulumi.Input[int]]
    """Server's limit on connections. Default: 200."""
    backup: NotRequired[Backup]
    """Where backups go. Without it there is neither a backup nor point-in-time recovery."""
    protect: NotRequired[pulumi.Input[bool]]
    """Refuse to delete or replace the database. Default: false."""


class Postgres(pulumi.ComponentResource):
    """CloudNativePG Cluster, its ObjectStore and ScheduledBackup, and the network policy of its pods."""

    def __init__(self, name: str, args: PostgresArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mainstay:index:Postgres", name, cast(pulumi.Inputs, _sealed(args)), opts)
        object_name = kubernetes_name(name)
        backup = args.get("backup")
        store = declare_backup(object_name, args["namespace"], backup, self) if backup else None
        declare_network(object_name, args["namespace"], self)
        kubernetes.apiextensions.CustomResource(
            object_name,
            api_version="postgresql.cnpg.io/v1",
            kind="Cluster",
            metadata={
                "name": object_name,
                "namespace": args["namespace"],
                "labels": labels(object_name, "postgres"),
                "annotations": {
                    "pulumi.com/waitFor": "condition=Ready",
                    "pulumi.com/timeoutSeconds": str(READY_SECONDS),
                },
            },
            spec=_cluster_spec(object_name, args),
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=bool(args.get("protect", False)),
                depends_on=[store] if store else [],
            ),
        )
        self.register_outputs({})

    @staticmethod
    def connection(name: str) -> Connection:
        """How others in the namespace reach the primary: the operator keeps the URL, password included, in a Secret."""
        object_name = kubernetes_name(name)
        return {
            "target": object_name,
            "pod_labels": {"cnpg.io/cluster": object_name},
            "port": 5432,
            "url": from_secret(f"{object_name}-app", "uri"),
        }


def kubernetes_name(name: str) -> str:
    """Name of the database's objects: `postgres-main` for the database `main`."""
    return f"postgres-{name}"


def _sealed(args: PostgresArgs) -> dict[str, object]:
    """The args as they are registered, the object store's keys secret from their entry on."""
    backup = args.get("backup")
    if backup is None:
        return dict(args)
    return {
        **args,
        "backup": {
            **backup,
            "access_key_id": pulumi.Output.secret(backup["access_key_id"]),
            "secret_access_key": pulumi.Output.secret(backup["secret_access_key"]),
        },
    }


def _half(volume: str) -> str:
    """Half of a volume, as PostgreSQL writes sizes: its MB is a MiB."""
    return f"{int(parse(volume) / 2 / 1024**2)}MB"


def _cluster_spec(object_name: str, args: PostgresArgs) -> dict[str, Any]:
    instances = args["instances"]
    postgresql: dict[str, Any] = {
        "parameters": {
            # RPO below 5 minutes (REQUIREMENTS B2): a segment leaves at the latest after a minute.
            "archive_timeout": "1min",
            "max_connections": pulumi.Output.from_input(args.get("max_connections", 200)).apply(str),
            # A replica that is gone for long must not fill the primary's disk with log kept for it.
            "max_slot_wal_keep_size": pulumi.Output.from_input(args["wal_storage"]).apply(_half),
        }
    }
    if instances >= 3:
        postgresql["synchronous"] = {
            "method": "any",
            "number": 1,
            "dataDurability": "required",
            "failoverQuorum": True,
        }
    spec: dict[str, Any] = {
        "imageName": POSTGRES,
        "instances": instances,
        "enableSuperuserAccess": False,
        # With one instance the operator's budget would block every node drain.
        "enablePDB": instances > 1,
        "bootstrap": {
            "initdb": {
                "database": "app",
                "owner": "app",
                "dataChecksums": True,
                "postInitApplicationSQL": ["CREATE EXTENSION IF NOT EXISTS vector"],
            }
        },
        "postgresql": postgresql,
        "storage": {"size": args["storage"]},
        "walStorage": {"size": args["wal_storage"]},
        "resources": {
            "requests": {"cpu": args["cpu"], "memory": args["memory"]},
            "limits": {"memory": args["memory"]},
        },
        "replicationSlots": {"highAvailability": {"enabled": True}},
        "affinity": {
            "enablePodAntiAffinity": True,
            "topologyKey": "kubernetes.io/hostname",
            "podAntiAffinityType": "required",
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "topology.kubernetes.io/zone",
                "whenUnsatisfiable": "DoNotSchedule",
                "nodeTaintsPolicy": "Honor",
                "labelSelector": {"matchLabels": {"cnpg.io/cluster": object_name}},
            }
        ],
        # A primary cut off from the API server and from its replicas stops itself: no split brain.
        "probes": {"liveness": {"isolationCheck": {"enabled": True}}},
    }
    if "backup" in args:
        spec["plugins"] = [
            {
                "name": BARMAN_PLUGIN,
                "enabled": True,
                "isWALArchiver": True,
                "parameters": {"barmanObjectName": object_name, "serverName": object_name},
            }
        ]
    return spec
