"""What is simulated in the embedded cluster: nodes, containers, volumes, load balancers and the operators' work.

The stages in stages/*.yaml (kwok's Stage API) move objects to the state a healthy node or operator would report. An
object that carries the annotation `simulation.mainstay.dev/fail: <reason>` is moved to a failed state instead, until
the annotation is gone; `fail` and `heal` set and remove it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from devcluster import DevclusterError
from devcluster.api import Api, ApiError, Json
from devcluster.directory import Directory

if TYPE_CHECKING:
    from devcluster.cluster import Cluster

FAIL = "simulation.mainstay.dev/fail"

# Told to people wherever the embedded cluster is reported.
SIMULATED = (
    "containers: pods are scheduled and reported ready, nothing runs in them",
    "nodes: six workers in three zones, without a machine behind them",
    "volumes: claims are bound, no data is kept",
    "network: load balancers get addresses, nothing listens there; network policies are accepted, not enforced",
    "operators: CloudNativePG, cert-manager, Prometheus, Gateway API, KEDA and Flagger resources report what a healthy "
    "operator would, which does not act: there is no database, certificate or route behind them",
)


def stages() -> list[Path]:
    """The stage files, in the order kwok reads them."""
    return sorted((Path(__file__).parent / "stages").glob("*.yaml"))


@dataclass(frozen=True)
class Placed:
    """An object that devcluster itself puts into the cluster, and the path to apply it to."""

    path: str
    manifest: Json


def furniture() -> list[Placed]:
    """The nodes, the default storage class, and the namespace of Envoy Gateway, in which environments have a role."""
    workers = [_node(zone, number) for zone in ("a", "b", "c") for number in (1, 2)]
    return [*workers, _storage_class(), _storage_driver(), _namespace("envoy-gateway-system")]


def fail(cluster: "Cluster", resource: str, namespace: str | None, name: str, reason: str) -> None:
    """Bring one object to a failed state that gives `reason`; returns when asked, not when it has failed.

    `resource` is the plural with its group ("pods", "deployments.apps", "clusters.postgresql.cnpg.io"). With an object
    that has a pod template it is the pods of a new rollout that fail. Raises DevclusterError if there is none.
    """
    _annotate(cluster, resource, namespace, name, reason)


def heal(cluster: "Cluster", resource: str, namespace: str | None, name: str) -> None:
    """Undo `fail`."""
    _annotate(cluster, resource, namespace, name, None)


def _annotate(cluster: "Cluster", resource: str, namespace: str | None, name: str, reason: str | None) -> None:
    directory = Directory(cluster.kubeconfig.parent)
    api = Api(
        int(cluster.server.rpartition(":")[2]),
        directory.certificate("ca"),
        directory.certificate("admin"),
        directory.key("admin"),
    )
    path = f"{_collection(api, resource, namespace)}/{name}"
    change: Json = {"metadata": {"annotations": {FAIL: reason}}}
    try:
        if "template" in api.get(path).get("spec", {}):
            change = {"spec": {"template": change}}
        api.merge(path, change)
    except ApiError as error:
        raise DevclusterError(f"cannot change the simulated state of {resource}/{name}: {error}") from error


def _collection(api: Api, resource: str, namespace: str | None) -> str:
    plural, _, group = resource.partition(".")
    place = f"/namespaces/{namespace}" if namespace else ""
    if not group:
        return f"/api/v1{place}/{plural}"
    try:
        version = str(api.get(f"/apis/{group}")["preferredVersion"]["groupVersion"])
    except ApiError as error:
        raise DevclusterError(f"the embedded cluster serves no API group {group}: {error}") from error
    return f"/apis/{version}{place}/{plural}"


def _node(zone: str, number: int) -> Placed:
    name = f"worker-{zone}{number}"
    index = "abc".index(zone) * 2 + number
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "node.kubernetes.io/instance-type": "simulated",
        "topology.kubernetes.io/region": "local",
        "topology.kubernetes.io/zone": f"local-{zone}",
    }
    manifest: Json = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": labels,
            # Read by the stage node-ready; from the range kept for benchmarks, so that it is nobody's address.
            "annotations": {"simulation.mainstay.dev/address": f"198.18.0.{index}"},
        },
        "spec": {"podCIDR": f"10.244.{index}.0/24", "podCIDRs": [f"10.244.{index}.0/24"]},
    }
    return Placed(f"/api/v1/nodes/{name}", manifest)


def _namespace(name: str) -> Placed:
    manifest: Json = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    return Placed(f"/api/v1/namespaces/{name}", manifest)


def _storage_class() -> Placed:
    manifest: Json = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": "simulated",
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": "simulation.mainstay.dev/volume",
        # As zonal disks of the clouds: a claim is bound when its pod is scheduled.
        "volumeBindingMode": "WaitForFirstConsumer",
        "reclaimPolicy": "Delete",
        "allowVolumeExpansion": True,
    }
    return Placed("/apis/storage.k8s.io/v1/storageclasses/simulated", manifest)


def _storage_driver() -> Placed:
    # Without it the attach controller would wait for every volume to be attached to its node.
    manifest: Json = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "CSIDriver",
        "metadata": {"name": "simulation.mainstay.dev"},
        "spec": {"attachRequired": False},
    }
    return Placed("/apis/storage.k8s.io/v1/csidrivers/simulation.mainstay.dev", manifest)
