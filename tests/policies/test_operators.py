"""Pods that operators make: what the custom resource says, over what the operator gives."""

from typing import Any

import pytest

from policies.operators import all_pods
from policies.values import UNKNOWN, Node
from tests.policies.builders import EMPTY, Props, patch, resource, workload

LOCKED: Props = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
RESTRICTED: Props = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
LABELS: Props = {"labels": {"tier": "x"}}


def made(kind: str, spec: object, as_patch: bool = False) -> Node:
    """The template of the pods of a custom resource."""
    own = resource(kind, props={"spec": spec})
    (pod,) = all_pods(patch(own) if as_patch else own)
    return pod.template


def container(name: str, **more: Any) -> Props:
    return {"name": name, "securityContext": LOCKED, **more}


OWN = {
    "Prometheus": "prometheus",
    "PrometheusAgent": "prometheus",
    "Alertmanager": "alertmanager",
    "ThanosRuler": "thanos-ruler",
}


@pytest.mark.parametrize(("kind", "own"), OWN.items())
def test_prometheus_operator_adds_its_containers(kind: str, own: str) -> None:
    token: Props = {"automountServiceAccountToken": True} if own == "prometheus" else {}
    first = [container("init-config-reloader")]
    spec: Props = {"containers": [container(own), container("config-reloader")], "initContainers": first, **token}
    assert made(kind, EMPTY) == Node({"metadata": None, "spec": spec})
    assert made(kind, None) == Node({"metadata": None, "spec": spec})
    patched: Props = {key: value for key, value in spec.items() if key not in token}
    assert made(kind, EMPTY, as_patch=True) == Node({"metadata": None, "spec": patched}, partial=True)


def test_what_the_resource_says_is_merged_into_them_by_name() -> None:
    given: Props = {
        "podMetadata": LABELS,
        "automountServiceAccountToken": False,
        "containers": [
            {"name": "own", "image": "x"},
            {"name": "prometheus", "image": "y", "securityContext": {"allowPrivilegeEscalation": None, "runAsUser": 1}},
            "no container",
        ],
        "initContainers": UNKNOWN,
    }
    merged = container("prometheus", image="y")
    merged["securityContext"] = {**LOCKED, "runAsUser": 1}
    others = [container("config-reloader"), {"name": "own", "image": "x"}, "no container"]
    expected: Props = {**given, "containers": [merged, *others]}
    assert made("Prometheus", given) == Node({"metadata": LABELS, "spec": expected})


def test_cloudnative_pg_locks_its_pods_down_unless_told_otherwise() -> None:
    locked = container("postgres")
    locked["securityContext"] = {**RESTRICTED, **LOCKED}
    for spec in (EMPTY, None):
        assert made("Cluster", spec).value == {
            "metadata": None,
            "spec": {"securityContext": RESTRICTED, "containers": [locked]},
        }
    given: Props = {
        "inheritedMetadata": LABELS,
        "seccompProfile": {"type": "Unconfined"},
        "securityContext": {"runAsNonRoot": False, "privileged": True, "capabilities": None},
        "podSecurityContext": UNKNOWN,
    }
    open_one = container("postgres")
    open_one["securityContext"] = {
        **LOCKED,
        "runAsNonRoot": False,
        "privileged": True,
        "seccompProfile": {"type": "Unconfined"},
    }
    assert made("Cluster", given).value == {
        "metadata": LABELS,
        "spec": {"securityContext": UNKNOWN, "containers": [open_one]},
    }
    assert made("Cluster", EMPTY, as_patch=True).partial


def test_a_poolers_template_does_not_weaken_what_the_operator_locks() -> None:
    weak: Props = {"securityContext": {"privileged": True}}
    template: Props = {
        "metadata": LABELS,
        "spec": {**weak, "nodeName": "a", "containers": [{"name": "pgbouncer", "image": "x", **weak}]},
    }
    found = made("Pooler", {"template": template})
    spec: Props = {"nodeName": "a", "securityContext": RESTRICTED, "containers": [container("pgbouncer", image="x")]}
    assert found == Node({"metadata": LABELS, "spec": spec}, "spec.template")
    bare = {"securityContext": RESTRICTED, "containers": [container("pgbouncer")]}
    assert made("Pooler", EMPTY).value == {"metadata": None, "spec": bare}
    assert made("Pooler", EMPTY, as_patch=True).partial


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        *((kind, UNKNOWN) for kind in (*OWN, "Cluster", "Pooler")),
        ("Pooler", {"template": UNKNOWN}),
        ("Pooler", {"template": {"spec": UNKNOWN}}),
    ],
)
def test_what_cannot_be_read_stays_so(kind: str, spec: object) -> None:
    assert made(kind, spec).at("spec").value is UNKNOWN


def test_others_have_the_pods_that_they_describe() -> None:
    assert [pod.labels.value for pod in all_pods(workload())] == [{"app": "api"}]
    assert all_pods(resource("Service")) == []
