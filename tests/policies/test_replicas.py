"""Pods kept at a number: how many, with which labels, whoever keeps them."""

from typing import Any

import pytest

from policies.label_selectors import matches
from policies.replicas import all_replicas, replicas
from policies.stack import Resource, Stack
from policies.values import SECRET, UNKNOWN, Node, Undecided
from tests.policies.builders import GONE, changed, patch, resource, workload

API = workload(replicas=3)
HPA = resource(
    "HorizontalPodAutoscaler",
    "api",
    {
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"},
            "minReplicas": 2,
            "maxReplicas": 8,
        }
    },
)
SCALED = resource(
    "ScaledObject", "api", {"spec": {"scaleTargetRef": {"name": "api"}, "minReplicaCount": 1, "maxReplicaCount": 5}}
)
CLUSTER = resource("Cluster", props={"spec": {"instances": 3, "inheritedMetadata": {"labels": {"team": "data"}}}})
OF_CLUSTER = {
    "cnpg.io/cluster": "main",
    "app.kubernetes.io/name": "postgresql",
    "app.kubernetes.io/instance": "main",
    "app.kubernetes.io/managed-by": "cloudnative-pg",
}
POOL_POD: dict[str, Any] = {"affinity": {}, "topologySpreadConstraints": []}
POOLER = resource(
    "Pooler",
    "pool",
    {
        "spec": {
            "instances": 2,
            "cluster": {"name": "main"},
            "template": {"metadata": {"labels": {"team": "data"}}, "spec": POOL_POD},
        }
    },
)
OPERATED = {"app.kubernetes.io/managed-by": "prometheus-operator", "app.kubernetes.io/instance": "watch"}
PROMETHEUS = resource(
    "Prometheus", "watch", {"spec": {"replicas": 2, "podMetadata": {"labels": {"app.kubernetes.io/managed-by": "us"}}}}
)


def bounds(subject: Resource, *others: Resource) -> tuple[int, int]:
    found = replicas(subject)
    assert found
    return found.bounds(Stack([subject, *others]))


@pytest.mark.parametrize(
    ("subject", "count", "labels"),
    [
        (API, 3, {"app": "api"}),
        (workload(), 1, {"app": "api"}),
        (workload("StatefulSet", replicas=0), 0, {"app": "api"}),
        (workload("ReplicaSet", replicas=2), 2, {"app": "api"}),
        (workload("Rollout", replicas=4), 4, {"app": "api"}),
        (CLUSTER, 3, {**OF_CLUSTER, "cnpg.io/podRole": "instance", "team": "data"}),
        (POOLER, 2, {**OF_CLUSTER, "cnpg.io/podRole": "pooler", "cnpg.io/poolerName": "pool", "team": "data"}),
        (
            PROMETHEUS,
            2,
            {
                **OPERATED,
                "prometheus": "watch",
                "operator.prometheus.io/name": "watch",
                "app.kubernetes.io/name": "prometheus",
            },
        ),
        (
            resource("PrometheusAgent", "watch", {"spec": {}}),
            1,
            {**OPERATED, "operator.prometheus.io/name": "watch", "app.kubernetes.io/name": "prometheus-agent"},
        ),
        (
            resource("Alertmanager", "watch", {"spec": {"replicas": 3}}),
            3,
            {**OPERATED, "alertmanager": "watch", "app.kubernetes.io/name": "alertmanager"},
        ),
        (
            resource("ThanosRuler", "watch", {"spec": {"replicas": 2}}),
            2,
            {**OPERATED, "thanos-ruler": "watch", "app.kubernetes.io/name": "thanos-ruler"},
        ),
    ],
    ids=lambda value: value.subject if isinstance(value, Resource) else "",
)
def test_it_knows_number_and_labels_of_whoever_keeps_pods(
    subject: Resource, count: int, labels: dict[str, str]
) -> None:
    found = replicas(subject)
    assert found
    assert bounds(subject) == (count, count)
    assert found.labels.value == labels


def test_it_knows_where_their_spread_stands() -> None:
    places = {subject.subject: found.spec for subject in (API, POOLER, PROMETHEUS) if (found := replicas(subject))}
    assert [place.path for place in places.values()] == ["spec.template.spec", "spec.template.spec", "spec"]
    assert places[POOLER.subject].value == POOL_POD


def test_only_what_keeps_pods_is_listed() -> None:
    assert [each.resource for each in all_replicas(Stack([API, resource("Service"), workload("Job")]))] == [API]


