"""A small server of the observability room: one restricted pod, its files, its account, its network."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from components.fingerprint import ANNOTATION, fingerprint
from components.labels import DRAIN_SECONDS, labels, selector
from components.workload.pods import GRACE_MARGIN_SECONDS, PRE_STOP_SECONDS

USER = 10001
"""User and group of these servers: their images run as any user but root."""
STOP_SECONDS = 30
"""What they may need after SIGTERM to end requests and to write down what they hold."""
PLACES = ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
"""What replicas are kept apart by."""


def declare_server(
    name: str,
    component: str,
    namespace: str,
    container: kubernetes.core.v1.ContainerArgsDict,
    files: Mapping[str, pulumi.Input[str]],
    egress: Sequence[Any],
    parent: pulumi.Resource,
    ingress: Sequence[Any] = (),
    token: bool = False,
    writable: Mapping[str, str] | None = None,
    paths: Mapping[str, str] | None = None,
    fingerprinted: Mapping[str, pulumi.Input[str]] | None = None,
) -> None:
    """Declares a Deployment of one pod. What stops with it comes back within seconds and keeps nothing.

    `files` are mounted at `/etc/<name>`, each at its path of `paths` or else by its own name; `token`: it talks to the
    API server; `writable`: path -> name of the volume there; `fingerprinted`: secrets that it reads at start only, so
    that a change restarts it.
    """
    template, requires = pod(
        name, component, namespace, container, files, parent, token, writable, paths, fingerprinted
    )
    network(name, component, namespace, ingress, egress, parent)
    kubernetes.apps.v1.Deployment(
        name,
        metadata={"name": name, "namespace": namespace, "labels": labels(name, component)},
        spec={
            "replicas": 1,
            "revision_history_limit": 5,
            "selector": {"match_labels": selector(name, component)},
            "template": template,
        },
        opts=pulumi.ResourceOptions(parent=parent, depends_on=requires),
    )


def pod(
    name: str,
    component: str,
    namespace: str,
    container: kubernetes.core.v1.ContainerArgsDict,
    files: Mapping[str, pulumi.Input[str]],
    parent: pulumi.Resource,
    token: bool = False,
    writable: Mapping[str, str] | None = None,
    paths: Mapping[str, str] | None = None,
    fingerprinted: Mapping[str, pulumi.Input[str]] | None = None,
    claims: Sequence[str] = (),
) -> tuple[kubernetes.core.v1.PodTemplateSpecArgsDict, list[pulumi.Resource]]:
    """The pod template, and what must be there before it. `claims`: the volumes that a StatefulSet claims."""
    metadata: kubernetes.meta.v1.ObjectMetaArgsDict = {
        "name": name,
        "namespace": namespace,
        "labels": labels(name, component),
    }
    child = pulumi.ResourceOptions(parent=parent)
    requires: list[pulumi.Resource] = [
        kubernetes.core.v1.ServiceAccount(
            f"{name}-account", metadata=metadata, automount_service_account_token=token, opts=child
        )
    ]
    mounts: list[kubernetes.core.v1.VolumeMountArgsDict] = []
    volumes: list[kubernetes.core.v1.VolumeArgsDict] = []
    for path, volume in (writable or {}).items():
        mounts.append({"name": volume, "mount_path": path})
        if volume not in claims:
            volumes.append({"name": volume, "empty_dir": {"size_limit": "1Gi"}})
    if files:
        requires.append(kubernetes.core.v1.ConfigMap(f"{name}-config", metadata=metadata, data=dict(files), opts=child))
        mounts.append({"name": "config", "mount_path": f"/etc/{name}", "read_only": True})
        items: list[kubernetes.core.v1.KeyToPathArgsDict] = [
            {"key": file, "path": (paths or {}).get(file, file)} for file in sorted(files)
        ]
        volumes.append({"name": "config", "config_map": {"name": name, "items": items}})
    read_at_start = {**files, **(fingerprinted or {})}
    template: kubernetes.core.v1.PodTemplateSpecArgsDict = {
        "metadata": {
            "labels": labels(name, component),
            "annotations": {
                DRAIN_SECONDS: str(STOP_SECONDS),
                **({ANNOTATION: fingerprint(name, read_at_start)} if read_at_start else {}),
            },
        },
        "spec": {
            "service_account_name": name,
            "automount_service_account_token": token,
            "enable_service_links": False,
            "termination_grace_period_seconds": PRE_STOP_SECONDS + STOP_SECONDS + GRACE_MARGIN_SECONDS,
            # As far as there is room: a volume may bind a replica to a zone.
            "topology_spread_constraints": [
                {
                    "max_skew": 1,
                    "topology_key": place,
                    "when_unsatisfiable": "ScheduleAnyway",
                    "label_selector": {"match_labels": selector(name, component)},
                }
                for place in PLACES
            ],
            "security_context": {
                "run_as_non_root": True,
                "run_as_user": USER,
                "run_as_group": USER,
                "fs_group": USER,
                "seccomp_profile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    **container,
                    "lifecycle": {"pre_stop": {"sleep": {"seconds": PRE_STOP_SECONDS}}},
                    "security_context": {
                        "allow_privilege_escalation": False,
                        "read_only_root_filesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                    "volume_mounts": mounts,
                }
            ],
            "volumes": volumes,
        },
    }
    return template, requires


def network(
    name: str, component: str, namespace: str, ingress: Sequence[Any], egress: Sequence[Any], parent: pulumi.Resource
) -> None:
    """The network policy of the server's pods."""
    kubernetes.networking.v1.NetworkPolicy(
        f"{name}-network",
        metadata={"name": name, "namespace": namespace, "labels": labels(name, component)},
        spec={
            "pod_selector": {"match_labels": selector(name, component)},
            "policy_types": ["Ingress", "Egress"],
            "ingress": list(ingress),
            "egress": list(egress),
        },
        opts=pulumi.ResourceOptions(parent=parent),
    )


