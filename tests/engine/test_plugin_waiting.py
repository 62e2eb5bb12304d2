"""The stand-in plugin with the real engine and API server: waiting for objects to be ready, and to be gone."""

from pathlib import Path
from typing import Any

import pulumi_kubernetes as kubernetes
from pulumi import CustomTimeouts, ResourceOptions

from devcluster.cluster import Cluster
from devcluster.simulation import FAIL
from devcluster.toolchain import Toolchain
from tests.engine.plugin_stack import Stack


class Workers:
    """A Deployment whose pods fail, and a StatefulSet, Job, claim and custom resource that become ready."""

    failing = True

    def __call__(self) -> None:
        kubernetes.apps.v1.Deployment(
            "worker",
            metadata={"name": "worker"},
            spec={
                "replicas": 2,
                "selector": {"match_labels": {"app": "worker"}},
                "template": pod("worker", {FAIL: "cannot reach the database"} if self.failing else None),
            },
            opts=ResourceOptions(custom_timeouts=CustomTimeouts(create="4s", update="30s")),
        )
        kubernetes.apps.v1.StatefulSet(
            "store",
            metadata={"name": "store"},
            spec={
                "service_name": "store",
                "replicas": 1,
                "selector": {"match_labels": {"app": "store"}},
                "template": pod("store"),
            },
        )
        kubernetes.batch.v1.Job(
            "job",
            metadata={"name": "job"},
            spec={"template": pod("job", restart_policy="Never")},
        )
        kubernetes.core.v1.PersistentVolumeClaim(
            "claim",
            metadata={"name": "claim"},
            spec={
                "access_modes": ["ReadWriteOnce"],
                "storage_class_name": "simulated",
                "resources": {"requests": {"storage": "1Gi"}},
            },
        )
        kubernetes.core.v1.ConfigMap(
            "marked",
            metadata={
                "name": "marked",
                "annotations": {"pulumi.com/waitFor": "jsonpath={.data.done}=yes", "pulumi.com/timeoutSeconds": "1"},
            },
            data={"done": "no" if self.failing else "yes"},
        )


def pod(name: str, annotations: dict[str, str] | None = None, **spec: str) -> Any:
    return {
        "metadata": {"labels": {"app": name}, "annotations": annotations or {}},
        "spec": {"containers": [{"name": "app", "image": "registry.invalid/app:1"}], **spec},
    }


def test_what_is_not_ready_in_time_is_recorded_and_waited_for_again(
    tmp_path: Path, toolchain: Toolchain, cluster: Cluster
) -> None:
    workers = Workers()
    stack = Stack(tmp_path, toolchain, cluster, "waiting", workers)
    stack.configure(enableConfigMapMutable="true")

    first = stack.up()
    assert not first.succeeded
    said = first.said()
    assert "Deployment plugin-waiting/worker is not ready after 4 s: 0 of 2 replicas ready; pod worker-" in said
    assert "container app is waiting: CrashLoopBackOff" in said
    assert "cannot reach the database" in said
    assert "ConfigMap plugin-waiting/marked is not ready after 1 s: .data.done is 'no', not 'yes'" in said
    assert "waiting for Deployment plugin-waiting/worker: 0 of 2 replicas ready" in first.said(ephemeral=True)
    for name in ("worker", "marked"):
        assert stack.resource(name)["initErrors"]
    for name in ("store", "job", "claim"):
        assert "initErrors" not in stack.resource(name)
    assert stack.live("statefulset", "store")["status"]["readyReplicas"] == 1
    assert stack.live("job", "job")["status"]["succeeded"] == 1

    workers.failing = False
    second = stack.up()
    assert second.succeeded, second.output
    assert second.operations("worker") == ["update"]
    assert stack.live("deployment", "worker")["status"]["availableReplicas"] == 2
    assert "initErrors" not in stack.resource("worker")


def test_deletion_names_the_finalizer_that_holds_it(tmp_path: Path, toolchain: Toolchain, cluster: Cluster) -> None:
    def program() -> None:
        kubernetes.core.v1.ConfigMap(
            "held",
            metadata={"name": "held", "finalizers": ["example.com/hold"]},
            opts=ResourceOptions(custom_timeouts=CustomTimeouts(delete="1s")),
        )

    stack = Stack(tmp_path, toolchain, cluster, "held", program)
    assert stack.up().succeeded
    destroy = stack.destroy()
    assert not destroy.succeeded
    assert "ConfigMap plugin-held/held is still there 1 s after its deletion was asked for" in destroy.said()
    assert "held by finalizers example.com/hold" in destroy.said()
    stack.kubectl("patch", "configmap/held", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    assert stack.destroy().succeeded
