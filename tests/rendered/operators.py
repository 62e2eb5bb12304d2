"""What controllers and operators make of the resources that name it, as plain manifests.

A rendering refers to things nobody declares: CloudNativePG's secrets, the pods of a Prometheus. They are derived from
the resource in the rendering that causes them, so that they dangle as soon as it is gone. Sources are those of the
releases that devcluster/tools/go.mod pins.
"""

from collections.abc import Callable, Mapping
from typing import Any

Object = dict[str, Any]

NAMESPACES = ("kube-system", "cnpg-system", "envoy-gateway-system")
"""Namespaces that the rendering may name beside its own: what docs/real-cluster.md has installed there."""
GATEWAY_NAMESPACE = "envoy-gateway-system"
"""Where Envoy Gateway runs its proxies: "Gateway Namespace Mode" off, the default."""
CLUSTER_KINDS = ("ClusterIssuer", "GatewayClass")
"""Kinds whose objects belong to the cluster and not to an environment."""
LABELS_OF_CONTROLLERS: Mapping[str, tuple[str, ...]] = {
    # https://kubernetes.io/docs/reference/labels-annotations-taints/
    "Deployment": ("pod-template-hash",),
    "StatefulSet": ("controller-revision-hash", "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"),
    "DaemonSet": ("controller-revision-hash",),
}
"""Labels that the workload controllers put on pods themselves."""


def made_of(resource: Object) -> list[Object]:
    """What an operator makes of a resource; nothing for what no operator watches."""
    make = _MAKERS.get(resource["kind"])
    return make(resource) if make else []


def _cloudnativepg_cluster(cluster: Object) -> list[Object]:
    """cloudnative-pg: pkg/specs/{secrets,services,pods}.go, pkg/certs/certs.go, api/v1/cluster_types.go (suffixes)."""
    name, spec = _name(cluster), cluster["spec"]
    labels = {"cnpg.io/cluster": name}
    host, namespace = f"{name}-rw", cluster["metadata"]["namespace"]
    account: Object = dict.fromkeys(("username", "user", "password", "dbname", "port", "pgpass"), "made")
    account |= {"host": host}
    for scheme, key in (("postgresql", "uri"), ("jdbc:postgresql", "jdbc-uri")):
        account[key] = f"{scheme}://{host}.{namespace}:5432/app"
        account[f"fqdn-{key}"] = f"{scheme}://{host}.{namespace}.svc.cluster.local:5432/app"
    made = [
        _of(cluster, "Secret", f"{name}-ca", stringData=dict.fromkeys(("ca.crt", "ca.key"), "made")),
        *(
            _of(cluster, "Secret", f"{name}-{suffix}", stringData=dict.fromkeys(("tls.crt", "tls.key"), "made"))
            for suffix in ("server", "replication")
        ),
        *(_service(cluster, f"{name}-{suffix}", labels, {"postgres": 5432}) for suffix in ("rw", "ro", "r")),
        _of(cluster, "ServiceAccount", name),
        # Pods without a controller among Kubernetes' own.
        _pods(cluster, "Pod", f"{name}-1", labels, {"postgresql": 5432, "metrics": 9187, "status": 8000}),
    ]
    if "secret" not in spec.get("bootstrap", {}).get("initdb", {}):
        made.append(_of(cluster, "Secret", f"{name}-app", stringData=account))
    if spec.get("enableSuperuserAccess"):
        made.append(_of(cluster, "Secret", f"{name}-superuser", stringData=account))
    return made


def _cloudnativepg_pooler(pooler: Object) -> list[Object]:
    """cloudnative-pg: pkg/specs/pgbouncer/{deployments,services}.go."""
    name = _name(pooler)
    labels = {"cnpg.io/poolerName": name, "cnpg.io/cluster": pooler["spec"]["cluster"]["name"]}
    return [
        _service(pooler, name, {"cnpg.io/poolerName": name}, {"pgbouncer": 5432}),
        _pods(pooler, "Deployment", name, labels, {"pgbouncer": 5432, "metrics": 9127}),
    ]


def _prometheus(prometheus: Object) -> list[Object]:
    """prometheus-operator: pkg/prometheus/common.go (service and port), pkg/prometheus/server/statefulset.go."""
    return [
        _service(prometheus, "prometheus-operated", {"app.kubernetes.io/name": "prometheus"}, {"web": 9090}),
        _pods(
            prometheus,
            "StatefulSet",
            f"prometheus-{_name(prometheus)}",
            _watcher_labels(prometheus, "prometheus"),
            {"web": 9090},
        ),
    ]


