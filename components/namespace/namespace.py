"""A namespace in which nothing runs privileged, nothing is reachable unless declared, nothing grows unbounded."""

from typing import NotRequired, TypedDict, cast

import pulumi
import pulumi_kubernetes as kubernetes

from components.labels import labels


class NamespaceArgs(TypedDict):
    """What a namespace is given: one quota for all that runs in it."""

    name: pulumi.Input[str]
    """Kubernetes name of the namespace."""
    cpu: pulumi.Input[str]
    """Sum of all CPU requests, e.g. `8`. CPU is not limited: a limit would throttle and help nobody."""
    memory: pulumi.Input[str]
    """Sum of all memory limits (and so of all requests), e.g. `16Gi`."""
    storage: pulumi.Input[str]
    """Sum of all volume claims, e.g. `100Gi`."""
    pods: pulumi.Input[int]
    """Number of pods."""
    protect: NotRequired[pulumi.Input[bool]]
    """Refuse to delete the namespace, and with it everything inside. Default: false."""


class Namespace(pulumi.ComponentResource):
    """Namespace with restricted pod security, default-deny network policy, quota and default limits.

    What goes into it must depend on this component.
    """

    def __init__(self, name: str, args: NamespaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mainstay:index:Namespace", name, cast(pulumi.Inputs, dict(args)), opts)
        namespace = kubernetes.core.v1.Namespace(
            name,
            metadata={
                "name": args["name"],
                "labels": {
                    **labels(name, "namespace"),
                    **{f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")},
                },
            },
            opts=pulumi.ResourceOptions(parent=self, protect=bool(args.get("protect", False))),
        )
        # Not the namespace's own output, which is unknown in the first preview: policies could then say nothing of
        # where things are. The order comes from depends_on.
        child = pulumi.ResourceOptions(parent=self, depends_on=[namespace])
        inside = args["name"]
        kubernetes.networking.v1.NetworkPolicy(
            f"{name}-default-deny",
            metadata={"name": "default-deny", "namespace": inside},
            spec={"pod_selector": {}, "policy_types": ["Ingress", "Egress"]},
            opts=child,
        )
        kubernetes.networking.v1.NetworkPolicy(
            f"{name}-allow-dns",
            metadata={"name": "allow-dns", "namespace": inside},
            spec={
                "pod_selector": {},
                "policy_types": ["Egress"],
                "egress": [
                    {
                        "to": [
                            {
                                "namespace_selector": {"match_labels": {"kubernetes.io/metadata.name": "kube-system"}},
                                "pod_selector": {"match_labels": {"k8s-app": "kube-dns"}},
                            }
                        ],
                        "ports": [
                            {"protocol": "UDP", "port": 53},
                            {"protocol": "TCP", "port": 53},
                        ],
                    }
                ],
            },
            opts=child,
        )
        kubernetes.core.v1.ResourceQuota(
            f"{name}-quota",
            metadata={"name": "quota", "namespace": inside},
            spec={
                "hard": {
                    "requests.cpu": args["cpu"],
                    "requests.memory": args["memory"],
                    "limits.memory": args["memory"],
                    "requests.storage": args["storage"],
                    "pods": pulumi.Output.from_input(args["pods"]).apply(str),
                }
            },
            opts=child,
        )
        # The quota makes requests and a memory limit obligatory; pods that an operator or a person starts
        # without them (restore jobs, `kubectl debug`) get these instead of a refusal.
        kubernetes.core.v1.LimitRange(
            f"{name}-limits",
            metadata={"name": "limits", "namespace": inside},
            spec={
                "limits": [
                    {
                        "type": "Container",
                        "default_request": {"cpu": "50m", "memory": "128Mi"},
                        "default": {"memory": "256Mi"},
                    }
                ]
            },
            opts=child,
        )
        self.register_outputs({})
