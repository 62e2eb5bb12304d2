"""A service that answers HTTP: the product's API, its web frontend."""

from typing import NotRequired, cast

import pulumi
import pulumi_kubernetes as kubernetes

from components.connection import Connection
from components.labels import selector
from components.workload.pods import Pods, WorkloadArgs, sealed

GATEWAY_NAMESPACE = "envoy-gateway-system"
"""Where Envoy Gateway runs its proxies, by its own default."""


class HttpServiceArgs(WorkloadArgs):
    """What an HTTP service is given."""

    port: pulumi.Input[int]
    """Port the process listens on, for requests and probes."""
    drain_seconds: NotRequired[int]
    """How long requests may take to end after SIGTERM. Default: 30 (REQUIREMENTS C4)."""
    public: NotRequired[bool]
    """Let the gateway in. Default: false, only declared connections may enter."""


class HttpService(pulumi.ComponentResource):
    """Deployment, Service and everything that keeps them up: probes, drain, budget, spread, network policy."""

    def __init__(self, name: str, args: HttpServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mainstay:index:HttpService", name, cast(pulumi.Inputs, sealed(args)), opts)
        pods = Pods(
            name,
            "service",
            args,
            port=args["port"],
            stop_seconds=args.get("drain_seconds", 30),
            ingress=[
                {
                    "from_": [
                        {"namespace_selector": {"match_labels": {"kubernetes.io/metadata.name": GATEWAY_NAMESPACE}}}
                    ],
                    "ports": [{"protocol": "TCP", "port": args["port"]}],
                }
            ]
            if args.get("public", False)
            else [],
            parent=self,
        )
        child = pulumi.ResourceOptions(parent=self)
        kubernetes.core.v1.Service(
            name,
            metadata=pods.metadata(name, args["namespace"]),
            spec={
                "selector": pods.selector,
                "ports": [{"name": "http", "port": args["port"], "target_port": "http"}],
            },
            opts=child,
        )
        kubernetes.apps.v1.Deployment(
            name,
            metadata=pods.metadata(name, args["namespace"]),
            spec={
                "replicas": args["replicas"],
                "revision_history_limit": 5,
                "selector": {"match_labels": pods.selector},
                "strategy": {
                    "type": "RollingUpdate",
                    "rolling_update": {"max_unavailable": 0, "max_surge": 1},
                },
                "template": pods.template,
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=pods.requires),
        )
        self.register_outputs({})

    @staticmethod
    def connection(name: str, port: int) -> Connection:
        """How others in the namespace reach the service; known before it is declared."""
        return {
            "target": name,
            "pod_labels": selector(name, "service"),
            "port": port,
            "url": {"value": f"http://{name}:{port}"},
        }
