"""Pods, wherever they are described, and which of their containers run as long as they do."""

import pytest

from policies.pods import Container, Role, each_running, pods, serving
from policies.stack import Resource
from policies.values import UNKNOWN, Node, Undecided
from tests.policies.builders import Props, resource, workload

POD: Props = {
    "containers": [{"name": "main"}],
    "initContainers": [{"name": "first"}, {"name": "beside", "restartPolicy": "Always"}],
    "ephemeralContainers": [{"name": "look", "restartPolicy": "Always"}],
}
TEMPLATE: Props = {"metadata": {"labels": {"app": "api"}}, "spec": POD}
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Pod")
OTHERS = [
    resource("PodTemplate", "api", {"template": TEMPLATE}),
    resource("Rollout", "api", {"spec": {"template": TEMPLATE}}),
    resource("Pooler", "api", {"spec": {"template": TEMPLATE}}),
    resource("ScaledJob", "api", {"spec": {"jobTargetRef": {"template": TEMPLATE}}}),
    resource("ScaledJob", "api", {"spec": {"jobTemplate": TEMPLATE}}),
]


@pytest.mark.parametrize("own", [*(workload(kind, pod=POD) for kind in (*WORKLOADS, "Job", "CronJob")), *OTHERS])
def test_pods_are_found_wherever_they_are_described(own: Resource) -> None:
    (pod,) = pods(own)
    assert pod.labels.value == {"app": "api"}
    assert [each.title for each in pod.containers()] == [
        "container main",
        "init container first",
        "init container beside",
        "ephemeral container look",
    ]
    assert [each.node.at("name").text() for each in pod.containers() if each.runs_on()] == ["main", "beside"]
    running = [part for check in each_running(pod, lambda each: [each.title]) for part in check()]
    assert running == ["container main", "init container beside"]


@pytest.mark.parametrize(
    "own",
    [
        resource("Service"),
        resource("Rollout", "x", {"spec": {"template": {"spec": {"containers": []}}}}),
        resource("Rollout", "x", {"spec": UNKNOWN}),
        resource("HttpService", "x", {"spec": {"template": TEMPLATE}}),
    ],
)
def test_what_describes_no_pods_has_none(own: Resource) -> None:
    assert pods(own) == []


def test_a_workload_that_cannot_be_read_has_pods_all_the_same() -> None:
    (pod,) = pods(resource("Deployment", "x", {"spec": UNKNOWN}))
    with pytest.raises(Undecided):
        pod.containers()


@pytest.mark.parametrize(
    ("kind", "policy", "serves"),
    [
        *((kind, policy, True) for kind in WORKLOADS for policy in ("", "Always")),
        *((kind, "Never", True) for kind in WORKLOADS if kind != "Pod"),
        *(("Pod", policy, False) for policy in ("Never", "OnFailure")),
        *((kind, policy, False) for kind in ("Job", "CronJob") for policy in ("Always", "Never")),
        ("ScaledJob", "Never", False),
        ("ScaledJob", "", True),
    ],
)
def test_which_pods_run_until_they_are_stopped(kind: str, policy: str, serves: bool) -> None:
    assert bool(serving(workload(kind, pod={**POD, "restartPolicy": policy}))) is serves


def test_a_container_without_a_name_is_called_by_its_place() -> None:
    assert Container(Node({}, "spec.containers[0]"), Role.MAIN).title == "container spec.containers[0]"
    assert Container(Node({"name": UNKNOWN}, "x"), Role.INIT).title == "init container x"
