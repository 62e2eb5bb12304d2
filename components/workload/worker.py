"""A process that takes work from a queue or from the clock: e-mail worker, engine worker, scheduler."""

from typing import NotRequired, cast

import pulumi
import pulumi_kubernetes as kubernetes

from components.workload.pods import Pods, WorkloadArgs, sealed


class WorkerArgs(WorkloadArgs):
    """What a worker is given."""

    health_port: pulumi.Input[int]
    """Port the process answers its probes on."""
    longest_job_seconds: int
    """The longest job it must be allowed to finish after SIGTERM."""
    singleton: NotRequired[bool]
    """Never two at a time: the old pod is gone before the new one starts. Default: false."""


class Worker(pulumi.ComponentResource):
    """Deployment without a Service, and everything that keeps it up; nothing may connect to it."""

    def __init__(self, name: str, args: WorkerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mainstay:index:Worker", name, cast(pulumi.Inputs, sealed(args)), opts)
        pods = Pods(
            name,
            "worker",
            args,
            port=args["health_port"],
            stop_seconds=args["longest_job_seconds"],
            ingress=[],
            parent=self,
        )
        kubernetes.apps.v1.Deployment(
            name,
            metadata=pods.metadata(name, args["namespace"]),
            spec={
                "replicas": args["replicas"],
                "revision_history_limit": 5,
                "selector": {"match_labels": pods.selector},
                "strategy": {"type": "Recreate"}
                if args.get("singleton", False)
                else {
                    "type": "RollingUpdate",
                    "rolling_update": {"max_unavailable": 0, "max_surge": 1},
                },
                "template": pods.template,
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=pods.requires),
        )
        self.register_outputs({})
