"""The pod that every workload runs in, and the objects that stand beside it.

The product's contract: a process listens for HTTP probes on one port, drains when it gets SIGTERM, writes only
to /tmp, and runs as any user but root.
"""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from components.connection import (
    Connection,
    egress_to,
    egress_to_internet,
    from_secret,
    ingress_at_target,
    variable,
)
from components.fingerprint import ANNOTATION, fingerprint
from components.labels import DRAIN_SECONDS, labels, selector

PRE_STOP_SECONDS = 10
"""How long a stopping pod still serves while endpoints and gateways forget it, which takes them seconds."""
GRACE_MARGIN_SECONDS = 10
"""Slack between the end of draining and SIGKILL."""
TMP = "/tmp"  # noqa: S108 (a path in the container, on a volume of its own)
STARTUP_SECONDS = 150
"""How long a process may take to start before it is restarted."""


class Resources(TypedDict):
    """What one pod asks for. There is no CPU limit on purpose: it throttles a pod while its node idles."""

    cpu: pulumi.Input[str]
    """CPU request, e.g. `250m`."""
    memory: pulumi.Input[str]
    """Memory request, e.g. `256Mi`."""
    memory_limit: pulumi.Input[str]
    """Memory limit, at least the request; above it the pod is killed."""


class ProbePaths(TypedDict):
    """HTTP paths of the probes, all on one port."""

    startup: pulumi.Input[str]
    """Answers 200 once the process has started."""
    readiness: pulumi.Input[str]
    """Answers 200 while requests (or jobs) are welcome; may look at dependencies."""
    liveness: pulumi.Input[str]
    """Answers 200 unless only a restart helps; never looks at dependencies."""


class Promised(TypedDict):
    """A service-level objective."""

    name: str
    """Unique in the environment, e.g. `api-availability`."""
    objective: float
    """Share of events that must be good, e.g. 0.995."""
    window_days: int
    """Over how many days."""


class WorkloadArgs(TypedDict):
    """What services and workers have in common."""

    namespace: pulumi.Input[str]
    """Namespace to run in."""
    image: pulumi.Input[str]
    """Image reference with tag or digest."""
    command: NotRequired[pulumi.Input[Sequence[str]]]
    """Arguments in place of the image's own command."""
    replicas: pulumi.Input[int]
    """Number of pods, at least 1."""
    resources: Resources
    """Requests and limits of a pod."""
    probe_paths: ProbePaths
    """Paths of the health probes."""
    env: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Environment variables."""
    secret_env: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Environment variables with secret values; they travel in a Secret and stay encrypted in the state."""
    connections: NotRequired[Mapping[str, Connection]]
    """Environment variable -> the thing whose URL it holds; opens the network between the two, and no more."""
    internet_ports: NotRequired[Sequence[int]]
    """TCP ports on public addresses that the pods may reach. Default: none."""
    slos: NotRequired[Sequence[Promised]]
    """What it promises, for whoever reads the state, policies above all. Default: nothing."""


def sealed(args: WorkloadArgs) -> dict[str, object]:
    """The args as a component registers them: secret variables are secret from their entry on."""
    return {
        **args,
        "secret_env": {name: pulumi.Output.secret(value) for name, value in args.get("secret_env", {}).items()},
    }


