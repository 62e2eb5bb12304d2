"""The stand-in plugin's readiness: when an object counts as ready, and what is said while it does not."""

from typing import Any

import pytest

from devcluster.plugin.conditions import parse_wait_for
from devcluster.plugin.deletion import propagation
from devcluster.plugin.readiness import judge, seconds, selector


def live(api_version: str, kind: str, status: dict[str, Any], **spec: Any) -> dict[str, Any]:
    metadata = {"name": "x", "namespace": "shop", "generation": 3}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec, "status": status}


def annotated(annotations: dict[str, str], status: dict[str, Any] | None = None) -> dict[str, Any]:
    found = live("example.com/v1", "Thing", status or {})
    found["metadata"]["annotations"] = annotations
    return found


def conditions(**statuses: str) -> dict[str, Any]:
    return {"conditions": [{"type": kind, "status": status} for kind, status in statuses.items()]}


DONE = {"observedGeneration": 3, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "readyReplicas": 2}
NODES = {
    "observedGeneration": 3,
    "desiredNumberScheduled": 2,
    "updatedNumberScheduled": 2,
    "numberAvailable": 2,
}


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (live("apps/v1", "Deployment", DONE, replicas=2), ""),
        (live("apps/v1", "Deployment", {**DONE, "observedGeneration": 2}, replicas=2), "has not seen this version"),
        (live("apps/v1", "Deployment", {**DONE, "availableReplicas": 1}, replicas=2), "1 of 2 replicas ready"),
        (live("apps/v1", "Deployment", {**DONE, "replicas": 3}, replicas=2), "2 of 2 replicas ready, 1 old still"),
        (live("apps/v1", "Deployment", {**DONE, "updatedReplicas": 1}, replicas=2), "1 of 2 replicas ready, 1 updated"),
        (live("apps/v1", "StatefulSet", DONE, replicas=2), ""),
        (live("apps/v1", "StatefulSet", {**DONE, "updatedReplicas": 0}, replicas=2), "0 of 2 replicas ready"),
        (
            live(
                "apps/v1",
                "StatefulSet",
                {**DONE, "updatedReplicas": 0},
                replicas=2,
                updateStrategy={"type": "OnDelete"},
            ),
            "",
        ),
        (live("apps/v1", "StatefulSet", {**DONE, "readyReplicas": 1}, replicas=2), "1 of 2 replicas ready"),
        (live("apps/v1", "DaemonSet", NODES), ""),
        (live("apps/v1", "DaemonSet", {**NODES, "numberAvailable": 1}), "1 of 2 nodes"),
        (live("batch/v1", "Job", conditions(Complete="True")), ""),
        (live("batch/v1", "Job", {"succeeded": 1}, completions=3), "1 of 3 completions"),
        (live("batch/v1", "Job", {}, suspend=True), ""),
        (live("v1", "PersistentVolumeClaim", {"phase": "Bound"}), ""),
        (live("v1", "PersistentVolumeClaim", {"phase": "Pending"}), "the claim is Pending"),
        (live("v1", "Pod", {"phase": "Running", **conditions(Ready="False")}), "the pod is Running"),
        (live("v1", "ConfigMap", {}), ""),
        (annotated({"pulumi.com/waitFor": "condition=Ready"}), "condition Ready is not reported yet"),
        (annotated({"pulumi.com/waitFor": "condition=Ready", "pulumi.com/skipAwait": "true"}), ""),
    ],
)
def test_verdicts(found: dict[str, Any], message: str) -> None:
    verdict = judge(found)
    assert verdict.ready is (message == "")
    assert message in verdict.message


def test_a_failed_job_is_not_waited_for() -> None:
    failed = {"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "gone"}]}
    verdict = judge(live("batch/v1", "Job", failed))
    assert (verdict.ready, verdict.final) == (False, True)
    assert "BackoffLimitExceeded: gone" in verdict.message


@pytest.mark.parametrize(
    ("expression", "status", "holds"),
    [
        ("condition=Ready", conditions(Ready="True"), True),
        ("condition=ready", conditions(Ready="True"), True),
        ("condition=Ready", conditions(Ready="False"), False),
        ("condition=Ready=False", conditions(Ready="False"), True),
        ("condition=Ready", {"conditions": [{"type": "Ready", "status": "True", "observedGeneration": 2}]}, False),
        ("jsonpath={.status.phase}=Running", {"phase": "Running"}, True),
        ("jsonpath={.status.phase}==Running", {"phase": "Running"}, True),
        ("jsonpath={.status.phase}=Running", {"phase": "Pending"}, False),
        ("jsonpath={.status.phase}", {}, False),
        ("jsonpath=.status.ready=2", {"ready": 2}, True),
        ("jsonpath={.status.on}=true", {"on": True}, True),
        ("jsonpath={.status.ingress[0].ip}", {"ingress": [{"ip": "10.0.0.1"}]}, True),
        ("jsonpath={.status['a.b/c']}=d", {"a.b/c": "d"}, True),
        ("jsonpath={.status.a\\.b}=d", {"a.b": "d"}, True),
        ('["condition=A", "condition=B"]', conditions(A="True", B="True"), True),
        ('["condition=A", "condition=B"]', conditions(A="True", B="False"), False),
    ],
)
def test_wait_for(expression: str, status: dict[str, Any], holds: bool) -> None:
    assert judge(annotated({"pulumi.com/waitFor": expression}, status)).ready is holds


@pytest.mark.parametrize(
    "expression", ["ready", "condition=", "jsonpath={}", "jsonpath={.a[*]}", '["condition=A", 3]', '["condition=A"']
)
def test_a_malformed_wait_for_is_a_sentence(expression: str) -> None:
    with pytest.raises(ValueError, match=r"^pulumi\.com/waitFor .*\.$"):
        parse_wait_for(expression)


def test_how_long_to_wait() -> None:
    assert seconds(annotated({}), 0) == 300
    assert seconds(live("batch/v1", "Job", {}), 0) == 600
    assert seconds(annotated({"pulumi.com/timeoutSeconds": "20"}), 0) == 20
    assert seconds(annotated({"pulumi.com/timeoutSeconds": "20"}), 7.0) == 7


def test_the_pods_of_a_workload() -> None:
    labels = {"matchLabels": {"a": "1", "b": "2"}}
    assert selector(live("apps/v1", "Deployment", {}, selector=labels)) == "a=1,b=2"
    assert selector(live("batch/v1", "Job", {})) == "batch.kubernetes.io/job-name=x"
    assert selector(live("networking.k8s.io/v1", "NetworkPolicy", {}, selector=labels)) is None


def test_what_goes_with_a_deleted_object() -> None:
    assert propagation(live("apps/v1", "Deployment", {})) == "Foreground"
    assert propagation(live("postgresql.cnpg.io/v1", "Cluster", {})) == "Foreground"
    assert propagation(live("v1", "ConfigMap", {})) == "Background"
    assert propagation(annotated({"pulumi.com/deletionPropagationPolicy": "orphan"})) == "Orphan"
