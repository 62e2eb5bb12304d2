"""The embedded cluster: what is real in it, and what its simulated nodes and operators do."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from devcluster import DevclusterError, simulation
from devcluster.api import Api, ApiError
from devcluster.cluster import Cluster
from tests.engine.api_client import Json, admin, condition, eventually, gone


@pytest.fixture
def api(cluster: Cluster) -> Api:
    return admin(cluster)


@pytest.fixture
def namespace(api: Api) -> Iterator[str]:
    name = f"cluster-{time.time_ns()}"
    api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    eventually("the default service account", lambda: api.get(f"/api/v1/namespaces/{name}/serviceaccounts/default"))
    yield name
    api.delete(f"/api/v1/namespaces/{name}")


def pod(name: str, **container: Any) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "main", "image": "example.org/app:1", **container}]},
    }


def workload(kind: str, name: str, **spec: Any) -> Json:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": pod(name)["spec"]}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **spec},
    }


class TestWhatIsReal:
    def test_an_unknown_field_is_refused_with_its_path(self, api: Api, namespace: str) -> None:
        with pytest.raises(ApiError, match=r'unknown field "spec\.replica"'):
            api.create(f"/apis/apps/v1/namespaces/{namespace}/deployments", workload("Deployment", "web", replica=2))

    def test_an_unknown_field_of_an_operators_resource_is_refused(self, api: Api, namespace: str) -> None:
        cluster = {
            "apiVersion": "postgresql.cnpg.io/v1",
            "kind": "Cluster",
            "metadata": {"name": "main"},
            "spec": {"instances": 1, "storage": {"size": "1Gi"}, "instancez": 2},
        }
        with pytest.raises(ApiError, match=r'unknown field "spec\.instancez"'):
            api.create(f"/apis/postgresql.cnpg.io/v1/namespaces/{namespace}/clusters", cluster)

    def test_a_quota_refuses_the_pod_that_exceeds_it(self, api: Api, namespace: str) -> None:
        quota = {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "few"},
            "spec": {"hard": {"pods": "1"}},
        }
        quotas = f"/api/v1/namespaces/{namespace}/resourcequotas"
        api.create(quotas, quota)
        eventually("the quota to be counted", lambda: api.get(f"{quotas}/few").get("status", {}).get("hard"))
        api.create(f"/api/v1/namespaces/{namespace}/pods", pod("first"))
        with pytest.raises(ApiError, match="exceeded quota: few"):
            api.create(f"/api/v1/namespaces/{namespace}/pods", pod("second"))

    def test_pod_security_refuses_a_privileged_container(self, api: Api, namespace: str) -> None:
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        api.merge(f"/api/v1/namespaces/{namespace}", {"metadata": {"labels": labels}})
        with pytest.raises(ApiError, match='violates PodSecurity "restricted'):
            api.create(f"/api/v1/namespaces/{namespace}/pods", pod("root", securityContext={"privileged": True}))

    def test_pods_are_spread_over_three_zones(self, api: Api) -> None:
        nodes = api.get("/api/v1/nodes")["items"]
        zones = [node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in nodes]
        assert sorted(zones) == ["local-a", "local-a", "local-b", "local-b", "local-c", "local-c"]


class TestSimulation:
    def test_a_deployment_becomes_available_and_fails_when_told_to(
        self, api: Api, cluster: Cluster, namespace: str
    ) -> None:
        deployments = f"/apis/apps/v1/namespaces/{namespace}/deployments"
        api.create(deployments, workload("Deployment", "web", replicas=2))
        web = f"{deployments}/web"
        eventually("two replicas", lambda: api.get(web).get("status", {}).get("availableReplicas") == 2)

        simulation.fail(cluster, "deployments.apps", namespace, "web", "no route to the database")
        pods = f"/api/v1/namespaces/{namespace}/pods"

        def waiting() -> list[str]:
            statuses = [each for item in api.get(pods)["items"] for each in item["status"].get("containerStatuses", [])]
            return [each["state"]["waiting"]["message"] for each in statuses if "waiting" in each["state"]]

        eventually("a pod that fails", lambda: "no route to the database" in waiting())
        simulation.heal(cluster, "deployments.apps", namespace, "web")
        eventually(
            "all pods of the new rollout",
            lambda: api.get(web)["status"].get("unavailableReplicas") is None and not waiting(),
        )

    def test_a_stateful_set_gets_its_volumes(self, api: Api, namespace: str) -> None:
        claim = {
            "metadata": {"name": "data"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Gi"}}},
        }
        sets = f"/apis/apps/v1/namespaces/{namespace}/statefulsets"
        store = workload("StatefulSet", "store", replicas=2, serviceName="store", volumeClaimTemplates=[claim])
        api.create(sets, store)
        eventually("two ready pods", lambda: api.get(f"{sets}/store").get("status", {}).get("readyReplicas") == 2)
        claims = api.get(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims")["items"]
        assert [each["status"]["phase"] for each in claims] == ["Bound", "Bound"]
        volume = f"/api/v1/persistentvolumes/{claims[0]['spec']['volumeName']}"
        assert api.get(volume)["spec"]["capacity"] == {"storage": "2Gi"}

        claim_path = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{claims[0]['metadata']['name']}"
        api.merge(claim_path, {"spec": {"resources": {"requests": {"storage": "3Gi"}}}})
        eventually("the claim to grow", lambda: api.get(claim_path)["status"]["capacity"] == {"storage": "3Gi"})
        assert api.get(volume)["spec"]["capacity"] == {"storage": "3Gi"}

        api.delete(f"{sets}/store")
        api.delete(claim_path)
        eventually("the volume to go with its claim", lambda: gone(api, volume))

    def test_a_job_completes_and_one_that_is_told_to_fails(self, api: Api, namespace: str) -> None:
        jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
        for name, annotations in (("good", {}), ("bad", {simulation.FAIL: "exit 1"})):
            template = {
                "metadata": {"annotations": annotations},
                "spec": {**pod(name)["spec"], "restartPolicy": "Never"},
            }
            job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}}
            api.create(jobs, {**job, "spec": {"backoffLimit": 0, "template": template}})
        eventually("the good job", lambda: condition(api, f"{jobs}/good", "Complete").get("status") == "True")
        eventually("the bad job", lambda: condition(api, f"{jobs}/bad", "Failed").get("status") == "True")

    def test_a_load_balancer_gets_an_address(self, api: Api, namespace: str) -> None:
        services = f"/api/v1/namespaces/{namespace}/services"
        spec = {"type": "LoadBalancer", "ports": [{"port": 80}], "selector": {"app": "web"}}
        api.create(services, {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "entry"}, "spec": spec})
        eventually("an address", lambda: api.get(f"{services}/entry")["status"]["loadBalancer"].get("ingress"))

    def test_a_postgres_cluster_follows_its_spec_fails_and_recovers(
        self, api: Api, cluster: Cluster, namespace: str
    ) -> None:
        clusters = f"/apis/postgresql.cnpg.io/v1/namespaces/{namespace}/clusters"
        spec = {"instances": 3, "storage": {"size": "1Gi"}}
        manifest = {
            "apiVersion": "postgresql.cnpg.io/v1",
            "kind": "Cluster",
            "metadata": {"name": "main"},
            "spec": spec,
        }
        api.create(clusters, manifest)
        main = f"{clusters}/main"
        eventually("Ready", lambda: condition(api, main, "Ready").get("status") == "True")
        status = api.get(main)["status"]
        assert status["phase"] == "Cluster in healthy state"
        assert (status["readyInstances"], status["currentPrimary"]) == (3, "main-1")

        api.merge(main, {"spec": {"instances": 2}})
        eventually("the change to show", lambda: api.get(main)["status"]["readyInstances"] == 2)

        simulation.fail(cluster, "clusters.postgresql.cnpg.io", namespace, "main", "disk full")
        eventually("not Ready", lambda: condition(api, main, "Ready").get("message") == "disk full")
        assert condition(api, main, "Ready")["status"] == "False"
        simulation.heal(cluster, "clusters.postgresql.cnpg.io", namespace, "main")
        eventually("Ready again", lambda: condition(api, main, "Ready").get("status") == "True")

    def test_failing_an_object_that_does_not_exist_is_an_error(self, cluster: Cluster) -> None:
        with pytest.raises(DevclusterError, match=r"pods/nobody: .* not found"):
            simulation.fail(cluster, "pods", "default", "nobody", "gone")
