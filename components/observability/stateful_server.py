"""A server of the observability room that keeps something for a while: StatefulSet, volume, Service, network."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from components.labels import UNBACKED_REASON, labels, selector
from components.observability import object_store
from components.observability.object_store import ObjectStore
from components.observability.server import from_pods, http_probes, network, pod
from components.workload.pods import Resources


def declare_stateful_server(
    name: str,
    component: str,
    namespace: str,
    container: kubernetes.core.v1.ContainerArgsDict,
    ports: Mapping[str, int],
    probe: tuple[str, str, str | None],
    resources: Resources,
    files: Mapping[str, str],
    folder: str,
    storage: str,
    clients: Mapping[int, Sequence[Mapping[str, str]]],
    unbacked_reason: str,
    parent: pulumi.Resource,
    store: ObjectStore | None = None,
    replicas: pulumi.Input[int] = 1,
    egress: Sequence[Any] = (),
    token: bool = False,
    paths: Mapping[str, str] | None = None,
) -> None:
    """Declares the server and its Service `name`.

    `ports`: name -> number, of pods and Service; `probe`: port, path that answers 200 once it works, and one that
    does as long as it lives, or None (see `http_probes`); `files` are mounted at `/etc/<name>`, each at its path of
    `paths` or else by its own name, the volume of size `storage` at `folder`; `clients`: port -> labels of the pods
    that may come in there; `store`: the object storage whose keys go into its Secret; `token`: it talks to the API
    server.
    """
    child = pulumi.ResourceOptions(parent=parent)
    metadata: kubernetes.meta.v1.ObjectMetaArgsDict = {
        "name": name,
        "namespace": namespace,
        "labels": labels(name, component),
    }
    keys: Mapping[str, pulumi.Input[str]] = object_store.secret_data(store) if store else {}
    out: list[Any] = [*egress]
    if store:
        # The store stands at an address nobody knows beforehand.
        out.append({"ports": [{"protocol": "TCP", "port": object_store.port(store)}]})
    template, requires = pod(
        name,
        component,
        namespace,
        {
            **container,
            "ports": [{"name": each, "container_port": number} for each, number in ports.items()],
            **http_probes(probe[0], probe[1], probe[0], probe[2]),
            "resources": {
                "requests": {"cpu": resources["cpu"], "memory": resources["memory"]},
                "limits": {"memory": resources["memory_limit"]},
            },
        },
        files,
        parent,
        token=token,
        paths=paths,
        writable={folder: "data", "/tmp": "tmp"},  # noqa: S108 (a path in the container, on a volume of its own)
        fingerprinted=keys,
        claims=("data",),
    )
    if keys:
        requires.append(
            kubernetes.core.v1.Secret(f"{name}-object-store", metadata=metadata, string_data=keys, opts=child)
        )
    network(name, component, namespace, [from_pods(pods, port) for port, pods in clients.items()], out, parent)
    kubernetes.core.v1.Service(
        name,
        metadata=metadata,
        spec={
            "selector": selector(name, component),
            "ports": [{"name": each, "port": number, "target_port": each} for each, number in ports.items()],
        },
        opts=child,
    )
    kubernetes.policy.v1.PodDisruptionBudget(
        f"{name}-disruption",
        metadata=metadata,
        spec={
            "max_unavailable": 1,
            "unhealthy_pod_eviction_policy": "AlwaysAllow",
            "selector": {"match_labels": selector(name, component)},
        },
        opts=child,
    )
    kubernetes.apps.v1.StatefulSet(
        name,
        metadata={**metadata, "annotations": {UNBACKED_REASON: unbacked_reason}},
        spec={
            "service_name": name,
            "replicas": replicas,
            "revision_history_limit": 5,
            "pod_management_policy": "Parallel",
            "selector": {"match_labels": selector(name, component)},
            "template": template,
            "volume_claim_templates": [
                {
                    "metadata": {"name": "data"},
                    "spec": {
                        "access_modes": ["ReadWriteOnce"],
                        "resources": {"requests": {"storage": storage}},
                    },
                }
            ],
        },
        opts=pulumi.ResourceOptions(parent=parent, depends_on=requires),
    )