class Pods:
    """Service account, secret, disruption budget, network policies and the pod template of one workload."""

    def __init__(
        self,
        name: str,
        component: str,
        args: WorkloadArgs,
        port: pulumi.Input[int],
        stop_seconds: int,
        ingress: Sequence[kubernetes.networking.v1.NetworkPolicyIngressRuleArgsDict],
        parent: pulumi.Resource,
    ) -> None:
        """`stop_seconds`: what the process needs after SIGTERM. `port`: where its probes (and requests) arrive."""
        child = pulumi.ResourceOptions(parent=parent)
        namespace = args["namespace"]
        self.selector = selector(name, component)
        self.labels = labels(name, component)
        connections = args.get("connections", {})
        secret_env = {key: pulumi.Output.secret(value) for key, value in args.get("secret_env", {}).items()}
        account = kubernetes.core.v1.ServiceAccount(
            f"{name}-account",
            metadata=self.metadata(name, namespace),
            automount_service_account_token=False,
            opts=child,
        )
        self.requires: list[pulumi.Resource] = [account]
        env: list[kubernetes.core.v1.EnvVarArgsDict] = [
            {"name": key, "value": value} for key, value in sorted(args.get("env", {}).items())
        ]
        env += [variable(key, each["url"]) for key, each in sorted(connections.items())]
        annotations: dict[str, pulumi.Input[str]] = {DRAIN_SECONDS: str(stop_seconds)}
        if secret_env:
            secret = kubernetes.core.v1.Secret(
                f"{name}-env",
                metadata=self.metadata(f"{name}-env", namespace),
                string_data=secret_env,
                opts=child,
            )
            self.requires.append(secret)
            env += [variable(key, from_secret(f"{name}-env", key)) for key in sorted(secret_env)]
        # A changed secret must roll the pods: they read it once, at start.
        passwords = {key: each["password"] for key, each in connections.items() if "password" in each}
        if read_at_start := {**secret_env, **passwords}:
            annotations[ANNOTATION] = fingerprint(name, read_at_start)
        kubernetes.policy.v1.PodDisruptionBudget(
            f"{name}-disruption",
            metadata=self.metadata(name, namespace),
            spec={
                "max_unavailable": 1,
                "unhealthy_pod_eviction_policy": "AlwaysAllow",
                "selector": {"match_labels": self.selector},
            },
            opts=child,
        )
        egress = [egress_to(each) for each in _distinct(connections)]
        if ports := list(args.get("internet_ports", [])):
            egress.append(egress_to_internet(ports))
        kubernetes.networking.v1.NetworkPolicy(
            f"{name}-network",
            metadata=self.metadata(name, namespace),
            spec={
                "pod_selector": {"match_labels": self.selector},
                "policy_types": ["Ingress", "Egress"],
                "ingress": ingress,
                "egress": egress,
            },
            opts=child,
        )
        for each in _distinct(connections):
            ingress_at_target(f"{name}-to-{each['target']}", namespace, name, self.selector, each, child)
        self.template: kubernetes.core.v1.PodTemplateSpecArgsDict = {
            "metadata": {"labels": self.labels, "annotations": annotations},
            "spec": {
                "service_account_name": name,
                "automount_service_account_token": False,
                "enable_service_links": False,
                "termination_grace_period_seconds": PRE_STOP_SECONDS + stop_seconds + GRACE_MARGIN_SECONDS,
                "security_context": {
                    "run_as_non_root": True,
                    "seccomp_profile": {"type": "RuntimeDefault"},
                },
                "topology_spread_constraints": spread(self.selector),
                "containers": [
                    {
                        "name": name,
                        "image": args["image"],
                        "args": args.get("command"),
                        "ports": [{"name": "http", "container_port": port}],
                        "env": env,
                        "resources": {
                            "requests": {
                                "cpu": args["resources"]["cpu"],
                                "memory": args["resources"]["memory"],
                            },
                            "limits": {"memory": args["resources"]["memory_limit"]},
                        },
                        "startup_probe": _probe(args["probe_paths"]["startup"], 5, STARTUP_SECONDS // 5),
                        "readiness_probe": _probe(args["probe_paths"]["readiness"], 5, 3),
                        "liveness_probe": _probe(args["probe_paths"]["liveness"], 10, 6),
                        "lifecycle": {"pre_stop": {"sleep": {"seconds": PRE_STOP_SECONDS}}},
                        "security_context": {
                            "allow_privilege_escalation": False,
                            "read_only_root_filesystem": True,
                            "capabilities": {"drop": ["ALL"]},
                        },
                        "volume_mounts": [{"name": "tmp", "mount_path": TMP}],
                    }
                ],
                "volumes": [{"name": "tmp", "empty_dir": {"size_limit": "256Mi"}}],
            },
        }

    def metadata(self, name: str, namespace: pulumi.Input[str]) -> kubernetes.meta.v1.ObjectMetaArgsDict:
        """Metadata of one of the workload's objects."""
        return {"name": name, "namespace": namespace, "labels": self.labels}


def spread(
    pod_labels: Mapping[str, str],
    revision_label: str = "pod-template-hash",
) -> list[kubernetes.core.v1.TopologySpreadConstraintArgsDict]:
    """One pod more in a zone than in another at the most; on nodes, as far as there is room.

    `revision_label`: the label that tells pods of one revision from those of another; a Deployment's is the default, a
    StatefulSet's is `controller-revision-hash`.

    Zones are strict because losing one must not lose a service; `node_taints_policy: Honor` leaves a zone that
    is down out of the count, so that its pods may move.
    """
    return [
        {
            "max_skew": 1,
            "topology_key": "topology.kubernetes.io/zone",
            "when_unsatisfiable": "DoNotSchedule",
            "node_taints_policy": "Honor",
            "match_label_keys": [revision_label],
            "label_selector": {"match_labels": pod_labels},
        },
        {
            "max_skew": 1,
            "topology_key": "kubernetes.io/hostname",
            "when_unsatisfiable": "ScheduleAnyway",
            "match_label_keys": [revision_label],
            "label_selector": {"match_labels": pod_labels},
        },
    ]


def _probe(path: pulumi.Input[str], period: int, failures: int) -> kubernetes.core.v1.ProbeArgsDict:
    return {
        "http_get": {"path": path, "port": "http"},
        "period_seconds": period,
        "failure_threshold": failures,
        "timeout_seconds": 3,
    }


def _distinct(connections: Mapping[str, Connection]) -> list[Connection]:
    """Each target once, in a stable order: two variables may hold the URL of one thing."""
    by_target = {each["target"]: each for each in connections.values()}
    return [by_target[target] for target in sorted(by_target)]