def _alertmanager(alertmanager: Object) -> list[Object]:
    """prometheus-operator: pkg/alertmanager/statefulset.go (service, ports, where secrets are mounted)."""
    pods = _pods(
        alertmanager,
        "StatefulSet",
        f"alertmanager-{_name(alertmanager)}",
        _watcher_labels(alertmanager, "alertmanager"),
        {"web": 9093, "mesh-tcp": 9094},
    )
    spec = pods["spec"]["template"]["spec"]
    spec["containers"][0]["ports"].append({"name": "mesh-udp", "containerPort": 9094, "protocol": "UDP"})
    mounts = {
        "/etc/alertmanager/config": alertmanager["spec"].get("configSecret", f"alertmanager-{_name(alertmanager)}")
    }
    mounts |= {f"/etc/alertmanager/secrets/{each}": each for each in alertmanager["spec"].get("secrets", [])}
    spec["volumes"] = [{"name": path, "secret": {"secretName": secret}} for path, secret in mounts.items()]
    spec["containers"][0]["volumeMounts"] = [{"name": path, "mountPath": path} for path in mounts]
    ports = {"web": 9093, "tcp-mesh": 9094}
    return [_service(alertmanager, "alertmanager-operated", {"app.kubernetes.io/name": "alertmanager"}, ports), pods]


def _watcher_labels(resource: Object, name: str) -> dict[str, str]:
    """The operator's own labels win over those of podMetadata."""
    own = {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/managed-by": "prometheus-operator",
        "app.kubernetes.io/instance": _name(resource),
        name: _name(resource),
    }
    return {**resource["spec"].get("podMetadata", {}).get("labels", {}), **own}


def _gateway(gateway: Object) -> list[Object]:
    """envoy gateway: internal/infrastructure/kubernetes/proxy/resource.go (ports), internal/gatewayapi (labels)."""
    name, namespace = _name(gateway), gateway["metadata"]["namespace"]
    owner = "gateway.envoyproxy.io/owning-gateway"
    labels = {
        "app.kubernetes.io/name": "envoy",
        "app.kubernetes.io/component": "proxy",
        "app.kubernetes.io/managed-by": "envoy-gateway",
        f"{owner}-name": name,
        f"{owner}-namespace": namespace,
    }
    ports = {"metrics": 19001, "readiness": 19003}
    proxies = _pods(gateway, "Deployment", f"envoy-{namespace}-{name}", labels, ports)
    proxies["metadata"]["namespace"] = GATEWAY_NAMESPACE
    return [proxies]


def _certificate(certificate: Object) -> list[Object]:
    """https://cert-manager.io/docs/usage/certificate/: keys of the secret."""
    keys = dict.fromkeys(("tls.crt", "tls.key", "ca.crt"), "made")
    return [_of(certificate, "Secret", certificate["spec"]["secretName"], stringData=keys)]


_MAKERS: Mapping[str, Callable[[Object], list[Object]]] = {
    "Alertmanager": _alertmanager,
    "Certificate": _certificate,
    "Cluster": _cloudnativepg_cluster,
    "Gateway": _gateway,
    "Pooler": _cloudnativepg_pooler,
    "Prometheus": _prometheus,
}


def _name(resource: Object) -> str:
    return resource["metadata"]["name"]


def _of(resource: Object, kind: str, name: str, **content: Any) -> Object:
    metadata = {"name": name, "namespace": resource["metadata"]["namespace"]}
    return {"kind": kind, "metadata": metadata, **content}


def _service(resource: Object, name: str, selector: Mapping[str, str], ports: Mapping[str, int]) -> Object:
    listed = [{"name": port, "port": number} for port, number in ports.items()]
    return _of(resource, "Service", name, spec={"selector": dict(selector), "ports": listed})


def _pods(resource: Object, kind: str, name: str, labels: Mapping[str, str], ports: Mapping[str, int]) -> Object:
    listed = [{"name": port, "containerPort": number} for port, number in ports.items()]
    spec = {"containers": [{"name": "made", "ports": listed}]}
    if kind == "Pod":
        made = _of(resource, kind, name, spec=spec)
        made["metadata"]["labels"] = dict(labels)
        return made
    return _of(resource, kind, name, spec={"template": {"metadata": {"labels": dict(labels)}, "spec": spec}})