@pytest.mark.parametrize(
    "subject",
    [
        workload("DaemonSet"),
        workload("Pod"),
        workload("Job"),
        workload("CronJob"),
        workload("ScaledJob", pod={"restartPolicy": "Never", "containers": [{"name": "main"}]}),
        resource("Service"),
        resource("Worker"),
    ],
    ids=lambda subject: subject.subject,
)
def test_what_cannot_be_counted_is_not(subject: Resource) -> None:
    assert replicas(subject) is None


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ((HPA,), (2, 8)),
        ((changed(HPA, "spec.minReplicas", GONE),), (1, 8)),
        ((SCALED,), (1, 5)),
        ((changed(changed(SCALED, "spec.minReplicaCount", GONE), "spec.maxReplicaCount", GONE),), (0, 100)),
        ((changed(SCALED, "spec.idleReplicaCount", 0),), (0, 5)),
        ((HPA, SCALED), (1, 8)),
        ((changed(HPA, "spec.scaleTargetRef.name", "other"),), (3, 3)),
        ((changed(HPA, "spec.scaleTargetRef.kind", "StatefulSet"),), (3, 3)),
        ((changed(HPA, "spec.scaleTargetRef.kind", GONE),), (3, 3)),
        ((changed(changed(HPA, "spec.scaleTargetRef.name", UNKNOWN), "spec.scaleTargetRef.kind", "X"),), (3, 3)),
        ((changed(HPA, "spec.scaleTargetRef.apiVersion", "v1"),), (3, 3)),
        ((changed(HPA, "spec.scaleTargetRef.apiVersion", GONE),), (3, 3)),
        ((changed(HPA, "metadata.namespace", "elsewhere"),), (3, 3)),
        ((changed(SCALED, "spec.scaleTargetRef.kind", "StatefulSet"),), (3, 3)),
        ((changed(SCALED, "spec.scaleTargetRef.kind", "Deployment"),), (1, 5)),
    ],
)
def test_an_autoscaler_of_the_workload_has_the_last_word(
    others: tuple[Resource, ...], expected: tuple[int, int]
) -> None:
    assert bounds(API, *others) == expected


def test_an_autoscaler_finds_what_is_of_no_group_and_of_another() -> None:
    rollout = workload("Rollout", replicas=1)
    of_rollout = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "api"}
    assert bounds(rollout, changed(HPA, "spec.scaleTargetRef", of_rollout)) == (2, 8)
    assert bounds(rollout, changed(SCALED, "spec.scaleTargetRef", of_rollout)) == (1, 5)
    controller = Resource("urn:x", "kubernetes:core/v1:ReplicationController", "api", API.props)
    of_controller = {"apiVersion": "v1", "kind": "ReplicationController", "name": "api"}
    assert bounds(controller, changed(HPA, "spec.scaleTargetRef", of_controller)) == (2, 8)


@pytest.mark.parametrize(
    ("subject", "others"),
    [
        (changed(API, "spec.replicas", UNKNOWN), ()),
        (patch(workload()), ()),
        (API, (changed(HPA, "spec.minReplicas", UNKNOWN),)),
        (API, (changed(HPA, "spec.scaleTargetRef.name", SECRET),)),
        (API, (changed(HPA, "spec.scaleTargetRef.kind", UNKNOWN),)),
        (changed(API, "metadata.name", UNKNOWN), (HPA,)),
        (changed(API, "metadata.namespace", UNKNOWN), (HPA,)),
    ],
)
def test_what_cannot_be_read_is_undecided(subject: Resource, others: tuple[Resource, ...]) -> None:
    with pytest.raises(Undecided):
        bounds(subject, *others)


def test_pods_of_which_it_is_not_known_whether_they_end_are_kept() -> None:
    unknown = {"restartPolicy": UNKNOWN, "containers": [{"name": "main"}]}
    assert bounds(workload("Rollout", pod=unknown, replicas=2)) == (2, 2)


def test_labels_that_cannot_be_read_hide_those_of_the_operator() -> None:
    found = replicas(changed(PROMETHEUS, "spec.podMetadata.labels", UNKNOWN))
    assert found
    with pytest.raises(Undecided):
        matches(Node({"matchLabels": {"prometheus": "watch"}}), found.labels)


def test_an_unknown_name_needs_no_autoscaler_where_there_is_none() -> None:
    assert bounds(changed(API, "metadata.name", UNKNOWN)) == (3, 3)