def from_pods(pods: Sequence[Mapping[str, str]], port: int) -> Any:
    """An ingress rule: these pods of the namespace may come in at the port."""
    return {
        "from_": [{"pod_selector": {"match_labels": dict(each)}} for each in pods],
        "ports": [{"protocol": "TCP", "port": port}],
    }


def to_pods(pods: Mapping[str, str], port: int) -> Any:
    """An egress rule: out to these pods of the namespace at the port."""
    return {
        "to": [{"pod_selector": {"match_labels": dict(pods)}}],
        "ports": [{"protocol": "TCP", "port": port}],
    }


class Probes(TypedDict):
    """The probes of a container."""

    startup_probe: kubernetes.core.v1.ProbeArgsDict
    readiness_probe: kubernetes.core.v1.ProbeArgsDict
    liveness_probe: kubernetes.core.v1.ProbeArgsDict


def http_probes(ready_port: str, ready_path: str, live_port: str, live_path: str | None) -> Probes:
    """The three probes of a container over HTTP.

    `live_path`: a page that asks for nothing beside the process; None where there is none: then it is alive that takes
    connections.
    """

    def probe(port: str, path: str | None, period: int, failures: int) -> kubernetes.core.v1.ProbeArgsDict:
        asked: kubernetes.core.v1.ProbeArgsDict = (
            {"http_get": {"path": path, "port": port}} if path else {"tcp_socket": {"port": port}}
        )
        asked |= {"period_seconds": period, "failure_threshold": failures, "timeout_seconds": 3}
        return asked

    return {
        # Reading back what was logged before the last stop takes Loki and Tempo a while: 60 × 5 s.
        "startup_probe": probe(live_port, live_path, 5, 60),
        "readiness_probe": probe(ready_port, ready_path, 5, 3),
        "liveness_probe": probe(live_port, live_path, 10, 6),
    }


def spread_of_custom_resource(pod_labels: dict[str, str]) -> list[dict[str, Any]]:
    """Replicas in different zones and on different nodes, as far as there is room, in an operator's spelling."""
    return [
        {
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": pod_labels},
        }
        for key in PLACES
    ]
