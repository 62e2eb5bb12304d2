"""A single Redis server whose data survives a restart (append-only file) and that never drops a key to save memory."""

from typing import NotRequired, TypedDict, cast

import pulumi
import pulumi_kubernetes as kubernetes

from components.connection import Connection, from_secret
from components.labels import UNBACKED_REASON, labels, selector
from components.redis.server import PORT, configuration, pod_template, secrets


class RedisArgs(TypedDict):
    """What a Redis is given."""

    namespace: pulumi.Input[str]
    """Namespace to run in."""
    password: pulumi.Input[str]
    """Password of every client; kept secret. A changed one restarts the server."""
    cpu: pulumi.Input[str]
    """CPU request."""
    memory: str
    """Memory request and limit; 75 % of it is Redis' own `maxmemory`."""
    storage: pulumi.Input[str]
    """Volume for the append-only file; at least twice the memory, since a rewrite needs both copies."""
    unbacked_reason: NotRequired[pulumi.Input[str]]
    """Why losing this data with its volume is acceptable: it is not backed up. Without a reason the policy refuses."""
    protect: NotRequired[pulumi.Input[bool]]
    """Refuse to delete or replace the server. Default: false."""


class Redis(pulumi.ComponentResource):
    """StatefulSet of one, its configuration, password, Service and network policy."""

    def __init__(self, name: str, args: RedisArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        password = pulumi.Output.secret(args["password"])
        super().__init__(
            "mainstay:index:Redis",
            name,
            cast(pulumi.Inputs, {**args, "password": password}),
            opts,
        )
        object_name = kubernetes_name(name)
        child = pulumi.ResourceOptions(parent=self)
        pods = selector(object_name, "redis")
        metadata: kubernetes.meta.v1.ObjectMetaArgsDict = {
            "name": object_name,
            "namespace": args["namespace"],
            "labels": labels(object_name, "redis"),
        }
        files = configuration(args["memory"])
        secret_values = secrets(object_name, password)
        config = kubernetes.core.v1.ConfigMap(
            f"{object_name}-config",
            metadata=metadata,
            data=files,
            opts=child,
        )
        secret = kubernetes.core.v1.Secret(
            f"{object_name}-auth",
            metadata=metadata,
            string_data=secret_values,
            opts=child,
        )
        kubernetes.networking.v1.NetworkPolicy(
            f"{object_name}-network",
            metadata=metadata,
            spec={
                "pod_selector": {"match_labels": pods},
                "policy_types": ["Ingress", "Egress"],
                "ingress": [],
                "egress": [],
            },
            opts=child,
        )
        account = kubernetes.core.v1.ServiceAccount(
            f"{object_name}-account",
            metadata=metadata,
            automount_service_account_token=False,
            opts=child,
        )
        kubernetes.core.v1.Service(
            object_name,
            metadata=metadata,
            spec={
                "selector": pods,
                "cluster_ip": "None",
                "ports": [{"name": "redis", "port": PORT, "target_port": "redis"}],
            },
            opts=child,
        )
        annotations: dict[str, pulumi.Input[str]] = {}
        if "unbacked_reason" in args:
            annotations[UNBACKED_REASON] = args["unbacked_reason"]
        kubernetes.apps.v1.StatefulSet(
            object_name,
            metadata={**metadata, "annotations": annotations},
            spec={
                "service_name": object_name,
                "replicas": 1,
                "selector": {"match_labels": pods},
                "template": pod_template(object_name, args["cpu"], args["memory"], {**files, **secret_values}),
                "volume_claim_templates": [
                    {
                        "metadata": {"name": "data"},
                        "spec": {
                            "access_modes": ["ReadWriteOnce"],
                            "resources": {"requests": {"storage": args["storage"]}},
                        },
                    }
                ],
            },
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=bool(args.get("protect", False)),
                depends_on=[config, secret, account],
            ),
        )
        self.register_outputs({})

    @staticmethod
    def connection(name: str, password: pulumi.Input[str]) -> Connection:
        """How others in the namespace reach it: the URL, password included, stands in a Secret."""
        object_name = kubernetes_name(name)
        return {
            "target": object_name,
            "pod_labels": selector(object_name, "redis"),
            "port": PORT,
            "url": from_secret(object_name, "url"),
            "password": pulumi.Output.secret(password),
        }


def kubernetes_name(name: str) -> str:
    """Name of the objects of one Redis: `redis-queue` for the Redis `queue`."""
    return f"redis-{name}"
