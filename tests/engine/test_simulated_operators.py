"""Every operator's resource that is simulated: healthy, failed when told to, healthy again; and valid by its schema."""

from collections.abc import Callable

from devcluster import simulation
from devcluster.api import Api
from devcluster.cluster import Cluster
from devcluster.directory import Directory
from tests.engine.api_client import Json, admin, apply, eventually

ISSUER: Json = {"selfSigned": {}}
LISTENER = {"name": "http", "port": 80, "protocol": "HTTP"}
# Resource, version, whether it is namespaced, spec.
EXAMPLES: list[tuple[str, str, bool, Json]] = [
    ("backups.postgresql.cnpg.io", "v1", True, {"cluster": {"name": "main"}}),
    (
        "poolers.postgresql.cnpg.io",
        "v1",
        True,
        {"cluster": {"name": "main"}, "type": "rw", "instances": 2, "pgbouncer": {"poolMode": "session"}},
    ),
    ("databases.postgresql.cnpg.io", "v1", True, {"cluster": {"name": "main"}, "name": "app", "owner": "app"}),
    ("issuers.cert-manager.io", "v1", True, ISSUER),
    ("clusterissuers.cert-manager.io", "v1", False, ISSUER),
    (
        "certificates.cert-manager.io",
        "v1",
        True,
        {"secretName": "web", "dnsNames": ["example.org"], "issuerRef": {"name": "example"}},
    ),
    ("prometheuses.monitoring.coreos.com", "v1", True, {"replicas": 2}),
    ("alertmanagers.monitoring.coreos.com", "v1", True, {"replicas": 3}),
    ("gatewayclasses.gateway.networking.k8s.io", "v1", False, {"controllerName": "example.org/gateway"}),
    ("gateways.gateway.networking.k8s.io", "v1", True, {"gatewayClassName": "example", "listeners": [LISTENER]}),
    (
        "httproutes.gateway.networking.k8s.io",
        "v1",
        True,
        {"parentRefs": [{"name": "example"}], "rules": [{"backendRefs": [{"name": "web", "port": 80}]}]},
    ),
    (
        "scaledobjects.keda.sh",
        "v1alpha1",
        True,
        {
            "scaleTargetRef": {"name": "web"},
            "triggers": [{"type": "cpu", "metricType": "Utilization", "metadata": {"value": "50"}}],
        },
    ),
    (
        "canaries.flagger.app",
        "v1beta1",
        True,
        {
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "service": {"port": 80},
            "analysis": {"interval": "1m", "threshold": 5, "iterations": 3},
        },
    ),
]
KINDS = {
    "backups": "Backup",
    "poolers": "Pooler",
    "databases": "Database",
    "issuers": "Issuer",
    "clusterissuers": "ClusterIssuer",
    "certificates": "Certificate",
    "prometheuses": "Prometheus",
    "alertmanagers": "Alertmanager",
    "gatewayclasses": "GatewayClass",
    "gateways": "Gateway",
    "httproutes": "HTTPRoute",
    "scaledobjects": "ScaledObject",
    "canaries": "Canary",
}
NAMESPACE = "simulated-operators"
REASON = "told to fail by a test"


def healthy(status: Json) -> bool:
    """What any of the operators reports of a healthy object, and nothing that it reports of another."""
    conditions: list[Json] = status.get("conditions", [])
    for parent in status.get("parents", []):
        conditions = conditions + parent["conditions"]
    wanted = [
        each for each in conditions if each["type"] in ("Ready", "Available", "Programmed", "Accepted", "Promoted")
    ]
    by_condition = bool(wanted) and all(each["status"] == "True" for each in wanted)
    return by_condition or status.get("phase") in ("completed", "active") or status.get("applied") is True


def test_every_simulated_resource_is_healthy_fails_and_recovers(cluster: Cluster) -> None:
    api = admin(cluster)
    logged = Directory(cluster.kubeconfig.parent).log("kwok").stat().st_size
    apply(api, f"/api/v1/namespaces/{NAMESPACE}", {"apiVersion": "v1", "kind": "Namespace"})
    paths: dict[str, str] = {}
    for resource, version, namespaced, spec in EXAMPLES:
        plural, _, group = resource.partition(".")
        place = f"namespaces/{NAMESPACE}/" if namespaced else ""
        paths[resource] = f"/apis/{group}/{version}/{place}{plural}/example"
        apply(api, paths[resource], {"apiVersion": f"{group}/{version}", "kind": KINDS[plural], "spec": spec})
    _all(api, paths, "healthy", healthy)

    for resource, _, namespaced, _ in EXAMPLES:
        simulation.fail(cluster, resource, NAMESPACE if namespaced else None, "example", REASON)
    _all(api, paths, "failed", lambda status: not healthy(status) and REASON in str(status))

    # A Backup is over once it has failed.
    del paths["backups.postgresql.cnpg.io"]
    for resource, _, namespaced, _ in EXAMPLES:
        simulation.heal(cluster, resource, NAMESPACE if namespaced else None, "example")
    _all(api, paths, "healthy again", healthy)

    # The API server only warns of a status field that the schema does not have.
    with Directory(cluster.kubeconfig.parent).log("kwok").open() as log:
        log.seek(logged)
        assert [line for line in log if "unknown field" in line or "is invalid" in line] == []


def _all(api: Api, paths: dict[str, str], what: str, done: Callable[[Json], bool]) -> None:
    for resource, path in paths.items():
        eventually(f"{resource} to be {what}", lambda path=path: done(api.get(path).get("status", {})))
